from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from starlette.responses import PlainTextResponse, Response

from cadenza.core.clock import ManualClock
from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.web.contracts import Edge
from cadenza.web.security import form_token
from cadenza.web.service import install, render
from tests.support.seeded import seeded, seeded_once, starting_point

__all__ = ["seeded", "seeded_once", "starting_point"]

COOKIE = "session"
SESSION = "a-session-token"


@dataclass
class Changes:
    """What the small application below was made to do."""

    done: list[str]


@dataclass
class StillDatabase:
    world: ManualClock


def build(edge: Edge) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.database = StillDatabase(ManualClock(datetime(2026, 3, 3, 9, 12, tzinfo=UTC)))
    app.state.changes = Changes([])

    @app.get("/")
    async def page(request: Request) -> Response:
        return render(request, "web/error.html", status=200, error=CadenzaError("x", "A page"), request_id="")

    @app.post("/change")
    async def change(request: Request, words: Annotated[str, Form()] = "") -> Response:
        request.app.state.changes.done.append(words)
        return PlainTextResponse("changed")

    @app.post("/u/{token}")
    async def crossing(request: Request, token: str) -> Response:
        request.app.state.changes.done.append(token)
        return PlainTextResponse("stopped")

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("select secret_column from /srv/cadenza/inside.py")

    @app.get("/error/{kind}")
    async def error(kind: Kind) -> None:
        problem = Problem("<b>is no e-mail address</b>", line=7, key="email")
        raise CadenzaError("a_code", "What happened <script>x</script>.", kind, "Do this.", (problem,))

    @app.get("/missing")
    async def missing() -> None:
        raise not_found("campaign", "spring")

    @app.get("/number")
    async def number(value: int) -> int:
        return value

    install(app, edge)
    return app


@pytest.fixture
def edge() -> Edge:
    return Edge(session_cookie=COOKIE, crossing=("/u/",))


@pytest.fixture
def application(edge: Edge) -> FastAPI:
    return build(edge)


@pytest.fixture
async def browser(application: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        client.headers["accept"] = "text/html"
        yield client


@pytest.fixture
def signed_in(browser: httpx.AsyncClient) -> httpx.AsyncClient:
    browser.cookies.set(COOKIE, SESSION)
    return browser


@pytest.fixture
def proof() -> dict[str, Any]:
    return {"csrf_token": form_token(SESSION)}


@pytest.fixture
def actor() -> Actor:
    return Actor(uuid4(), Role.OWNER, Origin.PAGE, uuid4(), "Nora Lindqvist")
