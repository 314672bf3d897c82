"""Where a text shows what its sender means."""

import re
from collections.abc import Sequence
from functools import cache

from cadenza.understanding.cue_words import AUTHORITY_WORDS, CUES, ROLES
from cadenza.understanding.language import LANGUAGES

Span = tuple[int, int]
# The order in which the lines of each cue stand.
_ORDER = ("en", "de", "fr", "es", "it", "pt", "nl", "ru", "ja", "zh", "ko", "ar")
NAMES = tuple(CUES)


@cache
def _pattern(name: str, language: str) -> re.Pattern[str]:
    line = CUES[name].strip().splitlines()[_ORDER.index(language)]
    if line.startswith("~"):
        line = rf"(?<!\w)(?:{line[1:]})(?!\w)"
    return re.compile(line, re.IGNORECASE | re.MULTILINE)


def spans(name: str, text: str, language: str) -> list[Span]:
    """Every place where a cue stands, in the text's language and, for borrowed words, in English."""
    languages = dict.fromkeys((language if language in LANGUAGES else "en", "en"))
    found = [match.span() for code in languages for match in _pattern(name, code).finditer(text)]
    return sorted(set(found))


@cache
def _role_pattern(role: str) -> re.Pattern[str]:
    return re.compile(ROLES[role], re.IGNORECASE)


def has_role(role: str, words: str) -> bool:
    return bool(_role_pattern(role).search(words))


@cache
def _authority_pattern(role: str) -> re.Pattern[str]:
    return re.compile(AUTHORITY_WORDS[role], re.IGNORECASE)


def authority_span(text: str) -> tuple[str, Span] | None:
    """The first wording that shows a role."""
    found = [
        (role, match.span()) for role in AUTHORITY_WORDS if (match := _authority_pattern(role).search(text))
    ]
    return min(found, key=lambda item: item[1]) if found else None


def sentences(text: str) -> list[Span]:
    """Sentences and lines, as spans without surrounding blanks."""
    found: list[Span] = []
    for match in re.finditer(r"(?:[^.!?。！？؟\n]|(?<=\d)\.(?=\d)|\.(?=[\w@]))+[.!?。！？؟]*", text):
        start, end = match.span()
        piece = match.group()
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if end > start:
            found.append((start, end))
    return found


def inside(text: str, spots: Sequence[Span], *, without: Sequence[Span] = ()) -> list[Span]:
    """The sentences in which one of ``spots`` begins and none of ``without``."""
    return [
        (start, end)
        for start, end in sentences(text)
        if any(start <= spot < end for spot, _ in spots)
        and not any(start <= spot < end for spot, _ in without)
    ]


def covering(text: str, spots: Sequence[Span]) -> tuple[Span, ...]:
    """The given places, merged where they touch, at most five: what a page can underline."""
    merged: list[Span] = []
    for start, end in sorted(spots):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif 0 <= start < end <= len(text):
            merged.append((start, end))
    return tuple(merged[:5])
