"""Geometry of charts: x in percent and y in pixels, so that text and strokes never scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_AIR = 12  # pixels above the highest column, for words


@dataclass(frozen=True, slots=True)
class Bar:
    x: float  # percent
    width: float  # percent
    ink_y: float  # pixels from the top
    ink_height: float
    pencil_y: float
    pencil_height: float
    label: str
    ink: int
    pencil: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Counts by time: what happened (ink) with what is planned (pencil) on top; ``now`` in percent of the width."""

    bars: tuple[Bar, ...]
    grid: tuple[tuple[float, int], ...]  # pixels from the top, value
    height: int
    now: float


def columns(
    done: Sequence[int],
    planned: Sequence[int],
    *,
    start: datetime,
    width: timedelta,
    count: int,
    now: datetime,
    height: int = 150,
) -> Columns:
    """``count`` columns from ``start``, each ``width`` long: counts of what is done and of what is planned.

    Counts beyond the last column are left out; missing ones are nought.
    """
    ink, pencil = ([*given, *([0] * count)][:count] for given in (done, planned))
    top = _round_top(max(a + b for a, b in zip(ink, pencil, strict=True)))
    scale = (height - _AIR) / top
    bars = [
        _bar(i, 100 / count, a, b, scale, height, (start + i * width).strftime("%H:%M"))
        for i, (a, b) in enumerate(zip(ink, pencil, strict=True))
    ]
    steps = 2 if top % 2 == 0 else 1
    grid = tuple((round(height - top * i / steps * scale, 1), top * i // steps) for i in range(steps + 1))
    passed = min(max((now - start) / (count * width), 0.0), 1.0)
    return Columns(tuple(bars), grid, height, round(passed * 100, 2))


def _bar(place: int, share: float, ink: int, pencil: int, scale: float, height: int, label: str) -> Bar:
    """A column in the middle four fifths of its place; what is planned stands on what is done."""
    edge = height - ink * scale
    return Bar(
        x=round((place + 0.1) * share, 2),
        width=round(0.8 * share, 2),
        ink_y=round(edge, 1),
        ink_height=round(ink * scale, 1),
        pencil_y=round(edge - pencil * scale, 1),
        pencil_height=round(pencil * scale, 1),
        label=label,
        ink=ink,
        pencil=pencil,
    )


def _round_top(most: int) -> int:
    """The next of 2, 4, 10, 20, 40, 100, ... that holds the highest column."""
    top = 2
    while top < most:
        top = top * 5 // 2 if str(top).startswith("4") else top * 2
    return top


def axis_top(highest: float) -> float:
    """Where an axis of shares ends: the next of 1, 2, 5, 10, 20, 50 and 100 percent."""
    return next((top for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if highest <= top), 1.0)


@dataclass(frozen=True, slots=True)
class RampDay:
    """A day of a limit that moves: what was used of it (ink) below the line of what it allows; both in pixels from the top."""

    x: float  # percent
    width: float  # percent
    used_y: float
    used_height: float
    limit_y: float
    label: str
    used: int | None  # None: still to come
    limit: int


@dataclass(frozen=True, slots=True)
class Ramp:
    days: tuple[RampDay, ...]
    grid: tuple[tuple[float, int], ...]  # pixels from the top, value
    height: int


def ramp(days: Sequence[tuple[str, int | None, int]], height: int = 150) -> Ramp:
    """Days as (label, used or None where it is still to come, limit), from the left to the right."""
    top = _round_top(max([limit for _, _, limit in days] + [used or 0 for _, used, _ in days], default=0))
    scale, share = (height - _AIR) / top, 100 / max(len(days), 1)
    shown = tuple(
        RampDay(
            x=round((place + 0.1) * share, 2),
            width=round(0.8 * share, 2),
            used_y=round(height - (used or 0) * scale, 1),
            used_height=round((used or 0) * scale, 1),
            limit_y=round(height - limit * scale, 1),
            label=label,
            used=used,
            limit=limit,
        )
        for place, (label, used, limit) in enumerate(days)
    )
    grid = tuple((round(height - top * i / 2 * scale, 1), top * i // 2) for i in range(3))
    return Ramp(shown, grid, height)
