"""Doors of the web room: pages from templates, the unit of a request, live parts, and the edge of the application."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Egress
from cadenza.core.unit import Unit
from cadenza.web.catalogue import gettext, ngettext, speak
from cadenza.web.contracts import Edge, Reader
from cadenza.web.downloads import Downloads, download
from cadenza.web.failures import on_error
from cadenza.web.files import VersionedFiles
from cadenza.web.forwarding import ForwardedMiddleware, HttpsOnlyMiddleware
from cadenza.web.live import live
from cadenza.web.rendering import reader_of, render, render_part, speak_to
from cadenza.web.security import EdgeMiddleware, ForgeryMiddleware

__all__ = [
    "Edge", "PageUnit", "Reader", "address_of", "allowed", "download", "egress_of", "gettext", "install", "live", "ngettext", "reader_of", "render",
    "render_part", "safe_path", "see", "speak", "speak_to", "unit_of",
]  # fmt: skip


def address_of(request: Request, path: str) -> str:
    """A whole address of this installation, as it is reached from outside."""
    base = request.app.state.settings.public_url or str(request.base_url).rstrip("/")
    return f"{base}{path}"


def egress_of(request: Request) -> Egress:
    """The way out of this request. Systems on this machine are for the sandbox; tests put a client of their own here."""
    given = getattr(request.app.state, "egress", None)
    return given if isinstance(given, Egress) else Egress(this_machine=request.app.state.settings.sandbox)


async def unit_of(request: Request) -> AsyncIterator[Unit]:
    """The unit of this request, in the workspace of whoever is signed in. Use it through ``PageUnit``."""
    actor = getattr(request.state, "actor", None)
    if actor is None:
        raise CadenzaError("sign_in_needed", "Sign in first.", Kind.UNAUTHENTICATED)
    speak_to(request)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        yield unit


# Scope "function" ends the unit, and so commits, before the answer is sent: what a page says was saved is saved.
PageUnit = Annotated[Unit, Depends(unit_of, scope="function")]


def install(app: FastAPI, edge: Edge) -> None:
    """Make this application safe and ours. Call it after adding other middleware: the last one added is outermost.

    ``app.state.database`` must be set before the first request.
    """
    app.state.edge = edge
    app.state.downloads = Downloads()
    app.mount("/static", VersionedFiles(), name="static")
    for kind in (CadenzaError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, on_error)
    app.add_middleware(ForgeryMiddleware, edge=edge)
    if edge.https_only and edge.public_url:
        app.add_middleware(HttpsOnlyMiddleware, public_url=edge.public_url)
    app.add_middleware(EdgeMiddleware, edge=edge)
    app.add_middleware(ForwardedMiddleware, proxies=edge.proxies)


def allowed(check: Callable[..., None], *given: object) -> bool:
    """Whether to offer a button: ``check`` is the door's own question, such as ``authorize``; it is asked again there."""
    try:
        check(*given)
    except CadenzaError:
        return False
    return True


def see(address: str, said: str = "") -> RedirectResponse:
    """After a change: go and see the page at this address (303). ``said`` names what the page then confirms."""
    if said:
        address += ("&" if "?" in address else "?") + f"said={said}"
    return RedirectResponse(address, 303)


def safe_path(address: str, otherwise: str = "/") -> str:
    """A path on this installation to go back to; anything that could lead elsewhere becomes ``otherwise``."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")):
        return otherwise
    return otherwise if any(c < " " or c == "\\" for c in address) else address
