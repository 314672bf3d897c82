"""Where a person stands in a sequence: what comes next, and how it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Definition, Step
from cadenza.campaigns.service import version
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import EnrolmentState
from cadenza.engine.ending import end
from cadenza.engine.models import EnrolmentRow, RunRow
from cadenza.engine.planning import Ahead, Plan, planner_of
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
    done = await _done(unit, rows, definitions)
    following = {row.id: _following(definitions[row.campaign_id], row, done) for row in rows}
    going = [row for row in rows if following[row.id]]
    recipients = await load_recipients(unit, [row.contact_id for row in going]) if going else {}
    planner = await planner_of(unit, [step for step in following.values() if step])
    now = unit.world.now()
    later = [
        planner.row(Ahead(row.id, definitions[row.campaign_id], step, recipients[row.contact_id], now))
        for row in going
        if (step := following[row.id]) and row.contact_id in recipients
    ]
    await repository.next_steps(unit, later)
    await finish(
        unit, [row.id for row in rows if following[row.id] is None or row.contact_id not in recipients]
    )


async def _done(
    unit: Unit, rows: Sequence[EnrolmentRow], definitions: Mapping[UUID, Definition]
) -> Mapping[UUID, set[str]]:
    """What was done instead of another step is not done again; asked only where that can be."""
    about = [row.id for row in rows if any(step.fallback for step in definitions[row.campaign_id].steps)]
    return await repository.steps_done(unit, about) if about else {}


def _following(definition: Definition, row: EnrolmentRow, done: Mapping[UUID, set[str]]) -> Step | None:
    """Behind the step, or behind the one that it stood in for, and past what is done already."""
    step = next_step(definition, row.behind or row.step)
    while step is not None and step.id in done.get(row.id, ()):
        step = next_step(definition, step.id)
    return step


def fallback_of(definition: Definition, step: Step, plan: Plan | None) -> Step | None:
    """The step that takes over when the channel of this one fails; None when it has none, or that one stood before it."""
    tried = (plan or {}).get("instead", {}).get("tried", ())
    if step.fallback is None or step.fallback.step in tried:
        return None
    return next((each for each in definition.steps if each.id == step.fallback.step), None)


def taking_over(ahead: Ahead, step: Step, plan: Plan | None, why: str) -> Ahead:
    """``ahead`` for the fallback of ``step``, with the line that says so."""
    why = f"{step.channel} of step {step.id} cannot be used ({why}); {ahead.step.channel} takes over"
    tried = [*(plan or {}).get("instead", {}).get("tried", ()), step.id]
    return replace(ahead, why=why, instead={"tried": tried, "why": why})


async def take_over(unit: Unit, failed: Mapping[UUID, str]) -> None:
    """For enrolments whose step could not be done on its channel, with why: the fallback is next, else the step behind."""
    rows = await repository.enrolments(
        unit, EnrolmentRow.id.in_(failed), EnrolmentRow.state.in_(["active", "held"])
    )
    runs = await repository.runs(unit, RunRow.id.in_({row.campaign_id for row in rows}))
    definitions = {run.id: await version(unit, run.version_id) for run in runs}
    people = await load_recipients(unit, [row.contact_id for row in rows])
    over = [each for row in rows if (each := _over(unit, row, definitions, people, failed[row.id]))]
    planner = await planner_of(unit, [each.step for each in over])
    await repository.next_steps(unit, [planner.row(each) for each in over])
    await record_events(
        unit, [_told(row, each) for row in rows for each in over if each.enrolment_id == row.id]
    )
    taken = {each.enrolment_id for each in over}
    await go_on(unit, [row.id for row in rows if row.id not in taken])


def _over(
    unit: Unit,
    row: EnrolmentRow,
    definitions: Mapping[UUID, Definition],
    people: Mapping[UUID, Recipient],
    why: str,
) -> Ahead | None:
    definition, person = definitions[row.campaign_id], people.get(row.contact_id)
    step = next((each for each in definition.steps if each.id == row.step), None)
    found = fallback_of(definition, step, row.plan) if step else None
    if step is None or found is None or person is None:
        return None
    ahead = Ahead(row.id, definition, found, person, unit.world.now(), behind=row.behind or step.id)
    return taking_over(ahead, step, row.plan, why)


def _told(row: EnrolmentRow, ahead: Ahead) -> NewEvent:
    return NewEvent(
        kind=EventKind.SKIPPED, origin="engine", contact_id=row.contact_id, campaign_id=row.campaign_id, step=row.step,
        data={"why": ahead.why, "instead": ahead.step.id},
    )  # fmt: skip


async def finish(unit: Unit, enrolment_ids: Sequence[UUID]) -> None:
    if not enrolment_ids:
        return
    ended = await end(unit, enrolment_ids, EnrolmentState.FINISHED, "all_steps_done")
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
    ended = await end(unit, enrolment_ids, EnrolmentState.STOPPED, reason)
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
