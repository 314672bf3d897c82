"""Settings, Account: about oneself, absence, password, second factor, sessions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import Response

from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity.account import (
    change_password,
    change_profile,
    end_other_sessions,
    end_session,
    sessions,
)
from cadenza.identity.contracts import Actor, Member, SignedIn, Stage
from cadenza.identity.factors import (
    begin_enrolment,
    confirm_enrolment,
    recovery_codes_left,
    remove_factor,
    renew_recovery_codes,
)
from cadenza.identity.pages import Secret, pending
from cadenza.identity.people import set_away
from cadenza.identity.proof import proof_first
from cadenza.identity.rights import is_fresh
from cadenza.identity.service import actor_of
from cadenza.identity.sign_on import is_connected, sign_on
from cadenza.web.failures import STATUS
from cadenza.web.service import PageUnit, gettext, render, see

router = APIRouter(include_in_schema=False)

_LANGUAGES = (("en", "English"), ("de", "Deutsch"))


def own(request: Request) -> tuple[Actor, Member]:
    """Actor and member of whoever is signed in with a browser. Raises for strangers and programs."""
    actor, member = actor_of(request), getattr(request.state, "member", None)
    if not isinstance(member, Member):
        raise CadenzaError(
            "no_account", "Only somebody who is signed in has an account here.", Kind.NOT_ALLOWED
        )
    return actor, member


@router.get("/settings")
async def front(request: Request) -> Response:
    own(request)
    return see("/settings/account")


@router.get("/settings/account")
async def account(request: Request, unit: PageUnit) -> Response:
    actor, member = own(request)
    said = {
        "saved": gettext("Saved."),
        "ended": gettext("Ended."),
        "password": gettext("Your password is changed; your other sessions have ended."),
        "removed": gettext("Your second factor is removed."),
        "connected": gettext("Your account is connected to the provider."),
        "disconnected": gettext("Your account is no longer connected to the provider."),
    }
    return render(
        request,
        "identity/account.html",
        member=member,
        sessions=await sessions(unit, actor),
        left=await recovery_codes_left(unit, member.user_id),
        away=member.away_until is not None and member.away_until > unit.machine.now(),
        sign_on=await sign_on(unit),
        connected=await is_connected(unit, actor),
        languages=_LANGUAGES,
        zones=sorted(available_timezones()),
        said=said.get(request.query_params.get("said", ""), ""),
    )


@router.post("/settings/account")
async def save_profile(
    request: Request,
    unit: PageUnit,
    name: Annotated[str, Form(max_length=200)],
    locale: Annotated[str, Form(pattern="^(en|de)$")],
    timezone: Annotated[str, Form(max_length=64)],
) -> Response:
    if timezone not in available_timezones():
        raise CadenzaError(
            "timezone_unknown",
            "There is no such time zone.",
            fix="Pick one of the list, such as Europe/Berlin.",
        )
    await change_profile(unit, own(request)[0], name=name, locale=locale, timezone=timezone)
    return see("/settings/account", "saved")


@router.post("/settings/account/away")
async def save_away(
    request: Request,
    unit: PageUnit,
    until: Annotated[str, Form(max_length=10)] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    await set_away(unit, own(request)[0], None if back else _end_of_day(until))
    return see("/settings/account", "saved")


def _end_of_day(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError) as wrong:
        raise CadenzaError("day_invalid", "This is no day.", fix="Write it as 2026-12-24.") from wrong


@router.post("/settings/account/sessions/others")
async def end_others(request: Request, unit: PageUnit) -> Response:
    await end_other_sessions(unit, own(request)[0])
    return see("/settings/account", "ended")


@router.post("/settings/account/sessions/{session_id}/end")
async def end_one(request: Request, unit: PageUnit, session_id: UUID) -> Response:
    await end_session(unit, own(request)[0], session_id)
    return see("/settings/account", "ended")


@router.get("/settings/account/password")
async def ask_password(request: Request, unit: PageUnit) -> Response:
    actor, _ = own(request)
    if not is_fresh(unit, actor):
        return proof_first(request)
    return render(request, "identity/password.html", error=None)


@router.post("/settings/account/password")
async def save_password(request: Request, unit: PageUnit, password: Secret = "") -> Response:
    try:
        await change_password(unit, own(request)[0], password)
    except CadenzaError as error:
        if error.kind is not Kind.INVALID:
            raise
        return render(request, "identity/password.html", status_code=STATUS[error.kind], error=error)
    return see("/settings/account", "password")


@router.get("/settings/account/factor")
async def factor(request: Request, unit: PageUnit) -> Response:
    actor, member = own(request)
    if not is_fresh(unit, actor):
        return proof_first(request)
    if not member.has_factor:
        return see("/enrol")
    return render(request, "identity/factor.html", left=await recovery_codes_left(unit, member.user_id))


@router.post("/settings/account/factor/codes")
async def new_codes(request: Request, unit: PageUnit) -> Response:
    codes = await renew_recovery_codes(unit, *own(request))
    return render(request, "identity/recovery.html", codes=codes)


@router.post("/settings/account/factor/remove")
async def no_factor(request: Request, unit: PageUnit) -> Response:
    await remove_factor(unit, *own(request))
    return see("/settings/account", "removed")


def _enrolling(request: Request) -> SignedIn:
    """Who adds a factor: somebody who wants one, or who may see nothing else before they have one."""
    waiting = pending(request)
    if waiting is not None and waiting.stage is Stage.ENROL:
        return waiting
    if waiting is not None or getattr(request.state, "actor", None) is None:
        raise CadenzaError("sign_in_needed", "Sign in first.", Kind.UNAUTHENTICATED)
    actor, member = own(request)
    return SignedIn(actor, member, Stage.OPEN)


@router.get("/enrol")
async def ask_factor(request: Request) -> Response:
    return await _enrol_page(request)


async def _enrol_page(request: Request, sealed: str = "", error: CadenzaError | None = None) -> Response:
    found = _enrolling(request)
    if found.member.has_factor:
        return see("/settings/account/factor")
    async with request.app.state.database.unit(found.actor.workspace_id) as unit:
        if not is_fresh(unit, found.actor):
            return proof_first(request)
        enrolment = begin_enrolment(unit, found.actor, found.member, sealed)
    return render(
        request,
        "identity/enrol.html",
        status_code=STATUS[error.kind] if error else 200,
        secret=" ".join(enrolment.secret[i : i + 4] for i in range(0, len(enrolment.secret), 4)),
        sealed=enrolment.sealed,
        picture=Markup(enrolment.picture),  # noqa: S704 - drawn by us from a secret of ours
        required=found.stage is Stage.ENROL,
        error=error,
    )


@router.post("/enrol")
async def take_factor(
    request: Request, sealed: Secret, code: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    found = _enrolling(request)
    try:
        async with request.app.state.database.unit(found.actor.workspace_id) as unit:
            codes = await confirm_enrolment(unit, found.actor, found.member, sealed, code)
    except CadenzaError as error:
        if error.code != "code_wrong":
            raise
        return await _enrol_page(request, sealed, error)
    return render(request, "identity/recovery.html", codes=codes)
