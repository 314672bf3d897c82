"""LinkedIn and phone: the accounts that are connected, and what a person is asked to do there by hand."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from cadenza.channels.accounts import (
    PROVIDERS,
    AccountTest,
    NewAccount,
    account,
    accounts,
    connect_account,
    disconnect_account,
    test_account,
)
from cadenza.channels.channel_limits import LIMITS
from cadenza.channels.channel_quota import capacities
from cadenza.channels.channel_work import OUTCOMES, job_of, say_outcome
from cadenza.channels.contracts import AccountProvider, AccountState, IncomingKind
from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize, is_fresh, proof_first, require_fresh
from cadenza.web.failures import STATUS, faults_of
from cadenza.web.service import PageUnit, allowed, egress_of, gettext, render, see, speak_to

router = APIRouter(include_in_schema=False)

_HERE = "/senders/accounts"
Text = Annotated[str, Form(max_length=500)]
_NUMBER = re.compile(r"\+[0-9]{7,15}")
_PROFILE = re.compile(r"https://www\.linkedin\.com/in/[A-Za-z0-9_.%-]+")
_PASSED_ON = frozenset({"not_allowed", "proof_needed"})


@router.get(_HERE)
async def accounts_page(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    found = await accounts(unit, actor)
    return render(
        request, "channels/accounts.html", accounts=found, rooms=await capacities(unit, found), states=_states(),
        providers=_providers(), may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS), said=_said(request),
    )  # fmt: skip


@router.get(_HERE + "/+connect/{channel}")
async def ask(request: Request, unit: PageUnit, channel: str) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    if not is_fresh(unit, actor):
        return proof_first(request)
    return _form(request, _new(channel))


def _new(channel: str) -> NewAccount:
    if channel not in PROVIDERS:
        raise CadenzaError("page_not_found", gettext("There is no such page."), Kind.NOT_FOUND)
    return NewAccount(channel=channel, provider=AccountProvider.ASSISTED, name="", address="")


def _form(
    request: Request,
    typed: NewAccount,
    *,
    wrong: CadenzaError | None = None,
    tested: AccountTest | None = None,
) -> Response:
    return render(
        request, "channels/connect_account.html", status_code=STATUS[wrong.kind] if wrong else 422 if tested else 200,
        typed=typed, ways=PROVIDERS[typed.channel], providers=_providers(), wrong=wrong, faults=faults_of(wrong), tested=tested,
    )  # fmt: skip


def _typed(
    channel: str,
    provider: Annotated[AccountProvider, Form()] = AccountProvider.ASSISTED,
    name: Text = "",
    address: Text = "",
    base_url: Text = "",
    reference: Text = "",
    rings: Text = "",
) -> NewAccount:
    return NewAccount(
        channel=channel, provider=provider, name=name.strip(), address=address.strip(), base_url=base_url.strip(),
        reference=reference.strip(), rings=rings.strip(),
    )  # fmt: skip


@router.post(_HERE + "/+connect/{channel}")
async def connect(
    request: Request, typed: Annotated[NewAccount, Depends(_typed)], key: Text = ""
) -> Response:
    speak_to(request)
    actor, state = actor_of(request), request.app.state
    authorize(actor, Action.MANAGE_SENDERS)
    _new(typed.channel)
    try:
        async with state.database.unit(actor.workspace_id) as unit:
            require_fresh(unit, actor)
        tested = await connect_account(
            state.database, egress_of(request), actor, typed, key.strip(), site=state.settings.public_url
        )
    except CadenzaError as wrong:
        if wrong.code in _PASSED_ON:
            raise
        return _form(request, typed, wrong=wrong)
    return see(_HERE, "connected") if tested.ok else _form(request, typed, tested=tested)


@router.get(_HERE + "/{account_id}")
async def account_page(request: Request, unit: PageUnit, account_id: UUID) -> Response:
    actor = actor_of(request)
    found = await account(unit, actor, account_id)
    return render(
        request, "channels/account.html", account=found, states=_states(), providers=_providers(),
        limits=[limit for limit in LIMITS if limit.channel == found.channel], rooms=(await capacities(unit, [found]))[found.id],
        actions=_actions(), retired=found.state is AccountState.RETIRED,
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS), said=_said(request),
    )  # fmt: skip


@router.post(_HERE + "/{account_id}/test")
async def test(request: Request, account_id: UUID) -> Response:
    tested = await test_account(request.app.state.database, egress_of(request), actor_of(request), account_id)
    return see(f"{_HERE}/{account_id}", "fine" if tested.ok else "broken")


@router.post(_HERE + "/{account_id}/end")
async def end(request: Request, account_id: UUID) -> Response:
    actor, database = actor_of(request), request.app.state.database
    authorize(actor, Action.MANAGE_SENDERS)
    async with database.unit(actor.workspace_id) as unit:
        if not is_fresh(unit, actor):
            return proof_first(request)
    told = await disconnect_account(database, egress_of(request), actor, account_id)
    return see(_HERE, "disconnected" if told else "untold")


@router.get("/work/{job_id}")
async def work(request: Request, unit: PageUnit, job_id: UUID) -> Response:
    actor = actor_of(request)
    job = await job_of(unit, actor, job_id)
    return render(
        request, "channels/job.html", job=job, link=_link(job.errand.recipient), outcomes=OUTCOMES[job.account.channel], words=_outcomes(),
        keys=_KEYS, may=allowed(authorize, actor, Action.ANSWER), said=_said(request),
    )  # fmt: skip


@router.post("/work/{job_id}")
async def said(
    request: Request,
    unit: PageUnit,
    job_id: UUID,
    outcome: Annotated[IncomingKind, Form()],
    note: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    await say_outcome(unit, actor_of(request), job_id, outcome, note.strip())
    return see(f"/work/{job_id}", "noted")


_KEYS = {
    IncomingKind.DONE: "d", IncomingKind.NOT_DONE: "x", IncomingKind.ACCEPTED: "a", IncomingKind.REPLIED: "e", IncomingKind.CONNECTED: "d",
    IncomingKind.NO_ANSWER: "n", IncomingKind.REACHED_MACHINE: "v", IncomingKind.CALL_BACK: "b", IncomingKind.MEETING: "m",
    IncomingKind.WRONG_NUMBER: "w",
}  # fmt: skip


def _link(recipient: str) -> str:
    """To the person, for the browser or the telephone; none for anything but the normal form of a number or a profile."""
    if _NUMBER.fullmatch(recipient):
        return f"tel:{recipient}"
    return recipient if _PROFILE.fullmatch(recipient) else ""


def _outcomes() -> dict[IncomingKind, str]:
    return {
        IncomingKind.DONE: gettext("Done"),
        IncomingKind.NOT_DONE: gettext("Cannot be done"),
        IncomingKind.ACCEPTED: gettext("They accepted"),
        IncomingKind.REPLIED: gettext("They answered"),
        IncomingKind.CONNECTED: gettext("We talked"),
        IncomingKind.NO_ANSWER: gettext("No answer"),
        IncomingKind.REACHED_MACHINE: gettext("Voicemail"),
        IncomingKind.CALL_BACK: gettext("Call back later"),
        IncomingKind.MEETING: gettext("A meeting is agreed"),
        IncomingKind.WRONG_NUMBER: gettext("Wrong number"),
    }


def _states() -> dict[AccountState, tuple[str, str]]:
    return {
        AccountState.OK: ("pass", gettext("Fine")),
        AccountState.BROKEN: ("fail", gettext("Broken")),
        AccountState.RESTRICTED: ("fail", gettext("Restricted")),
        AccountState.RETIRED: ("off", gettext("Disconnected")),
    }


def _providers() -> dict[AccountProvider, str]:
    return {
        AccountProvider.ASSISTED: gettext("by hand"),
        AccountProvider.UNIPILE: "Unipile",
        AccountProvider.TWILIO: "Twilio",
    }


def _actions() -> dict[str, str]:
    return {
        "connect": gettext("Connection requests"),
        "view_profile": gettext("Visits of profiles"),
        "message": gettext("Messages"),
        "call": gettext("Calls"),
    }


def _said(request: Request) -> str:
    words = {
        "connected": gettext("Connected."),
        "fine": gettext("Its provider lets us in."),
        "broken": gettext("It cannot be used; the reason stands here."),
        "disconnected": gettext("Disconnected. Its key is forgotten here."),
        "untold": gettext("Disconnected, and its key is forgotten here. The provider could not be told."),
        "noted": gettext("Noted."),
    }
    return words.get(request.query_params.get("said", ""), "")
