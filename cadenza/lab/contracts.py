"""What the lab counts and says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

METRICS = (
    "touches", "delivered", "human_opens", "clicks", "replies", "positive_replies", "meetings", "opportunities",
    "won_value", "unsubscribes", "complaints",
)  # fmt: skip
POSITIVE = frozenset({"meeting_request", "positive_interest", "information_request"})
VIOLATIONS = ("window", "holiday", "cap", "stop")

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sent:
    """A touch that left. ``person`` is their place among everybody of the run."""

    person: int
    at: datetime
    channel: str
    step: str


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that may end sequences: replied, met, unsubscribed, complained or bounced."""

    person: int
    at: datetime
    what: str


@dataclass(slots=True)
class Diary:
    """What happened in one run under one policy: the counts of each metric by person, and what left when."""

    counts: dict[str, list[float]]
    sent: list[Sent] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)

    def add(self, metric: str, person: int, amount: float = 1.0) -> None:
        self.counts[metric][person] += amount


@dataclass(frozen=True, slots=True)
class Lift:
    """By how much more the tested policy reached, as a part of the baseline's; None where the baseline reached nothing."""

    lift: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run: sums by policy, segment (``""`` for all) and metric, and what the independent check found."""

    seed: int
    sums: Mapping[str, Mapping[str, Mapping[str, float]]]
    lifts: Mapping[str, Lift]
    violations: Mapping[str, int]
