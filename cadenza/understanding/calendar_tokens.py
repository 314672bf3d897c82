"""Running text to signs of days and clocks, the same signs for every language."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from cadenza.understanding.calendar_names import MONTHS, WEEKDAYS
from cadenza.understanding.calendar_words import WORDS

_LIMIT = 8_000  # characters; times are offered in a few lines
# Articles and small words that may stand between the parts of a date.
_FILLERS = {
    "en": "the|of|on|day",
    "de": "de[nmrs]|am|im|zum|zur|des",
    "fr": "le|la|les|de|du|d|l|en",
    "es": "el|la|los|las|de|del|día|por",
    "it": "il|lo|la|l|di|del|nel|in|giorno",
    "pt": "o|a|os|as|de|do|da|no|na|dia",
    "nl": "de|het|op|van",
    "ru": "на|во?|этого",
    "ja": "の|、",
    "zh": "的|在",
    "ko": "에",
    "ar": "في|يوم|من",
}
_MERIDIEM = r"a\.?m\.?|p\.?m\.?"
_SHAPES = rf"""
(?P<cjk>(?:午前|午後|上午|下午|中午|晚上|早上|오전|오후)\s*\d{{1,2}}\s*(?:[時点點时시:：]\s*(?:\d{{1,2}}\s*[分분]?|半|반)?)|\d{{1,2}}\s*[時点點时시](?:\s*\d{{1,2}}\s*[分분]|半|반)?)
|(?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)
|(?P<cjkdate>(?:\d{{4}}\s*[年년]\s*)?\d{{1,2}}\s*[月월]\s*\d{{1,2}}\s*[日号號일])
|(?P<cjkmonth>(?:\d{{4}}\s*[年년]\s*)?(?<!\d)\d{{1,2}}\s*(?:月份?|월)(?!曜|요))
|(?P<cjkday>\d{{1,2}}\s*(?:日|号|일)(?!間|间|内))
|(?P<span>\d{{1,2}}\s*(?:日|天|日間|週間|週|周|个星期|か月|ヶ月|カ月|个月|個月|개월|주|일|年)\s*(?:後|后|以后|之后|뒤|후))
|(?P<clock>\b\d{{1,2}}\s?[:.h]\s?[0-5]\d\s?(?:{_MERIDIEM}|uhr|h\b)|\b(?:[01]?\d|2[0-4])(?::|(?<=\d)h)[0-5]\d\b(?!\s?[./]\d)|\b\d{{1,2}}\s?(?:(?:{_MERIDIEM})(?!\w)|uhr\b|h(?:rs|eures?)?\b(?!\d)|horas\b|o['’]clock|uur\b|час(?:ов|а)?\b)|\bnoon\b|\bmidday\b|\bà\ midi\b)
|(?P<half>\bhalb\s+(?:eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|\d{{1,2}})\b)
|(?P<date>\b\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}})\b|\b\d{{1,2}}\.\s?\d{{1,2}}\.(?!\d)|\b\d{{1,2}}/\d{{1,2}}\b(?!/)|\b\d{{1,2}}\.(?:0[1-9]|1[0-2])\b)
|(?P<ordinal>\b\d{{1,2}}(?:st|nd|rd|th|er|e|\.º|º)\b|\b\d{{1,2}}\.(?=\s|,|-|–|$))
|(?P<year>\b20[2-4]\d\b)
|(?P<zone>(?-i:\b(?:UTC|GMT)\s?[+-]\s?\d{{1,2}}(?::?\d{{2}})?\b|\b(?:UTC|GMT|CET|CEST|MEZ|MESZ|BST|WET|EET|EST|EDT|ET|CST|CDT|CT|MST|MDT|PST|PDT|PT|JST|KST|IST|AEST|AEDT|SGT|HKT|MSK|BRT)\b|\b(?:[Yy]our\ (?:local\ )?time|(?:London|UK|Berlin|German|Paris|French|Madrid|Spanish|New\ York|Eastern|Central|Pacific|Mountain|Tokyo|Swiss|Zurich|Vienna|Amsterdam|Dubai|Singapore|Sydney)\ [Tt]ime|Ihrer\ Zeit|deiner\ Zeit|heure\ de\ (?:Paris|Londres|Montréal|Bruxelles)|hora\ (?:de\ Madrid|española|peninsular|de\ México|de\ Londres)|日本時間|北京时间|한국\ ?시간)))
|(?P<number>\b\d{{1,2}}\b)
|(?P<dash>\s?[-–—~〜～](?=\s?\d)|\b(?:to|till|until|bis|à|a|bis\ zum|até|alle|tot)(?=\s\d))
|(?P<stop>[.!?。！？\n;])
|(?P<comma>[,、，])
"""
_UNTIL = ("till", "until", "bis", "bis zum", "até", "tot", "to")
_UNCASED = ("ja", "zh", "ko")


@dataclass(frozen=True, slots=True)
class Token:
    """One sign with its value and place; ``marked`` when an article stood before it."""

    sign: str
    value: Any
    start: int
    end: int
    marked: bool = False
    word: str = ""


@cache
def _scanner(language: str) -> tuple[re.Pattern[str], dict[str, tuple[str, Any]]]:
    """One pattern for shapes and words of a language, and what each named group of it stands for."""
    entries: list[tuple[str, str, Any]] = [(_FILLERS[language], "f", None)]
    for sign, table in (("W", WEEKDAYS), ("M", MONTHS)):
        entries += [(pattern, sign, index) for index, pattern in enumerate(table.get(language, "").split())]
    for line in WORDS[language].strip().splitlines():
        sign, value, pattern = line.split(" ", 2)
        entries += [(option, sign, value) for option in _options(pattern)]
    entries.sort(key=lambda entry: len(entry[0]), reverse=True)
    edge = ("", "") if language in _UNCASED else (r"(?<!\w)", r"(?!\w)")
    meanings = {f"k{place}": (sign, value) for place, (_, sign, value) in enumerate(entries)}
    vocabulary = [rf"(?P<k{place}>{edge[0]}(?:{entry[0]}){edge[1]})" for place, entry in enumerate(entries)]
    other = r"\w" if language in _UNCASED else r"\w+"
    return re.compile(f"(?x:{_SHAPES})|{'|'.join(vocabulary)}|(?P<other>{other})", re.IGNORECASE), meanings


def _options(pattern: str) -> list[str]:
    """The alternatives of the outermost level, so that each competes by its own length."""
    options, depth, current = [], 0, ""
    for letter in pattern:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            options.append(current)
            current = ""
        else:
            current += letter
    return [*options, current]


def tokenize(text: str, language: str, *, american: bool = False) -> list[Token]:
    """Signs in order. ``american`` reads 12/3 as December 3rd."""
    known = language if language in WORDS else "en"
    pattern, meanings = _scanner(known)
    tokens: list[Token] = []
    marked = False
    for match in pattern.finditer(text[:_LIMIT]):
        group = match.lastgroup or "other"
        sign, value = meanings.get(group) or read_shape(group, match.group(), american=american)
        value = int(value) if sign == "N" else value
        if sign == "f":
            marked = True
            continue
        word = match.group()
        if group == "dash" and word[-1].isalpha() and not (tokens and tokens[-1].sign in "NCO"):
            sign = "B" if word in _UNTIL else "a"
        tokens.append(Token(sign, value, match.start(), match.end(), marked, word))
        marked = False
    return tokens


def read_shape(group: str, word: str, *, american: bool) -> tuple[str, Any]:
    """Sign and value of what is written in digits."""
    numbers = [int(number) for number in re.findall(r"\d+", word)]
    plain = {"dash": "-", "stop": ".", "comma": ",", "other": "x", "zone": "Z"}
    if group in plain:
        return plain[group], word
    if group in ("clock", "cjk", "half"):
        clock = read_clock(word, numbers, half=group == "half")
        return ("C", clock) if clock else ("x", word)
    if group in ("date", "iso", "cjkdate"):
        return _date(group, numbers, american=american)
    if group == "cjkmonth":
        return ("M", numbers[-1] - 1) if 1 <= numbers[-1] <= 12 else ("x", word)
    if group == "span":
        return "L", (numbers[0], _cjk_unit(word))
    return {"cjkday": "O", "ordinal": "O", "year": "Y", "number": "N"}[group], numbers[0]


def _cjk_unit(word: str) -> str:
    for unit, letters in (("W", "週周주"), ("W", "星期"), ("M", "月월"), ("Y", "年년")):
        if any(letter in word for letter in letters):
            return unit
    return "D"


def _date(group: str, numbers: list[int], *, american: bool) -> tuple[str, Any]:
    """``D`` with (year or None, month, day)."""
    if group in ("iso", "cjkdate"):
        month, day = numbers[-2:]
    else:
        day, month = numbers[:2]
        if american or month > 12:
            day, month = month, day
    year = numbers[0 if group in ("iso", "cjkdate") else 2] if len(numbers) == 3 else None
    year = year + 2000 if year is not None and year < 100 else year
    if 1 <= month <= 12 and 1 <= day <= 31:
        return "D", (year, month, day)
    return "x", None


_HOURS = {"eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12}  # fmt: skip
_AFTERNOON = re.compile(r"p\.?\s?m|午後|下午|晚上|오후", re.IGNORECASE)
_MORNING = re.compile(r"a\.?\s?m\b|午前|上午|早上|오전", re.IGNORECASE)


def read_clock(word: str, numbers: list[int], *, half: bool = False) -> tuple[int, int, str] | None:
    """Hour, minute and ``am``, ``pm``, ``24`` (written as a full time) or an empty string."""
    lower = word.lower()
    if lower in ("noon", "midday", "à midi"):
        return 12, 0, "24"
    if half:
        hour = numbers[0] if numbers else _HOURS[lower.split()[-1]]
        return (hour - 1) % 24, 30, ""
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 30 if re.search("[半반]", word) else 0
    part = "pm" if _AFTERNOON.search(word) else "am" if _MORNING.search(word) else ""
    if "中午" in word:
        part = "24"
    if part == "pm" and hour < 12:
        hour += 12
    if part == "am" and hour == 12:
        hour = 0
    if not part and (hour >= 13 or re.match(r"0\d", word)):
        part = "24"
    return (hour, minute, part) if hour <= 24 and minute < 60 else None
