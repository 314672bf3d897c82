"""Delivery notices: a dead address is never used again, a fault on our side stops the sender."""

from uuid import UUID

from cadenza.audience.service import mark_dead
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import break_mailbox
from cadenza.core.unit import Unit
from cadenza.engine.service import end_sequences
from cadenza.inbox import repository
from cadenza.inbox.detection import Bounce, Detection
from cadenza.inbox.matching import bounced_touch
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events
from cadenza.understanding.contracts import FailureType


async def take_bounces(unit: Unit, mailbox: Mailbox, detection: Detection, message_id: UUID) -> None:
    for bounce in detection.bounces:
        await _take(unit, mailbox, bounce, message_id)


async def _take(unit: Unit, mailbox: Mailbox, bounce: Bounce, message_id: UUID) -> None:
    ids = [bounce.original_message_id] if bounce.original_message_id else []
    touch = await bounced_touch(unit, ids, bounce.recipient)
    if touch is None:
        return  # a notice about mail that was not ours
    await repository.set_touch(unit, message_id, touch)
    event = NewEvent(
        kind=EventKind.BOUNCED,
        origin="inbox",
        contact_id=touch.contact_id,
        campaign_id=touch.campaign_id,
        step=touch.step,
        variant=touch.variant,
        touch_id=touch.id,
        message_id=message_id,
        mailbox_id=mailbox.id,
        data={"type": bounce.type.value, "status": bounce.status, "reason": bounce.reason[:300]},
    )
    await record_events(unit, [event])
    if bounce.type is FailureType.HARD:
        await mark_dead(
            unit, touch.recipient, source=f"delivery notice: {bounce.status or bounce.reason[:80]}"
        )
        await end_sequences(unit, touch.contact_id, "bounce")
    elif bounce.type in (FailureType.POLICY, FailureType.CONTENT):
        await _stop_sender(unit, mailbox, bounce)


async def _stop_sender(unit: Unit, mailbox: Mailbox, bounce: Bounce) -> None:
    why = f"refused by {bounce.type.value}: {bounce.status or ''} {bounce.reason[:200]}".strip()
    title = f"{mailbox.address} is refused by a recipient's server"
    await break_mailbox(unit, mailbox.id, title, why)
