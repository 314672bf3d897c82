"""The policy of the product: it learns from responses when, on which channel and how often each group answers.

What was learned is one ``timing.Curves``: counts, which a worker reads from the database and the lab keeps in memory. A
person's own hour and channel come from the history that the question carries. Every choice is drawn from the question's
key with the probability that its Decision names, so it can be replayed and evaluated afterwards.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from cadenza.campaigns.contracts import Way
from cadenza.engine.adaptive_days import choose_day
from cadenza.engine.adaptive_hours import SETTLES, choose_hour
from cadenza.engine.adaptive_view import View
from cadenza.engine.adaptive_ways import choose_variant, choose_way
from cadenza.engine.contracts import Observation, Planned, Question, Worded
from cadenza.timing.contracts import DatedEvent
from cadenza.timing.service import (
    MOST_RECENT,
    OPENED,
    RESPONDED,
    SHOWN,
    STOPPED,
    WON,
    Curves,
    calendar_events,
    working_time,
    zone_info,
)

_WEEK = timedelta(days=7)
_SOON = timedelta(
    hours=1
)  # a step that is as near is decided for good; the hour of a later one when its day opens
_REFRESH = 1.04  # learned counts grow by this much before they are looked at again
_CALENDAR_AHEAD = timedelta(days=60)  # from the first of the step's month on
_KEPT_TOUCHES = 12  # of a person, to find the touch that a response belongs to
_MEANING = {
    "opened": (OPENED,),
    "clicked": (OPENED,),
    "accepted": (RESPONDED,),
    "connected": (RESPONDED,),
    "replied": (RESPONDED, WON),
    "unsubscribed": (STOPPED,),
    "complained": (STOPPED,),
}


class _Seen:
    """A touch that arrived, and what came of it so far."""

    __slots__ = ("at", "groups", "hour", "outcomes", "settled", "stratum")

    def __init__(
        self, at: datetime, groups: tuple[str, ...], stratum: tuple[str, str, int, str], hour: int
    ) -> None:
        self.at, self.groups, self.stratum, self.hour = at, groups, stratum, hour
        self.outcomes: list[int] = []
        self.settled = False


class Adaptive:
    """``events`` are announced ones with their groups; ``market`` off leaves out calendars, events and news.

    ``repeat`` says the first argument again in every touch. Both are there to be compared with. ``curves`` is what was
    learned before, empty when left out.
    """

    version = 1

    def __init__(
        self,
        events: Iterable[DatedEvent] = (),
        *,
        curves: Curves | None = None,
        market: bool = True,
        repeat: bool = False,
        name: str = "adaptive",
    ) -> None:
        self.name = name
        self.curves = curves or Curves()
        self._events = tuple(events) if market else ()
        self._market = market
        self._repeat = repeat
        self._views: dict[tuple[str, ...], View] = {}
        self._seen: dict[str, list[_Seen]] = {}
        self._unsettled: deque[_Seen] = deque()

    def plan(self, question: Question) -> Planned:
        if question.now is not None:
            self._settle(question.now)
        view = self._view(question.person.groups)
        person = question.person
        calendar = working_time(question.window, person.zone, person.country, person.region)
        way, channel = choose_way(question, view)
        earliest = max(question.earliest, question.now) if question.now else question.earliest
        if way is None:
            return Planned(calendar.next_slot(earliest), None, ())
        later, day = choose_day(question, view, calendar, self._events_of(question))
        start = calendar.next_slot(max(earliest, later))
        if question.now is not None and start - question.now > _SOON:
            made = tuple(c.decision(self.name, self.version) for c in (channel, day) if c)
            end = calendar.stretch(start)[1]
            return Planned(start + (end - start) / 2, way, made, again=start)
        at, hour = choose_hour(question, way, view, calendar, start)
        made = tuple(c.decision(self.name, self.version) for c in (channel, day, hour) if c)
        return Planned(at, way, made)

    def word(self, question: Question, way: Way) -> Worded:
        variant, made = choose_variant(question, way, repeat=self._repeat)
        return Worded(variant, made.decision(self.name, self.version) if made else None)

    def learn(self, observation: Observation) -> None:
        if observation.response is None:
            self._arrived(observation)
        elif found := self._find(observation):
            self._responded(observation, found)

    def _arrived(self, seen: Observation) -> None:
        touches = self._seen.setdefault(seen.person.key, [])
        recent = sum(seen.at - _WEEK < touch.at <= seen.at for touch in touches)
        local = seen.at.astimezone(zone_info(seen.person.zone))
        stratum = (seen.channel, seen.action, min(recent, MOST_RECENT), self._on(seen, local))
        touch = _Seen(seen.at, seen.person.groups, stratum, local.weekday() * 24 + local.hour)
        touches.append(touch)
        del touches[:-_KEPT_TOUCHES]
        self._unsettled.append(touch)
        self._settle(seen.at)

    def _settle(self, now: datetime) -> None:
        """Touches count when most responses had the time to come: else the hours that were used last would look bad."""
        while self._unsettled and now - self._unsettled[0].at >= SETTLES:
            touch = self._unsettled.popleft()
            touch.settled = True
            for what in (SHOWN, *touch.outcomes):
                self.curves.count(touch.groups, touch.stratum, touch.hour, what)

    def _on(self, seen: Observation, local: datetime) -> str:
        """Which announced kinds were on, as a stratum names them."""
        if not self._events:
            return ""
        groups = frozenset(seen.person.groups)
        kinds = {event.kind for event in self._events if event.concerns(local.date(), groups)}
        return "+".join(sorted(kinds))

    def _find(self, response: Observation) -> _Seen | None:
        for touch in reversed(self._seen.get(response.person.key, [])):
            if touch.at == response.at and touch.stratum[0] == response.channel:
                return touch
        return None

    def _responded(self, response: Observation, touch: _Seen) -> None:
        """Each outcome counts once a touch; a meeting counts as won beside the reply that it came from."""
        word = response.response or ""
        new = [what for what in _MEANING.get(word, ()) if what not in touch.outcomes]
        new += [WON] * (word == "met" and touch.outcomes.count(WON) < 2)
        touch.outcomes += new
        for what in new if touch.settled else ():
            self.curves.count(touch.groups, touch.stratum, touch.hour, what)

    def _view(self, groups: tuple[str, ...]) -> View:
        """What was learned about these groups, looked at anew when enough was added."""
        found = self._views.get(groups)
        if found is None or self.curves.changes > found.made_at * _REFRESH + 20:
            found = self._views[groups] = View(self.curves, groups)
        return found

    def _events_of(self, question: Question) -> tuple[DatedEvent, ...] | None:
        """Announced ones and those of the calendars around the step; None when the market is left out."""
        if not self._market:
            return None
        person, day = question.person, question.earliest.date()
        first, last = day.replace(day=1), day.replace(day=1) + _CALENDAR_AHEAD
        return self._events + calendar_events(person.country, person.region, person.industry, first, last)
