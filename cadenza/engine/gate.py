"""The last gate: may this touch go out now? A pure function of facts, the same in engine, sandbox and lab.

The facts are read in the transaction that claims, so a stop committed before the claim always wins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cadenza.audience.contracts import Suppression
from cadenza.engine.contracts import GateAnswer, GateResult
from cadenza.engine.schedule import MEETS_WITHIN, next_common_moment, next_moment
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_inside

_WEEK = timedelta(days=7)
_TOLD_HAS = {
    "email": "has an e-mail address that is not known to be dead",
    "linkedin": "has a LinkedIn profile",
    "phone": "has a phone number",
}
_TOLD_HAS_NOT = {
    "email": "no usable e-mail address",
    "linkedin": "no LinkedIn profile is known",
    "phone": "no phone number is known",
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the gate looks at. Times are world time in UTC; ``*_touches`` are earlier touches' times."""

    key: str  # spreads waits over the window, the same for the same person and step
    now: datetime
    due_at: datetime
    window: Window
    zone: str
    country: str | None
    grace: timedelta
    address: str | None  # on the channel of the touch
    suppression: Suppression | None
    condition: bool = True
    person_touches: Sequence[datetime] = ()
    person_cap: int
    account_touches: Sequence[datetime] = ()
    account_cap: int
    channel: str = "email"
    elsewhere: bool = False  # the campaign has other channels, so an address that is missing ends nothing
    sender_free: bool = True
    sender_why: str = ""
    sender_until: datetime | None = None
    sender_hours: Sequence[Window] = ()  # of each who could send, when all of them are outside of theirs


def _stopped(facts: Facts) -> GateResult:
    stop = facts.suppression
    if stop is None:
        return GateResult("stops", GateAnswer.PASS, "no stop for this person, address or domain")
    return GateResult("stops", GateAnswer.STOP, f"{stop.reason.words} on {stop.at:%Y-%m-%d}, {stop.source}")


def _address(facts: Facts) -> GateResult:
    if facts.address:
        return GateResult("address", GateAnswer.PASS, _TOLD_HAS[facts.channel])
    if facts.elsewhere:
        return GateResult("address", GateAnswer.SKIP, _TOLD_HAS_NOT[facts.channel])
    return GateResult("address", GateAnswer.STOP, _TOLD_HAS_NOT[facts.channel])


def _condition(facts: Facts) -> GateResult:
    if facts.condition:
        return GateResult("condition", GateAnswer.PASS, "the step's condition holds")
    return GateResult("condition", GateAnswer.SKIP, "the step's condition does not hold")


def _grace(facts: Facts) -> GateResult:
    late = facts.now - facts.due_at
    if late <= facts.grace:
        return GateResult("grace", GateAnswer.PASS, "in time")
    hours = late.total_seconds() / 3600
    return GateResult(
        "grace", GateAnswer.WAIT, f"{hours:.0f} hours late, so it is timed anew", _next(facts, facts.now)
    )


def _window(facts: Facts) -> GateResult:
    if is_inside(facts.window, facts.now, facts.zone, facts.country):
        return GateResult(
            "window", GateAnswer.PASS, f"inside working hours in {facts.window.zone or facts.zone}"
        )
    where = facts.window.zone or facts.zone
    return GateResult("window", GateAnswer.WAIT, f"outside working hours in {where}", _next(facts, facts.now))


def _cap(name: str, touches: Sequence[datetime], cap: int, span: timedelta, facts: Facts) -> GateResult:
    recent = sorted(at for at in touches if at > facts.now - span)
    days = "a day" if span == _DAY else f"{span.days} days"
    if len(recent) < cap:
        return GateResult(name, GateAnswer.PASS, f"{len(recent)} of {cap} in {days}")
    free = recent[len(recent) - cap] + span
    return GateResult(name, GateAnswer.WAIT, f"{len(recent)} of {cap} in {days}", _next(facts, free))


def _person(facts: Facts) -> GateResult:
    return _cap("person cap", facts.person_touches, facts.person_cap, _WEEK, facts)


def _account(facts: Facts) -> GateResult:
    return _cap("account cap", facts.account_touches, facts.account_cap, _DAY, facts)


def _sender(facts: Facts) -> GateResult:
    if facts.sender_free:
        return GateResult("sender", GateAnswer.PASS, facts.sender_why or "a sender is free")
    if facts.sender_hours:
        return _out_of_hours(facts)
    return GateResult(
        "sender", GateAnswer.WAIT, facts.sender_why, _next(facts, facts.sender_until or facts.now)
    )


def _out_of_hours(facts: Facts) -> GateResult:
    """Due again when the hours of one of the senders and those of the recipient meet."""
    meetings = [
        next_common_moment(facts.now, facts.window, facts.zone, facts.country, hours, facts.key)
        for hours in facts.sender_hours
    ]
    if found := [moment for moment in meetings if moment]:
        return GateResult("sender", GateAnswer.WAIT, facts.sender_why, min(found))
    why = f"{facts.sender_why}; they do not meet this person's within {MEETS_WITHIN.days} days"
    return GateResult("sender", GateAnswer.WAIT, why, _next(facts, facts.now + _DAY))


def _next(facts: Facts, moment: datetime) -> datetime:
    return next_moment(moment, facts.window, facts.zone, facts.country, facts.key)


_GATES: tuple[Callable[[Facts], GateResult], ...] = (
    _stopped, _address, _condition, _grace, _window, _person, _account, _sender,
)  # fmt: skip
_SEVERITY = (GateAnswer.STOP, GateAnswer.SKIP, GateAnswer.WAIT)


def gate(facts: Facts) -> tuple[GateResult, ...]:
    """Every question with its answer, so that a page can show them all."""
    return tuple(ask(facts) for ask in _GATES)


def verdict(results: Sequence[GateResult]) -> GateResult | None:
    """What stands in the way: a stop before a skip before a wait (the longest); None when nothing does."""
    for answer in _SEVERITY:
        found = [result for result in results if result.answer is answer]
        if found:
            return max(found, key=lambda r: r.until.timestamp() if r.until else 0.0)
    return None
