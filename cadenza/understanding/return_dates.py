"""When somebody is back, or when we are asked to come back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cadenza.understanding.calendar_tokens import Token, tokenize
from cadenza.understanding.days import Day, DayKind, find_days, next_working_day, same_or_next_working_day

# A phrase that names the first day back, before or after the day.
_BACK = re.compile(
    r"\b(?:(?:be |am |i'm )?back|return(?:ing|s)?|available again|resume|reachable again|in the office again|"
    r"wieder|zurück|zurueck|de retour|(?:serai|suis) (?:de nouveau|à nouveau)|reviens|rentre(?:rai)?|reprend(?:s|rai)|mon retour|"
    r"de vuelta|regres(?:o|aré|ar)|vuelvo|volveré|reincorpor\w+|rientr(?:o|erò)|di ritorno|tornerò|sarò di nuovo|de volta|retorn(?:o|arei)|regresso|"
    r"terug|weer (?:aanwezig|bereikbaar)|verne?усь|вернусь|буду снова|снова буду|на рабочем месте)\b|"
    r"出社|戻り|より(?:通常|業務)|返回|回来|恢复|复귀|복귀|출근|أعود|سأعود|العودة",
    re.IGNORECASE,
)
_INCLUSIVE = re.compile(
    r"\b(?:inclusive|included|through|thru|einschl\w*\.?|inkl\w*\.?|bis und mit|t/m|tot en met|inclus\w*|compris\w*|compreso|incluso|включительно)\b",
    re.IGNORECASE,
)
_LANGUAGES_EXCLUSIVE = ("en",)  # "out until 2 December" in English is back on the 2nd


@dataclass(frozen=True, slots=True)
class Found:
    """A day and the characters it was read from."""

    day: date
    start: int
    end: int


def first_day_back(text: str, language: str, received: date, *, american: bool = False) -> Found | None:
    """The first working day of an absence's end. A phrase of return counts before an "until"."""
    tokens = tokenize(text, language, american=american)
    days = find_days(tokens, received)
    stated = _stated_return(text, tokens, days)
    if stated:
        return Found(same_or_next_working_day(stated.first), stated.start, stated.end)
    ends = [day for day in days if _is_end(tokens, days, day)]
    if not ends:
        return _only_day(days, received)
    last = ends[0]
    return Found(_after(text, tokens, days, last, language), last.start, last.end)


def _sentence(text: str, place: int) -> tuple[int, int]:
    """Borders of the sentence around a place; the point of "12. December" ends none."""
    borders = [0, *(m.end() for m in re.finditer(r"(?<!\d)[.!?](?=\s)|[。！？\n]", text)), len(text)]
    return max(b for b in borders if b <= place), min((b for b in borders if b > place), default=len(text))


def _stated_return(text: str, tokens: Sequence[Token], days: Sequence[Day]) -> Day | None:
    """The day of the sentence that speaks of return, unless an "until" governs that day."""
    for phrase in _BACK.finditer(text):
        start, end = _sentence(text, phrase.start())
        inside = [
            day for day in days if start <= day.start < end and not _negated(text[start : phrase.start()])
        ]
        following = [day for day in inside if day.start >= phrase.start()]
        candidates = [
            day
            for day in following or inside[::-1]
            if not _governed(tokens, day, "B") and not _until_phrase(text, phrase.end(), day)
        ]
        if candidates:
            return candidates[0]
    return None


def _negated(before: str) -> bool:
    return bool(
        re.search(r"\b(?:not|nicht|pas|non|niet|no|não|не)(?:\s+\w+){0,2}\s*$", before, re.IGNORECASE)
    )


def _until_phrase(text: str, phrase_end: int, day: Day) -> bool:
    """As in "erst wieder ... bis" does not occur; "not back until 7 December" does, and names the day back."""
    return bool(
        re.search(r"\b(?:bis|jusqu|hasta|fino|até|tot)\b", text[phrase_end : day.start], re.IGNORECASE)
    )


def _governed(tokens: Sequence[Token], day: Day, signs: str) -> bool:
    return (
        day.token > 0 and tokens[day.token - 1].sign in signs and tokens[day.token - 1].word.lower() != "by"
    )


def _is_end(tokens: Sequence[Token], days: Sequence[Day], day: Day) -> bool:
    """After "until", or the second of a range."""
    following = (
        day.end_token < len(tokens)
        and tokens[day.end_token].sign == "B"
        and tokens[day.end_token].word in ("まで", "까지", "为止")
    )
    if _governed(tokens, day, "B") or following or day.first < day.last:
        return True
    return any(
        other.end_token < day.token and _is_range(tokens[other.end_token : day.token]) for other in days
    )


def _is_range(between: Sequence[Token]) -> bool:
    return "".join(token.sign for token in between) in ("-", "B", "a") and not any(
        token.word == "at" for token in between
    )


def _after(text: str, tokens: Sequence[Token], days: Sequence[Day], last: Day, language: str) -> date:
    ranged = (
        any(other.end_token <= last.token and other is not last for other in days) or last.first < last.last
    )
    said = _INCLUSIVE.search(text[max(0, last.start - 25) : last.end + 20])
    inclusive = ranged or said or language not in _LANGUAGES_EXCLUSIVE or _word_is_inclusive(tokens, last)
    return next_working_day(last.last) if inclusive else same_or_next_working_day(last.last)


def _word_is_inclusive(tokens: Sequence[Token], last: Day) -> bool:
    return last.token > 0 and tokens[last.token - 1].value == "1"


def _only_day(days: Sequence[Day], received: date) -> Found | None:
    """As in "I am out today", "away this week": the working day after. A day that merely occurs tells nothing."""
    near = [day for day in days if day.kind is not DayKind.PERIOD and day.first <= received <= day.last]
    if not near:
        return None
    return Found(next_working_day(near[0].last), near[0].start, near[0].end)


def day_to_come_back(text: str, language: str, received: date, *, american: bool = False) -> Found | None:
    """The day that a person asks us to write again: the first day of the time they name, or the day after "after X"."""
    return come_back_in(text, tokenize(text, language, american=american), received)


def come_back_in(text: str, tokens: Sequence[Token], received: date) -> Found | None:
    """The same, where the signs are known already."""
    days = [day for day in find_days(tokens, received) if day.last > received]
    if not days:
        return None
    ahead = [
        day for day in days if day.first > received
    ]  # "not this quarter, in August": the former has begun
    chosen = max(ahead or days, key=lambda day: (_asks(text, day), -day.start))
    after = chosen.token > 0 and tokens[chosen.token - 1].sign == "A"
    after = after or (
        chosen.end_token < len(tokens)
        and tokens[chosen.end_token].sign == "A"
        and tokens[chosen.end_token].word in ("以降", "の後", "之后", "以后", "이후")
    )
    day = chosen.first
    if after and chosen.last > chosen.first:
        day = date.fromordinal(chosen.last.toordinal() + 1)
    return Found(day, chosen.start, chosen.end) if day > received else None


_ASKS = re.compile(
    r"\b(?:back|again|touch base|reach out|reconnect|revisit|follow[- ]?up|contact|ping|try|check in|call|write|circle|talk|speak|"
    r"melden|wieder|nochmal|noch einmal|erneut|sprechen|anrufen|schreiben|kontakt\w*|nachfassen|"
    r"recontact\w*|revenez|revenir|relanc\w*|reparl\w*|rappel\w*|reprend\w*|écri\w*|"
    r"contact\w*|vuelv\w*|volver|escrib\w*|llám\w*|retom\w*|habl\w*|risent\w*|ricontatt\w*|voltar|retomar|terug|opnieuw)\b|"
    r"また|再|다시|снова|вернёмся|напишите|مرة أخرى",
    re.IGNORECASE,
)


def _asks(text: str, day: Day) -> int:
    """2 in the clause that asks us to come back, 1 in its sentence, else 0."""
    start, end = _sentence(text, day.start)
    clause_start = max(text.rfind(mark, start, day.start) for mark in ",;–—、，") + 1 or start
    clause_end = min(
        (place for mark in ",;–—、，" if (place := text.find(mark, day.end, end)) >= 0), default=end
    )
    return bool(_ASKS.search(text[start:end])) + bool(_ASKS.search(text[clause_start:clause_end]))
