"""Settings, Sign-in; and signing on by a provider."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError
from cadenza.identity import repository
from cadenza.identity.account_pages import own
from cadenza.identity.contracts import Action
from cadenza.identity.factors import require_factor
from cadenza.identity.member_pages import actor_for
from cadenza.identity.pages import Next, Secret, client_of, let_in
from cadenza.identity.sessions import begin_session
from cadenza.identity.sign_on import (
    CALLBACK,
    Leaving,
    begin,
    configure,
    disconnect,
    finish,
    record_failure,
    remove,
    sign_on,
)
from cadenza.web.failures import STATUS
from cadenza.web.service import PageUnit, address_of, egress_of, gettext, render, safe_path, see, speak_to

router = APIRouter(include_in_schema=False)

_COOKIE = "cadenza_sign_on"
_SECONDS = 600


def _cookie_name(request: Request) -> str:
    return f"__Host-{_COOKIE}" if request.url.scheme == "https" else _COOKIE


@router.get("/settings/sign-in")
async def ways(request: Request, unit: PageUnit) -> Response:
    actor = actor_for(request, Action.MANAGE_SIGN_IN)
    members = await repository.members(unit.session, unit.workspace_id)
    workspace = next(w for w in await repository.workspaces(unit.session) if w.id == actor.workspace_id)
    said = {"saved": gettext("Saved."), "removed": gettext("Removed.")}
    return render(
        request,
        "identity/sign_in.html",
        required=workspace.require_factor,
        having=sum(member.has_factor for member in members),
        members=len(members),
        sign_on=await sign_on(unit),
        address=address_of(request, f"/sign-on?workspace={workspace.slug}"),
        callback=address_of(request, CALLBACK),
        said=said.get(request.query_params.get("said", ""), ""),
    )


@router.post("/settings/sign-in/factor")
async def save_factor(
    request: Request, unit: PageUnit, required: Annotated[str, Form(pattern="^(yes|no)$")]
) -> Response:
    await require_factor(unit, own(request)[0], required=required == "yes")
    return see("/settings/sign-in", "saved")


@router.post("/settings/sign-in/provider")
async def save_provider(
    request: Request,
    issuer: Annotated[str, Form(max_length=500)],
    client_id: Annotated[str, Form(max_length=300)],
    secret: Secret,
) -> Response:
    speak_to(request)
    actor, _ = own(request)
    await configure(
        request.app.state.database, egress_of(request), actor,
        issuer=issuer.strip(), client_id=client_id.strip(), secret=secret,
    )  # fmt: skip
    return see("/settings/sign-in", "saved")


@router.post("/settings/sign-in/provider/remove")
async def no_provider(request: Request, unit: PageUnit) -> Response:
    await remove(unit, own(request)[0])
    return see("/settings/sign-in", "removed")


@router.get("/sign-on")
async def ask(request: Request, workspace: str = "", next: str = "/") -> Response:  # noqa: A002
    return _page(request, workspace[:80], safe_path(next), None)


def _page(request: Request, workspace: str, after: str, error: CadenzaError | None) -> Response:
    status = STATUS[error.kind] if error else 200
    context = {"workspace": workspace, "next": after, "error": error}
    return render(request, "identity/sign_on.html", status_code=status, **context)


@router.post("/sign-on")
async def go(request: Request, workspace: Annotated[str, Form(max_length=80)], next: Next = "/") -> Response:  # noqa: A002
    speak_to(request)
    after = safe_path(next)
    try:
        leaving = await begin(
            request.app.state.database, egress_of(request), workspace.strip(), site=address_of(request, ""), after=after
        )  # fmt: skip
    except CadenzaError as error:
        return _page(request, workspace, after, error)
    return _leave(request, leaving)


@router.post("/settings/account/sign-on")
async def connect(request: Request) -> Response:
    speak_to(request)
    actor, _ = own(request)
    leaving = await begin(
        request.app.state.database, egress_of(request), "", site=address_of(request, ""),
        after="/settings/account?said=connected", actor=actor,
    )  # fmt: skip
    return _leave(request, leaving)


@router.post("/settings/account/sign-on/remove")
async def leave_provider(request: Request, unit: PageUnit) -> Response:
    await disconnect(unit, own(request)[0])
    return see("/settings/account", "disconnected")


def _leave(request: Request, leaving: Leaving) -> Response:
    """A page that goes on by itself: a form may not lead to another site (form-action), a page may."""
    answer = render(request, "identity/leaving.html", address=leaving.address)
    answer.set_cookie(
        _cookie_name(request), leaving.browser, max_age=_SECONDS, path="/", httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.get(CALLBACK)
async def come_back(request: Request, state: str = "", code: str = "", iss: str | None = None) -> Response:
    """The one GET that changes something: the protocol sends people back by a link. Its state is good once."""
    speak_to(request)
    database = request.app.state.database
    source, agent = client_of(request)
    try:
        arrived = await finish(
            database, egress_of(request), site=address_of(request, ""), state=state, code=code, issuer=iss,
            browser=request.cookies.get(_cookie_name(request), ""), actor=getattr(request.state, "actor", None),
        )  # fmt: skip
        if arrived.connected:
            return see(arrived.next)
        token = await begin_session(
            database, arrived.user_id, source=source, agent=agent, way="provider", workspace_id=arrived.workspace_id
        )  # fmt: skip
    except CadenzaError as wrong:
        await record_failure(database, wrong, source)
        return _page(request, "", "/", wrong)
    return await let_in(request, token, safe_path(arrived.next))
