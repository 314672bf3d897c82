"""Signing in and out: password, code, fresh proof, and the links that invite or give a new password."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import settings
from cadenza.identity.account import prove, reset_is_open, reset_password
from cadenza.identity.contracts import Actor, SignedIn, Stage
from cadenza.identity.factors import code_wrong, open_with_code
from cadenza.identity.invitations import accept_invitation, join_with_account, open_invitation
from cadenza.identity.mailed_links import ask_for_reset, can_mail
from cadenza.identity.middleware import cookie_name
from cadenza.identity.pace import Pace, check_pace, forget, remember_failure
from cadenza.identity.proof import way_back
from cadenza.identity.sessions import log_in, log_out, signed_in
from cadenza.identity.workspaces import workspaces
from cadenza.web.failures import STATUS
from cadenza.web.kept import LARGEST_KEPT, kept_fields, kept_form, send_again
from cadenza.web.security import form_token
from cadenza.web.service import render, safe_path, see, speak_to

router = APIRouter(include_in_schema=False)

Secret = Annotated[str, Form(max_length=1000)]
Next = Annotated[str, Form(max_length=2000)]
Kept = Annotated[str, Form(max_length=LARGEST_KEPT)]


def client_of(request: Request) -> tuple[str, str]:
    """Address and browser of whoever asks."""
    source = request.client.host if request.client else ""
    return source, request.headers.get("user-agent", "")


def pending(request: Request) -> SignedIn | None:
    """The session of this request that still lacks something."""
    found = getattr(request.state, "pending", None)
    return found if isinstance(found, SignedIn) else None


@router.get("/login")
async def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    if getattr(request.state, "actor", None):
        return see(safe_path(next))
    if waiting := pending(request):
        return _onward(waiting, safe_path(next))
    return render(request, "identity/login.html", next=safe_path(next), email="", error=None, kept="")


def _onward(waiting: SignedIn, after: str) -> Response:
    """To the page that brings what the session lacks."""
    return see(f"/login/code?next={quote(after)}" if waiting.stage is Stage.CODE else "/enrol")


@router.post("/login")
async def enter(
    request: Request,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Secret = "",
    next: Next = "/",  # noqa: A002
    kept: Kept = "",
) -> Response:
    if "email" not in await request.form():
        return await _ask_with_form(request)
    kept_fields(kept)
    source, agent = client_of(request)
    try:
        token = await log_in(request.app.state.database, email, password, source, agent=agent)
    except CadenzaError as error:
        context = {"next": safe_path(next), "email": email, "error": error, "kept": kept}
        return render(request, "identity/login.html", status_code=STATUS[error.kind], **context)
    return await let_in(request, token, safe_path(next), kept)


async def let_in(request: Request, token: str, address: str, kept: str = "") -> Response:
    """Gives the browser its new session, ends the one it came with, and goes on."""
    await _forget(request)
    if not kept:
        answer: Response = see(address)
    elif await _owes_code(request, token):
        answer = _code_page(request, address, kept=kept, token=form_token(token))
    else:
        answer = send_again(request, address, kept_fields(kept), token)
    set_session(request, answer, token)
    return answer


async def _owes_code(request: Request, token: str) -> bool:
    found = await signed_in(request.app.state.database, token, settings())
    return found is not None and found.stage is Stage.CODE


async def _ask_with_form(request: Request) -> Response:
    """A form that found no session was sent on to here (307): it is asked for again after the log-in."""
    back = safe_path(request.query_params.get("next", "/"))
    context = {"next": back, "email": "", "error": None, "kept": await kept_form(request)}
    return render(request, "identity/login.html", status_code=401, **context)


@router.get("/login/code")
async def ask_code(request: Request, next: str = "/") -> Response:  # noqa: A002
    waiting = pending(request)
    if waiting is None or waiting.stage is not Stage.CODE:
        return see("/login")
    return _code_page(request, safe_path(next))


def _code_page(
    request: Request, after: str, *, kept: str = "", token: str = "", error: CadenzaError | None = None
) -> Response:
    """``token`` is the form's proof when the page is the first answer of a session."""
    status = STATUS[error.kind] if error else 200
    context = {"next": after, "kept": kept, "token": token, "error": error}
    return render(request, "identity/code.html", status_code=status, **context)


@router.post("/login/code")
async def enter_code(
    request: Request,
    code: Secret = "",
    next: Next = "/",  # noqa: A002
    kept: Kept = "",
) -> Response:
    waiting, after = pending(request), safe_path(next)
    if waiting is None or waiting.stage is not Stage.CODE:
        return see("/login")
    fields = kept_fields(kept)
    try:
        token = await _with_code(request, waiting, code)
    except CadenzaError as error:
        return _code_page(request, after, kept=kept, error=error)
    answer = send_again(request, after, fields, token) if fields else see(after)
    set_session(request, answer, token)
    return answer


async def _with_code(request: Request, waiting: SignedIn, code: str) -> str:
    database = request.app.state.database
    pace = Pace.of(client_of(request)[0], waiting.member.email)
    await asyncio.sleep(await check_pace(database, pace))
    async with database.unit(waiting.actor.workspace_id) as unit:
        token = await open_with_code(unit, waiting.actor, waiting.member, code)
    if token is None:
        await remember_failure(database, pace)
        raise code_wrong()
    await forget(database, pace)
    return token


@router.post("/logout")
async def leave(request: Request) -> Response:
    await _forget(request)
    answer = see("/login")
    set_session(request, answer, "", 0)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


async def _forget(request: Request) -> None:
    """End the session that came with this request, so that an old cookie is dead from now on."""
    if before := request.cookies.get(cookie_name(request.url.scheme)):
        await log_out(request.app.state.database, before)


def set_session(request: Request, answer: Response, token: str, seconds: int | None = None) -> None:
    answer.set_cookie(
        cookie_name(request.url.scheme),
        token,
        max_age=settings().session_days * 86_400 if seconds is None else seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _whoever(request: Request) -> SignedIn:
    """Who is signed in, also where a second factor is still to be added."""
    waiting = pending(request)
    if waiting is not None and waiting.stage is Stage.ENROL:
        return waiting
    actor, member = getattr(request.state, "actor", None), getattr(request.state, "member", None)
    if not isinstance(actor, Actor) or member is None:
        raise CadenzaError("sign_in_needed", "Sign in first.", Kind.UNAUTHENTICATED)
    return SignedIn(actor, member, Stage.OPEN)


@router.get("/prove")
async def ask_proof(request: Request, next: str = "/settings/account", back: str = "") -> Response:  # noqa: A002
    return _proof_page(request, next, back)


def _proof_page(request: Request, onward: str, back: str, error: CadenzaError | None = None) -> Response:
    return render(
        request,
        "identity/prove.html",
        status_code=STATUS[error.kind] if error else 200,
        next=safe_path(onward),
        back=way_back(back, onward),
        has_factor=_whoever(request).member.has_factor,
        error=error,
    )


@router.post("/prove")
async def take_proof(
    request: Request,
    proof: Secret = "",
    next: Next = "/",  # noqa: A002
    back: Next = "",
) -> Response:
    found = _whoever(request)
    try:
        await prove(request.app.state.database, found, proof, client_of(request)[0])
    except CadenzaError as error:
        return _proof_page(request, next, back, error)
    return see(safe_path(next))


@router.get("/forgot")
async def ask_where_to(request: Request, sent: str = "") -> Response:
    return _forgot_page(request, sent=bool(sent))


def _forgot_page(request: Request, *, sent: bool = False, error: CadenzaError | None = None) -> Response:
    status = STATUS[error.kind] if error else 200
    mails = can_mail(request.app.state.settings)
    return render(request, "identity/forgot.html", status_code=status, can_mail=mails, sent=sent, error=error)


@router.post("/forgot")
async def send_reset_link(request: Request, email: Annotated[str, Form(max_length=320)] = "") -> Response:
    """The answer is the same whether or not there is such an account."""
    if not can_mail(request.app.state.settings):
        return see("/forgot")
    try:
        await ask_for_reset(request.app.state.database, email, client_of(request)[0])
    except CadenzaError as error:
        return _forgot_page(request, error=error)
    return see("/forgot?sent=yes")


@router.get("/reset/{token}")
async def ask_new_password(request: Request, token: str) -> Response:
    if not await reset_is_open(request.app.state.database, token):
        return render(request, "identity/join.html", status_code=404, invitation=None)
    return render(request, "identity/reset.html", open=True, error=None)


@router.post("/reset/{token}")
async def take_new_password(request: Request, token: str, password: Secret = "") -> Response:
    try:
        await reset_password(request.app.state.database, token, password)
    except CadenzaError as error:
        usable = error.kind is not Kind.NOT_FOUND
        return render(
            request, "identity/reset.html", status_code=STATUS[error.kind], open=usable, error=error
        )
    return see("/login")


@router.get("/join/{token}")
async def ask_to_join(request: Request, token: str) -> Response:
    return await _join_page(request, token, None)


async def _join_page(request: Request, token: str, error: CadenzaError | None) -> Response:
    database = request.app.state.database
    found = await open_invitation(database, token)
    if found is None:
        return render(request, "identity/join.html", status_code=404, invitation=None)
    workspace_id, invitation, known = found
    names = {each.id: each.name for each in await workspaces(database)}
    member = getattr(request.state, "member", None)
    return render(
        request,
        "identity/join.html",
        status_code=STATUS[error.kind] if error else 200,
        invitation=invitation,
        workspace=names.get(workspace_id, ""),
        known=known,
        own=member.name if member and member.email == invitation.email else "",
        error=error,
    )


@router.post("/join/{token}")
async def take_invitation(
    request: Request,
    token: str,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Secret = "",
) -> Response:
    speak_to(request)
    database, actor = request.app.state.database, getattr(request.state, "actor", None)
    try:
        if isinstance(actor, Actor) and actor.user_id:
            await join_with_account(database, token, actor)
            return see("/")
        await accept_invitation(database, token, name=name, password=password)
    except CadenzaError as error:
        return await _join_page(request, token, error)
    return see("/login")
