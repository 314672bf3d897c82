"""A world: who lives in it and how they behave. The truth of it is read by the sandbox and the lab alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

INTENTS = (
    "positive_interest", "meeting_request", "information_request", "objection", "timing", "referral",
    "not_interested", "unsubscribe", "out_of_office", "acknowledgment",
)  # fmt: skip
RESPONSES = ("deliver", "hard_bounce", "open", "click", "reply")
REPLY_MIX = dict(zip(INTENTS, (0.18, 0.10, 0.14, 0.16, 0.10, 0.06, 0.16, 0.04, 0.0, 0.06), strict=True))
MEETING_FROM = {"meeting_request": 0.8, "positive_interest": 0.45, "information_request": 0.2}


@dataclass(frozen=True, slots=True)
class HourFactor:
    """An odds factor for arrivals on these ISO weekdays from ``start`` to before ``end`` o'clock, local time."""

    days: frozenset[int]
    start: int
    end: int
    factor: float


@dataclass(frozen=True, slots=True)
class Fatigue:
    window_days: int = 7
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Deal:
    median: float = 24000
    sigma: float = 0.8
    currency: str = "EUR"
    win: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A share of the people, alike in what the file says and drawn one by one in the rest.

    ``channels`` holds base chances per touch. ``attributes``, ``timezones`` and ``languages`` are shares that add
    up to 1 in each map.
    """

    name: str
    size: int
    channels: Mapping[str, Mapping[str, float]]
    attributes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    timezones: Mapping[str, float] = field(default_factory=lambda: {"UTC": 1.0})
    languages: Mapping[str, float] = field(default_factory=lambda: {"en": 1.0})
    prefers: Mapping[str, float] = field(default_factory=dict)
    hours: tuple[HourFactor, ...] = ()
    personal_hours: float = 0.0
    effects: Mapping[str, float] = field(default_factory=dict)
    fatigue: Fatigue = Fatigue()
    unsubscribe_base: float = 0.0
    unsubscribe_per_touch: float = 0.0
    complain: float = 0.0
    absent_share: float = 0.0
    absent_days: tuple[int, int] = (2, 14)
    machine_open: float = 0.0
    machine_click: float = 0.0
    reply_mix: Mapping[str, float] = field(default_factory=lambda: dict(REPLY_MIX))
    meeting_from: Mapping[str, float] = field(default_factory=lambda: dict(MEETING_FROM))
    opportunity_from_meeting: float = 0.0
    deal: Deal = Deal()
    warmth_mean: float = 0.0
    warmth_sigma: float = 0.0
    repeat: float = 1.0
    build: float = 1.0


@dataclass(frozen=True, slots=True)
class Announced:
    """A fair, a season. ``segments`` None means all; the program is told everything but ``respond``."""

    kind: str
    start: date
    end: date
    segments: frozenset[str] | None
    respond: float


@dataclass(frozen=True, slots=True)
class Shock:
    """From ``day`` (0 is the start) for ``hours``: ``deliver`` multiplies the chance, ``respond`` the odds."""

    day: int
    hours: float
    segments: frozenset[str] | None
    channel: str | None = None
    deliver: float = 1.0
    respond: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    seed: int
    start: datetime
    days: int
    segments: tuple[Segment, ...]
    safe_per_domain_day: int | None = None
    recovery_days: int = 1
    company_event_rate: float = 0.0
    company_event_factor: float = 1.0
    announced: tuple[Announced, ...] = ()
    holidays: bool = False
    shocks: tuple[Shock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One prospect. Up to ``domain`` it is what anybody could know; ``warmth`` and below are the truth."""

    number: int
    first_name: str
    last_name: str
    title: str
    email: str
    company: str
    domain: str
    country: str
    timezone: str
    language: str
    industry: str
    company_size: int
    segment: str
    warmth: float
    personal_hour: int | None
    dead: bool  # nobody reads this address: its mail comes back

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
