"""When a person may be written to."""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class Window:
    """Working hours. ``days`` are ISO weekdays (1 = Monday); ``zone`` is an IANA name or None for the recipient's."""

    days: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    start: time = time(8, 30)
    end: time = time(17, 30)
    zone: str | None = None
    holidays: bool = True  # public holidays of the recipient's country are no working days
