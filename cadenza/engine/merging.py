"""What a merge of two contacts means for what is sent: everything to either was to the one who remains."""

from uuid import UUID

from sqlalchemy import select, update

from cadenza.audience.service import when_merged
from cadenza.core.unit import Unit
from cadenza.engine.contracts import EnrolmentState
from cadenza.engine.ending import end
from cadenza.engine.models import EnrolmentRow, TouchRow
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

_OPEN = (EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value)


async def _merged(unit: Unit, survivor: UUID, merged: UUID) -> None:
    """Touches and enrolments move. In a campaign that both were in, only the one who remains goes on: nobody gets it twice."""
    mine = EnrolmentRow.workspace_id == unit.workspace_id
    both = select(EnrolmentRow.campaign_id).where(mine, EnrolmentRow.contact_id == survivor)
    theirs = select(EnrolmentRow.id).where(
        mine, EnrolmentRow.contact_id == merged, EnrolmentRow.campaign_id.in_(both)
    )
    twice = list((await unit.session.scalars(theirs.where(EnrolmentRow.state.in_(_OPEN)))).all())
    ended = await end(unit, twice, EnrolmentState.STOPPED, "merged")
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.STOPPED,
                origin="engine",
                contact_id=contact,
                campaign_id=campaign,
                data={"reason": "merged"},
            )
            for _, contact, campaign in ended
        ],
    )
    moved = update(EnrolmentRow).where(
        mine, EnrolmentRow.contact_id == merged, EnrolmentRow.campaign_id.not_in(both)
    )
    await unit.session.execute(
        moved.values(contact_id=survivor), execution_options={"synchronize_session": False}
    )
    touches = update(TouchRow).where(
        TouchRow.workspace_id == unit.workspace_id, TouchRow.contact_id == merged
    )
    await unit.session.execute(
        touches.values(contact_id=survivor), execution_options={"synchronize_session": False}
    )


when_merged(_merged)
