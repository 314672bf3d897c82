"""Puts who makes a request into ``request.state``: from the session cookie, or an API token in the header.

Afterwards it records a refusal in the audit trail: here, at the edge, so that each is recorded once.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.audit import record_refusal
from cadenza.identity.contracts import SESSION_COOKIE, Stage
from cadenza.identity.rights import RIGHTS
from cadenza.identity.sessions import signed_in, token_actor

_OPEN = ("/static/", "/u/", "/o/", "/c/", "/healthz")  # never ask who is there


def cookie_name(scheme: str) -> str:
    """With https the browser itself pins the cookie to this host (ASVS 3.3.1)."""
    return f"__Host-{SESSION_COOKIE}" if scheme == "https" else SESSION_COOKIE


class SessionMiddleware:
    """Sets ``state.actor`` and ``state.member`` for whoever is signed in; absent for strangers.

    A session that still lacks its code or a second factor sets ``state.pending`` only, so every page but those that
    bring what lacks takes it for a stranger.
    """

    def __init__(self, app: ASGIApp, database: Database, settings: Settings) -> None:
        self._app = app
        self._database = database
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and not scope["path"].startswith(_OPEN)
        if asked:
            await self._identify(scope)
        await self._app(scope, receive, send)
        if asked:
            await self._record_refusal(scope["state"])

    async def _identify(self, scope: Scope) -> None:
        state: dict[str, Any] = scope.setdefault("state", {})
        headers = Headers(scope=scope)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            if actor := await token_actor(self._database, token.strip()):
                state["actor"] = actor
            return
        cookie = _cookie(headers.get("cookie", ""), cookie_name(scope["scheme"]))
        found = await signed_in(self._database, cookie, self._settings) if cookie else None
        if found is None:
            return
        state["session_token"] = cookie
        if found.stage is not Stage.OPEN:
            state["pending"] = found
            return
        state["actor"], state["member"] = found.actor, found.member
        state["actions"] = {action.value for action in RIGHTS[found.actor.role]}

    async def _record_refusal(self, state: dict[str, Any]) -> None:
        actor, error = state.get("actor"), state.get("failure")
        if actor and error:
            await record_refusal(self._database, actor, error)


def _cookie(header: str, name: str) -> str | None:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None
