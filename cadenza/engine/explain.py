"""Why a touch was sent or not, and what one person would get next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Campaign, Definition, Step, Way
from cadenza.campaigns.service import campaign
from cadenza.channels.contracts import Mailbox
from cadenza.core.errors import not_found
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import (
    EnrolmentState,
    Explanation,
    GateAnswer,
    GateResult,
    PlannedTouch,
    Touch,
    TouchState,
)
from cadenza.engine.ids import enrolment_id
from cadenza.engine.models import EnrolmentRow, TouchRow
from cadenza.engine.planned_hours import at_work
from cadenza.engine.planning import Ahead, Planner, planner_of, way_of
from cadenza.engine.sequence import fallback_of
from cadenza.experiments.service import assign
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize
from cadenza.ledger.service import decisions_of, timeline
from cadenza.timing.contracts import Window
from cadenza.timing.service import next_slot


def as_touch(row: TouchRow | Row[Any]) -> Touch:
    return Touch(
        id=row.id,
        contact_id=row.contact_id,
        state=TouchState(row.state),
        channel=row.channel,
        step=row.step,
        variant=row.variant,
        campaign_id=row.campaign_id,
        enrolment_id=row.enrolment_id,
        conversation_id=row.conversation_id,
        mailbox_id=row.mailbox_id,
        sender=row.sender,
        recipient=row.recipient,
        subject=row.subject,
        text=row.text,
        html=row.html,
        message_id=row.message_id,
        due_at=row.due_at,
        claimed_at=row.claimed_at,
        sent_at=row.sent_at,
        attempts=row.attempts,
        wire=row.wire,
        gates=tuple(GateResult(g["gate"], GateAnswer(g["answer"]), g["why"]) for g in row.gates),
        action=row.action,
        channel_account_id=row.channel_account_id,
    )


async def explain(unit: Unit, actor: Actor, touch_id: UUID) -> Explanation:
    """Every gate with its answer, every decision, the wire's reply and the events of one touch."""
    authorize(actor, Action.READ)
    rows = await repository.shown_touches(unit, TouchRow.id == touch_id)
    if not rows:
        raise not_found("touch", touch_id)
    decisions = await decisions_of(unit, touch_id)
    events = await timeline(unit, touch_id=touch_id)
    return Explanation(as_touch(rows[0]), tuple(decisions), tuple(events))


async def touches_of_contact(unit: Unit, contact_id: UUID) -> list[Touch]:
    """Everything that was sent, or is on its way, to one person; oldest first."""
    return [as_touch(row) for row in await repository.shown_touches(unit, TouchRow.contact_id == contact_id)]


async def touches_of_conversation(unit: Unit, conversation_id: UUID, contact_id: UUID) -> list[Touch]:
    """What we wrote in a conversation: the steps to this person and the answers that people wrote in it."""
    rows = await repository.shown_touches(
        unit,
        TouchRow.contact_id == contact_id,
        (TouchRow.conversation_id == conversation_id) | TouchRow.conversation_id.is_(None),
    )
    return [as_touch(row) for row in rows]


async def last_answers(unit: Unit, mailbox_id: UUID, limit: int = 20) -> list[Touch]:
    """The newest touches of a sender that a server put off or refused, or whose answer was lost; newest first."""
    rows = await repository.newest_troubled(unit, mailbox_id, limit)
    return [as_touch(row) for row in rows]


async def touches_in_doubt(unit: Unit, actor: Actor) -> list[Touch]:
    authorize(actor, Action.READ)
    return [
        as_touch(row)
        for row in await repository.shown_touches(unit, TouchRow.state == TouchState.IN_DOUBT.value)
    ]


async def plan(
    unit: Unit,
    actor: Actor,
    *,
    contact_id: UUID,
    campaign_name: str,
    definition: Definition | None = None,
) -> list[PlannedTouch]:
    """What this person would get from now on, when and why; what is sent already is left out.

    With ``definition``, what they would get if the campaign said that.
    """
    authorize(actor, Action.READ)
    found = await campaign(unit, actor, campaign_name)
    if definition is not None:
        found = replace(found, definition=definition)
    people = await load_recipients(unit, [contact_id])
    if contact_id not in people:
        raise not_found("contact", contact_id)
    return await plan_of(unit, found, people[contact_id])


async def plan_of(
    unit: Unit, found: Campaign, person: Recipient, senders: Sequence[Mailbox] | None = None
) -> list[PlannedTouch]:
    """As ``plan``, for who has loaded both already, and perhaps the campaign's senders."""
    row = await repository.enrolment(unit, enrolment_id(found.id, person.contact_id))
    return await _ahead(unit, found, person, row, senders)


async def plans_of(
    unit: Unit, person: Recipient, known: Mapping[UUID, Campaign]
) -> dict[UUID, list[PlannedTouch]]:
    """What this person would still get of each of these campaigns that they are in."""
    rows = await repository.enrolments(
        unit, EnrolmentRow.contact_id == person.contact_id, EnrolmentRow.campaign_id.in_(known)
    )
    return {row.campaign_id: await _ahead(unit, known[row.campaign_id], person, row) for row in rows}


async def _ahead(
    unit: Unit,
    found: Campaign,
    person: Recipient,
    row: EnrolmentRow | None,
    senders: Sequence[Mailbox] | None = None,
) -> list[PlannedTouch]:
    """From the step on that the enrolment stands at; all of it for who is not enrolled."""
    if person.suppression or (
        row and row.state in (EnrolmentState.STOPPED.value, EnrolmentState.FINISHED.value)
    ):
        return []
    steps = list(found.definition.steps)
    if row:
        steps = steps[[s.id for s in steps].index(row.step) :] if row.step in [s.id for s in steps] else []
    planner = await planner_of(unit, steps)
    planned = _planned(unit, found, steps, row, person, planner)
    return await at_work(unit, found, planned, person, row.mailbox_id if row else None, senders)


def _planned(
    unit: Unit,
    found: Campaign,
    steps: list[Step],
    row: EnrolmentRow | None,
    person: Recipient,
    planner: Planner,
) -> list[PlannedTouch]:
    """Each step on the channel that it would be done on, its fallback where the person cannot be reached on that one."""
    identity, result = enrolment_id(found.id, person.contact_id), []
    done: set[str] = set()
    at = row.created_at if row and row.next_due_at is None else unit.world.now()
    for number, named in enumerate(steps):
        if named.id in done:
            continue
        standing = row if number == 0 else None
        step, why = _reached(found.definition, named, person)
        done.add(step.id)
        known = (
            _known(standing, found.definition.window, person.timezone, person.country) if standing else None
        )
        if (
            not any(person.reached_at(way.channel) for way in step.ways)
            and len(found.definition.channels) > 1
        ):
            continue  # it would be passed over
        ahead = Ahead(identity, found.definition, replace(step, after_days=named.after_days), person, at)
        planned = planner.row(ahead)
        at = known or planned["at"]
        way = way_of(step, standing.plan if standing else planned["plan"])
        said = why or (_waiting(standing) if standing else "") or _after(named)
        result.append(_told(found, step, way, person, at, said))
    return result


def _reached(definition: Definition, step: Step, person: Recipient) -> tuple[Step, str]:
    """The step, or the fallback that would be done instead, and then why."""
    found = fallback_of(definition, step, None)
    if found is None or any(person.reached_at(way.channel) for way in step.ways):
        return step, ""
    why = f"instead of {step.id}: this person has no address for {step.channel}"
    return found, why


def _told(found: Campaign, step: Step, way: Way, person: Recipient, at: datetime, why: str) -> PlannedTouch:
    arms = [v.id for v in way.variants]
    taken = assign(f"{found.id}/{step.id}/{person.contact_id}", arms).arm if arms else None
    local = at.astimezone(ZoneInfo(found.definition.window.zone or person.timezone))
    unless = ", ".join(sorted(found.definition.stop_person))
    return PlannedTouch(step.id, way.channel, taken, at, local.isoformat(timespec="minutes"), why, unless)


def _known(row: EnrolmentRow, window: Window, zone: str, country: str | None) -> datetime | None:
    """When the next step is due as it stands; who is away is written to after the hold at the earliest."""
    if row.hold_until is None or row.next_due_at is None:
        return row.next_due_at
    return next_slot(window, max(row.next_due_at, row.hold_until), zone, country)


def _waiting(row: EnrolmentRow) -> str:
    if row.kept_back:
        return "kept back until somebody lets it go"
    return "away; goes on when they are back" if row.hold_until else row.waiting_for


def _after(step: Step) -> str:
    return f"{step.after_days} working days after the step before"
