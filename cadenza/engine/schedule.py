"""When the next step is due: pure, and the same every time it is asked for the same person and step."""

import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cadenza.timing.contracts import Window
from cadenza.timing.service import add_working_days, common_stretch, is_inside, next_slot, opening

MEETS_WITHIN = timedelta(
    days=14
)  # a sender whose hours do not meet a person's within this is told as a fault


def share(key: str) -> float:
    """A number in [0, 1) from a key, evenly spread; so that people are not all written to at opening time."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=7).digest(), "big") / (1 << 56)


def next_moment(not_before: datetime, window: Window, zone: str, country: str | None, key: str) -> datetime:
    """A moment inside the window, not earlier, somewhere in what is left of its day."""
    slot = next_slot(window, not_before, zone, country)
    local = slot.astimezone(ZoneInfo(window.zone or zone))
    end = local.replace(hour=window.end.hour, minute=window.end.minute, second=0, microsecond=0)
    left = end - local if end > local else timedelta(0)
    moment = slot + left * share(f"{key}/{local.date()}")  # another hour every day, so that no hour is a trap
    return moment if is_inside(window, moment, zone, country) else slot


def next_common_moment(
    not_before: datetime, window: Window, zone: str, country: str | None, hours: Window, key: str
) -> datetime | None:
    """Like ``next_moment``, while the sender's own ``hours`` are open too; None when they do not meet within ``MEETS_WITHIN``."""
    stretch = common_stretch(window, not_before, zone, country, hours, MEETS_WITHIN)
    if stretch is None:
        return None
    begin, end = stretch
    return begin + (end - begin) * share(f"{key}/{begin.date()}")


def step_due(
    previous: datetime, after_days: int, window: Window, zone: str, country: str | None, key: str
) -> datetime:
    """``after_days`` working days after ``previous``, at an hour of its own; 0 is as soon as the window allows."""
    return next_moment(delay_over(previous, after_days, window, zone, country), window, zone, country, key)


def delay_over(
    previous: datetime, after_days: int, window: Window, zone: str, country: str | None
) -> datetime:
    """The first moment at which a step may be done, ``after_days`` working days after ``previous``."""
    if after_days <= 0:
        return next_slot(window, previous, zone, country)
    there = add_working_days(previous, after_days, window, zone, country).astimezone(
        ZoneInfo(window.zone or zone)
    )
    return opening(there.date(), window, zone, country)
