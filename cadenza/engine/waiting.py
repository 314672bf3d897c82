"""Who would wait for a mailbox that writes no more."""

from uuid import UUID

from sqlalchemy import func, select

from cadenza.channels.service import counts_as_waiting
from cadenza.core.unit import Unit
from cadenza.engine.contracts import EnrolmentState
from cadenza.engine.models import EnrolmentRow


@counts_as_waiting
async def people_of(unit: Unit, mailbox_id: UUID) -> int:
    """People in a campaign who keep this mailbox as their sender and have not reached its end."""
    count = select(func.count()).where(
        EnrolmentRow.workspace_id == unit.workspace_id,
        EnrolmentRow.mailbox_id == mailbox_id,
        EnrolmentRow.state.in_((EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value)),
    )
    return await unit.session.scalar(count) or 0
