"""Claiming: lock what is due, ask the gate, decide, write the touches, all in one transaction and in batches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Definition, Step, Way
from cadenza.campaigns.service import evaluate, version
from cadenza.channels.contracts import Mailbox
from cadenza.core.unit import Unit
from cadenza.engine import content, repository
from cadenza.engine.contracts import EnrolmentState, GateResult
from cadenza.engine.detours import instead, refuse, wait
from cadenza.engine.ending import end
from cadenza.engine.errands import claim_errands
from cadenza.engine.fleet import Fleet
from cadenza.engine.gate import Facts, gate, verdict
from cadenza.engine.history import History, load_history
from cadenza.engine.planning import Planner, planner_of, way_of
from cadenza.engine.repository import Due
from cadenza.engine.senders import Choice, choose_senders
from cadenza.engine.sequence import go_on
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
    def way(self) -> Way:
        """As it was planned; another option where the person cannot be reached in that one."""
        planned = way_of(self.step, self.due.plan)
        usable = (way for way in self.step.ways if self.recipient.reached_at(way.channel))
        return planned if self.recipient.reached_at(planned.channel) else next(usable, planned)

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
    planner: Planner = field(default_factory=Planner)


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
    outcome.planner = await planner_of(unit, (step for c in candidates for step in c.definition.steps))
    passed = await _through_the_gate(unit, candidates, outcome)
    letters = [each for each in passed if each[0].way.channel == "email"]
    choices = await choose_senders(unit, [(c.due, c.definition) for c, _ in letters], fleet)
    sendable = _with_sender(letters, choices, outcome)
    await content.write_touches(unit, sendable, outcome, worker=worker, lease_until=until)
    errands = [each for each in passed if each[0].way.channel != "email"]
    crowded = await claim_errands(unit, errands, outcome, busy=fleet.busy, worker=worker, lease_until=until)
    return {c.due.campaign_id for c, _ in letters if choices[c.due.id].soon} | crowded


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
            refuse(candidate, stopping, outcome, facts)
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
        channel=c.way.channel,
        address=c.recipient.reached_at(c.way.channel),
        elsewhere=len(c.definition.channels) > 1,
        suppression=c.recipient.suppression,
        condition=condition,
        person_touches=tuple(touched.get(c.due.contact_id, ())),
        person_cap=caps.per_person_per_week,
        account_touches=tuple(touched.get(c.due.account_id, ())) if c.due.account_id else (),
        account_cap=caps.per_account_per_day,
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
            if choice.failing and instead(candidate, choice.why, outcome, facts.now):
                continue
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
        for _, contact, campaign in await end(
            unit, outcome.finish, EnrolmentState.FINISHED, "all_steps_done"
        ):
            outcome.events.append(
                NewEvent(kind=EventKind.FINISHED, origin="engine", contact_id=contact, campaign_id=campaign)
            )
    for reason, ids in outcome.stop.items():
        for _, contact, campaign in await end(unit, ids, EnrolmentState.STOPPED, reason):
            outcome.events.append(
                NewEvent(
                    kind=EventKind.STOPPED,
                    origin="engine",
                    contact_id=contact,
                    campaign_id=campaign,
                    data={"reason": reason},
                )
            )
