"""What an assistant may ask about the mailboxes that send. No secret is in it."""

from uuid import UUID

from cadenza.channels.contracts import MailboxState
from cadenza.channels.service import mailboxes, used_quota
from cadenza.identity.contracts import Action
from cadenza.identity.service import authorize
from cadenza.web.tools import Call, Does, Given, Outside, Part, Told, Toolbox

TOOLS = Toolbox()


class AllSenders(Given):
    """No arguments."""


class SenderTold(Told):
    """``used_today`` of ``daily_limit`` messages are taken."""

    id: UUID
    address: str
    display_name: Outside
    state: MailboxState
    state_reason: Outside
    daily_limit: int
    used_today: int


@TOOLS.add(Does.READS, Action.READ, "Senders")
async def list_senders(call: Call, given: AllSenders) -> Part[SenderTold]:  # noqa: ARG001 - of every tool
    """Every mailbox with its state, why it does not send where it does not, and how much of today is used."""
    authorize(call.actor, Action.READ)
    found = await mailboxes(call.unit)
    used = await used_quota(call.unit, call.unit.world.now().date(), [each.id for each in found])
    told = [
        SenderTold.model_validate(
            {name: getattr(each, name) for name in SenderTold.model_fields if name != "used_today"}
            | {"used_today": used.get(each.id, 0)}
        )
        for each in found
    ]
    return Part(items=told)
