"""From which day on a touch may go out: it gives way to tiredness and to bad days, and uses good ones.

Waiting has its price, so that a sequence comes to its end: what a wait promises is compared with it.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from cadenza.engine.adaptive_view import Choice, View
from cadenza.engine.contracts import Question
from cadenza.engine.schedule import share
from cadenza.timing.contracts import DatedEvent, MarketFactor
from cadenza.timing.service import WorkingTime, draw, market_factor, quiet_until

_WEEK = timedelta(days=7)
_AHEAD = 8  # working days that a touch is put off at most because of the market
_WAIT = 0.04  # share of a touch's worth that a day of waiting costs
_EXPLORED = 0.1  # share of people that go out although the market seems bad, so that it is learned
_PACE = timedelta(days=27)  # in which a sequence should be through
_GAP = timedelta(days=4)  # that later steps need
_FRESH = timedelta(days=7)  # in which news at the company is a reason to come now
_UNHURRIED = timedelta(days=5)  # the longest rest where nobody knows how many steps are left


def choose_day(
    question: Question,
    view: View,
    calendar: WorkingTime,
    events: Sequence[DatedEvent] | None,
) -> tuple[datetime, Choice | None]:
    """Not before which moment, and why where that is later than the step's own. ``events`` None leaves the market out."""
    start = question.earliest
    if events is not None and any(start - _FRESH <= told <= start for told in question.news):
        return start, Choice("day", [("now", 1.0)], "now", "news at the company: a reason to come now")
    rested, why = _rested(question, view)
    start = max(start, rested)
    if not events:
        return start, Choice("day", [("rest", 1.0)], "rest", why) if why else None
    return _market(question, view, calendar, events, start, why)


def _rested(question: Question, view: View) -> tuple[datetime, str]:
    """When enough of the week's touches are past, if responses or unsubscribes say that it matters."""
    start = question.earliest
    recent = [t.at for t in question.history if t.at > start - _WEEK]
    losses = view.tiredness
    if not recent or losses[min(len(recent), len(losses) - 1)] == 0:
        return start, ""
    tired = losses[min(len(recent), len(losses) - 1)]
    best, moment, limit = 0.0, start, start + _patience(question)
    for place, touched in enumerate(recent):
        until = touched + _WEEK
        left = losses[min(len(recent) - place - 1, len(losses) - 1)]
        days = (until - start) / timedelta(days=1)
        if until <= limit and tired - left - _WAIT * days > best:
            best, moment = tired - left - _WAIT * days, until
    return moment, f"a touch is worth {tired:.0%} less after others in the same week" if best else ""


def _patience(question: Question) -> timedelta:
    """How long this step can rest so that those after it still come within the pace."""
    if question.steps_left is None or not question.history:
        return _UNHURRIED
    begun = next((t.at for t in question.history if t.at > question.earliest - _PACE), question.earliest)
    return begun + _PACE - question.earliest - _GAP * question.steps_left


def _market(
    question: Question,
    view: View,
    calendar: WorkingTime,
    events: Sequence[DatedEvent],
    start: datetime,
    why: str,
) -> tuple[datetime, Choice | None]:
    first = calendar.next_slot(start).astimezone(calendar.zone).date()
    near = [e for e in events if e.start <= first + timedelta(days=14) and e.end >= first - timedelta(days=9)]
    if not near:
        return start, Choice("day", [("rest", 1.0)], "rest", why) if why else None
    if quiet := quiet_until(first, near, question.person.groups):
        return _opening(calendar, quiet[0]), Choice("day", [(str(quiet[0]), 1.0)], str(quiet[0]), quiet[1])
    day, now, then = _best_day(view, calendar, near, question.person.groups, first)
    said = "; ".join(dict.fromkeys((why, *now.reasons)) if why else now.reasons)
    if day == first:
        return start, Choice("day", [(str(first), 1.0)], str(first), said) if said else None
    chances = [1 - _EXPLORED, _EXPLORED] if now.factor < 1 else [0.5, 0.5]
    days = (day, first)
    taken = draw(chances, share(f"{question.key}/day"))
    options = [(str(d), chance) for d, chance in zip(days, chances, strict=True)]
    said = "; ".join(dict.fromkeys((*now.reasons, *then.reasons)))
    moment = start if taken else _opening(calendar, day)
    return moment, Choice("day", options, str(days[taken]), said)


def _best_day(
    view: View, calendar: WorkingTime, events: Sequence[DatedEvent], groups: tuple[str, ...], first: date
) -> tuple[date, MarketFactor, MarketFactor]:
    """The day on which the market promises most for the wait, what it does on the first day and on that one."""

    def effect(event: DatedEvent) -> float:
        return event.factor if event.factor is not None else view.effect(event.kind)

    now = then = market_factor(events, groups, first, effect)
    best, day, found = now.factor * (1 + _WAIT), first, first
    for _ in range(_AHEAD):
        day = calendar.working_day_after(day)
        here = market_factor(events, groups, day, effect)
        worth = here.factor * (1 - _WAIT * (day - first).days)
        if worth > best:
            best, found, then = worth, day, here
    return found, now, then


def _opening(calendar: WorkingTime, day: date) -> datetime:
    return calendar.next_slot(calendar.wall_clock(day, time()))
