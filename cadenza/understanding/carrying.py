"""Which words of a reply carry a label: its sentences, without the greeting above and the name below them."""

from collections.abc import Sequence

from cadenza.understanding import text_words as words
from cadenza.understanding.cues import Span, sentences
from cadenza.understanding.greeting import greeted
from cadenza.understanding.heads import load_model, part_scores
from cadenza.understanding.reading import Reading

_CONSIDERED = 20  # sentences; who needs more to say what they want says it early


def frame(reading: Reading) -> list[Span]:
    """The greeting at the start and the closing at the end: they are no evidence of what somebody wants."""
    text = reading.text
    start, end = greeted(text), _closed(text)
    return [span for span in ((0, start), (end, len(text))) if span[0] < span[1]] if start < end else []


def _closed(text: str) -> int:
    """Where a closing formula, with nothing but short lines below it, begins."""
    end, short = len(text), 0
    for line in reversed(text.split("\n")):
        end -= len(line)
        if words.CLOSING_LINE.match(line):
            return end
        short += bool(line.strip())
        if short > 4 or len(line) > 60:
            break
        end -= 1
    return len(text)


def outside(spots: Sequence[Span], framing: Sequence[Span]) -> list[Span]:
    return [spot for spot in spots if not any(start <= spot[0] < end for start, end in framing)]


def said(reading: Reading) -> list[Span]:
    """The sentences between greeting and closing."""
    framing, found = frame(reading), []
    for start, end in sentences(reading.text):
        for first, last in framing:
            if first <= start < last:
                start = min(last, end)  # noqa: PLW2901 - a greeting ends inside the first sentence
        start += len(reading.text[start:end]) - len(reading.text[start:end].lstrip())  # noqa: PLW2901
        if start < end and any(letter.isalnum() for letter in reading.text[start:end]):
            found.append((start, end))
    return found[:-1] if len(found) > 1 and _is_name(reading.text[slice(*found[-1])]) else found


def _is_name(line: str) -> bool:
    """A last line such as "Tom Hale": up to three words with capitals and no end of a sentence."""
    parts = line.split()
    return len(parts) <= 3 and all(part[:1].isupper() for part in parts) and line[-1] not in ".?!"


def carrying(reading: Reading, intent: str) -> list[Span]:
    """The one sentence that speaks most for an intent where no known wording stands in the text."""
    found = said(reading)
    if not found:
        return []
    if intent == "meeting_request" and reading.slots:
        offers = [s for s in found if any(s[0] <= slot.start < s[1] for slot in reading.slots)]
        if offers:
            return offers[:1]
    if len(found) == 1 or intent not in load_model().heads["intent"].labels:
        return found[:1]
    considered = found[:_CONSIDERED]
    scores = part_scores(reading, considered, "intent", intent)
    return [max(zip(scores, considered, strict=True), key=lambda pair: pair[0])[1]]
