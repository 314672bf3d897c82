"""Which of two intents counts when the words of both stand in one reply."""

from datetime import timedelta

from cadenza.understanding import cues
from cadenza.understanding.cues import Span
from cadenza.understanding.reading import Reading
from cadenza.understanding.slots import Slot

_WHOLE_DAY = timedelta(hours=9)  # a day without an hour; it is named more often than offered


def offers_meeting(reading: Reading) -> bool:
    """An hour to talk beside another request: with words of meeting, or in a sentence that asks for nothing else."""
    if reading.has("no"):
        return False
    wanted = cues.inside(reading.text, reading.marks["information"], without=reading.marks["meeting"])
    return any(
        _is_hour(slot) and not any(start <= slot.start < end for start, end in wanted)
        for slot in reading.slots
    )


def _is_hour(slot: Slot) -> bool:
    return slot.until is None or slot.until - slot.at < _WHOLE_DAY


def names_a_later_time(reading: Reading) -> bool:
    """They say when to come back: a later day or period, and in its sentence more than the date itself that asks for it."""
    when = reading.come_back
    if when is None:
        return False
    asked = [spot for spot in reading.marks["later"] if not _overlap(spot, (when.start, when.end))]
    return any(start <= when.start < end for start, end in cues.inside(reading.text, asked))


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
