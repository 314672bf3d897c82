"""Which hours of which days a window is open, in one zone, country and region. Remembers what it found out about each day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache

from cadenza.core.errors import CadenzaError
from cadenza.timing.contracts import Window
from cadenza.timing.spans import Span, spans, zone_info

LOOK_AHEAD = 400  # days; a window that stays shut so long never opens
DAY = timedelta(days=1)
_KEPT_DAYS = 3000


@cache
def public_holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    """Public holidays of the country, and of its region where that is known; observed days included."""
    import holidays  # noqa: PLC0415 - a quarter of a second that only senders need

    try:
        return frozenset(holidays.country_holidays(country, subdiv=region, years=year))
    except NotImplementedError:
        return public_holidays(country, None, year) if region else frozenset()


def is_working_day(day: date, window: Window, country: str | None, region: str | None = None) -> bool:
    """One of the window's weekdays and, where the window honours them, no public holiday."""
    if day.isoweekday() not in window.days:
        return False
    if not window.holidays or not country:
        return True
    return day not in public_holidays(country.upper(), region.upper() if region else None, day.year)


@lru_cache(maxsize=8192)
def working_time(window: Window, zone: str, country: str | None, region: str | None = None) -> "WorkingTime":
    return WorkingTime(window, window.zone or zone, country, region)


@dataclass(frozen=True, slots=True)
class OpenHour:
    """What is open of one hour of the recipient's week. ``hour`` counts from Monday midnight, 0 to 167."""

    hour: int
    begin: datetime
    end: datetime


class WorkingTime:
    """One window in one zone, country and region."""

    def __init__(self, window: Window, zone: str, country: str | None, region: str | None) -> None:
        self.zone = zone_info(zone)
        self._window = window
        self._country = country
        self._region = region
        self._days: dict[date, tuple[Span, ...]] = {}
        self._hours: dict[date, tuple[OpenHour, ...]] = {}

    def is_inside(self, moment: datetime) -> bool:
        day = moment.astimezone(self.zone).date()
        return any(begin <= moment < end for begin, end in self.open(day))

    def next_slot(self, not_before: datetime) -> datetime:
        return self.stretch(not_before)[0]

    def stretch(self, not_before: datetime) -> Span:
        """From the first moment inside that is not before ``not_before`` to where it closes."""
        today = not_before.astimezone(self.zone).date()
        near = self._first(today, not_before)
        # A clock set back over midnight shows yesterday again, so yesterday may open before today does.
        again = self._first(today - DAY, not_before)
        if near or again:
            return min(found for found in (near, again) if found)
        for ahead in range(1, LOOK_AHEAD):
            if found := self._first(today + ahead * DAY, not_before):
                return found
        raise self._never_opens()

    def working_day_after(self, day: date) -> date:
        for ahead in range(1, LOOK_AHEAD):
            if self.works(later := day + ahead * DAY):
                return later
        raise self._never_opens()

    def works(self, day: date) -> bool:
        return is_working_day(day, self._window, self._country, self._region)

    def wall_clock(self, day: date, at: time) -> datetime:
        """The first moment at which the clock shows ``at`` or later on ``day``; of the next day if it is skipped."""
        found = spans(self.zone, day, at, time.max)
        return found[0][0] if found else self.wall_clock(day + DAY, time())

    def open(self, day: date) -> tuple[Span, ...]:
        """The stretches in which the window is open on that local date."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) > _KEPT_DAYS:
                self._days.clear()
            found = spans(self.zone, day, self._window.start, self._window.end) if self.works(day) else ()
            self._days[day] = found
        return found

    def open_hours(self, day: date) -> tuple[OpenHour, ...]:
        """The same, cut where the hour of the recipient's clock changes."""
        found = self._hours.get(day)
        if found is None:
            if len(self._hours) > _KEPT_DAYS:
                self._hours.clear()
            found = self._hours[day] = tuple(piece for span in self.open(day) for piece in self._cut(span))
        return found

    def hour_of_week(self, moment: datetime) -> int:
        local = moment.astimezone(self.zone)
        return local.weekday() * 24 + local.hour

    def _cut(self, span: Span) -> list[OpenHour]:
        begin, end = span
        pieces: list[OpenHour] = []
        while begin < end:
            local = begin.astimezone(self.zone)
            left = timedelta(hours=1) - timedelta(
                minutes=local.minute, seconds=local.second, microseconds=local.microsecond
            )
            until = min(begin + left, end)
            pieces.append(OpenHour(local.weekday() * 24 + local.hour, begin, until))
            begin = until
        return pieces

    def _first(self, day: date, not_before: datetime) -> Span | None:
        for begin, end in self.open(day):
            if not_before < end:
                return (begin if begin > not_before else not_before.astimezone(UTC)), end
        return None

    def _never_opens(self) -> CadenzaError:
        return CadenzaError(
            "window_never_opens",
            f"The sending window does not open within {LOOK_AHEAD} days.",
            fix="Give it at least one weekday and an end later than its start.",
        )
