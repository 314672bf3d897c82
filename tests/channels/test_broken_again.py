"""Whoever manages senders learns of each break of a mailbox: once while it lasts, and again after it was mended."""

from collections.abc import Awaitable, Callable

import pytest

from cadenza.channels.contracts import Mailbox, MailboxState, Outcome, SenderTest, WireReply
from cadenza.channels.disconnecting import _retire
from cadenza.channels.repository import mailbox_row
from cadenza.channels.service import mailbox, mend_mailbox, note_test
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.engine.models import TouchRow
from cadenza.engine.record import _sender_refused
from cadenza.identity.contracts import Actor
from cadenza.inbox.bounces import _stop_sender
from cadenza.inbox.detection import Bounce
from cadenza.ledger.contracts import WorkKind
from cadenza.ledger.service import work_items
from cadenza.understanding.contracts import FailureType
from tests.channels.test_mailboxes import add

Break = Callable[[Unit, Mailbox], Awaitable[None]]


async def _by_relay(unit: Unit, box: Mailbox) -> None:
    touch = TouchRow(workspace_id=unit.workspace_id, id=new_id(), mailbox_id=box.id, sender=box.address)
    await _sender_refused(unit, touch, WireReply(touch.id, Outcome.DEFERRED, "login", 535, "5.7.8", "no"))


async def _by_notice(unit: Unit, box: Mailbox) -> None:
    await _stop_sender(unit, box, Bounce(FailureType.POLICY, "p@x.example", "5.7.1", "blocked", None))


async def _by_test(unit: Unit, box: Mailbox) -> None:
    await note_test(unit, box, SenderTest(str(box.id), box.address, ok=False, detail="no"))


async def _waiting(unit: Unit, owner: Actor) -> int:
    return len(await work_items(unit, owner, kinds=[WorkKind.SENDER_BROKEN]))


@pytest.mark.parametrize("breaks", [_by_relay, _by_notice, _by_test])
async def test_a_second_break_on_the_same_day_is_told_again(unit: Unit, owner: Actor, breaks: Break) -> None:
    box = await add(unit, owner)
    for _ in range(2):  # the clocks of a test stand still: both are at the very same time
        await breaks(unit, box)
        await breaks(unit, box)
        assert (await mailbox(unit, box.id)).state is MailboxState.BROKEN
        assert await _waiting(unit, owner) == 1
        await mend_mailbox(unit, box.id)
        unit.session.expire_all()
        assert await _waiting(unit, owner) == 0


@pytest.mark.parametrize("breaks", [_by_relay, _by_notice])
async def test_a_mailbox_that_is_disconnected_breaks_no_more(unit: Unit, owner: Actor, breaks: Break) -> None:
    box = await add(unit, owner)
    row = await mailbox_row(unit, box.id)
    assert row is not None
    await _retire(unit, row)
    await breaks(unit, box)
    unit.session.expire_all()
    assert (await mailbox(unit, box.id)).state is MailboxState.RETIRED
    assert await _waiting(unit, owner) == 0
