"""The policies that learn nothing: what everything else is compared with."""

import itertools
from datetime import datetime, time, timedelta
from functools import lru_cache

from cadenza.campaigns.contracts import Way
from cadenza.engine.contracts import Observation, Planned, Question, Worded
from cadenza.engine.schedule import share
from cadenza.experiments.service import assign
from cadenza.ledger.contracts import Decision, Option
from cadenza.timing.contracts import Window
from cadenza.timing.service import working_time

_NINE, _FIVE = time(9), time(17)
_DAY = timedelta(days=1)


class Fixed:
    """Each touch at an hour between 9 and 17 o'clock of the recipient's working day, any as likely as another; where the
    campaign's window is narrower, within that. Steps in file order, options and variants evenly.
    """

    name = "fixed"
    version = 1

    def plan(self, question: Question) -> Planned:
        """The hour is drawn before the day, so that a delay that ends at noon does not favour afternoons."""
        way, decision = self._way(question)
        hours = _narrowed(question.window)
        at = _moment(question, hours)
        decisions = (_timed(self, hours, at, question),)
        return Planned(at, way, (*decisions, decision) if decision else decisions)

    def _way(self, question: Question) -> tuple[Way | None, Decision | None]:
        ways = {way_name(way, n): way for n, way in enumerate(question.step.ways)}
        usable = [name for name, way in ways.items() if way.channel in question.usable]
        if len(usable) < 2:
            return (ways[usable[0]] if usable else None), None
        taken = assign(f"{question.key}/way", usable)
        return ways[taken.arm], Decision(
            what="channel",
            options=tuple(Option(name, 1 / len(usable)) for name in usable),
            taken=taken.arm,
            reason="every channel that can be used is as likely as another",
            policy=self.name,
            version=self.version,
        )

    def word(self, question: Question, way: Way) -> Worded:
        variants = [variant.id for variant in way.variants]
        if len(variants) < 2:
            return Worded(variants[0] if variants else None, None)
        taken = assign(question.key, variants)
        decision = Decision(
            what="variant",
            options=tuple(Option(variant, 1 / len(variants)) for variant in variants),
            taken=taken.arm,
            reason="variants are split evenly",
            policy=self.name,
            version=self.version,
        )
        return Worded(taken.arm, decision)

    def learn(self, observation: Observation) -> None:
        """It is the same whatever people do."""


class EmailOnly(Fixed):
    """``fixed``, with every touch by e-mail: a step of another channel says its words in a letter."""

    name = "email_only"

    def _way(self, question: Question) -> tuple[Way | None, Decision | None]:
        if "email" not in question.usable:
            return None, None
        ways = question.step.ways
        letter = next((way for way in ways if way.channel == "email"), None)
        words = next((way.variants for way in ways if way.variants), ())
        return letter or Way("email", "send", words), None


def way_name(way: Way, place: int) -> str:
    """A way among those of its step, for people: the place tells two of the same kind apart."""
    return f"{place + 1}: {way.channel} {way.action}"


@lru_cache(maxsize=1024)
def _narrowed(window: Window) -> Window:
    start, end = max(window.start, _NINE), min(window.end, _FIVE)
    if start >= end:
        return window
    return Window(window.days, start, end, window.zone, window.holidays)


def _moment(question: Question, hours: Window) -> datetime:
    """On the first working day on which the drawn time of day is not before the earliest moment."""
    person = question.person
    times = working_time(hours, person.zone, person.country, person.region)
    drawn = share(f"{question.key}/hour")
    day = (
        times.next_slot(question.earliest).astimezone(times.zone).date() - _DAY
    )  # a clock set back shows a day again
    while True:
        for begin, end in times.open(day):
            if (at := begin + (end - begin) * drawn) >= question.earliest:
                return at
        day += _DAY


@lru_cache(maxsize=4096)
def _hours(start: time, end: time) -> tuple[Option, ...]:
    """The hours that can be taken, with how likely each is."""
    first, last = _minutes(start), _minutes(end)
    marks = sorted({first, last, *(hour * 60 for hour in range(24) if first < hour * 60 < last)})
    parts = itertools.pairwise(marks)
    return tuple(
        Option(f"{begin // 60:02}:{begin % 60:02}", (after - begin) / (last - first))
        for begin, after in parts
    )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _timed(policy: "Fixed", hours: Window, at: datetime, question: Question) -> Decision:
    zone = hours.zone or question.person.zone
    there = at.astimezone(working_time(hours, zone, None).zone).time()
    options = _hours(hours.start, hours.end)
    return Decision(
        what="time",
        options=options,
        taken=max((o.option for o in options if o.option <= f"{there:%H:%M}"), default=options[0].option),
        reason="every hour is as likely as another",
        policy=policy.name,
        version=policy.version,
    )
