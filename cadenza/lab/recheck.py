"""What left although it should not have: counted from the diary alone, by other means than the gate's.

Wall clocks come from the time zone database, holidays from the library of holidays, stops from what people did.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from cadenza.campaigns.contracts import Definition
from cadenza.lab.contracts import VIOLATIONS, Diary, Sent, Sign
from cadenza.lab.prospects import Prospect

_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
_ALWAYS = {"unsubscribed", "complained", "bounced"}
_WORDS = {"replied": "reply", "met": "meeting"}


def violations(diary: Diary, everybody: Sequence[Prospect], definition: Definition) -> dict[str, int]:
    """How many touches left outside the window, on a holiday, above a cap, or after a stop."""
    found = dict.fromkeys(VIOLATIONS, 0)
    stopped = _stops(diary.signs, everybody, definition)
    for sent in diary.sent:
        who = everybody[sent.person]
        there = sent.at.astimezone(_zone(definition.window.zone or who.facts.zone))
        found["window"] += not _in_hours(there, definition)
        found["holiday"] += definition.window.holidays and there.date() in _holidays(
            who.facts.country, there.year
        )
        found["stop"] += sent.at > stopped.get(sent.person, sent.at)
    caps = definition.caps
    found["cap"] += _over(diary.sent, lambda sent: sent.person, caps.per_person_per_week, _WEEK)
    found["cap"] += _over(
        diary.sent, lambda sent: everybody[sent.person].account, caps.per_account_per_day, _DAY
    )
    return found


def _in_hours(there: datetime, definition: Definition) -> bool:
    window = definition.window
    until = time.max if window.end == time.max else window.end
    return there.isoweekday() in window.days and window.start <= there.time() < until


def _stops(
    signs: Iterable[Sign], everybody: Sequence[Prospect], definition: Definition
) -> dict[int, datetime]:
    """When each person's sequence had to end, by what they or somebody of their company did."""
    first: dict[int, datetime] = {}
    companies: dict[str, list[int]] = defaultdict(list)
    for prospect in everybody:
        companies[prospect.account].append(prospect.number)
    for sign in signs:
        word = _WORDS.get(sign.what)
        ended = [sign.person] if sign.what in _ALWAYS or word in definition.stop_person else []
        if word in definition.stop_account:
            ended += companies[everybody[sign.person].account]
        for person in ended:
            first[person] = min(first.get(person, sign.at), sign.at)
    return first


def _over(sent: Iterable[Sent], whose: Callable[[Sent], object], cap: int, span: timedelta) -> int:
    """Touches that were more than the cap allows within the span that ends with them."""
    times: dict[object, list[datetime]] = defaultdict(list)
    for touch in sent:
        times[whose(touch)].append(touch.at)
    return sum(_over_one(sorted(each), cap, span) for each in times.values())


def _over_one(times: Sequence[datetime], cap: int, span: timedelta) -> int:
    return sum(later - times[place] < span for place, later in enumerate(times[cap:]))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def _holidays(country: str | None, year: int) -> frozenset[object]:
    if country is None or country not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year))
