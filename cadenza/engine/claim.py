"""Claiming: lock what is due, ask the gate, decide, write the touches, all in one transaction and in batches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Definition, Step
from cadenza.campaigns.service import evaluate, version
from cadenza.channels.contracts import Mailbox
from cadenza.core.unit import Unit
from cadenza.engine import content, repository
from cadenza.engine.contracts import EnrolmentState, GateAnswer, GateResult
from cadenza.engine.fleet import Fleet
from cadenza.engine.gate import Facts, gate, verdict
from cadenza.engine.history import History, load_history
from cadenza.engine.repository import Due
from cadenza.engine.schedule import step_due
from cadenza.engine.senders import Choice, choose_senders
from cadenza.engine.sequence import go_on, step_after_skip
from cadenza.ledger.contracts import Decision, EventKind, NewEvent
from cadenza.ledger.service import record_decisions, record_events

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One due enrolment with all that is known about it."""

    due: Due
    definition: Definition
    step: Step
    recipient: Recipient

    @property
    def key(self) -> str:
        return f"{self.due.id}/{self.step.id}"


@dataclass(slots=True)
class Outcome:
    """What one claim wants written; collected first, then written in a handful of statements."""

    touches: list[dict[str, Any]] = field(default_factory=list)
    advance: list[dict[str, Any]] = field(default_factory=list)
    later: list[dict[str, Any]] = field(default_factory=list)
    stop: dict[str, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    finish: list[UUID] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sendable:
    """A candidate that passed every gate, with its sender."""

    candidate: Candidate
    mailbox: Mailbox
    gates: tuple[GateResult, ...]


async def claim(
    unit: Unit,
    *,
    worker: UUID,
    limit: int,
    lease: timedelta,
    fleet: Fleet,
) -> list[UUID]:
    """Claim up to ``limit`` due steps for this worker; the ids of touches that shall now be sent.

    A campaign whose people all wait for senders on the wire is passed over, so that its crowd holds up no other (M11).
    """
    made: list[UUID] = []
    crowded: set[UUID] = set()
    until = await repository.database_now(unit.session) + lease
    while left := limit - len(made):
        dues = await repository.lock_due(
            unit, unit.world.now(), limit=left, busy=list(fleet.busy), but=sorted(crowded)
        )
        if not dues:
            break
        outcome = Outcome()
        waiting = await _decide(unit, dues, outcome, (fleet, worker, until))
        made += await _write(unit, outcome)
        if not waiting:
            break
        crowded |= waiting
    return made


async def _decide(
    unit: Unit,
    dues: Sequence[Due],
    outcome: Outcome,
    means: tuple[Fleet, UUID, datetime],
) -> set[UUID]:
    """Fill ``outcome``; the campaigns in which somebody waits for a sender that is on the wire."""
    fleet, worker, until = means
    candidates = await _candidates(unit, dues, outcome)
    passed = await _through_the_gate(unit, candidates, outcome)
    choices = await choose_senders(unit, [(c.due, c.definition) for c, _ in passed], fleet)
    sendable = _with_sender(passed, choices, outcome)
    await content.write_touches(unit, sendable, outcome, worker=worker, lease_until=until)
    return {c.due.campaign_id for c, _ in passed if choices[c.due.id].soon}


async def _candidates(unit: Unit, dues: Sequence[Due], outcome: Outcome) -> list[Candidate]:
    definitions = {v: await version(unit, v) for v in {due.version_id for due in dues}}
    recipients = await load_recipients(unit, [due.contact_id for due in dues])
    found = []
    for due in dues:
        definition, recipient = definitions[due.version_id], recipients.get(due.contact_id)
        step = next((s for s in definition.steps if s.id == due.step), None)
        if recipient is None:
            outcome.stop["contact_gone"].append(due.id)
        elif step is None:  # an edit took the step away: the sequence is over for this person
            outcome.finish.append(due.id)
        else:
            found.append(Candidate(due, definition, step, recipient))
    return found


async def _through_the_gate(
    unit: Unit, candidates: Sequence[Candidate], outcome: Outcome
) -> list[tuple[Candidate, Facts]]:
    """Ask the gate about each; those that pass come back, what it decided for the others is in ``outcome``."""
    await repository.lock_caps(unit, [c.due.account_id or c.due.contact_id for c in candidates])
    touched = await _recent(unit, candidates)
    histories = await load_history(unit, [c.due.contact_id for c in candidates if c.step.when])
    passed = []
    for candidate in candidates:
        facts = _facts(unit.world.now(), candidate, touched, histories)
        results = gate(facts)
        if stopping := verdict(results):
            _refuse(candidate, stopping, outcome, facts.now)
            continue
        passed.append((candidate, facts))
        touched[candidate.due.contact_id].append(facts.now)
        if candidate.due.account_id:
            touched[candidate.due.account_id].append(facts.now)
    return passed


async def _recent(unit: Unit, candidates: Sequence[Candidate]) -> dict[UUID, list[datetime]]:
    touched: dict[UUID, list[datetime]] = defaultdict(list)
    contacts = [c.due.contact_id for c in candidates]
    accounts = [c.due.account_id for c in candidates if c.due.account_id]
    for contact, account, at in await repository.recent_touches(
        unit, contacts, accounts, unit.world.now() - _WEEK
    ):
        touched[contact].append(at)
        if account:
            touched[account].append(at)
    return touched


def _facts(
    now: datetime, c: Candidate, touched: Mapping[UUID, Sequence[datetime]], histories: Mapping[UUID, History]
) -> Facts:
    caps = c.definition.caps
    condition = c.step.when is None or evaluate(
        c.step.when, histories[c.due.contact_id].facts(c.recipient, c.due.campaign_id, now)
    )
    return Facts(
        key=c.key,
        now=now,
        due_at=c.due.due_at,
        window=c.definition.window,
        zone=c.recipient.timezone,
        country=c.recipient.country,
        grace=timedelta(hours=c.definition.grace_hours),
        email=c.recipient.email,
        suppression=c.recipient.suppression,
        condition=condition,
        person_touches=tuple(touched.get(c.due.contact_id, ())),
        person_cap=caps.per_person_per_week,
        account_touches=tuple(touched.get(c.due.account_id, ())) if c.due.account_id else (),
        account_cap=caps.per_account_per_day,
    )


def _refuse(c: Candidate, result: GateResult, outcome: Outcome, now: datetime) -> None:
    if result.answer is GateAnswer.WAIT:
        wait(c, result, outcome)
    elif result.answer is GateAnswer.STOP:
        reason = c.recipient.suppression.reason.value if c.recipient.suppression else "no_address"
        outcome.stop[reason].append(c.due.id)
    else:
        _skip(c, result, outcome, now)


def wait(c: Candidate, result: GateResult, outcome: Outcome) -> None:
    """Due again when the gate says; the reason stays visible meanwhile."""
    why = f"{result.gate}: {result.why}"
    outcome.later.append({"id": c.due.id, "at": result.until, "why": why})
    outcome.events.append(_event(EventKind.SCHEDULED, c, {"why": why, "until": str(result.until)}))


def _skip(c: Candidate, result: GateResult, outcome: Outcome, now: datetime) -> None:
    outcome.events.append(_event(EventKind.SKIPPED, c, {"why": result.why}))
    following = step_after_skip(c.definition, c.step)
    if following is None:
        outcome.finish.append(c.due.id)
        return
    at = step_due(
        now, following.after_days, c.definition.window, c.recipient.timezone, c.recipient.country, c.key
    )
    outcome.later.append({"id": c.due.id, "step": following.id, "at": at, "why": ""})


def _event(kind: EventKind, c: Candidate, data: dict[str, Any]) -> NewEvent:
    return NewEvent(
        kind=kind,
        origin="engine",
        contact_id=c.due.contact_id,
        campaign_id=c.due.campaign_id,
        step=c.step.id,
        data=data,
    )


def _with_sender(
    passed: Sequence[tuple[Candidate, Facts]], choices: Mapping[UUID, Choice], outcome: Outcome
) -> list[Sendable]:
    """Those whose sender is free, with the gate's answers as they are stored; the others wait."""
    sendable = []
    for candidate, before in passed:
        choice = choices[candidate.due.id]
        facts = replace(
            before, sender_free=choice.mailbox is not None, sender_why=choice.why, sender_until=choice.until,
            sender_hours=choice.hours,
        )  # fmt: skip
        results = gate(facts)
        if choice.mailbox is None:
            if not choice.soon:  # else it stays due and is looked at again in a moment
                wait(candidate, results[-1], outcome)
            continue
        if choice.decision:
            outcome.decisions.append(choice.decision)
        sendable.append(Sendable(candidate, choice.mailbox, tuple(results)))
    return sendable


async def _write(unit: Unit, outcome: Outcome) -> list[UUID]:
    made = await repository.insert_touches(unit, outcome.touches)
    await repository.advance(unit, outcome.advance)
    # A step whose touch exists already (after a restore, or by an `else`) was done: the sequence goes on.
    await go_on(unit, [row["enrolment_id"] for row in outcome.touches if row["id"] not in made])
    await repository.next_steps(unit, outcome.later)
    await _end(unit, outcome)
    await record_events(unit, outcome.events)
    await record_decisions(unit, [d for d in outcome.decisions if d.touch_id in made])
    return [row["id"] for row in outcome.touches if row["id"] in made]


async def _end(unit: Unit, outcome: Outcome) -> None:
    if outcome.finish:
        for _, contact, campaign in await repository.end(
            unit, outcome.finish, EnrolmentState.FINISHED, "all_steps_done"
        ):
            outcome.events.append(
                NewEvent(kind=EventKind.FINISHED, origin="engine", contact_id=contact, campaign_id=campaign)
            )
    for reason, ids in outcome.stop.items():
        for _, contact, campaign in await repository.end(unit, ids, EnrolmentState.STOPPED, reason):
            outcome.events.append(
                NewEvent(
                    kind=EventKind.STOPPED,
                    origin="engine",
                    contact_id=contact,
                    campaign_id=campaign,
                    data={"reason": reason},
                )
            )
