"""Working hours of a recipient: pure answers from a window, a zone, a country and a region.

Every moment goes in and comes out as an aware UTC datetime. A window's own zone, where it has one, replaces
the recipient's. A country that is unknown has no public holidays; a region that is unknown has those of its country.
"""

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import available_timezones

from cadenza.timing.calendars import assumed_factor, calendar_events
from cadenza.timing.choice import draw, likely_best
from cadenza.timing.contracts import Window
from cadenza.timing.curves import (
    MOST_RECENT,
    OPENED,
    RESPONDED,
    SHOWN,
    STOPPED,
    WON,
    Curves,
    HourIndex,
    Rate,
)
from cadenza.timing.market import market_factor, quiet_until
from cadenza.timing.personal import FACTOR, Tried, own_hours, with_odds
from cadenza.timing.spans import Span, zone_info
from cadenza.timing.working_time import OpenHour, WorkingTime, is_working_day, working_time
from cadenza.timing.zones import guess_zone

__all__ = [
    "FACTOR",
    "MOST_RECENT",
    "OPENED",
    "RESPONDED",
    "SHOWN",
    "STOPPED",
    "WON",
    "Curves",
    "HourIndex",
    "OpenHour",
    "Rate",
    "Tried",
    "WorkingTime",
    "add_working_days",
    "assumed_factor",
    "calendar_events",
    "common_stretch",
    "draw",
    "first_working_day_after",
    "guess_zone",
    "is_inside",
    "is_working_day",
    "is_zone",
    "likely_best",
    "market_factor",
    "next_slot",
    "opening",
    "own_hours",
    "quiet_until",
    "with_odds",
    "working_time",
    "zone_info",
]


def is_inside(
    window: Window, moment: datetime, zone: str, country: str | None, *, region: str | None = None
) -> bool:
    """Whether the recipient's wall clock is in the window: start included, end excluded."""
    return working_time(window, zone, country, region).is_inside(moment)


def next_slot(
    window: Window, not_before: datetime, zone: str, country: str | None, *, region: str | None = None
) -> datetime:
    """The first moment inside that is not before ``not_before``; that one itself when it is inside.

    Raises ``CadenzaError`` for an unknown zone and for a window that never opens.
    """
    return working_time(window, zone, country, region).next_slot(not_before)


def common_stretch(
    window: Window,
    not_before: datetime,
    zone: str,
    country: str | None,
    hours: Window,
    within: timedelta,
    *,
    region: str | None = None,
) -> Span | None:
    """The first stretch, from ``not_before`` on, in which the window is open for the recipient and ``hours`` are open too.

    ``hours`` are those of somebody else, in a zone of their own. None when they do not meet within the span: no
    stretch begins before ``not_before + within``. A stretch ends with a local day at the latest. Raises ``CadenzaError`` like ``next_slot``.
    """
    theirs, ours = working_time(window, zone, country, region), working_time(hours, zone, None)
    at = not_before
    while at < not_before + within:
        one, other = theirs.stretch(at), ours.stretch(at)
        begin, end = max(one[0], other[0]), min(one[1], other[1])
        if begin < end:
            return (begin, end) if begin < not_before + within else None
        at = begin  # later than before: had both begun at once, they would have met
    return None


def add_working_days(
    moment: datetime, days: int, window: Window, zone: str, country: str | None, *, region: str | None = None
) -> datetime:
    """The same wall-clock time ``days`` working days later; 0 changes nothing.

    A time that the clock skips becomes the first one after the gap, one that it shows twice the earlier.
    The result is a day's time, not a slot: pass it to ``next_slot``.
    """
    if days <= 0:
        return moment
    calendar = working_time(window, zone, country, region)
    local = moment.astimezone(calendar.zone)
    day = local.date()
    for _ in range(days):
        day = calendar.working_day_after(day)
    return calendar.wall_clock(day, local.time())


def first_working_day_after(
    day: date, window: Window, country: str | None, *, region: str | None = None
) -> date:
    """The next working day, never ``day`` itself. Raises ``CadenzaError`` for a window without working days."""
    return working_time(window, "UTC", country, region).working_day_after(day)


def opening(
    day: date, window: Window, zone: str, country: str | None, *, region: str | None = None
) -> datetime:
    """The first moment inside the window on that local date, or on the next working day."""
    calendar = working_time(window, zone, country, region)
    return calendar.next_slot(calendar.wall_clock(day, time()))


def is_zone(name: str) -> bool:
    """Whether the IANA database knows this zone, written exactly so."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
