"""How much of each action an account may do: below what its provider publishes, so that it is never put at risk (M23)."""

import math
from dataclasses import dataclass
from datetime import date

MARGIN = 0.8  # of what is published
_UNIPILE = "https://developer.unipile.com/docs/provider-limits-and-restrictions"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is published for one action of one account, at its lowest: by the day, and by the week where one is named."""

    channel: str
    action: str
    day: int
    week: int | None
    published: str
    source: str
    as_of: date

    @property
    def a_day(self) -> int:
        return math.floor(self.day * MARGIN)

    @property
    def a_week(self) -> int | None:
        return None if self.week is None else math.floor(self.week * MARGIN)


LIMITS = (
    Limit(
        "linkedin", "connect", 80, 150,
        "80 to 100 invitations a day; about 200 a week for a paid account, about 150 without a note for a free one",
        _UNIPILE, date(2026, 8, 28),
    ),
    Limit(
        "linkedin", "view_profile", 80, None,
        "80 to 100 profiles a day; asking for a profile counts whatever it is asked for", _UNIPILE, date(2026, 8, 28),
    ),
    Limit(
        "linkedin", "message", 100, None,
        "100 a day of each other action, messages among them", _UNIPILE, date(2026, 8, 28),
    ),
)  # fmt: skip
_BY_ACTION = {(limit.channel, limit.action): limit for limit in LIMITS}


def limit_of(channel: str, action: str) -> Limit | None:
    """None where nothing is published: a person's calls, and Twilio's, which it only spaces."""
    return _BY_ACTION.get((channel, action))


def taken_by(channel: str, action: str, *, known: bool) -> tuple[str, ...]:
    """The actions that one errand counts against. Whoever is not ``known`` by the provider's id is looked up first, and that
    is a visit of their profile.
    """
    looked_up = channel == "linkedin" and action in {"connect", "message"} and not known
    return (action, "view_profile") if looked_up else (action,)
