"""Meeting times that a text offers, as ISO 8601 times and ranges with offset."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from cadenza.understanding.calendar_tokens import Token
from cadenza.understanding.days import Day, DayKind, find_days

_REFUSAL = re.compile(
    r"\b(?:can(?:no|['’]?)t|cannot|won['’]?t work|doesn['’]?t work|does not work|not (?:available|free|possible)|unavailable|booked|busy|"
    r"in meetings|travel+ing|out of office|passt (?:mir |uns |es )?(?:leider )?nicht|nicht|keine zeit|leider (?:voll|belegt)|verplant|"
    r"(?:ne )?(?:peux|pouvons|convient|marche|suis) pas|pas disponible|pas libre|indisponible|no (?:puedo|podemos|me viene|estoy|me va)|imposible|"
    r"ocupad[oa]|non posso|non riesco|impegnat[oa]|não posso|não consigo|niet|bezet|не (?:могу|получится|подходит))\b|"
    r"難しい|都合が悪|不在|不行|没空|不方便|어렵|안 ?됩|لا أستطيع",
    re.IGNORECASE,
)
_RESCUE = re.compile(
    r"\b(?:why not|not (?:before|until)|nicht vor|can['’]?t wait|if not|wenn nicht|sinon|si no)\b",
    re.IGNORECASE,
)
_AFTER_WORK = time(17, 30)


@dataclass(frozen=True, slots=True)
class Slot:
    """A local time, or a range when ``until`` is set, and the characters it was read from."""

    at: datetime
    until: datetime | None
    start: int
    end: int

    def iso(self, zone: tzinfo) -> str:
        at = self.at.replace(tzinfo=zone).isoformat()
        return f"{at}/{self.until.replace(tzinfo=zone).isoformat()}" if self.until else at


@dataclass(frozen=True, slots=True)
class _Hours:
    """Hours of a day: minutes from midnight; ``last`` is None for a moment."""

    first: int
    last: int | None
    start: int
    end: int
    token: int
    end_token: int


@dataclass(slots=True)
class _Reading:
    """Where the walk over the signs stands."""

    slots: list[Slot] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    timed: bool = False
    loose: list[_Hours] = field(default_factory=list)


def find_slots(text: str, tokens: Sequence[Token], today: date) -> list[Slot]:
    """Slots in the order of the text; days that a clause refuses give none, days without an hour are 9 to 18."""
    refused = _refused_spans(text, tokens)
    days = {day.token: day for day in find_days(tokens, today) if day.kind is not DayKind.PERIOD}
    hours = {
        found.token: found
        for found in find_hours(
            tokens, {place for day in days.values() for place in range(day.token, day.end_token)}
        )
    }
    reading = _Reading()
    for place in sorted({*days, *hours}):
        start = days[place].start if place in days else hours[place].start
        if any(first <= start < last for first, last in refused):
            continue
        if place in days:
            _take_day(reading, days[place], tokens)
        elif hours[place].end_token in days and not _belongs_to_day_before(reading, hours[place], tokens):
            reading.loose.append(hours[place])
        else:
            _take_hours(reading, hours[place])
    _flush(reading)
    return list(dict.fromkeys(reading.slots))


def _belongs_to_day_before(reading: _Reading, hours: _Hours, tokens: Sequence[Token]) -> bool:
    """As in "Tuesday 3pm Wednesday": nothing but "at" stands between; "Tuesday, before 11 on Wednesday": a comma does."""
    last = reading.days[-1].end_token if reading.days and not reading.timed else None
    return last is not None and all(token.sign in "aAVFBb" for token in tokens[last : hours.token])


def _take_day(reading: _Reading, day: Day, tokens: Sequence[Token]) -> None:
    joined = (
        reading.days and not reading.timed and _only_connects(tokens, reading.days[-1].end_token, day.token)
    )
    if not joined or reading.loose:
        _flush(reading)
    between = (
        "".join(token.sign for token in tokens[reading.days[-1].end_token : day.token])
        if reading.days
        else ""
    )
    if between in ("-", "B"):
        day = _spanning(reading.days.pop(), day)
    reading.days.append(day)
    if reading.loose:
        for hours in reading.loose:
            _emit(reading, hours)
        reading.loose = []
        reading.timed = True


def _spanning(first: Day, last: Day) -> Day:
    """Monday to Wednesday: the second follows the first, also where its next such day comes earlier."""
    until = last.last if last.last >= first.first else last.last + timedelta(days=7)
    return Day(
        first.first, max(until, first.first), DayKind.DAY, first.start, last.end, first.token, last.end_token
    )


def _only_connects(tokens: Sequence[Token], first: int, last: int) -> bool:
    return all(token.sign in "|,-aB" for token in tokens[first:last])


def _take_hours(reading: _Reading, hours: _Hours) -> None:
    if not reading.days:
        reading.loose.append(hours)
        return
    last = reading.slots[-1] if reading.timed and reading.slots else None
    if last is not None and last.until is not None and _within(hours, last):
        reading.slots.pop()  # "Friday morning, at 10": the second says the first more exactly
    reading.timed = True
    _emit(reading, hours)


def _within(hours: _Hours, slot: Slot) -> bool:
    first, last = (moment.hour * 60 + moment.minute for moment in (slot.at, slot.until or slot.at))
    return first <= hours.first and (hours.last or hours.first) <= last


def _emit(reading: _Reading, hours: _Hours) -> None:
    for day in reading.days:
        start, end = min(day.start, hours.start), max(day.end, hours.end)
        for number in range(min((day.last - day.first).days, 6) + 1):
            reading.slots.append(
                _slot(day.first + timedelta(days=number), hours.first, hours.last, start, end)
            )


def _slot(day: date, first: int, last: int | None, start: int, end: int) -> Slot:
    midnight = datetime.combine(day, time())
    until = midnight + timedelta(minutes=last) if last is not None else None
    return Slot(midnight + timedelta(minutes=first), until, start, end)


def _flush(reading: _Reading) -> None:
    """Days that got no hour are whole days; a week is one range from its Monday to its Friday."""
    if not reading.timed:
        for day in reading.days:
            first = _slot(day.first, 9 * 60, None, day.start, day.end).at
            last = _slot(day.last, 18 * 60, None, day.start, day.end).at
            reading.slots.append(Slot(first, last, day.start, day.end))
    reading.days, reading.timed = [], False


def _refused_spans(text: str, tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Clauses that say no to what they name."""
    cuts = [0, *(token.start for token in tokens if token.sign in ".!"), len(text)]
    cuts += [
        match.start()
        for match in re.finditer(
            r"[,–—](?=\s+(?:but|aber|mais|pero|ma|mas|maar|но|how about|what about|wie wäre|dafür)\b)", text
        )
    ]
    cuts.sort()
    return [(a, b) for a, b in pairwise(cuts) if _REFUSAL.search(text[a:b]) and not _RESCUE.search(text[a:b])]


def find_hours(tokens: Sequence[Token], taken: set[int]) -> list[_Hours]:
    """Clock times, ranges and parts of the day, outside the signs that make up days."""
    found: list[_Hours] = []
    place = 0
    while place < len(tokens):
        hours, width = (None, 1) if place in taken else _hours_at(tokens, place, taken)
        if hours:
            found.append(hours)
        place += width
    return found


def _hours_at(tokens: Sequence[Token], place: int, taken: set[int]) -> tuple[_Hours | None, int]:
    signs = "".join(
        "x" if place + offset in taken else token.sign
        for offset, token in enumerate(tokens[place : place + 6])
    )
    before = tokens[place - 1].sign if place and place - 1 not in taken else ""
    asked = before in ("a", "b", "F", "A", "V", "-") or (place > 0 and place - 1 in taken)
    spread = re.match(r"([CN])(?:-|\||B|P-)([CN])(P?)", signs)
    if spread and ("C" in spread.group(0) or asked) and (tokens[place + 1].sign in "-B" or before == "b"):
        width = spread.end()
        return _range(tokens, place, width), width
    if signs[:1] == "C" or (
        signs[:1] in ("N", "O") and before in ("a", "A", "V") and _in_digits(tokens[place])
    ):
        width = 2 if signs[1:2] == "P" else 1
        return _moment(tokens, place, width, before), width
    if (
        signs[:1] == "P" and tokens[place].value != "9-18"
    ):  # the whole day is what a day without an hour means
        first, last = (int(part) * 60 for part in tokens[place].value.split("-"))
        return _Hours(
            first, last if last > first else None, tokens[place].start, tokens[place].end, place, place + 1
        ), 1
    return None, 1


def _in_digits(token: Token) -> bool:
    """As hours are written; "about a" and "about one" speak of something else."""
    return token.sign == "O" or token.word[:1].isdigit()


def _minutes(token: Token, *, afternoon: bool = False) -> int:
    """Minutes from midnight; a bare hour from 1 to 7 is in the afternoon, as office hours go."""
    if token.sign in "NO":
        hour, minute, part = int(token.value), 0, ""
    else:
        hour, minute, part = token.value
    if not part and (hour <= 7 or afternoon) and 1 <= hour < 12:
        hour += 12
    return min(hour, 24) * 60 + int(minute)


def _range(tokens: Sequence[Token], place: int, width: int) -> _Hours | None:
    ends = [token for token in tokens[place : place + width] if token.sign in "CN"]
    last = _minutes(ends[1])
    first = _minutes(ends[0])
    if first >= last and first >= 720:
        first -= 720
    closing_pm = ends[1].sign == "C" and ends[1].value[2] == "pm"
    if closing_pm and first + 720 < last and not (ends[0].sign == "C" and ends[0].value[2]):
        first = first + 720 if first < 480 else first
    if not 0 <= first < last <= 1440:
        return None
    return _Hours(first, last, tokens[place].start, tokens[place + width - 1].end, place, place + width)


def _moment(tokens: Sequence[Token], place: int, width: int, before: str) -> _Hours:
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    afternoon = following is not None and following.sign == "P" and str(following.value)[:2] in ("13", "18")
    first = _minutes(tokens[place], afternoon=afternoon)
    if (
        following is not None
        and following.sign == "P"
        and str(following.value) == "9-12"
        and 720 < first < 1140
    ):
        first -= 720
    return _bounded(
        _Hours(first, None, tokens[place].start, tokens[place + width - 1].end, place, place + width), before
    )


def _bounded(hours: _Hours, before: str) -> _Hours:
    """After X is X to 18 (to 21 from 17:30 on); before X is 9 to X."""
    if before in ("A", "F") and hours.last is None:
        late = hours.first >= _AFTER_WORK.hour * 60 + _AFTER_WORK.minute
        return _Hours(
            hours.first, 21 * 60 if late else 18 * 60, hours.start, hours.end, hours.token, hours.end_token
        )
    if before in ("V", "B") and hours.last is None and hours.first > 9 * 60:
        return _Hours(9 * 60, hours.first, hours.start, hours.end, hours.token, hours.end_token)
    return hours
