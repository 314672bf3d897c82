"""The end of a sequence for somebody: nothing more is due, and what a person was asked to do for it is taken back."""

from collections.abc import Sequence
from uuid import UUID

from cadenza.channels.service import withdraw_jobs
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import EnrolmentState
from cadenza.ledger.service import finish_work_items


async def end(
    unit: Unit, ids: Sequence[UUID], state: EnrolmentState, reason: str
) -> list[tuple[UUID, UUID, UUID]]:
    """End those that have not ended; (enrolment, contact, campaign) of each. Nobody calls or writes by hand after a stop (M2)."""
    ended = await repository.end(unit, ids, state, reason)
    if not ended:
        return ended
    touch_ids = await repository.withdraw(unit, [enrolment for enrolment, _, _ in ended])
    if touch_ids:
        await withdraw_jobs(unit, touch_ids)
        await finish_work_items(unit, touch_ids=touch_ids)
    return ended
