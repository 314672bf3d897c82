"""When a wall clock shows certain hours: exact stretches of UTC for one local date in one zone.

A zone is cut into pieces of constant offset; within a piece, local time is UTC plus a constant, so gaps,
folds, repeated and skipped dates need no rule of their own.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cadenza.core.errors import CadenzaError

Span = tuple[datetime, datetime]

_MARGIN = timedelta(hours=27)  # no zone was ever further from UTC, and a changed date line moves a day
_SAMPLE = timedelta(hours=3)  # no zone changes its offset twice within this
_SECOND = timedelta(seconds=1)
_KEPT_DAYS = 16_384  # of all zones together: forty zones for a year


@cache
def zone_info(name: str) -> ZoneInfo:
    """Raises ``CadenzaError`` for a name that is not an IANA zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise CadenzaError(
            "zone_unknown", f"{name[:64]!r} is no time zone.", fix="Give an IANA name such as Europe/Berlin."
        ) from wrong


def spans(zone: ZoneInfo, day: date, start: time, end: time) -> tuple[Span, ...]:
    """All UTC stretches in which the local date is ``day`` and the wall clock is in [start, end), in order.

    ``time.max`` as the end means midnight. Neighbouring stretches are joined.
    """
    midnight = datetime.combine(day, time(), UTC)
    opens = midnight + _since_midnight(start)
    closes = midnight + (timedelta(days=1) if end == time.max else _since_midnight(end))
    found: list[Span] = []
    for begin, finish, offset in _around(zone, midnight):
        first, last = max(begin, opens - offset), min(finish, closes - offset)
        if first >= last:
            continue
        if found and found[-1][1] == first:
            first = found.pop()[0]
        found.append((first, last))
    return tuple(found)


def _since_midnight(moment: time) -> timedelta:
    return timedelta(
        hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond
    )


@lru_cache(maxsize=_KEPT_DAYS)
def _around(zone: ZoneInfo, midnight: datetime) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """The pieces in which that date may lie: the same for every window, country and region."""
    return tuple(_pieces(zone, midnight - _MARGIN, midnight + timedelta(days=1) + _MARGIN))


def _pieces(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Cut [begin, end) where the offset changes: (from, to, offset)."""
    offset, piece, here = _offset(zone, begin), begin, begin
    while here < end:
        after = min(here + _SAMPLE, end)
        if _offset(zone, after) != offset:
            change = _change(zone, here, after)
            yield piece, change, offset
            piece, offset = change, _offset(zone, change)
        here = after
    yield piece, end, offset


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always knows
    return offset


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second with the new offset; changes fall on whole seconds."""
    low, high, old = 0, int((after - before) / _SECOND), _offset(zone, before)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, before + middle * _SECOND) == old:
            low = middle
        else:
            high = middle
    return before + high * _SECOND
