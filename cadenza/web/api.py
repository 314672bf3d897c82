"""The frame of the public API under ``/api/v1``: who asks, how fast, in one transaction, and once.

A room's ``endpoints.py`` makes its router by ``api_router`` and its functions take ``ApiUnit``. Answers and bodies are
pydantic models that derive from ``Shape``; lists answer a ``Page`` and take ``Limit`` and ``After``.
"""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.unit import Unit
from cadenza.web import failures
from cadenza.web.once import once
from cadenza.web.pace import Pace, count_request
from cadenza.web.security import SAFE_METHODS

PREFIX = "/api/v1"
MOST = 200  # rows of a page
_LARGEST_BODY = 1_000_000  # bytes
_NOBODY = UUID(int=0)  # callers that are no member, such as jobs

Item = TypeVar("Item")
Handler = Callable[[Request], Awaitable[Response]]


class Shape(BaseModel):
    """What goes in and out. Only declared fields do: others are left out on both ways (ASVS 15.3.1, 15.3.3)."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class Page(Shape, Generic[Item]):
    """Part of a list. ``next`` is the ``after`` of the following part; null at the end."""

    items: list[Item]
    next: str | None = None


class FieldProblem(Shape):
    message: str
    line: int | None
    key: str | None
    code: str


class ProblemDetails(Shape):
    """RFC 9457, with what to do (``fix``), the faults by their places, and the id that the log has too."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str
    problems: list[FieldProblem]
    id: str


def _after(
    after: Annotated[str | None, Query(max_length=64, description="``next`` of the page before")] = None,
) -> UUID | None:
    return read_cursor(after) if after else None


Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page")]
After = Annotated[UUID | None, Depends(_after)]


def cursor(identity: UUID) -> str:
    """Where a page ended. Opaque to the caller."""
    return base64.urlsafe_b64encode(identity.bytes).rstrip(b"=").decode()


def read_cursor(text: str) -> UUID:
    """Raises ``CadenzaError`` for anything that ``cursor`` did not make."""
    try:
        return UUID(bytes=base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except ValueError as wrong:
        problem = Problem("is no cursor of ours", key="after")
        raise CadenzaError("cursor_invalid", "There is no such page.", problems=(problem,)) from wrong


def page_of(
    rows: Sequence[Any], limit: int, shape: type[Item], identity: Callable[[Any], UUID] = lambda row: row.id
) -> Page[Item]:
    """A page from ``limit + 1`` rows: one more than is shown tells that there is a next one."""
    shown = rows[:limit]
    items = [shape.model_validate(row) for row in shown]  # type: ignore[attr-defined]
    return Page(items=items, next=cursor(identity(shown[-1])) if len(rows) > limit else None)


def api_router(tag: str) -> APIRouter:
    """A room's part of the API. Every route asks who is there, counts the request, and is one transaction."""
    wrong = {status: {"model": ProblemDetails} for status in (401, 403, 404, 409, 413, 422, 429)}
    return APIRouter(
        prefix=PREFIX,
        tags=[tag],
        route_class=ApiRoute,
        dependencies=[Depends(HTTPBearer(auto_error=False, description="An API token, from Settings."))],
        responses=wrong,  # type: ignore[arg-type]
    )


def _unit(request: Request) -> Unit:
    unit: Unit = request.state.unit
    return unit


ApiUnit = Annotated[Unit, Depends(_unit)]


class ApiRoute(APIRoute):
    """Opens the request's unit around the whole function, so that change, idempotency key and answer commit as one."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request = Request(request.scope, _bounded(request.receive))
            actor = getattr(request.state, "actor", None)
            if actor is None:
                return _who_is_there(request)
            owner = actor.member_id or _NOBODY
            pace = await _pace(request, actor.workspace_id, owner)
            if pace.exceeded:
                return _too_fast(request, pace)
            await request.body()  # all of it, before a transaction is open: a slow sender holds nothing up
            response = await _in_unit(request, actor.workspace_id, owner, inner)
            response.headers.update(pace.headers())
            return response

        return handle


async def _pace(request: Request, workspace_id: UUID, owner: UUID) -> Pace:
    limit = request.app.state.settings.api_requests_per_minute
    async with request.app.state.database.unit(workspace_id) as unit:
        return await count_request(unit, owner, limit)


async def _in_unit(request: Request, workspace_id: UUID, owner: UUID, inner: Handler) -> Response:
    async with request.app.state.database.unit(workspace_id) as unit:
        request.state.unit = unit
        if request.method in SAFE_METHODS:
            return await inner(request)
        return await once(unit, request, owner, lambda: inner(request))


def _who_is_there(request: Request) -> Response:
    error = CadenzaError(
        "sign_in_needed",
        "Who is there?",
        Kind.UNAUTHENTICATED,
        fix="Send an API token: Authorization: Bearer TOKEN.",
    )
    response = failures.answer(request, error)
    response.headers["www-authenticate"] = "Bearer"
    return response


def _too_fast(request: Request, pace: Pace) -> Response:
    error = CadenzaError(
        "too_many_requests",
        f"More than {pace.limit} requests in a minute.",
        Kind.TOO_MANY,
        fix=f"Wait {pace.seconds} seconds. This request was not carried out.",
    )
    response = failures.answer(request, error)
    response.headers.update(pace.headers())
    return response


def _bounded(receive: Receive) -> Receive:
    """The body as it comes, until it is too long."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > _LARGEST_BODY:
            raise CadenzaError(
                "body_too_large",
                "The request is larger than 1 MB.",
                Kind.TOO_LARGE,
                fix="Send it in parts, or import a file.",
            )
        return message

    return bounded
