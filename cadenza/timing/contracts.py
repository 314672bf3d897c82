"""When a person may be written to."""

from dataclasses import dataclass
from datetime import date, time


@dataclass(frozen=True, slots=True)
class Window:
    """Working hours. ``days`` are ISO weekdays (1 = Monday); ``zone`` is an IANA name or None for the recipient's."""

    days: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    start: time = time(8, 30)
    end: time = time(17, 30)
    zone: str | None = None
    holidays: bool = True  # public holidays of the recipient's country are no working days


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """Something that is known beforehand and moves how people respond: a fair, a budget season, a deadline, a news item.

    ``groups`` are the segments that it concerns, None for all. ``factor`` multiplies the odds of a response as far as it is
    assumed or learned; None while nothing is known about it. ``source`` says where it comes from.
    """

    kind: str
    start: date
    end: date  # included
    groups: frozenset[str] | None = None
    factor: float | None = None
    source: str = ""
