"""What comes back, as far as it concerns the sequence: answers end it, absences hold it, dead addresses stop it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cadenza.campaigns.service import version
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import EnrolmentState, Touch
from cadenza.engine.ending import end
from cadenza.engine.explain import as_touch
from cadenza.engine.models import EnrolmentRow, RunRow, TouchRow
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

_CHOSEN = {"reply", "meeting"}  # reasons that a campaign may leave out of `stop`
_GOING = (EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value)


async def touch_by_message_ids(unit: Unit, message_ids: Sequence[str]) -> Touch | None:
    """The touch that one of these Message-IDs names, the last of the list first (the nearest in the thread)."""
    if not message_ids:
        return None
    rows = await repository.touches(unit, TouchRow.message_id.in_(message_ids))
    if not rows:
        return None
    place = {message_id: number for number, message_id in enumerate(message_ids)}
    return as_touch(max(rows, key=lambda row: place[row.message_id]))


async def last_touch_to(unit: Unit, contact_id: UUID) -> Touch | None:
    """The newest touch that this person got, for a reply without thread headers."""
    rows = await repository.touches(unit, TouchRow.contact_id == contact_id, TouchRow.sent_at.is_not(None))
    return as_touch(max(rows, key=lambda row: row.claimed_at)) if rows else None


async def mailbox_before(unit: Unit, contact_id: UUID) -> UUID | None:
    """The mailbox that wrote to this person last; None when none did."""
    query = (
        select(TouchRow.mailbox_id)
        .where(
            TouchRow.workspace_id == unit.workspace_id,
            TouchRow.contact_id == contact_id,
            TouchRow.mailbox_id.is_not(None),
        )
        .order_by(TouchRow.claimed_at.desc())
        .limit(1)
    )
    found: UUID | None = await unit.session.scalar(query)
    return found


async def _concerned(unit: Unit, contact_id: UUID, reason: str) -> list[EnrolmentRow]:
    """The person's running enrolments, and their colleagues' where a campaign stops the whole account for this reason.

    A stop or a dead address ends every sequence; a reply only where the campaign says so, as they do by default.
    """
    own = await repository.enrolments(unit, EnrolmentRow.contact_id == contact_id)
    accounts = {row.account_id for row in own if row.account_id}
    theirs = await repository.enrolments(unit, EnrolmentRow.account_id.in_(accounts)) if accounts else []
    runs = await repository.runs(unit, RunRow.id.in_({row.campaign_id for row in [*own, *theirs]}))
    rules = {run.id: await version(unit, run.version_id) for run in runs}
    going = {row.id: row for row in [*own, *theirs] if row.state in _GOING}
    return [
        row
        for row in going.values()
        if (
            reason not in _CHOSEN or reason in rules[row.campaign_id].stop_person
            if row.contact_id == contact_id
            else reason in rules[row.campaign_id].stop_account
        )
    ]


async def end_sequences(unit: Unit, contact_id: UUID, reason: str) -> list[UUID]:
    """End every running sequence of this person; the campaigns concerned."""
    rows = await _concerned(unit, contact_id, reason)
    ended = await end(unit, [row.id for row in rows], EnrolmentState.STOPPED, reason)
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.STOPPED,
                origin="engine",
                contact_id=contact,
                campaign_id=campaign,
                data={"reason": reason},
            )
            for _, contact, campaign in ended
        ],
    )
    return [campaign for _, _, campaign in ended]


async def hold_until(unit: Unit, contact_id: UUID, until: datetime, why: str) -> list[UUID]:
    """Hold this person's sequences; they go on by themselves. The campaigns concerned."""
    rows = await repository.hold(unit, contact_id, until)
    data: dict[str, Any] = {"until": until.isoformat(), "why": why}
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.HELD,
                origin="engine",
                contact_id=contact_id,
                campaign_id=row.campaign_id,
                step=row.step,
                data=data,
            )
            for row in rows
        ],
    )
    return [row.campaign_id for row in rows]


async def end_holds(unit: Unit) -> int:
    """Let those go on whose hold is over; what they are due for is timed by the gate."""
    rows = await repository.end_holds(unit)
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.RESUMED,
                origin="engine",
                contact_id=row.contact_id,
                campaign_id=row.campaign_id,
                step=row.step,
            )
            for row in rows
        ],
    )
    return len(rows)
