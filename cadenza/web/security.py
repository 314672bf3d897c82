"""The outer edge of every request: an id, security headers, and proof that a change was asked for by our own page.

Plain ASGI, so that streams pass through untouched and every answer, also a failed one, gets its headers.
"""

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import structlog
from sqlalchemy.exc import DataError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.core.logs import logger
from cadenza.core.resilience import is_loss
from cadenza.web import failures
from cadenza.web.contracts import Edge

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
TOKEN_FIELD = "csrf_token"  # noqa: S105 - the name of a form field
TOKEN_HEADER = "x-csrf-token"  # noqa: S105 - the name of a header
LARGEST_FORM = 1_000_000  # bytes; a longer body cannot carry its token as a field

_log = logger(__name__)


def form_token(session_token: str) -> str:
    """Proof that a form came from a page of this session: an HMAC under the session's own secret token."""
    return hmac.new(session_token.encode(), b"cadenza form", hashlib.sha256).hexdigest()


class EdgeMiddleware:
    """Gives each request an id and a nonce, each answer its headers, and turns a crash into a page with an id."""

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self.app = app
        self.edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, nonce = new_id().hex, secrets.token_urlsafe(16)
        scope["state"] = {**scope.get("state", {}), "request_id": request_id, "nonce": nonce}
        answer = _Answer(send, self._headers(scope, request_id, nonce))
        with structlog.contextvars.bound_contextvars(request_id=request_id, **_where(scope)):
            try:
                app = failures.nowhere if _holds_nul(scope) else self.app
                await app(scope, receive, answer)
            except Exception as wrong:
                if answer.started:
                    _log.exception("request_failed", method=scope["method"])
                    raise
                await _after(wrong, scope)(scope, receive, answer)

    def _headers(self, scope: Scope, request_id: str, nonce: str) -> dict[str, str]:
        headers = {
            "content-security-policy": _policy(nonce),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "cache-control": "no-store",
            "x-request-id": request_id,
        }
        if scope["scheme"] == "https" or (self.edge.public_url or "").startswith("https:"):
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        return headers


def _where(scope: Scope) -> dict[str, str]:
    """Who asks and in which part of the product, for each line of the log. The first word of the path only: links that
    open something by themselves carry their secret behind it.
    """
    peer = scope.get("client")
    return {"source": peer[0] if peer else "", "part": "/" + scope["path"].lstrip("/").partition("/")[0][:40]}


def _after(wrong: Exception, scope: Scope) -> Response:
    """What is said when nothing has been said yet. Nothing was kept: the transaction is rolled back."""
    if is_loss(wrong):
        _log.warning(
            "database_away", method=scope["method"], why=str(getattr(wrong, "orig", wrong)).strip()[:200]
        )
        return failures.answer(Request(scope), failures.database_busy())
    if isinstance(wrong, DataError) and "NUL" in str(wrong.orig):  # typed into a form: no fault of ours
        return failures.answer(Request(scope), failures.unstorable())
    _log.error("request_failed", method=scope["method"], exc_info=wrong)
    return failures.crashed(Request(scope))


def _holds_nul(scope: Scope) -> bool:
    """No address of ours has a NUL character, and the database cannot hold one."""
    return "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]


def _policy(nonce: str) -> str:
    """Nothing but our own files; scripts only with this answer's nonce; never inside a frame."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class _Answer:
    """Sends on, adding the headers that the answer has not set itself."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self.send = send
        self.headers = headers
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self.headers.items():
                headers.setdefault(name, value)
        await self.send(message)


class ForgeryMiddleware:
    """Refuses a change that another site asked the browser for (ASVS 3.5.1).

    Two proofs are asked of a request that carries the session cookie: the browser says that our own page made it
    (``Sec-Fetch-Site``, else ``Origin``), and it holds the token of the session. A request without that cookie has
    no rights to borrow; it is refused only when the browser says that it comes from elsewhere.
    """

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self.app = app
        self.edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] in SAFE_METHODS
            or scope["path"].startswith(self.edge.crossing)
        ):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        session = _cookie(headers, self.edge.cookie(scope["scheme"]))
        origin_proven = self._came_from_here(scope, headers)
        if origin_proven is False or (session and not origin_proven):
            await self._refuse(scope, receive, send, "other_site")
            return
        if session:
            receive, given = await _read_token(headers, receive)
            if not hmac.compare_digest(given.encode(), form_token(session).encode()):
                await self._refuse(scope, receive, send, "wrong_token")
                return
        await self.app(scope, receive, send)

    def _came_from_here(self, scope: Scope, headers: Headers) -> bool | None:
        """None when the client says nothing about it, as programs do."""
        if site := headers.get("sec-fetch-site"):
            return site in {"same-origin", "none"}
        if (origin := headers.get("origin")) is None:
            return None
        ours = {f"{scope['scheme']}://{headers.get('host', '')}"}
        if self.edge.public_url:
            parts = urlsplit(self.edge.public_url)
            ours.add(f"{parts.scheme}://{parts.netloc}")
        return origin in ours

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, reason: str) -> None:
        _log.warning("forged_request_refused", reason=reason, method=scope["method"])
        error = CadenzaError(
            "forged_request",
            "This change was not asked for by a page of yours, or the page was too old.",
            Kind.NOT_ALLOWED,
            fix="Nothing was changed. Open the page again and repeat it there.",
        )
        await failures.answer(Request(scope), error)(scope, receive, send)


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


async def _read_token(headers: Headers, receive: Receive) -> tuple[Receive, str]:
    """The token from the header, else from the form's field; the body can be read again afterwards."""
    if given := headers.get(TOKEN_HEADER):
        return receive, given
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return receive, ""
    messages, body = await _read_body(receive)
    if len(body) > LARGEST_FORM:
        return receive, ""
    field = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1000).get(TOKEN_FIELD, [""])[0]
    return _replay(messages, receive), field


async def _read_body(receive: Receive) -> tuple[list[Message], bytes]:
    messages: list[Message] = []
    body = b""
    while len(body) <= LARGEST_FORM:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    return messages, body


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return again
