"""What becomes of a due step that is not done now: it waits, is passed over, or its fallback takes over."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cadenza.engine.contracts import GateAnswer, GateResult
from cadenza.engine.gate import Facts
from cadenza.engine.planning import Ahead
from cadenza.engine.sequence import fallback_of, next_step, step_after_skip, taking_over
from cadenza.ledger.contracts import EventKind, NewEvent

if TYPE_CHECKING:
    from cadenza.engine.claim import Candidate, Outcome


def refuse(c: "Candidate", standing: GateResult, outcome: "Outcome", facts: Facts) -> None:
    """Follow the gate's verdict. A step whose condition fails is passed over, whatever else is in its way."""
    if standing.answer is GateAnswer.WAIT:
        wait(c, standing, outcome)
    elif standing.answer is GateAnswer.STOP:
        reason = c.recipient.suppression.reason.value if c.recipient.suppression else "no_address"
        outcome.stop[reason].append(c.due.id)
    elif not (
        standing.gate == "address" and facts.condition and instead(c, standing.why, outcome, facts.now)
    ):
        skip(c, standing, outcome, facts.now)


def wait(c: "Candidate", result: GateResult, outcome: "Outcome") -> None:
    """Due again when the gate says; the reason stays visible meanwhile."""
    why = f"{result.gate}: {result.why}"
    outcome.later.append({"id": c.due.id, "at": result.until, "why": why})
    outcome.events.append(_event(EventKind.SCHEDULED, c, {"why": why, "until": str(result.until)}))


def skip(c: "Candidate", result: GateResult, outcome: "Outcome", now: datetime) -> None:
    """On to the ``else`` of the step, or behind it; behind the one that it stood in for, if it did."""
    outcome.events.append(_event(EventKind.SKIPPED, c, {"why": result.why}))
    behind = c.due.behind
    following = next_step(c.definition, behind) if behind else step_after_skip(c.definition, c.step)
    if following is None:
        outcome.finish.append(c.due.id)
        return
    ahead = Ahead(c.due.id, c.definition, following, c.recipient, now)
    outcome.later.append(outcome.planner.row(ahead))


def instead(c: "Candidate", why: str, outcome: "Outcome", now: datetime) -> bool:
    """The fallback takes over, and says so. False when there is none."""
    found = fallback_of(c.definition, c.step, c.due.plan)
    if found is None:
        return False
    plain = Ahead(c.due.id, c.definition, found, c.recipient, now, behind=c.due.behind or c.step.id)
    ahead = taking_over(plain, c.step, c.due.plan, why)
    outcome.events.append(_event(EventKind.SKIPPED, c, {"why": ahead.why, "instead": found.id}))
    outcome.later.append(outcome.planner.row(ahead))
    return True


def _event(kind: EventKind, c: "Candidate", data: dict[str, Any]) -> NewEvent:
    return NewEvent(
        kind=kind,
        origin="engine",
        contact_id=c.due.contact_id,
        campaign_id=c.due.campaign_id,
        step=c.step.id,
        data=data,
    )
