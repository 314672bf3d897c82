"""The ramp of a mailbox that is new to its providers: how many messages of real mail each day allows.

No mail is made up for it, neither to ourselves nor to a network of strangers: providers count such mail as what it is.
The allowance is a pure function of the days so far. A working day on which mail went out well adds one step; a day that
is none, or on which hardly anything was sent, teaches nothing and adds none; a bad day takes one step back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cadenza.channels.contracts import DayOutcome, WarmUp, WarmUpDay
from cadenza.core.errors import CadenzaError, Problem

USUAL_START, USUAL_GROWTH, USUAL_TARGET = 10, 5, 60  # what a form proposes
_WORKDAYS = frozenset({1, 2, 3, 4, 5})
_TROUBLE = (
    0.05  # share of a day's mail: Amazon SES reviews an account at 5 % bounces, the strictest public figure
)
_LEAST_TROUBLE = 2  # one dead address in ten is no pattern
_ENOUGH = 0.5  # a day that used less than half of its allowance proves nothing about more
_MOST = 2000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day of one mailbox in UTC. ``grave``: refusals by policy and complaints, each of which counts by itself."""

    sent: int = 0
    bounced: int = 0
    grave: int = 0


def begin(start: int, growth: int, target: int, today: date) -> WarmUp:
    """Raises ``CadenzaError`` for a ramp that goes down or nowhere."""
    problems = [
        Problem(f"Give a whole number from 1 to {_MOST}.", key=name)
        for name, value in (("start", start), ("growth", growth), ("target", target))
        if not 0 < value <= _MOST
    ]
    if not problems and target < start:
        problems = [Problem(f"The target must not be below the start ({start}).", key="target")]
    if problems:
        raise CadenzaError(
            "warm_up_invalid", "This is no warm-up; nothing was changed.", problems=tuple(problems),
            fix=f"Usual are {USUAL_START} a day at first, {USUAL_GROWTH} more each working day, up to {USUAL_TARGET}.",
        )  # fmt: skip
    return WarmUp(start, growth, target, today, judged=today)


def outcome(figures: DayFigures, day: date, allowance: int) -> DayOutcome:
    """What a day that is over says about the next one."""
    if _is_bad(figures):
        return DayOutcome.FELL
    if day.isoweekday() not in _WORKDAYS or figures.sent < allowance * _ENOUGH:
        return DayOutcome.HELD
    return DayOutcome.GREW


def _is_bad(figures: DayFigures) -> bool:
    if figures.grave:
        return True
    return figures.bounced >= max(_LEAST_TROUBLE, figures.sent * _TROUBLE)


def after(warm_up: WarmUp, day: WarmUpDay) -> WarmUp:
    """The state once one more day was judged. A day that was judged already changes nothing."""
    if warm_up.judged is not None and day.day < warm_up.judged:
        return warm_up
    step = warm_up.step + {DayOutcome.GREW: 1, DayOutcome.HELD: 0, DayOutcome.FELL: -1}[day.outcome]
    return replace(warm_up, step=min(max(step, 0), last_step(warm_up)), judged=day.day + _DAY)


def judge(
    warm_up: WarmUp, figures: dict[date, DayFigures], today: date
) -> tuple[WarmUp, tuple[WarmUpDay, ...]]:
    """Look at every day before ``today`` that was not looked at yet: the new state, and what was found of each."""
    days: list[WarmUpDay] = []
    for day in _days(warm_up.judged or warm_up.since, today):
        found, allowed = figures.get(day, DayFigures()), warm_up.allowance
        judged = WarmUpDay(
            day, allowed, found.sent, found.bounced + found.grave, outcome(found, day, allowed)
        )
        warm_up = after(warm_up, judged)
        days.append(judged)
    return warm_up, tuple(days)


def ahead(warm_up: WarmUp, today: date, count: int) -> list[tuple[date, int]]:
    """The allowance of today and the days after it, if every working day goes well."""
    found, step = [], warm_up.step
    for day in _days(today, today + count * _DAY):
        found.append((day, replace(warm_up, step=step).allowance))
        step = min(step + (day.isoweekday() in _WORKDAYS), last_step(warm_up))
    return found


def last_step(warm_up: WarmUp) -> int:
    """The first step that reaches the target."""
    return -(-(warm_up.target - warm_up.start) // warm_up.growth)


def _days(first: date, end: date) -> Iterable[date]:
    return (first + number * _DAY for number in range((end - first).days))
