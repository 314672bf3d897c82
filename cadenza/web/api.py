"""The frame of the public API under ``/api/v1``: who asks, how fast, in one transaction, and once.

A room's ``endpoints.py`` makes its router by ``api_router`` and its functions take ``ApiUnit``. Answers and bodies are
pydantic models that derive from ``Shape``; lists answer a ``Page`` and take ``Limit`` and ``After``.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Annotated, Any, Generic, Protocol, TypeVar
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


class Caller(Protocol):
    """Whoever asks, as far as this room needs to know them."""

    @property
    def workspace_id(self) -> UUID: ...

    @property
    def member_id(self) -> UUID | None: ...


def owner_of(actor: Caller) -> UUID:
    """Whose pace and whose idempotency keys they are."""
    return actor.member_id or _NOBODY


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


def api_router(tag: str, *, one_unit: bool = True) -> APIRouter:
    """A room's part of the API. Every route asks who is there, counts the request, and is one transaction.

    Without ``one_unit`` its functions open units of their own: for files in both directions, and for what is asked of the
    whole installation. They take no ``ApiUnit``.
    """
    wrong = {status: {"model": ProblemDetails} for status in (401, 403, 404, 409, 413, 422, 429)}
    return APIRouter(
        prefix=PREFIX,
        tags=[tag],
        route_class=ApiRoute if one_unit else AdmittedRoute,
        dependencies=[Depends(HTTPBearer(auto_error=False, description="An API token, from Settings."))],
        responses=wrong,  # type: ignore[arg-type]
    )


def _unit(request: Request) -> Unit:
    unit: Unit = request.state.unit
    return unit


ApiUnit = Annotated[Unit, Depends(_unit)]


class AdmittedRoute(APIRoute):
    """Asks who is there and counts the request; the rest is the function's."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await admitted(request, lambda actor: self.carry_out(request, actor, inner))

        return handle

    async def carry_out(self, request: Request, actor: Caller, inner: Handler) -> Response:  # noqa: ARG002 - of the other kind
        if request.headers.get("content-type", "").startswith(
            "application/json"
        ):  # files are read as they come
            request = Request(request.scope, bounded(request.receive))
            refuse_unstorable(await request.body())
        return await inner(request)


class ApiRoute(AdmittedRoute):
    """Opens the request's unit around the whole function, so that change, idempotency key and answer commit as one."""

    async def carry_out(self, request: Request, actor: Caller, inner: Handler) -> Response:
        request = Request(request.scope, bounded(request.receive))
        body = await request.body()  # all of it, before a transaction is open: a slow sender holds nothing up
        refuse_unstorable(body)
        async with request.app.state.database.unit(actor.workspace_id) as unit:
            request.state.unit = unit
            if request.method in SAFE_METHODS:
                return await inner(request)
            return await once(unit, request, owner_of(actor), lambda: inner(request))


async def admitted(request: Request, answer: Callable[[Caller], Awaitable[Response]]) -> Response:
    """The answer for whoever is there and asks slowly enough; who is not, or is too fast, is told so."""
    actor: Caller | None = getattr(request.state, "actor", None)
    if actor is None:
        return who_is_there(request)
    pace = await _pace(request, actor)
    if pace.exceeded:
        return _refused(request, pace)
    response = await answer(actor)
    response.headers.update(pace.headers())
    return response


async def _pace(request: Request, actor: Caller) -> Pace:
    limit = request.app.state.settings.api_requests_per_minute
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        return await count_request(unit, owner_of(actor), limit)


def who_is_there(request: Request) -> Response:
    """The answer to a stranger."""
    error = CadenzaError(
        "sign_in_needed",
        "Who is there?",
        Kind.UNAUTHENTICATED,
        fix="Send an API token: Authorization: Bearer TOKEN.",
    )
    response = failures.answer(request, error)
    response.headers["www-authenticate"] = "Bearer"
    return response


def too_fast(pace: Pace) -> CadenzaError:
    return CadenzaError(
        "too_many_requests",
        f"More than {pace.limit} requests in a minute.",
        Kind.TOO_MANY,
        fix=f"Wait {pace.seconds} seconds. This request was not carried out.",
    )


def _refused(request: Request, pace: Pace) -> Response:
    response = failures.answer(request, too_fast(pace))
    if not pace.first_too_many:
        request.state.failure = None  # told in the audit trail once a minute, not once a request
    response.headers.update(pace.headers())
    return response


def refuse_unstorable(body: bytes) -> None:
    """Raises ``CadenzaError`` for what no text of the database can hold, by its place: NUL, and halves of a character."""
    if b"\\u" not in body:
        return
    try:
        found = next(_unstorable(json.loads(body), ""), None)
    except (ValueError, RecursionError):
        return  # no JSON: told where it is read
    if found is not None:
        problem = Problem("holds a character that cannot be stored", key=found)
        raise CadenzaError(
            "character_invalid",
            "The request holds NUL or half a character.",
            fix="Leave it out.",
            problems=(problem,),
        )


def _unstorable(value: object, place: str) -> Iterator[str]:
    if isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        yield place or "body"
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _unstorable(key, place or "body")
            yield from _unstorable(each, f"{place}.{key}".strip("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _unstorable(each, f"{place}.{number}".strip("."))


def bounded(receive: Receive, most: int = _LARGEST_BODY) -> Receive:
    """The body as it comes, until it is longer than so many bytes."""
    size = 0

    async def piece() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise CadenzaError(
                "body_too_large",
                f"The request is larger than {most // 1_000_000} MB.",
                Kind.TOO_LARGE,
                fix="Send it in parts, or import a file.",
            )
        return message

    return piece
