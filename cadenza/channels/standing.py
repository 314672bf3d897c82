"""A mailbox that stops working, and one that works again."""

from uuid import UUID

from sqlalchemy import update

from cadenza.channels.contracts import Mailbox, MailboxState, SenderTest
from cadenza.channels.models import MailboxRow
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import finish_work_items, open_work_items


async def break_mailbox(
    unit: Unit, mailbox_id: UUID, title: str, why: str, fix: str = "", *, touch_id: UUID | None = None
) -> None:
    """Nothing is sent or read until a person mends it, and whoever manages senders is told: once, however many notice, and
    again when it breaks after it was mended. ``touch_id`` is the message that was refused.
    """
    if not await _change(unit, mailbox_id, MailboxState.BROKEN, why, unless=MailboxState.BROKEN):
        await _change(unit, mailbox_id, MailboxState.BROKEN, why, unless=MailboxState.OK)  # the newest reason
        return
    item = NewWorkItem(
        kind=WorkKind.SENDER_BROKEN,
        key=f"{_keys(mailbox_id)}{new_id()}",
        title=title,
        detail=f"{why} {fix}".strip(),
        queue="operator",
        due_at=unit.world.now(),
        touch_id=touch_id,
    )
    await open_work_items(unit, [item])


async def mend_mailbox(unit: Unit, mailbox_id: UUID) -> None:
    """It works, and goes on; what was asked for because of it is done. A paused one stays paused."""
    await _change(unit, mailbox_id, MailboxState.OK, "", unless=MailboxState.PAUSED)
    await finish_requests(unit, mailbox_id)


async def finish_requests(unit: Unit, mailbox_id: UUID) -> None:
    """Nobody is asked to mend it any more."""
    await finish_work_items(unit, keys=_keys(mailbox_id))


def _keys(mailbox_id: UUID) -> str:
    return f"sender/{mailbox_id}/"


async def _change(
    unit: Unit, mailbox_id: UUID, state: MailboxState, reason: str, *, unless: MailboxState
) -> bool:
    changed = await unit.session.execute(
        update(MailboxRow)
        .where(
            MailboxRow.workspace_id == unit.workspace_id,
            MailboxRow.id == mailbox_id,
            MailboxRow.state.not_in((unless.value, MailboxState.RETIRED.value)),
        )
        .values(state=state.value, state_reason=reason[:500])
        .returning(MailboxRow.id)
    )
    return changed.first() is not None


async def note_test(unit: Unit, tried: Mailbox, result: SenderTest) -> None:
    """What a test of a stored mailbox found: it is broken from now on, or it is mended."""
    if result.ok:
        await mend_mailbox(unit, tried.id)
    else:
        await break_mailbox(unit, tried.id, f"{tried.address} does not work", result.detail)
