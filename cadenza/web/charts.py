"""Geometry of charts: x in percent and y in pixels, so that text and strokes never scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


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
    done: Sequence[datetime],
    planned: Sequence[datetime],
    *,
    start: datetime,
    width: timedelta,
    count: int,
    now: datetime,
    height: int = 150,
) -> Columns:
    """``count`` columns from ``start``, each ``width`` long. Moments outside are left out."""
    ink, pencil = _counts(done, start, width, count), _counts(planned, start, width, count)
    top = _round_top(max(a + b for a, b in zip(ink, pencil, strict=True)))
    scale = (height - 12) / top
    share = 100 / count
    bars = []
    for i, (a, b) in enumerate(zip(ink, pencil, strict=True)):
        edge = height - a * scale
        at = start + i * width
        bars.append(
            Bar(
                round(i * share + share * 0.1, 2), round(share * 0.8, 2), round(edge, 1), round(a * scale, 1),
                round(edge - b * scale, 1), round(b * scale, 1), at.strftime("%H:%M"), a, b,
            )
        )  # fmt: skip
    steps = 2 if top % 2 == 0 else 1
    grid = tuple((round(height - top * i / steps * scale, 1), top * i // steps) for i in range(steps + 1))
    return Columns(
        tuple(bars), grid, height, round(min(max((now - start) / (count * width), 0.0), 1.0) * 100, 2)
    )


def _counts(moments: Sequence[datetime], start: datetime, width: timedelta, count: int) -> list[int]:
    counts = [0] * count
    for moment in moments:
        place = (moment - start) // width
        if 0 <= place < count:
            counts[place] += 1
    return counts


def _round_top(most: int) -> int:
    """The next of 2, 4, 10, 20, 40, 100, ... that holds the highest column."""
    top = 2
    while top < most:
        top = top * 5 // 2 if str(top).startswith("4") else top * 2
    return top


def axis_top(highest: float) -> float:
    """Where an axis of shares ends: the next of 1, 2, 5, 10, 20, 50 and 100 percent."""
    return next((top for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if highest <= top), 1.0)
