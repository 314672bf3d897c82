"""What people write back: sentences of their language put together so that hardly two messages are alike."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from ruamel.yaml import YAML

from cadenza.sandbox.behaviour import Response
from cadenza.sandbox.contracts import Person
from cadenza.sandbox.local_time import is_free

_TEXTS = Path(__file__).parent / "texts"
_DAY = {"en": "MMMM d", "de": "d. MMMM", "fr": "d MMMM"}
_PREFIXES = ("re:", "aw:", "fwd:", "wg:", "re :", "tr:")


@dataclass(frozen=True, slots=True)
class Written:
    """``body`` is what the person typed, ``signature`` what stands below it."""

    subject: str
    body: str
    signature: str


@cache
def texts(language: str) -> Mapping[str, Any]:
    """The sentences of a language; people whose language we have none for write English."""
    path = _TEXTS / f"{language}.yaml"
    found: Mapping[str, Any] = YAML(typ="safe", pure=True).load(path if path.exists() else _TEXTS / "en.yaml")
    return found


def known_language(language: str) -> str:
    return language if (_TEXTS / f"{language}.yaml").exists() else "en"


def topic(subject: str) -> str:
    """A subject without the marks of earlier answers."""
    while subject.lower().startswith(_PREFIXES):
        subject = subject.partition(":")[2].strip()
    return subject


def write(response: Response, person: Person, colleagues: Sequence[Person], luck: random.Random) -> Written:
    """A reply or an absence note."""
    language = known_language(person.language)
    words = texts(language)
    intent = "out_of_office" if response.kind == "absence" else response.intent
    slots = _slots(response, person, colleagues, luck, language)
    sentences = [luck.choice(words[intent]["core"])]
    if luck.random() < 0.75:
        sentences.append(luck.choice(words[intent]["extra"]))
    if luck.random() < 0.2:
        sentences.append(luck.choice(words[intent]["extra"]))
    body = " ".join(dict.fromkeys(sentence for sentence in sentences if sentence))
    greeting, closing = luck.choice(words["greeting"]), luck.choice(words["closing"])
    paragraphs = [greeting, body, closing if luck.random() < 0.85 else ""]
    text = "\n\n".join(_filled(paragraph, slots) for paragraph in paragraphs if paragraph)
    return Written(
        _subject(response, words, slots, luck), text, _filled(luck.choice(words["signature"]), slots)
    )


def _subject(
    response: Response, words: Mapping[str, Any], slots: Mapping[str, str], luck: random.Random
) -> str:
    if response.kind == "absence":
        return _filled(luck.choice(words["out_of_office"]["subject"]), slots)
    prefix = luck.choice(("AW: ", "Re: ") if words is texts("de") else ("Re: ", "RE: "))
    return prefix + topic(response.letter.subject)


def _filled(sentence: str, slots: Mapping[str, str]) -> str:
    filled = str(sentence).format_map(slots)
    return filled[:1].upper() + filled[1:] if filled[:1].islower() and sentence[:1] == "{" else filled


def _slots(
    response: Response, person: Person, colleagues: Sequence[Person], luck: random.Random, language: str
) -> dict[str, str]:
    local = response.at.astimezone(ZoneInfo(person.timezone))
    colleague = luck.choice(colleagues) if colleagues else person
    soon = _working_day(local.date() + timedelta(days=luck.randint(2, 9)), person)
    day = response.returns or soon
    later = _later_month(local, luck.randint(2, 6))
    us = response.letter.sender_name.split(" ")[0] or response.letter.sender.partition("@")[0].title()
    return {
        "us": us,
        "me": person.first_name,
        "name": person.name,
        "title": person.title,
        "company": person.company,
        "topic": topic(response.letter.subject),
        "colleague": colleague.name,
        "colleague_email": colleague.email,
        "phone": _phone(person, luck),
        "date": format_date(day, _DAY[language], locale=language),
        "last_day": format_date(day - timedelta(days=1), _DAY[language], locale=language),
        "day": format_date(soon, "EEEE", locale=language),
        "month": format_date(later, "LLLL", locale=language),
        "time": _time(language, luck),
        "vendor": luck.choice(texts(language)["vendors"]),
        "number": str(luck.choice((2, 3, 4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60))),
    }


def _working_day(day: date, person: Person) -> date:
    while is_free(day, person.country, with_holidays=True):
        day += timedelta(days=1)
    return day


def _later_month(local: datetime, months: int) -> date:
    number = local.month - 1 + months
    return date(local.year + number // 12, number % 12 + 1, 1)


def _time(language: str, luck: random.Random) -> str:
    hour, half = luck.randint(9, 16), luck.choice((0, 30))
    if language == "en":
        minutes = ":30" if half else ""
        return f"{(hour - 1) % 12 + 1}{minutes} {'am' if hour < 12 else 'pm'}"
    if language == "fr":
        return f"{hour}h{half or ''}"
    return f"{hour}:{half:02d}" if half else str(hour)


def _phone(person: Person, luck: random.Random) -> str:
    """From ranges that are set aside for fiction or that nobody is given."""
    last = luck.randint(100, 999)
    return {
        "GB": f"020 7946 0{last}", "US": f"(212) 555-0{100 + last % 100}", "FR": f"01 99 00 0{last // 100} {last % 100:02d}",
    }.get(person.country, f"030 23125 {last}")  # fmt: skip
