"""The policy that knows a world's truth: what is measured against it is how much of the possible a policy reaches.

Greedy, not clairvoyant: it knows every factor, but neither who will answer nor what is drawn. For each touch it takes the way,
the words and, within what the remaining steps leave of the time, the hour with the best odds.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from cadenza.campaigns.contracts import Definition, Way
from cadenza.engine.contracts import Observation, Planned, Question, Worded
from cadenza.lab.asking import Ways
from cadenza.lab.prospects import RECENT, Prospect
from cadenza.sandbox.contracts import World
from cadenza.sandbox.service import Arrival, Chances, local
from cadenza.timing.service import working_time

_DAY = timedelta(days=1)
_CALENDAR_DAYS = 1.5  # that a working day takes, weekends and holidays included
_LONGEST = 14  # days that are looked ahead

Hours = tuple[tuple[datetime, datetime, float], ...]
"""Begin, end and factor of each open hour."""


class Oracle:
    name = "oracle"
    version = 1

    def __init__(self, world: World, everybody: Mapping[str, Prospect], definition: Definition) -> None:
        self._world = world
        self._everybody = everybody
        self._ways = Ways(definition)
        self._end = world.start + timedelta(days=world.days)
        steps = definition.steps
        self._still = {s.id: sum(later.after_days for later in steps[n + 1 :]) for n, s in enumerate(steps)}
        self._left = {s.id: len(steps) - n for n, s in enumerate(steps)}
        self._days: dict[tuple[object, ...], Hours] = {}

    def plan(self, question: Question) -> Planned:
        who = self._everybody[question.person.key]
        ways = [way for way in question.step.ways if way.channel in question.usable]
        at = self._moment(who, question)
        if not ways:
            return Planned(at, None, ())
        return Planned(at, max(ways, key=lambda way: self._worth(who, way, at)), ())

    def word(self, question: Question, way: Way) -> Worded:
        who, now = self._everybody[question.person.key], question.now or question.earliest
        variants = [variant.id for variant in way.variants]
        best = max(variants, key=lambda v: self._value(who, way, v, now), default=None)
        return Worded(best, None)

    def learn(self, observation: Observation) -> None:
        """It knows everything already."""

    def _moment(self, who: Prospect, question: Question) -> datetime:
        """The best hour of the best day; the earliest among equals."""
        times = working_time(question.window, question.person.zone, question.person.country)
        first = times.next_slot(question.earliest).astimezone(times.zone).date()
        best, chosen = -1.0, question.earliest
        for ahead in range(self._look_ahead(question) + 1):
            day = first + ahead * _DAY
            for begin, end, factor in self._hours(who, question, day):
                moment = max(begin, question.earliest)
                if moment >= end:
                    continue
                odds = factor * self._tired(who, moment)
                if odds > best:
                    best, chosen = odds, moment
        return chosen

    def _look_ahead(self, question: Question) -> int:
        """Days that this step may wait so that those after it still find room in the world's days."""
        days = (self._end - question.earliest) / _DAY - self._still[question.step.id] * _CALENDAR_DAYS
        return max(0, min(_LONGEST, int(days / self._left[question.step.id])))

    def _tired(self, who: Prospect, at: datetime) -> float:
        fatigue = who.nature.segment.fatigue
        if fatigue.factor == 1.0:
            return 1.0
        since = at - timedelta(days=fatigue.window_days)
        return float(fatigue.factor ** sum(touch > since for touch in who.touches))

    def _hours(self, who: Prospect, question: Question, day: date) -> Hours:
        """The open hours of a day with their factors, the same for everybody alike in this."""
        person = who.person
        key = (person.segment, person.timezone, person.country, person.personal_hour, day)
        if key not in self._days:
            times = working_time(question.window, person.timezone, person.country or None)
            self._days[key] = tuple(
                (hour.begin, hour.end, who.nature.arrival_factor(person, local(hour.begin, person.timezone)))
                for hour in times.open_hours(day)
            )
        return self._days[key]

    def _worth(self, who: Prospect, way: Way, at: datetime) -> float:
        variants: list[str | None] = [variant.id for variant in way.variants]
        return max(self._value(who, way, variant, at) for variant in variants or [None])

    def _value(self, who: Prospect, way: Way, variant: str | None, at: datetime) -> float:
        """Expected replies and meetings of one touch."""
        words = self._ways.words(way, variant)
        said = words.arguments
        arrival = Arrival(
            channel=way.channel,
            action=way.action,
            at=at,
            features=words.features,
            repeats=not said.isdisjoint(who.arguments) if said and who.arguments else None,
            fits=words.uses_news and any(at - RECENT <= n <= at for n in who.news),
        )
        return _yield(who, who.nature.chances(who.person, arrival))


def _yield(who: Prospect, chances: Chances) -> float:
    mix, meets = who.nature.segment.reply_mix, who.nature.segment.meeting_from
    total = sum(mix.values())
    meeting = sum(share * meets.get(intent, 0.0) for intent, share in mix.items()) / total if total else 0.0
    return (
        chances.reply * (1 + meeting) * chances.deliver
        + chances.accept
        + (chances.connect * chances.converse * chances.meet)
    )
