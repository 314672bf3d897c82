"""Values of custom fields in the one form of their kind."""

import re
from datetime import UTC, datetime

from cadenza.audience.contracts import FieldKind

_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr", "oui", "vrai"})
_NO = frozenset({"no", "n", "false", "0", "nein", "falsch", "non", "faux"})


def normal_value(kind: FieldKind, value: str) -> str | None:
    """A value in the one form of its kind: text as it is, ``12.5``, ``2026-03-31``, ``yes`` or ``no``; None when it is none."""
    words = value.strip()
    if kind is FieldKind.NUMBER:
        return _number(words)
    if kind is FieldKind.DATE:
        return _date(words)
    if kind is FieldKind.YES_NO:
        return "yes" if words.casefold() in _YES else "no" if words.casefold() in _NO else None
    return words


_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([,.\s'])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")


def _number(words: str) -> str | None:
    if _PLAIN_NUMBER.fullmatch(words) and not _GROUPED.fullmatch(words):
        return words.lstrip("+").replace(",", ".")
    if not _GROUPED.fullmatch(words):
        return None
    whole, point, rest = words, "", ""
    mark = max(words.rfind("."), words.rfind(","))
    if len(words) - mark - 1 != 3 and mark >= 0:
        whole, point, rest = words[:mark], ".", words[mark + 1 :]
    return re.sub(r"[^\d-]", "", whole) + point + rest


_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y")


def _date(words: str) -> str | None:
    """ISO 8601, the German form, and months in English words; a form that two countries read differently is none."""
    for form in _DATES:
        try:
            return datetime.strptime(words[:40], form).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            continue
    return None
