"""Which days a text names, counted from the day it was received. Pure; one grammar for all languages."""

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from cadenza.understanding.calendar_tokens import Token


class DayKind(StrEnum):
    DAY = "day"  # one day
    WEEK = "week"  # a week, as Monday to Friday
    PERIOD = "period"  # a month, quarter, season or year


@dataclass(frozen=True, slots=True)
class Day:
    """A named day, or the first and last day of a longer time. ``token`` to ``end_token`` are its signs."""

    first: date
    last: date
    kind: DayKind
    start: int
    end: int
    token: int
    end_token: int


Reader = Callable[[Sequence[Token], date], tuple[date, date, DayKind] | None]


def find_days(tokens: Sequence[Token], today: date) -> list[Day]:
    """Days in the order of the text; readings that make no calendar day are passed over."""
    signs = "".join(token.sign for token in tokens)
    days: list[Day] = []
    place = 0
    while place < len(tokens):
        day = _day_at(tokens, signs, place, today)
        if day is None:
            place += 1
            continue
        days.append(day)
        place = day.end_token
    return days


def _day_at(tokens: Sequence[Token], signs: str, place: int, today: date) -> Day | None:
    for pattern, reader in _GRAMMAR:
        match = pattern.match(signs, place)
        if not match:
            continue
        taken = tokens[place : match.end()]
        if pattern is _LONE_MONTH and not _month_is_meant(tokens, place):
            continue
        if pattern is _LONE_ORDINAL and not _ordinal_is_meant(taken[0], signs, place):
            continue
        try:
            found = reader(taken, today)
        except (ValueError, OverflowError):  # 31 February, year 10000
            continue
        if found:
            return Day(*found, taken[0].start, taken[-1].end, place, match.end())
    return None


def _ordinal_is_meant(token: Token, signs: str, place: int) -> bool:
    """As in "the 12th", "until the 12th"; but "at 10." is an hour."""
    before = signs[place - 1] if place else ""
    return before != "a" and (token.marked or (token.sign == "O" and before in ("B", "A", "F", "V", "W")))


def _month_is_meant(tokens: Sequence[Token], place: int) -> bool:
    """As in "may" and "march" are also verbs, "mar" and "sept" other words: ask for a preposition or a capital letter."""
    token = tokens[place]
    if token.word[:1].isupper() and (token.word.lower() not in ("may", "march") or place > 0):
        return True
    if not token.word.isascii() or token.word[:1].isdigit():
        return True
    return place > 0 and (tokens[place - 1].sign in "IABVFEXT|-" or token.marked) and len(token.word) > 3


def _of(tokens: Sequence[Token], sign: str) -> Token | None:
    return next((token for token in tokens if token.sign == sign), None)


def _number(tokens: Sequence[Token], sign: str) -> int | None:
    token = _of(tokens, sign)
    return int(token.value) if token else None


def next_working_day(day: date) -> date:
    """The first weekday after this day; public holidays are not known here."""
    day += timedelta(days=1)
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return day


def same_or_next_working_day(day: date) -> date:
    return day if day.isoweekday() <= 5 else next_working_day(day)


def _one(day: date) -> tuple[date, date, DayKind]:
    return day, day, DayKind.DAY


def _dated(year: int | None, month: int, day: int, today: date) -> date:
    """Without a year: this year's, or next year's when that is more than two months past."""
    if year is not None:
        return date(year, month, day)
    found = date(today.year, month, day)
    return date(today.year + 1, month, day) if found < today - timedelta(days=60) else found


def _numeric(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind]:
    token = _of(tokens, "D")
    year, month, day = token.value if token else (None, 0, 0)
    return _one(_dated(year, month, day, today))


def _written(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    """12 December, December 12th, Thursday 3 December 2026."""
    month, year = _number(tokens, "M"), _number(tokens, "Y")
    day = _number(tokens, "N") or _number(tokens, "O")
    return _one(_dated(year, month + 1, day, today)) if month is not None and day else None


def _weekday_with_number(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    """Thursday 3rd: only when that day is the weekday named, else the number is an hour or something else."""
    weekday, day = int(tokens[0].value), _number(tokens, "O") or _number(tokens, "N") or 0
    for ahead in range(62):
        found = today + timedelta(days=ahead)
        if found.day == day and found.weekday() == weekday:
            return _one(found)
    return None


def _day_of_month(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    if tokens[0].sign == "N" and not tokens[0].word[:1].isdigit():
        return None  # "on a call" is not the first of the month
    day = int(tokens[0].value)
    for ahead in range(62):
        found = today + timedelta(days=ahead)
        if found.day == day:
            return _one(found)
    return None


def _days_of_month(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    """7 to 11 December: a range of days with one month."""
    month, year = _number(tokens, "M"), _number(tokens, "Y")
    numbers = [int(token.value) for token in tokens if token.sign in "NO"]
    if month is None or len(numbers) != 2:
        return None
    first, last = (_dated(year, month + 1, number, today) for number in numbers)
    return (first, last, DayKind.DAY) if first < last else None


def _weekday(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind]:
    """The next such day after today; with "next" the one of the coming week, as with "next week"."""
    weekday = _number(tokens, "W") or 0
    ahead = (weekday - today.weekday()) % 7 or 7
    upcoming = _of(tokens, "X")
    named_week = upcoming is not None and (_of(tokens, "U") is not None or upcoming.value == "W")
    if (
        upcoming is not None
        and weekday > today.weekday()
        and (named_week or upcoming.word.lower() in _NEXT_WEEK)
    ):
        ahead += 7
    if named_week and weekday <= today.weekday():
        ahead = 7 - today.weekday() + weekday
    return _one(today + timedelta(days=ahead))


_NEXT_WEEK = {"next", "nächsten", "nächste", "nächster", "nächstem", "prochain", "volgende"}


def _relative(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind]:
    return _one(today + timedelta(days=int(tokens[0].value)))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _after_span(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    """In three months: counted from today; of "two to three" the first."""
    span = _of(tokens, "L")
    if span is not None:
        count, unit = span.value
    else:
        unit_token = _of(tokens, "U")
        count, unit = _number(tokens, "N") or 1, unit_token.value if unit_token else ""
    steps = {"M": 1, "Q": 3, "Y": 12}
    if unit in steps:
        return _one(add_months(today, steps[unit] * count))
    days = {"D": 1, "W": 7}.get(unit)
    return _one(today + timedelta(days=days * count)) if days else None


def _unit_period(unit: str, ahead: int, today: date) -> tuple[date, date, DayKind] | None:
    """The running (0) or next (1) week, month, quarter, year."""
    if unit == "W":
        first = _monday(today) + timedelta(days=7 * ahead)
        return first, first + timedelta(days=4), DayKind.WEEK
    length = {"M": 1, "Q": 3, "Y": 12}.get(unit)
    if length is None:
        return None
    start = today.replace(day=1, month=(today.month - 1) // length * length + 1)
    first = add_months(start, length * ahead)
    return first, add_months(first, length) - timedelta(days=1), DayKind.PERIOD


def _unit(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    unit, upcoming = _of(tokens, "U"), _of(tokens, "X")
    letter = unit.value if unit else str(upcoming.value) if upcoming else ""
    found = _unit_period(letter, 1 if upcoming else 0, today)
    part = _of(tokens, "E")
    return _part(found, part.value) if found and part else found


def _part(period: tuple[date, date, DayKind], part: str) -> tuple[date, date, DayKind]:
    """Early is its first day, mid its middle (15th), end its last day."""
    first, last, kind = period
    if part == "0":
        return first, last, kind
    if part == "1":
        middle = first.replace(day=15) if (last - first).days < 32 else first + (last - first) / 2
        return middle, last, kind
    return last, last, kind


def _month(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    index, year = _number(tokens, "M"), _number(tokens, "Y")
    if index is None:
        return None
    part, month = _of(tokens, "E"), index + 1
    upcoming = _of(tokens, "X")
    if upcoming is not None and upcoming.value == "Y":
        year = today.year + 1
    if year is None:
        past = month < today.month or (month == today.month and not (part and part.value == "2"))
        year = today.year + past
    first = date(year, month, 1)
    period = first, date(year, month, monthrange(year, month)[1]), DayKind.PERIOD
    return _part(period, part.value) if part else period


def _quarter(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    quarter, year = _number(tokens, "Q"), _number(tokens, "Y")
    if quarter is None:
        return None
    first = date(year or today.year, 3 * quarter - 2, 1)
    if year is None and first <= today:
        first = add_months(first, 12)
    last = add_months(first, 3) - timedelta(days=1)
    part = _of(tokens, "E")
    return _part((first, last, DayKind.PERIOD), part.value) if part else (first, last, DayKind.PERIOD)


def _season(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind]:
    season = _of(tokens, "S")
    value = str(season.value) if season else "0101"
    found = date(today.year, int(value[:2]), int(value[2:]))
    found = add_months(found, 12) if found <= today else found
    return found, found, DayKind.PERIOD


def _year(tokens: Sequence[Token], today: date) -> tuple[date, date, DayKind] | None:
    year = _number(tokens, "Y")
    if year is None or year <= today.year:
        return None
    period = date(year, 1, 1), date(year, 12, 31), DayKind.PERIOD
    part = _of(tokens, "E")
    return _part(period, part.value) if part else period


_LONE_MONTH = re.compile("M(?![NO])")
_LONE_ORDINAL = re.compile("[ON](?![UM:NC-])")
# Longer readings stand before shorter ones.
_GRAMMAR: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (re.compile("(?:W,?)?D"), _numeric),
    (re.compile("[NO]-[NO]M(?:,?Y)?"), _days_of_month),
    (re.compile("M[NO]-[NO](?!U)(?:,?Y)?"), _days_of_month),
    (re.compile("(?:W,?)?[NO]M(?:,?Y)?"), _written),
    (re.compile("(?:W,?)?MO(?:,?Y)?|(?:W,?)?MN(?![NC:])(?:,?Y)?"), _written),
    (re.compile("W,?O|W,?N(?![-U])"), _weekday_with_number),
    (re.compile("XUW|WXU|XW|WX|TUW|WTU|TW|W"), _weekday),
    (re.compile("R"), _relative),
    (re.compile("L|I?N(?:[-|]N)?U(?!I?Y)"), _after_span),
    (re.compile("IU"), _after_span),
    (re.compile("EXU|EUX|ETU|EU|XU|UX|TU"), _unit),
    (re.compile("EQY?|QY?"), _quarter),
    (re.compile("EXM|EMY?|XMY?|MY"), _month),
    (re.compile("X"), _unit),
    (re.compile("ES|XS|S"), _season),
    (re.compile("EY"), _year),
    (_LONE_MONTH, _month),
    (re.compile("Y"), _year),
    (_LONE_ORDINAL, _day_of_month),
)
