"""Senders: every mailbox, how it is, and how much of its day is used."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.channels.contracts import Mailbox, MailboxState
from cadenza.channels.service import mailbox, mailboxes, test_stored_mailbox, used_quota
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, render, see

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Line:
    """A mailbox in the list, with the shape and word of its state."""

    mailbox: Mailbox
    used: int
    shape: str
    word: str


@router.get("/senders")
async def senders(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    found = await mailboxes(unit)
    used = await used_quota(unit, unit.world.now().date(), [each.id for each in found])
    return render(
        request,
        "channels/senders.html",
        lines=[_line(each, used.get(each.id, 0)) for each in found],
        broken=sum(each.state is MailboxState.BROKEN for each in found),
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS),
        said={
            "fine": gettext("Both servers let us in. The mailbox is fine."),
            "broken": gettext("The mailbox does not work; the reason stands beside it."),
            "disconnected": gettext("Disconnected. Nothing here opens the mailbox any more."),
            "untold": gettext(
                "Disconnected: nothing here opens the mailbox any more. The provider was not told; remove the access in your account there as well."
            ),
        }.get(request.query_params.get("said", ""), ""),
    )


def _line(each: Mailbox, used: int) -> _Line:
    if each.state is MailboxState.BROKEN:
        return _Line(each, used, "fail", gettext("Broken"))
    if each.state is MailboxState.RETIRED:
        return _Line(each, used, "off", gettext("Disconnected"))
    if each.state is MailboxState.PAUSED:
        return _Line(each, used, "hold", gettext("Paused"))
    if used >= each.daily_limit:
        return _Line(each, used, "hold", gettext("Full for today"))
    return _Line(each, used, "pass", gettext("Fine"))


@router.post("/senders/{mailbox_id}/test")
async def test(request: Request, mailbox_id: UUID) -> Response:
    """Log in at both servers between two units: no transaction waits for a network."""
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    database = request.app.state.database
    async with database.unit(actor.workspace_id) as unit:
        box = await mailbox(unit, mailbox_id)
    result = await test_stored_mailbox(database, box)
    return see("/senders", "fine" if result.ok else "broken")
