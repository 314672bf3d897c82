"""One mailbox's connection: how it is opened, and the ways to change, pause, try and end that."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.channels import oauth, repository
from cadenza.channels.access import change_log_in, test_stored_mailbox
from cadenza.channels.connect_pages import (
    Address,
    Secret,
    Servers,
    TypedServers,
    scope_words,
    shown_servers,
)
from cadenza.channels.contracts import Mailbox, MailboxState, SenderTest, Tls
from cadenza.channels.disconnecting import disconnect, people_waiting
from cadenza.channels.oauth_providers import CONSENTS
from cadenza.channels.providers import preset_of_consent
from cadenza.channels.service import mailbox, pause_sender, resume_sender
from cadenza.channels.trial import allowed_recipients, try_mailbox
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize, is_fresh, proof_first
from cadenza.web.failures import STATUS, faults_of
from cadenza.web.service import PageUnit, address_of, allowed, egress_of, gettext, render, see, speak_to

router = APIRouter(include_in_schema=False)

_HERE = "/senders/{mailbox_id}/connection"


@router.get(_HERE)
async def connection(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    box = await mailbox(unit, mailbox_id)
    grant = await repository.grant_of(unit, box.id)
    words = scope_words()
    return render(
        request,
        "channels/connection.html",
        box=box,
        grant=grant,
        provider=CONSENTS[grant.provider].name if grant else "",
        may_be=list(dict.fromkeys(words.get(scope, scope) for scope in grant.scopes)) if grant else [],
        waiting=await people_waiting(unit, box.id),
        recipients=await allowed_recipients(unit, actor, box),
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS),
        retired=box.state is MailboxState.RETIRED,
        said=_said(request),
    )


def _said(request: Request) -> str:
    words = {
        "connected": gettext("Connected: both servers let us in."),
        "fine": gettext("Both servers let us in. The mailbox is fine."),
        "broken": gettext("The mailbox does not work; the reason stands below."),
        "paused": gettext("Paused. Whoever it would write to waits; nobody is skipped."),
        "resumed": gettext("It goes on."),
        "disconnected": gettext("Disconnected. Nothing here opens the mailbox any more."),
        "untold": gettext(
            "Disconnected: nothing here opens the mailbox any more. The provider was not told; remove the access in your account there as well."
        ),
    }
    return words.get(request.query_params.get("said", ""), "")


@router.post(_HERE + "/test")
async def test(request: Request, mailbox_id: UUID) -> Response:
    result = await test_stored_mailbox(request.app.state.database, actor_of(request), mailbox_id)
    return see(f"/senders/{mailbox_id}/connection", "fine" if result.ok else "broken")


@router.post(_HERE + "/pause")
async def pause(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    await pause_sender(unit, actor_of(request), mailbox_id)
    return see(f"/senders/{mailbox_id}/connection", "paused")


@router.post(_HERE + "/resume")
async def resume(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    await resume_sender(unit, actor_of(request), mailbox_id)
    return see(f"/senders/{mailbox_id}/connection", "resumed")


@router.get(_HERE + "/change")
async def ask_change(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    box = await mailbox(unit, mailbox_id)
    if not is_fresh(unit, actor):
        return proof_first(request)
    return _change_form(request, box, shown_servers(box.smtp, box.imap, box.user))


def _change_form(
    request: Request,
    box: Mailbox,
    servers: Servers,
    *,
    wrong: CadenzaError | None = None,
    tested: SenderTest | None = None,
) -> Response:
    return render(
        request,
        "channels/change_log_in.html",
        status_code=STATUS[wrong.kind] if wrong else 422 if tested else 200,
        box=box,
        servers=servers,
        ways=list(Tls),
        wrong=wrong,
        faults=faults_of(wrong),
        tested=tested,
    )


@router.post(_HERE + "/change")
async def change(
    request: Request,
    mailbox_id: UUID,
    servers: TypedServers,
    password: Secret = "",
) -> Response:
    """Servers, user and password together: a stored password never goes to a server that was entered later."""
    speak_to(request)
    actor, database = actor_of(request), request.app.state.database
    async with database.unit(actor.workspace_id) as unit:
        box = await mailbox(unit, mailbox_id)
    try:
        tested = await change_log_in(
            database, actor, box, smtp=servers.smtp, imap=servers.imap, user=servers.user or box.address, password=password
        )  # fmt: skip
    except CadenzaError as wrong:
        if wrong.code in {"not_allowed", "proof_needed"}:
            raise
        return _change_form(request, box, servers, wrong=wrong)
    if not tested.ok:
        return _change_form(request, box, servers, tested=tested)
    return see(f"/senders/{box.id}/connection", "fine")


@router.post(_HERE + "/again")
async def reconnect(request: Request, mailbox_id: UUID) -> Response:
    """To the provider once more, for this very mailbox."""
    speak_to(request)
    actor, database = actor_of(request), request.app.state.database
    authorize(actor, Action.MANAGE_SENDERS)
    async with database.unit(actor.workspace_id) as unit:
        box = await mailbox(unit, mailbox_id)
        if not is_fresh(unit, actor):
            return proof_first(request)
        grant = await repository.grant_of(unit, box.id)
    found = preset_of_consent(grant.provider if grant else "", box.smtp)
    site = address_of(request, "")
    leaving = await oauth.begin(
        database, egress_of(request), actor, found.key, site=site, address=box.address
    )
    return render(request, "channels/leaving.html", address=leaving, name=oauth.consent_of(found).name)


@router.get(_HERE + "/end")
async def ask_disconnect(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    box = await mailbox(unit, mailbox_id)
    if not is_fresh(unit, actor):
        return proof_first(request)
    waiting = await people_waiting(unit, box.id)
    grant = await repository.grant_of(unit, box.id)
    provider = CONSENTS[grant.provider].name if grant else ""
    return render(request, "channels/disconnect.html", box=box, waiting=waiting, provider=provider)


@router.post(_HERE + "/end")
async def end(request: Request, mailbox_id: UUID) -> Response:
    gone = await disconnect(request.app.state.database, egress_of(request), actor_of(request), mailbox_id)
    said = "untold" if gone.told is False else "disconnected"
    return see(f"/senders/{mailbox_id}/connection" if gone.kept else "/senders", said)


@router.post(_HERE + "/try")
async def try_it(request: Request, mailbox_id: UUID, to: Address = "") -> Response:
    """A message to oneself; the page that answers shows what the relay said."""
    speak_to(request)
    actor = actor_of(request)
    trial = await try_mailbox(request.app.state.database, actor, mailbox_id, to=to.strip() or None)
    return render(request, "channels/tried.html", trial=trial, back=f"/senders/{mailbox_id}/connection")
