"""Puts who makes a request into ``request.state``: from the session cookie, or an API token in the header."""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.identity.sessions import session_actor, token_actor

_OPEN = ("/static/", "/u/", "/o/", "/c/", "/healthz")  # never ask who is there


def cookie_name(scheme: str) -> str:
    """With https the browser itself pins the cookie to this host (ASVS 3.3.1)."""
    return f"__Host-{SESSION_COOKIE}" if scheme == "https" else SESSION_COOKIE


class SessionMiddleware:
    """Sets ``state.actor`` and ``state.member`` for whoever is signed in; absent for strangers."""

    def __init__(self, app: ASGIApp, database: Database, settings: Settings) -> None:
        self._app = app
        self._database = database
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN):
            await self._identify(scope)
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> None:
        state: dict[str, Any] = scope.setdefault("state", {})
        headers = Headers(scope=scope)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            if actor := await token_actor(self._database, token.strip()):
                state["actor"] = actor
            return
        cookie = _cookie(headers.get("cookie", ""), cookie_name(scope["scheme"]))
        if cookie and (found := await session_actor(self._database, cookie, self._settings)):
            state["actor"], state["member"] = found
            state["session_token"] = cookie


def _cookie(header: str, name: str) -> str | None:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None
