"""At which hour a touch goes out: the group's curve, the person's own hour, and a logged chance for every hour that is open."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cadenza.campaigns.contracts import Way
from cadenza.engine.adaptive_view import Choice, View
from cadenza.engine.contracts import PastTouch, Question
from cadenza.engine.schedule import share
from cadenza.timing.service import (
    FACTOR,
    OpenHour,
    Tried,
    WorkingTime,
    draw,
    likely_best,
    own_hours,
    with_odds,
    zone_info,
)

_NEXT_DAYS = 2  # working days after the first on which an hour may lie that is worth the wait
_WAIT = 0.04  # share of a touch's worth that a day of waiting costs
_SURE = 1.5  # standard deviations by which a later hour has to be better
SETTLES = timedelta(hours=20)  # how long after a touch silence begins to mean something
_RARE = 0.01  # opens below this share are not counted, or not seen
_PERSONAL = (
    60  # how strongly a difference between a person's own hours counts: it is known exactly, the curve is not
)
_REMEMBERED = 8  # touches of the person that are looked at
_LABELS = tuple(f"{day} {hour:02}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") for hour in range(24))  # fmt: skip


def choose_hour(
    question: Question, way: Way, view: View, calendar: WorkingTime, start: datetime
) -> tuple[datetime, Choice]:
    """A moment not before ``start``, which is inside the window: on its day, or on one soon after that is surely better."""
    own, other, gain = _own(question, way, view)
    pieces = _candidates(view, calendar, start)
    mean, spread = view.hours.mean, view.hours.spread
    factors = [1 + own.get(piece.hour % 24, other) * gain for piece in pieces]
    most = max(factors)
    means = [mean[p.hour] * factor for p, factor in zip(pieces, factors, strict=True)]
    minutes = [
        (p.end - p.begin).total_seconds() / 60 * (factor / most) ** _PERSONAL
        for p, factor in zip(pieces, factors, strict=True)
    ]
    chances = likely_best(means, [spread[p.hour] for p in pieces], minutes)
    piece = pieces[draw(chances, share(f"{question.key}/hour/{start.date()}"))]
    at = piece.begin + (piece.end - piece.begin) * share(f"{question.key}/minute")
    options = [(_LABELS[p.hour], chance) for p, chance in zip(pieces, chances, strict=True)]
    return at, Choice("time", options, _LABELS[piece.hour], _reason(view, piece, own, gain))


def _candidates(view: View, calendar: WorkingTime, start: datetime) -> list[OpenHour]:
    """What is left of the first day, and hours of the next ones that beat its best by more than waiting costs."""
    day = start.astimezone(calendar.zone).date()
    today = [
        p if p.begin >= start else OpenHour(p.hour, start, p.end)
        for p in calendar.open_hours(day)
        if p.end > start
    ]
    if not today:  # a clock set back over midnight shows the day before again
        begin, end = calendar.stretch(start)
        today = [OpenHour(calendar.hour_of_week(begin), begin, end)]
    mean, spread = view.hours.mean, view.hours.spread
    best = max(today, key=lambda p: mean[p.hour])
    found = today
    for ahead in range(1, _NEXT_DAYS + 1):
        day = calendar.working_day_after(day)
        bar = mean[best.hour] * (1 + _WAIT * ahead)
        found = found + [
            p
            for p in calendar.open_hours(day)
            if mean[p.hour] - _SURE * (spread[p.hour] ** 2 + spread[best.hour] ** 2) ** 0.5 > bar
        ]
    return found


def _own(question: Question, way: Way, view: View) -> tuple[dict[int, float], float, float]:
    """For hours that were tried, the chance that they are the person's own; that of any other; and what such an hour adds."""
    tried = _tried(question, view)
    own, other = own_hours(tried)
    chance = max(min(view.responses(way.channel, way.action).mean, 0.9), 0.005)
    return own, other, with_odds(chance, FACTOR) / chance - 1


def _tried(question: Question, view: View) -> list[Tried]:
    if not question.history:
        return []
    zone = zone_info(question.person.zone)
    asked = question.now or question.earliest
    found: list[Tried] = []
    for touch in question.history[-_REMEMBERED:]:
        if touch.responses or asked - touch.at >= SETTLES:
            local = touch.at.astimezone(zone)
            found += _outcomes(touch, local.hour, view, view.hours.mean[local.weekday() * 24 + local.hour])
    return found


def _outcomes(touch: PastTouch, hour: int, view: View, index: float) -> Sequence[Tried]:
    opens, responses = (
        view.opens(touch.channel, touch.action).mean,
        view.responses(touch.channel, touch.action).mean,
    )
    replied = not touch.responses.isdisjoint(("replied", "accepted", "connected"))
    found = [Tried(hour, _chance(responses * index), replied)]
    if opens > _RARE:
        opened = not touch.responses.isdisjoint(("opened", "clicked"))
        found.append(Tried(hour, _chance(opens * index), opened))
    return found


def _chance(value: float) -> float:
    return min(max(value, 0.005), 0.9)


def _reason(view: View, piece: OpenHour, own: dict[int, float], gain: float) -> str:
    words = f"responses at this hour are {view.hours.mean[piece.hour]:.2f} times the average"
    if view.made_at == 0:
        words = "nothing is learned yet, so mornings lead a little"
    mine = own.get(piece.hour % 24)
    return f"{words}; {mine:.0%} likely to be the person's own hour" if mine and gain else words
