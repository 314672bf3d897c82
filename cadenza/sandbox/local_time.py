"""A person's wall clock, fast enough for millions of questions, and when they work."""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

_WORK = (
    8,
    18,
)  # local hours in which people get to their mail; inside the 06:00 to 23:00 of the world's rules
_DAY = 86_400
_QUARTER = 900  # seconds; zones change their offset on a quarter of an hour
_EPOCH = date(1970, 1, 1)
_KEPT = 200_000


class Local(NamedTuple):
    """``day`` counts from 1970-01-01, ``weekday`` is ISO (1 is Monday)."""

    day: int
    weekday: int
    hour: int


def local(at: datetime, zone: str) -> Local:
    second = int(at.timestamp())
    second += _offset(zone, second // _QUARTER)
    day, rest = divmod(second, _DAY)
    return Local(day, (day + 3) % 7 + 1, rest // 3600)


def moment(day: int, hour: float, zone: str) -> datetime:
    """When it is that hour there on that day. An hour that the clock skips is the one after it."""
    second = day * _DAY + int(hour * 3600)
    guess = second - _offset(zone, (second - _offset(zone, second // _QUARTER)) // _QUARTER)
    return datetime.fromtimestamp(guess, UTC)


@lru_cache(maxsize=_KEPT)
def _offset(zone: str, quarter: int) -> int:
    shown = datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(_zone(zone)).utcoffset()
    return int(shown.total_seconds()) if shown is not None else 0


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_number(day: date) -> int:
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    return _EPOCH + timedelta(days=number)


@lru_cache(maxsize=4096)
def _holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


@lru_cache(maxsize=_KEPT)
def is_holiday(number: int, country: str) -> bool:
    day = day_of(number)
    return day in _holidays(country, day.year)


def is_free(day: date, country: str, *, with_holidays: bool) -> bool:
    """A weekend, or a public holiday."""
    return day.isoweekday() > 5 or (with_holidays and day in _holidays(country, day.year))


def first_workday(number: int, country: str, *, with_holidays: bool) -> int:
    """That day, or the next one on which people work."""
    while is_free(day_of(number), country, with_holidays=with_holidays):
        number += 1
    return number


def after_working_hours(
    at: datetime, hours: float, zone: str, country: str, *, with_holidays: bool
) -> datetime:
    """The moment when that many of the person's working hours have passed."""
    day = local(at, zone).day
    while True:
        start, end = moment(day, _WORK[0], zone), moment(day, _WORK[1], zone)
        begin = max(at, start)
        if begin < end and not is_free(day_of(day), country, with_holidays=with_holidays):
            left = (end - begin).total_seconds() / 3600
            if hours <= left:
                return begin + timedelta(hours=hours)
            hours -= left
        day += 1


def workday_begins(number: int, zone: str) -> datetime:
    return moment(number, _WORK[0], zone)
