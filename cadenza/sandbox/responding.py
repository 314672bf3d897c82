"""How a person responds to one touch on any channel: the truth of a world, pure.

The odds of each response are the base odds times the factors of the world file. On the phone the factors of the arrival
(channel, hour, fatigue, events) decide whether somebody answers; what is said then follows from the conversation itself.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from cadenza.sandbox.contracts import Announced, Segment, Shock, World
from cadenza.sandbox.local_time import (
    Local,
    after_working_hours,
    day_number,
    first_workday,
    is_holiday,
    local,
    workday_begins,
)
from cadenza.sandbox.luck import choice, normal

_MEDIAN_HOURS = {"email": 3.0, "linkedin": 9.0, "phone": 0.0}
_SIGMA = 0.9
_PERSONAL_FACTOR = 3.0
_LEFT_UNREAD = 0.5  # of what lies there on the first day back is not read
_NEUTRAL = {"deliver": 1.0, "converse": 1.0}  # where the file gives no base chance


class Who(Protocol):
    """What the truth says about one person."""

    @property
    def country(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def warmth(self) -> float: ...
    @property
    def personal_hour(self) -> int | None: ...
    @property
    def dead(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A touch as it reaches somebody. ``channel`` and ``action`` are the words of a campaign file, ``at`` is world time.

    ``earlier`` counts the touches in the fatigue window before it; ``repeats`` says whether it makes an argument of an
    earlier one (True), another one (False) or none that could be compared (None); ``fits`` that its opening line uses
    recent news of the company.
    """

    channel: str
    action: str
    at: datetime
    features: frozenset[str] = frozenset()
    earlier: int = 0
    repeats: bool | None = None
    fits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """Of each response to one touch; conversations are of those who answered, meetings of those who talked."""

    deliver: float = 1.0
    open: float = 0.0
    click: float = 0.0
    reply: float = 0.0
    accept: float = 0.0
    connect: float = 0.0
    converse: float = 0.0
    meet: float = 0.0
    unsubscribe: float = 0.0
    complain: float = 0.0


@dataclass(slots=True)
class Reaction:
    """What comes of one touch. ``ending`` is unsubscribe or complaint; ``returns`` the first day back of an absence that began.

    ``present`` is when the person is there to read it, ``hours`` how many of their working hours later they respond.
    """

    present: datetime
    hours: float = 0.0
    bounced: bool = False
    delivered: bool = False
    machine_open: bool = False
    machine_click: bool = False
    opened: bool = False
    clicked: bool = False
    replied: bool = False
    accepted: bool = False
    connected: bool = False
    conversed: bool = False
    met: bool = False
    ending: str = ""
    returns: int | None = None


def with_odds(chance: float, factor: float) -> float:
    """The chance after its odds are multiplied."""
    if chance <= 0 or chance >= 1:
        return chance
    odds = chance / (1 - chance) * factor
    return odds / (1 + odds)


@dataclass(slots=True)
class Nature:
    """How the people of one segment respond."""

    world: World
    segment: Segment
    _hours: tuple[tuple[float, ...], ...] = field(init=False)
    _shocks: tuple[tuple[datetime, datetime, Shock], ...] = field(init=False)
    _announced: tuple[tuple[int, int, Announced], ...] = field(init=False)
    _effects: dict[tuple[frozenset[str], str], float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._hours = tuple(tuple(self._hour(day, hour) for hour in range(24)) for day in range(1, 8))
        self._shocks = tuple(_stretch(self.world, shock) for shock in _meant(self.segment, self.world.shocks))
        self._announced = tuple(
            (day_number(event.start), day_number(event.end), event)
            for event in _meant(self.segment, self.world.announced)
        )

    def _hour(self, day: int, hour: int) -> float:
        return math.prod(h.factor for h in self.segment.hours if day in h.days and h.start <= hour < h.end)

    def chances(self, who: Who, arrival: Arrival, reputation: float = 1.0) -> Chances:
        """``reputation`` multiplies the chance of delivery."""
        base = self.segment.channels.get(arrival.channel, {})
        common = self.common(who, arrival)
        if arrival.channel == "email":
            return self._email(who, arrival, base, common, reputation)
        if arrival.channel == "linkedin":
            return self._linkedin(who, arrival, base, common)
        stop = self._unsubscribe(arrival)
        return Chances(
            connect=with_odds(base.get("connect", 0.0), common),
            converse=base.get("converse", _NEUTRAL["converse"]),
            meet=with_odds(base.get("meeting", 0.0), math.exp(who.warmth)),
            unsubscribe=stop,
        )

    def _email(
        self, who: Who, arrival: Arrival, base: Mapping[str, float], common: float, reputation: float
    ) -> Chances:
        words = self.effects(arrival.features)
        return Chances(
            deliver=base.get("deliver", _NEUTRAL["deliver"]) * self._passes(arrival) * reputation,
            open=with_odds(base.get("open", 0.0), common * self.effects(arrival.features, "subject.")),
            click=with_odds(base.get("click", 0.0), common),
            reply=with_odds(
                base.get("reply", 0.0), common * words * math.exp(who.warmth) * self._progress(arrival)
            ),
            unsubscribe=self._unsubscribe(arrival),
            complain=self.segment.complain,
        )

    def _linkedin(self, who: Who, arrival: Arrival, base: Mapping[str, float], common: float) -> Chances:
        """Who looks at a profile asks nothing; an invitation is accepted or not; a message is answered or not."""
        deliver = self._passes(arrival)
        if arrival.action == "view_profile":
            return Chances(deliver=deliver)
        stop = self._unsubscribe(arrival)
        if arrival.action == "connect":
            return Chances(
                deliver=deliver, accept=with_odds(base.get("accept", 0.0), common), unsubscribe=stop
            )
        factor = common * self.effects(arrival.features) * math.exp(who.warmth) * self._progress(arrival)
        return Chances(deliver=deliver, reply=with_odds(base.get("reply", 0.0), factor), unsubscribe=stop)

    def common(self, who: Who, arrival: Arrival) -> float:
        """Channel, hour, fatigue, shocks, announced and company events: what moves every response alike."""
        there = local(arrival.at, who.timezone)
        factor = self.segment.prefers.get(arrival.channel, 1.0) * self.arrival_factor(who, there)
        factor *= self.segment.fatigue.factor**arrival.earlier
        for start, end, shock in self._shocks:
            if start <= arrival.at < end and shock.channel in {None, arrival.channel}:
                factor *= shock.respond
        return factor * self.world.company_event_factor if arrival.fits else factor

    def arrival_factor(self, who: Who, there: Local) -> float:
        """Of the local day and hour alone: usual hours, the person's own, announced events, holidays."""
        if self.world.holidays and is_holiday(there.day, who.country):
            return 0.0
        factor = self._hours[there.weekday - 1][there.hour]
        if who.personal_hour == there.hour:
            factor *= _PERSONAL_FACTOR
        for start, end, event in self._announced:
            if start <= there.day <= end:
                factor *= event.respond
        return factor

    def effects(self, features: frozenset[str], start: str = "") -> float:
        """The product of the effects, interactions too, whose attributes are all there."""
        key = (features, start)
        if key not in self._effects:
            self._effects[key] = math.prod(
                factor
                for name, factor in self.segment.effects.items()
                if name.startswith(start) and set(name.split("&")) <= features
            )
        return self._effects[key]

    def _progress(self, arrival: Arrival) -> float:
        if arrival.repeats is None:
            return 1.0
        return self.segment.repeat if arrival.repeats else self.segment.build

    def _passes(self, arrival: Arrival) -> float:
        factor = 1.0
        for start, end, shock in self._shocks:
            if start <= arrival.at < end and shock.channel in {None, arrival.channel}:
                factor *= shock.deliver
        return factor

    def _unsubscribe(self, arrival: Arrival) -> float:
        return self.segment.unsubscribe_base + self.segment.unsubscribe_per_touch * arrival.earlier

    def react(
        self, who: Who, arrival: Arrival, chances: Chances, luck: Mapping[str, float], away: datetime | None
    ) -> Reaction:
        """``away`` is until when the person is known to be absent, if they are."""
        found = Reaction(arrival.at)
        if arrival.channel == "email" and who.dead:
            found.bounced = True
            return found
        if luck["deliver"] >= chances.deliver:
            return found
        if arrival.channel == "phone":
            self._call(found, who, arrival, chances, luck, away)
            return found
        found.delivered = True
        if arrival.channel == "email":
            found.machine_open = luck["machine_open"] < self.segment.machine_open
            found.machine_click = luck["machine_click"] < self.segment.machine_click
        if arrival.action == "view_profile":
            return found
        self._absence(found, who, arrival, luck, away)
        if found.present > arrival.at and luck["after_absence"] < _LEFT_UNREAD:
            return found
        self._read(found, arrival, chances, luck)
        return found

    def _call(
        self, found: Reaction, who: Who, arrival: Arrival, chances: Chances, luck: Mapping[str, float],
        away: datetime | None,
    ) -> None:  # fmt: skip
        """Who is away does not answer, and no note says so."""
        self._absence(found, who, arrival, luck, away)
        found.returns = None
        found.delivered = found.connected = found.present == arrival.at and luck["connect"] < chances.connect
        if not found.connected:
            return
        if luck["stop"] < chances.unsubscribe:
            found.ending = "unsubscribe"
            return
        found.conversed = luck["converse"] < chances.converse
        found.met = found.conversed and luck["meet"] < chances.meet

    def _absence(
        self, found: Reaction, who: Who, arrival: Arrival, luck: Mapping[str, float], away: datetime | None
    ) -> None:
        """From when on the person reads; who is away sends one note for each time away."""
        if away is not None and arrival.at < away:
            found.present = away
        elif luck["absent"] < self.segment.absent_share:
            first, last = self.segment.absent_days
            days = first + int(luck["absent_days"] * (last - first + 1))
            today = local(arrival.at, who.timezone).day
            found.returns = first_workday(today + days, who.country, with_holidays=self.world.holidays)
            found.present = workday_begins(found.returns, who.timezone)

    def _read(self, found: Reaction, arrival: Arrival, chances: Chances, luck: Mapping[str, float]) -> None:
        found.hours = _MEDIAN_HOURS[arrival.channel] * math.exp(_SIGMA * normal(luck["delay"]))
        found.clicked = luck["click"] < chances.click
        found.opened = found.clicked or luck["open"] < chances.open
        if luck["stop"] < chances.unsubscribe:
            found.ending = "unsubscribe"
        elif luck["complain"] < chances.complain:
            found.ending = "complaint"
        else:
            found.replied = luck["reply"] < chances.reply
            found.accepted = luck["accept"] < chances.accept

    def when(self, who: Who, found: Reaction, part: float = 1.0) -> datetime:
        """When that part of the delay is over, in the person's working hours."""
        return after_working_hours(
            found.present, found.hours * part, who.timezone, who.country, with_holidays=self.world.holidays
        )

    def intent(self, luck: Mapping[str, float]) -> str:
        return choice(luck["intent"], self.segment.reply_mix)

    def meets(self, who: Who, intent: str, luck: Mapping[str, float]) -> bool:
        """Whether a meeting comes of a reply."""
        return luck["meeting"] < with_odds(self.segment.meeting_from.get(intent, 0.0), math.exp(who.warmth))

    def deal(self, who: Who, luck: Mapping[str, float]) -> tuple[bool, float]:
        """What comes of a meeting: whether it is an opportunity, and what is won by it in the deal's currency."""
        warm = math.exp(who.warmth)
        if luck["opportunity"] >= with_odds(self.segment.opportunity_from_meeting, warm):
            return False, 0.0
        deal = self.segment.deal
        won = luck["win"] < with_odds(deal.win, warm)
        return True, deal.median * math.exp(deal.sigma * normal(luck["value"])) if won else 0.0


_Entry = TypeVar("_Entry", Shock, Announced)


def _meant(segment: Segment, entries: Iterable[_Entry]) -> list[_Entry]:
    return [entry for entry in entries if entry.segments is None or segment.name in entry.segments]


def _stretch(world: World, shock: Shock) -> tuple[datetime, datetime, Shock]:
    start = world.start + timedelta(days=shock.day)
    return start, start + timedelta(hours=shock.hours), shock
