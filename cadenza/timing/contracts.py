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
    holidays: bool = True  # public holidays of the recipient's country and region are no working days


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

    def concerns(self, day: date, groups: frozenset[str]) -> bool:
        return self.start <= day <= self.end and (self.groups is None or not self.groups.isdisjoint(groups))


@dataclass(frozen=True, slots=True)
class ZoneClues:
    """What is known about where a person works. Regions are ISO 3166-2 without the country; a phone is E.164."""

    country: str | None = None  # of the person's own address
    region: str | None = None
    phone: str | None = None
    company_country: str | None = None
    company_region: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneGuess:
    """A person's zone, what it was taken from in words, and how sure that is (0 to 1: our estimate, not a measured share)."""

    zone: str
    ground: str
    certainty: float
    country: str | None = None


@dataclass(frozen=True, slots=True)
class MarketFactor:
    """What the market does to the odds of a response on a day, and the sentences that say why."""

    factor: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Days around something of this kind on which nobody is written to, whatever it promises."""

    kind: str
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class CurveRow:
    """Counts of one cell of what was learned: a row of a table.

    ``scope`` is a segment or ``""`` for everybody; ``recent`` the touches of the seven days before, 3 for more; ``market``
    the kinds of dated events that were on, joined by ``+``; ``hour`` of the recipient's week, 0 is Monday midnight.
    """

    scope: str
    channel: str
    action: str
    recent: int
    market: str
    hour: int
    shown: int
    opened: int
    responded: int  # replied, accepted or connected
    won: int  # replies, and meetings once more: what a channel is preferred for
    stopped: int  # unsubscribed or complained
