"""Working hours of a recipient: pure answers from a window, a zone and a country.

Every moment goes in and comes out as an aware UTC datetime. A window's own zone, where it has one, replaces
the recipient's. A country that is unknown has no public holidays.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import available_timezones

from cadenza.core.errors import CadenzaError
from cadenza.timing.contracts import Window
from cadenza.timing.spans import Span, spans, zone_info

_LOOK_AHEAD = 400  # days; a window that stays shut so long never opens
_DAY = timedelta(days=1)
_KEPT_DAYS = 3000

__all__ = [
    "add_working_days",
    "common_stretch",
    "first_working_day_after",
    "is_inside",
    "is_working_day",
    "next_slot",
    "opening",
]


def is_inside(window: Window, moment: datetime, zone: str, country: str | None) -> bool:
    """Whether the recipient's wall clock is in the window: start included, end excluded."""
    return _calendar(window, window.zone or zone, country).is_inside(moment)


def next_slot(window: Window, not_before: datetime, zone: str, country: str | None) -> datetime:
    """The first moment inside that is not before ``not_before``; that one itself when it is inside.

    Raises ``CadenzaError`` for an unknown zone and for a window that never opens.
    """
    return _calendar(window, window.zone or zone, country).next_slot(not_before)


def common_stretch(
    window: Window, not_before: datetime, zone: str, country: str | None, hours: Window, within: timedelta
) -> Span | None:
    """The first stretch, from ``not_before`` on, in which the window is open for the recipient and ``hours`` are open too.

    ``hours`` are those of somebody else, in a zone of their own. None when they do not meet within the span: no
    stretch begins before ``not_before + within``. A stretch ends with a local day at the latest. Raises ``CadenzaError`` like ``next_slot``.
    """
    theirs, ours = _calendar(window, window.zone or zone, country), _calendar(hours, hours.zone or zone, None)
    at = not_before
    while at < not_before + within:
        one, other = theirs.stretch(at), ours.stretch(at)
        begin, end = max(one[0], other[0]), min(one[1], other[1])
        if begin < end:
            return (begin, end) if begin < not_before + within else None
        at = begin  # later than before: had both begun at once, they would have met
    return None


def add_working_days(moment: datetime, days: int, window: Window, zone: str, country: str | None) -> datetime:
    """The same wall-clock time ``days`` working days later; 0 changes nothing.

    A time that the clock skips becomes the first one after the gap, one that it shows twice the earlier.
    The result is a day's time, not a slot: pass it to ``next_slot``.
    """
    if days <= 0:
        return moment
    calendar = _calendar(window, window.zone or zone, country)
    local = moment.astimezone(calendar.zone)
    day = local.date()
    for _ in range(days):
        day = calendar.working_day_after(day)
    return calendar.wall_clock(day, local.time())


def first_working_day_after(day: date, window: Window, country: str | None) -> date:
    """The next working day, never ``day`` itself. Raises ``CadenzaError`` for a window without working days."""
    return _calendar(window, "UTC", country).working_day_after(day)


def opening(day: date, window: Window, zone: str, country: str | None) -> datetime:
    """The first moment inside the window on that local date, or on the next working day."""
    calendar = _calendar(window, window.zone or zone, country)
    return calendar.next_slot(calendar.wall_clock(day, time()))


def is_working_day(day: date, window: Window, country: str | None) -> bool:
    """One of the window's weekdays and, where the window honours them, no public holiday."""
    if day.isoweekday() not in window.days:
        return False
    return not (window.holidays and country and day in _holidays(country.upper(), day.year))


def is_zone(name: str) -> bool:
    """Whether the IANA database knows this zone, written exactly so."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    """National public holidays, the days on which they are observed included."""
    import holidays  # noqa: PLC0415 - a quarter of a second that only senders need

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


@lru_cache(maxsize=8192)
def _calendar(window: Window, zone: str, country: str | None) -> "_Calendar":
    return _Calendar(window, zone, country)


class _Calendar:
    """One window in one zone and country. Remembers what it found out about each day."""

    def __init__(self, window: Window, zone: str, country: str | None) -> None:
        self.zone = zone_info(zone)
        self._window = window
        self._country = country
        self._days: dict[date, tuple[Span, ...]] = {}

    def is_inside(self, moment: datetime) -> bool:
        day = moment.astimezone(self.zone).date()
        return any(begin <= moment < end for begin, end in self._open(day))

    def next_slot(self, not_before: datetime) -> datetime:
        return self.stretch(not_before)[0]

    def stretch(self, not_before: datetime) -> Span:
        """From the first moment inside that is not before ``not_before`` to where it closes."""
        today = not_before.astimezone(self.zone).date()
        near = self._first(today, not_before)
        # A clock set back over midnight shows yesterday again, so yesterday may open before today does.
        again = self._first(today - _DAY, not_before)
        if near or again:
            return min(found for found in (near, again) if found)
        for ahead in range(1, _LOOK_AHEAD):
            if found := self._first(today + ahead * _DAY, not_before):
                return found
        raise self._never_opens()

    def working_day_after(self, day: date) -> date:
        for ahead in range(1, _LOOK_AHEAD):
            if is_working_day(later := day + ahead * _DAY, self._window, self._country):
                return later
        raise self._never_opens()

    def wall_clock(self, day: date, at: time) -> datetime:
        """The first moment at which the clock shows ``at`` or later on ``day``; of the next day if it is skipped."""
        found = spans(self.zone, day, at, time.max)
        return found[0][0] if found else self.wall_clock(day + _DAY, time())

    def _first(self, day: date, not_before: datetime) -> Span | None:
        for begin, end in self._open(day):
            if not_before < end:
                return (begin if begin > not_before else not_before.astimezone(UTC)), end
        return None

    def _open(self, day: date) -> tuple[Span, ...]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) > _KEPT_DAYS:
                self._days.clear()
            works = is_working_day(day, self._window, self._country)
            found = spans(self.zone, day, self._window.start, self._window.end) if works else ()
            self._days[day] = found
        return found

    def _never_opens(self) -> CadenzaError:
        return CadenzaError(
            "window_never_opens",
            f"The sending window does not open within {_LOOK_AHEAD} days.",
            fix="Give it at least one weekday and an end later than its start.",
        )
