"""Rehearsal letters: ties each claim about a text to the words that it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Span = tuple[int, int]
LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that the same claims rest on. ``opens`` are the letters whose box stands before it."""

    text: str
    letters: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()


def letters_of(evidence: Mapping[str, Sequence[Span]], length: int) -> dict[str, str]:
    """A letter for each field that has evidence in a text of ``length`` characters, in the order of the text.

    Fields that rest on the same words share one letter; when the letters run out, the last fields have none.
    """
    places = {field: _clipped(spans, length) for field, spans in evidence.items()}
    distinct = sorted({spans for spans in places.values() if spans})
    letter_of = dict(zip(distinct, LETTERS, strict=False))
    return {field: letter_of[spans] for field, spans in places.items() if spans in letter_of}


def pieces_of(text: str, evidence: Mapping[str, Sequence[Span]]) -> list[Piece]:
    """``text`` cut where evidence begins or ends; joined again the pieces are the text."""
    letters = letters_of(evidence, len(text))
    spans = {letter: _clipped(evidence[field], len(text)) for field, letter in letters.items()}
    edges = sorted({0, len(text), *(edge for each in spans.values() for span in each for edge in span)})
    return [_piece(text, start, end, spans) for start, end in pairwise(edges)]


def _piece(text: str, start: int, end: int, spans: Mapping[str, Sequence[Span]]) -> Piece:
    inside = sorted(letter for letter, each in spans.items() if any(a <= start and end <= b for a, b in each))
    opens = [letter for letter in inside if any(a == start for a, _ in spans[letter])]
    return Piece(text[start:end], tuple(inside), tuple(opens))


def _clipped(spans: Sequence[Span], length: int) -> tuple[Span, ...]:
    """In order, within the text, those that touch or overlap joined."""
    joined: list[Span] = []
    for start, end in sorted((max(a, 0), min(b, length)) for a, b in spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
