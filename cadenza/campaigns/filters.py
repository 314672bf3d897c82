"""The filters a template may use. Each takes and gives text, cannot fail, and its result is bounded.

A missing value is the empty text. ``default`` is applied by the caller's rule that an empty text is missing.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

MAX_RESULT = 4000
MAX_FILTERS = 10

DATE_DIRECTIVES = frozenset("aAbBdeHIjmMpSyY%-")
_DIRECTIVE = re.compile(r"%(-?.)", re.DOTALL)


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _default(text: str, fallback: str) -> str:
    return text or fallback


def _truncate(text: str, length: str = "50", end: str = "...") -> str:
    most = int(length)
    return text if len(text) <= most else text[: max(0, most - len(end))] + end


def _append(text: str, more: str) -> str:
    return text + more


def _prepend(text: str, more: str) -> str:
    return more + text


def _date(text: str, pattern: str) -> str:
    """An ISO date in another form; a text that is no ISO date stays as it is."""
    try:
        day = datetime.fromisoformat(text) if "T" in text or " " in text else date.fromisoformat(text)
        return _DIRECTIVE.sub(lambda found: _directive(day, found[1]), pattern)
    except ValueError:
        return text


def _directive(day: date, directive: str) -> str:
    if directive == "%":
        return "%"
    shown = day.strftime("%d" if directive in {"e", "-e"} else f"%{directive[-1]}")
    return shown.lstrip("0") or "0" if directive[0] == "-" or directive == "e" else shown


@dataclass(frozen=True, slots=True)
class Filter:
    """``least`` and ``most`` count its arguments. ``keeps_empty``: nothing in, nothing out, so a later default works."""

    apply: Callable[..., str]
    least: int = 0
    most: int = 0
    keeps_empty: bool = True


FILTERS: dict[str, Filter] = {
    "default": Filter(_default, 1, 1),
    "capitalize": Filter(_capitalize),
    "upcase": Filter(str.upper),
    "downcase": Filter(str.lower),
    "strip": Filter(str.strip),
    "escape": Filter(html.escape),
    "truncate": Filter(_truncate, 1, 2),
    "append": Filter(_append, 1, 1, keeps_empty=False),
    "prepend": Filter(_prepend, 1, 1, keeps_empty=False),
    "date": Filter(_date, 1, 1),
}


def wrong_arguments(name: str, arguments: list[str | None]) -> str:
    """Why these arguments do not fit, in words, or nothing. None stands for a value known only when sending."""
    rule = FILTERS[name]
    if not rule.least <= len(arguments) <= rule.most:
        count = str(rule.least) if rule.least == rule.most else f"{rule.least} to {rule.most}"
        return f"The filter {name!r} takes {count} values, not {len(arguments)}."
    if name == "truncate" and not (arguments[0] or "").isdecimal():
        return "The filter 'truncate' takes a whole number of characters."
    if name == "truncate" and int(arguments[0] or "0") > MAX_RESULT:
        return f"The filter 'truncate' takes at most {MAX_RESULT}."
    if name == "date" and not _plain_pattern(arguments[0]):
        return (
            "The filter 'date' takes a form of %d %m %Y %B %b %A %a %e %H %M %-d %-m and the like, in quotes."
        )
    return ""


def _plain_pattern(pattern: str | None) -> bool:
    if pattern is None or len(pattern) > 60 or (pattern.endswith("%") and not pattern.endswith("%%")):
        return False
    return all(
        len(found) <= 2 and found[-1] in DATE_DIRECTIVES and found != "-"
        for found in _DIRECTIVE.findall(pattern)
    )
