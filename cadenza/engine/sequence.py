"""Where a person stands in a sequence: what comes next, and how it ends."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Definition, Step
from cadenza.campaigns.service import version
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import EnrolmentState
from cadenza.engine.models import EnrolmentRow, RunRow
from cadenza.engine.schedule import step_due
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events


def next_step(definition: Definition, step_id: str) -> Step | None:
    """The step after this one in file order; None at the end."""
    ids = [s.id for s in definition.steps]
    place = ids.index(step_id) + 1 if step_id in ids else len(ids)
    return definition.steps[place] if place < len(ids) else None


def step_after_skip(definition: Definition, step: Step) -> Step | None:
    """Where to go when a step's condition fails: its ``else``, otherwise the step after it."""
    if step.otherwise is not None:
        return next((s for s in definition.steps if s.id == step.otherwise), None)
    return next_step(definition, step.id)


async def go_on(unit: Unit, enrolment_ids: Sequence[UUID]) -> None:
    """Time the next step of those whose touch is out; those at the end are finished."""
    if not enrolment_ids:
        return
    rows = await repository.enrolments(
        unit, EnrolmentRow.id.in_(enrolment_ids), EnrolmentRow.state.in_(["active", "held"])
    )
    runs = await repository.runs(unit, RunRow.id.in_({row.campaign_id for row in rows}))
    definitions = {run.id: await version(unit, run.version_id) for run in runs}
    following = {row.id: next_step(definitions[row.campaign_id], row.step) for row in rows}
    going = [row for row in rows if following[row.id]]
    recipients = await load_recipients(unit, [row.contact_id for row in going]) if going else {}
    later = [
        _due(unit, row, step, definitions[row.campaign_id], recipients[row.contact_id])
        for row in going
        if (step := following[row.id]) and row.contact_id in recipients
    ]
    await repository.next_steps(unit, later)
    await finish(
        unit, [row.id for row in rows if following[row.id] is None or row.contact_id not in recipients]
    )


def _due(
    unit: Unit, row: EnrolmentRow, step: Step, definition: Definition, person: Recipient
) -> dict[str, Any]:
    key = f"{row.id}/{step.id}"
    at = step_due(unit.world.now(), step.after_days, definition.window, person.timezone, person.country, key)
    return {"id": row.id, "step": step.id, "at": at, "why": ""}


async def finish(unit: Unit, enrolment_ids: Sequence[UUID]) -> None:
    if not enrolment_ids:
        return
    ended = await repository.end(unit, enrolment_ids, EnrolmentState.FINISHED, "all_steps_done")
    await record_events(
        unit,
        [
            NewEvent(kind=EventKind.FINISHED, origin="engine", contact_id=c, campaign_id=p)
            for _, c, p in ended
        ],
    )


async def stop_enrolments(unit: Unit, enrolment_ids: Sequence[UUID], reason: str) -> None:
    if not enrolment_ids:
        return
    ended = await repository.end(unit, enrolment_ids, EnrolmentState.STOPPED, reason)
    events = [
        NewEvent(
            kind=EventKind.STOPPED,
            origin="engine",
            contact_id=contact,
            campaign_id=campaign,
            data={"reason": reason},
        )
        for _, contact, campaign in ended
    ]
    await record_events(unit, events)
