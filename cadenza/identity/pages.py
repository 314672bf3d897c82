"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError
from cadenza.core.settings import settings
from cadenza.identity.middleware import cookie_name
from cadenza.identity.sessions import log_in, log_out
from cadenza.web.failures import STATUS
from cadenza.web.kept import LARGEST_KEPT, kept_fields, kept_form, send_again
from cadenza.web.service import render, safe_path, see

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    if getattr(request.state, "actor", None):
        return see(safe_path(next))
    return render(request, "identity/login.html", next=safe_path(next), email="", error=None, kept="")


@router.post("/login")
async def enter(
    request: Request,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
    kept: Annotated[str, Form(max_length=LARGEST_KEPT)] = "",
) -> Response:
    if "email" not in await request.form():
        return await _ask_with_form(request)
    fields = kept_fields(kept)
    database, source = request.app.state.database, request.client.host if request.client else ""
    try:
        token = await log_in(database, email, password, source)
    except CadenzaError as error:
        context = {"next": safe_path(next), "email": email, "error": error, "kept": kept}
        return render(request, "identity/login.html", status_code=STATUS[error.kind], **context)
    await _forget(request)
    answer = send_again(request, safe_path(next), fields, token) if fields else see(safe_path(next))
    _set_cookie(request, answer, token, settings().session_days * 86_400)
    return answer


async def _ask_with_form(request: Request) -> Response:
    """A form that found no session was sent on to here (307): it is asked for again after the log-in."""
    back = safe_path(request.query_params.get("next", "/"))
    context = {"next": back, "email": "", "error": None, "kept": await kept_form(request)}
    return render(request, "identity/login.html", status_code=401, **context)


@router.post("/logout")
async def leave(request: Request) -> Response:
    await _forget(request)
    answer = see("/login")
    _set_cookie(request, answer, "", 0)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


async def _forget(request: Request) -> None:
    """End the session that came with this request, so that an old cookie is dead from now on."""
    if before := request.cookies.get(cookie_name(request.url.scheme)):
        await log_out(request.app.state.database, before)


def _set_cookie(request: Request, answer: Response, token: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(
        cookie_name(request.url.scheme),
        token,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )
