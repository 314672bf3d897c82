"""How a person responds to one message: pure, and the same again for the same seed and the same messages.

The odds of each response are the base odds times the factors of the world file. Each person and touch has one
random stream from which every draw is made in one order, so that two runs that differ only in policy share luck.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from cadenza.sandbox.contracts import Person, Segment, Shock, World
from cadenza.sandbox.letters import Letter
from cadenza.sandbox.people import pick

_WORK = (
    8,
    18,
)  # local hours in which people get to their mail; inside the 06:00 to 23:00 of the world's rules
_MEDIAN_HOURS = 3.0
_SIGMA = 0.9
_PERSONAL_FACTOR = 3.0
_DRAWS = (
    "deliver", "machine_open", "machine_click", "open", "click", "reply", "stop", "complain", "absent", "how",
    "after_absence", "answer",
)  # fmt: skip
_GOES_ON = (0.75, 0.4)  # chance that a person answers our first and second answer
_AFTER_ANSWER = {
    "meeting_request": 0.4, "acknowledgment": 0.25, "positive_interest": 0.15, "information_request": 0.1,
    "objection": 0.1,
}  # fmt: skip
_FINAL = frozenset({"unsubscribe", "not_interested"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One thing that a person, or a machine of theirs, does because of a letter. ``at`` is world time.

    ``kind``: reply, absence, bounce, complaint, stop_mail, stop_post, open, click, machine_open, machine_click.
    ``returns`` is the first day back of an absence.
    """

    key: str
    kind: str
    at: datetime
    letter: Letter
    intent: str = ""
    returns: date | None = None


@lru_cache(maxsize=64)
def _free_days(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def is_free(day: date, country: str, *, with_holidays: bool) -> bool:
    return day.isoweekday() > 5 or (with_holidays and day in _free_days(country, day.year))


def after_working_hours(at: datetime, hours: float, person: Person, *, with_holidays: bool) -> datetime:
    """The moment when that many of the person's working hours have passed."""
    zone = ZoneInfo(person.timezone)
    local = at.astimezone(zone)
    while True:
        start = datetime.combine(local.date(), time(_WORK[0]), zone)
        end = datetime.combine(local.date(), time(_WORK[1]), zone)
        local = max(local, start)
        if local < end and not is_free(local.date(), person.country, with_holidays=with_holidays):
            left = (end - local).total_seconds() / 3600
            if hours <= left:
                return (local + timedelta(hours=hours)).astimezone(at.tzinfo)
            hours -= left
        local = datetime.combine(local.date() + timedelta(days=1), time(_WORK[0]), zone)


def with_odds(chance: float, factor: float) -> float:
    """The chance after its odds are multiplied."""
    if chance <= 0 or chance >= 1:
        return chance
    odds = chance / (1 - chance) * factor
    return odds / (1 + odds)


@dataclass(slots=True)
class Mind:
    """One person, with what was written to them so far. ``receive`` takes letters in the order they came."""

    world: World
    segment: Segment
    person: Person
    letters: list[Letter] = field(default_factory=list)
    absent_until: datetime | None = None
    stopped: bool = False
    last_intent: str = ""
    answers: int = 0
    own_ids: set[str] = field(default_factory=set)

    def receive(self, letter: Letter, reputation: float = 1.0) -> list[Response]:
        """What will come of it. ``reputation`` multiplies the chance of delivery."""
        answered = letter.in_reply_to in self.own_ids
        touch = sum(earlier.in_reply_to not in self.own_ids for earlier in self.letters)
        stream = f"answer {self.answers}" if answered else f"touch {touch}"
        luck = random.Random(f"{self.world.seed}|{self.person.email}|{stream}")
        drawn = {name: luck.random() for name in _DRAWS}
        earlier, self.letters = list(self.letters), [*self.letters, letter]
        if self.person.dead:
            return [self._response("bounce", letter, letter.at + timedelta(minutes=1 + 9 * drawn["how"]))]
        if self.stopped or drawn["deliver"] >= self._deliver(letter.at) * reputation:
            return []
        found = self._machines(letter, drawn)
        if answered:
            return [*found, *self._answer(letter, drawn, luck)]
        present = self._absence(letter, drawn, luck, found)
        return [*found, *self._person(letter, earlier, drawn, luck, present)]

    def _response(
        self, kind: str, letter: Letter, at: datetime, intent: str = "", returns: date | None = None
    ) -> Response:
        key = f"{letter.number} {self.person.number} {kind}"
        return Response(key=key, kind=kind, at=at, letter=letter, intent=intent, returns=returns)

    def _deliver(self, at: datetime) -> float:
        chance = self.segment.channels.get("email", {}).get("deliver", 1.0)
        return chance * math.prod(shock.deliver for shock in self.world.shocks if self._hit(shock, at))

    def _hit(self, shock: Shock, at: datetime) -> bool:
        start = self.world.start + timedelta(days=shock.day)
        inside = start <= at < start + timedelta(hours=shock.hours)
        named = shock.segments is None or self.segment.name in shock.segments
        return inside and named and shock.channel in {None, "email"}

    def _machines(self, letter: Letter, drawn: Mapping[str, float]) -> list[Response]:
        """Proxies and scanners come within seconds."""
        soon = letter.at + timedelta(seconds=2 + 5 * drawn["how"])
        found = []
        if letter.images and drawn["machine_open"] < self.segment.machine_open:
            found.append(self._response("machine_open", letter, soon))
        if drawn["machine_click"] < self.segment.machine_click:
            found.append(self._response("machine_click", letter, soon + timedelta(seconds=2)))
        return found

    def _absence(
        self, letter: Letter, drawn: Mapping[str, float], luck: random.Random, found: list[Response]
    ) -> datetime:
        """From when on the person reads; who is away sends one note for each time away."""
        if self.absent_until is not None and letter.at < self.absent_until:
            return self.absent_until
        days = luck.randint(*self.segment.absent_days)
        if drawn["absent"] >= self.segment.absent_share:
            return letter.at
        zone = ZoneInfo(self.person.timezone)
        back = letter.at.astimezone(zone).date() + timedelta(days=days)
        while is_free(back, self.person.country, with_holidays=self.world.holidays):
            back += timedelta(days=1)
        self.absent_until = datetime.combine(back, time(_WORK[0]), zone).astimezone(letter.at.tzinfo)
        found.append(self._response("absence", letter, letter.at + timedelta(minutes=1), returns=back))
        return self.absent_until

    def _person(
        self,
        letter: Letter,
        earlier: list[Letter],
        drawn: Mapping[str, float],
        luck: random.Random,
        present: datetime,
    ) -> list[Response]:
        hours = _MEDIAN_HOURS * math.exp(luck.gauss(0, _SIGMA))
        intent = pick(luck, self.segment.reply_mix)
        when = after_working_hours(present, hours, self.person, with_holidays=self.world.holidays)
        if present > letter.at and drawn["after_absence"] < 0.5:
            return []  # what lay there on the first day back is not all read
        read = after_working_hours(present, hours * 0.6, self.person, with_holidays=self.world.holidays)
        chances = self.segment.channels.get("email", {})
        common = self._common_factor(letter, earlier)
        effect = self._effects(letter)
        found = []
        opens = drawn["open"] < with_odds(chances.get("open", 0), common * self._effects(letter, "subject."))
        clicks = drawn["click"] < with_odds(chances.get("click", 0), common)
        if letter.images and (opens or clicks):
            found.append(self._response("open", letter, read))
        if letter.links and clicks:
            found.append(self._response("click", letter, read + timedelta(minutes=2)))
        factor = common * effect * math.exp(self.person.warmth) * self._progress(letter, earlier)
        replies = drawn["reply"] < with_odds(chances.get("reply", 0), factor)
        if (ending := self._ending(letter, earlier, drawn, when)) is not None:
            return [*found, ending]
        if replies:
            found.append(self._reply(letter, when, intent))
        return found

    def _reply(self, letter: Letter, when: datetime, intent: str) -> Response:
        self.last_intent = intent
        self.stopped = self.stopped or intent == "unsubscribe"
        return self._response("reply", letter, when, intent)

    def _answer(self, letter: Letter, drawn: Mapping[str, float], luck: random.Random) -> list[Response]:
        """People answer our answers, a turn or two, and then go back to work."""
        turn, self.answers = self.answers, self.answers + 1
        if self.last_intent in _FINAL or turn >= len(_GOES_ON) or drawn["answer"] >= _GOES_ON[turn]:
            return []
        hours = _MEDIAN_HOURS / 2 * math.exp(luck.gauss(0, _SIGMA))
        when = after_working_hours(letter.at, hours, self.person, with_holidays=self.world.holidays)
        return [self._reply(letter, when, pick(luck, _AFTER_ANSWER))]

    def _ending(
        self, letter: Letter, earlier: list[Letter], drawn: Mapping[str, float], when: datetime
    ) -> Response | None:
        """The ways of saying no that are no reply."""
        tired = self.segment.unsubscribe_base + self.segment.unsubscribe_per_touch * self._lately(
            letter, earlier
        )
        if drawn["stop"] < tired:
            self.stopped = True
            if letter.unsubscribe_url is not None and drawn["how"] < 0.5:
                return self._response("stop_post", letter, when)
            if letter.unsubscribe_mail is not None and drawn["how"] < 0.75:
                return self._response("stop_mail", letter, when)
            return self._reply(letter, when, "unsubscribe")
        if drawn["complain"] < self.segment.complain:
            self.stopped = True
            return self._response("complaint", letter, when)
        return None

    def _lately(self, letter: Letter, earlier: list[Letter]) -> int:
        window = timedelta(days=self.segment.fatigue.window_days)
        return sum(letter.at - other.at < window for other in earlier)

    def _common_factor(self, letter: Letter, earlier: list[Letter]) -> float:
        """Channel, hour, fatigue, shocks and announced events: what moves every response alike."""
        local = letter.at.astimezone(ZoneInfo(self.person.timezone))
        factor = self.segment.prefers.get("email", 1.0)
        for hour in self.segment.hours:
            if local.isoweekday() in hour.days and hour.start <= local.hour < hour.end:
                factor *= hour.factor
        if self.person.personal_hour == local.hour:
            factor *= _PERSONAL_FACTOR
        factor *= self.segment.fatigue.factor ** self._lately(letter, earlier)
        for shock in self.world.shocks:
            factor *= shock.respond if self._hit(shock, letter.at) else 1.0
        for event in self.world.announced:
            named = event.segments is None or self.segment.name in event.segments
            factor *= event.respond if named and event.start <= local.date() <= event.end else 1.0
        return factor

    def _effects(self, letter: Letter, start: str = "") -> float:
        features = letter.features
        return math.prod(
            factor
            for name, factor in self.segment.effects.items()
            if name.startswith(start) and set(name.split("&")) <= features
        )

    def _progress(self, letter: Letter, earlier: list[Letter]) -> float:
        if not earlier:
            return 1.0
        return self.segment.repeat if any(map(letter.repeats, earlier)) else self.segment.build
