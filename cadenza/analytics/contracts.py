"""Figures, all derived from events."""

from dataclasses import dataclass
from datetime import datetime

from cadenza.channels.contracts import SenderFigures


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a campaign: in all, and per step and variant ("" where an event names none)."""

    total: dict[str, int]
    steps: dict[tuple[str, str], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval. ``value`` and ``interval`` are null where nothing was tried yet."""

    metric: str
    successes: int
    trials: int
    value: float | None
    interval: tuple[float, float] | None


# What each rate is a share of.
RATES = {
    "delivered": "sent",
    "bounced": "sent",
    "opened": "delivered",
    "clicked": "delivered",
    "replied": "delivered",
    "positive_replies": "delivered",
    "unsubscribed": "delivered",
}


NO_FIGURES = SenderFigures()


@dataclass(frozen=True, slots=True)
class SenderCounts:
    """``judged`` is the part of the week that health is judged by; ``grave`` the newest of the asked status codes in it."""

    week: SenderFigures = NO_FIGURES
    month: SenderFigures = NO_FIGURES
    judged: SenderFigures = NO_FIGURES
    complained_at: datetime | None = None
    grave: str | None = None
