"""Numbers, shares and times as the reader writes them. Used as template filters.

Who reads, and what time it is in the world, is set once a request by ``reading``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import date as day
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import TIMEDELTA_UNITS, format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from cadenza.web.catalogue import gettext as _
from cadenza.web.catalogue import locale_of, speak
from cadenza.web.contracts import Reader

_NO_BREAK = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class _Reading:
    locale: Locale
    zone: ZoneInfo
    now: datetime


_reading: ContextVar[_Reading] = ContextVar("reading")


@contextmanager
def reading(reader: Reader, now: datetime) -> Iterator[None]:
    """Format for this reader while the block runs. ``now`` is world time."""
    speak(reader.locale)
    token = _reading.set(_Reading(locale_of(reader.locale), zone_of(reader.timezone), now))
    try:
        yield
    finally:
        _reading.reset(token)


@lru_cache(maxsize=1000)
def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day_names(locale: str) -> list[str]:
    """The days of the week from Monday on, short, in this language."""
    names = locale_of(locale).days["stand-alone"]["abbreviated"]
    return [str(names[day]) for day in range(7)]


def number(value: float, digits: int = 0) -> str:
    """``1060`` as ``1,060``; ``digits`` after the point."""
    return _number(value, digits, str(_reading.get().locale))


@lru_cache(maxsize=20_000)
def _number(value: float, digits: int, locale: str) -> str:
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    return format_decimal(value, format=pattern, locale=locale_of(locale))


def percent(share: float, digits: int = 1) -> str:
    """A share between 0 and 1 as a percentage, such as ``2.3 %``."""
    return f"{number(share * 100, digits)}{_NO_BREAK}%"


def span(low: float, high: float, digits: int = 1) -> str:
    """The ends of an interval of shares, without the sign: ``1.2 to 4.3`` as ``1.2–4.3``."""
    return f"{number(low * 100, digits)}–{number(high * 100, digits)}"


def moment(at: datetime, zone: str | None = None) -> Markup:
    """A time in the reader's zone, with that of ``zone`` (the recipient's) beside it where the clocks differ."""
    reader = _reading.get()
    ours, theirs = at.astimezone(reader.zone), at.astimezone(zone_of(zone) if zone else reader.zone)
    text = _short(ours, reader)
    if theirs.utcoffset() != ours.utcoffset():
        pattern = _("HH:mm") if theirs.date() == ours.date() else _("EEE HH:mm")
        words = _said(theirs, pattern, reader.locale)
        text = _("%(ours)s, theirs %(theirs)s") % {"ours": text, "theirs": words}
    return _time_element(at, text, reader)


def clock(at: datetime) -> Markup:
    """Only hours, minutes and seconds, in the reader's zone; of other days like ``moment``."""
    reader = _reading.get()
    if at.astimezone(reader.zone).date() != reader.now.astimezone(reader.zone).date():
        return moment(at)
    return _time_element(
        at, format_datetime(at, "HH:mm:ss", tzinfo=reader.zone, locale=reader.locale), reader
    )


def world_time(at: datetime) -> str:
    """Weekday, date and time in the reader's zone; the page lets it run on."""
    reader = _reading.get()
    return format_datetime(at, _("EEE d MMM HH:mm"), tzinfo=reader.zone, locale=reader.locale)


def _time_element(at: datetime, text: str, reader: _Reading) -> Markup:
    full = _said(at.astimezone(reader.zone), _("EEEE d MMMM y, HH:mm:ss"), reader.locale)
    moment = at.astimezone(UTC).isoformat(timespec="seconds")
    title = f"{escape(full)} {escape(reader.zone.key)}"
    return Markup(f'<time datetime="{moment}" title="{title}">{escape(text)}</time>')  # noqa: S704 - each part is escaped


def _said(local: datetime, pattern: str, locale: Locale) -> str:
    """A time of a zone in words; patterns here name no zone."""
    return _in_words(local.replace(tzinfo=None, microsecond=0), pattern, str(locale))


@lru_cache(maxsize=20_000)
def _in_words(local: datetime, pattern: str, locale: str) -> str:
    """Lists say the same times to everybody who looks, again and again."""
    return format_datetime(local, pattern, locale=locale_of(locale))


def _short(local: datetime, reader: _Reading) -> str:
    """As few words as leave no doubt: the hour today, the weekday within six days, the date, the year."""
    now = reader.now.astimezone(local.tzinfo)
    days = abs((local.date() - now.date()).days)
    if days == 0:
        pattern = _("HH:mm")
    elif days < 7:
        pattern = _("EEE HH:mm")
    elif local.year == now.year:
        pattern = _("EEE d MMM HH:mm")
    else:
        pattern = _("d MMM y")
    return _said(local, pattern, reader.locale)


def date(at: datetime) -> str:
    """The day in full, in the reader's zone, such as ``Tuesday 3 March 2026``."""
    reader = _reading.get()
    return format_datetime(at, _("EEEE d MMMM y"), tzinfo=reader.zone, locale=reader.locale)


def weekday(on: day) -> str:
    """A day's name in short, such as ``Tue``."""
    return format_date(on, "EEE", locale=_reading.get().locale)


def day_of_month(on: day) -> str:
    """The number of a day, with its month on the first and on Mondays: ``2 Mar``, ``3``."""
    pattern = _("d MMM") if on.day == 1 or on.weekday() == 0 else "d"
    return format_date(on, pattern, locale=_reading.get().locale)


def slot(value: str, zone: str) -> str:
    """A time or range in ISO 8601 as the person with this zone would say it; what is none of both, as it is."""
    reader, there = _reading.get(), zone_of(zone)
    start, _slash, end = value.partition("/")
    try:
        first = datetime.fromisoformat(start)
        last = datetime.fromisoformat(end) if end else None
    except ValueError:
        return value
    if len(start) == len("2026-03-06"):
        return format_datetime(first, _("EEE d MMM"), locale=reader.locale)
    words = format_datetime(first, _("EEE d MMM HH:mm"), tzinfo=there, locale=reader.locale)
    return words + (format_datetime(last, "–HH:mm", tzinfo=there, locale=reader.locale) if last else "")


def sentence(words: str) -> str:
    """A reason as it was noted, with a capital at its start, unless an address stands there, and a full stop."""
    text = words.strip()
    first = text.partition(" ")[0]
    return (text if "@" in first else text[:1].upper() + text[1:]) + (
        "" if text.endswith((".", "?", "!")) or not text else "."
    )


def ago(at: datetime) -> str:
    """How long before (or after) now, such as ``44 minutes ago``."""
    reader = _reading.get()
    away = at - reader.now
    seconds = away.days * 86_400 + away.seconds
    unit, amount = next(
        (unit, round(abs(seconds) / length))
        for unit, length in TIMEDELTA_UNITS
        if abs(seconds) / length >= _NEARLY or unit == "second"
    )
    return _ago(unit, amount, seconds < 0, str(reader.locale))


_NEARLY = 0.85  # of a unit is told as one of it, as Babel does by itself
_LENGTHS: dict[Any, int] = dict(TIMEDELTA_UNITS)  # of each unit in seconds


@lru_cache(maxsize=20_000)
def _ago(unit: Any, amount: int, past: bool, locale: str) -> str:
    """Lists say the same few spans again and again, and Babel looks through the rules of a plural each time."""
    span = timedelta(seconds=(-amount if past else amount) * _LENGTHS[unit])
    return format_timedelta(
        span, granularity=unit, threshold=float("inf"), add_direction=True, locale=locale_of(locale)
    )
