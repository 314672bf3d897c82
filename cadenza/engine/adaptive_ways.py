"""On which channel a touch goes out, and which words build on what was said."""

from collections.abc import Iterable, Sequence

from cadenza.campaigns.contracts import Variant, Way
from cadenza.engine.adaptive_view import Choice, View
from cadenza.engine.contracts import PastTouch, Question
from cadenza.engine.schedule import share
from cadenza.experiments.service import assign
from cadenza.timing.service import draw, likely_best

_ARGUMENT = "argument."
_OWN_WEIGHT = 8.0  # touches that the group's worth counts for beside a person's own


def choose_way(question: Question, view: View) -> tuple[Way | None, Choice | None]:
    """The way of a step; a choice only where there is more than one. None when no channel is usable."""
    ways = [way for way in question.step.ways if way.channel in question.usable]
    ready = [way for way in ways if not _unanswered(way, question.history)] or ways
    if not ready:
        return None, None
    if len(question.step.ways) == 1:
        return ready[0], None
    worths = [_worth(way, question.history, view) for way in ready]
    chances = likely_best([mean for mean, _ in worths], [spread for _, spread in worths])
    way = ready[draw(chances, share(f"{question.key}/channel"))]
    options = [(_name(w), chance) for w, chance in zip(ready, chances, strict=True)]
    return way, Choice("channel", options, _name(way), _why(ready, worths))


def choose_variant(question: Question, way: Way, *, repeat: bool) -> tuple[str | None, Choice | None]:
    """Even among the variants that bring something new; with ``repeat`` among those that say the first argument again."""
    if not way.variants:
        return None, None
    said = [a for touch in question.history for a in touch.attributes if a.startswith(_ARGUMENT)]
    fitting, why = _again(way.variants, said) if repeat else _building(way.variants, said)
    if len(way.variants) == 1:
        return way.variants[0].id, None
    ids = [variant.id for variant in fitting]
    given = assign(f"{question.key}/variant", ids)
    left = [(v.id, 0.0) for v in way.variants if v.id not in ids]
    return given.arm, Choice("variant", [*((i, 1 / len(ids)) for i in ids), *left], given.arm, why)


def _building(variants: Sequence[Variant], said: Iterable[str]) -> tuple[list[Variant], str]:
    known = frozenset(said)
    new = [v for v in variants if _arguments(v) - known and not _arguments(v) & known]
    if not known:
        return list(variants), "evenly among all variants"
    if new:
        return new, "evenly among variants with an argument that was not made yet"
    silent = [v for v in variants if not _arguments(v) & known]
    return (silent, "evenly among variants that repeat nothing") if silent else (list(variants), "evenly among all variants: each argument was made before")  # fmt: skip


def _again(variants: Sequence[Variant], said: Sequence[str]) -> tuple[list[Variant], str]:
    first = said[0] if said else ""
    same = [v for v in variants if first in _arguments(v)]
    return (same, "the first argument again") if same else (list(variants), "evenly among all variants")


def _arguments(variant: Variant) -> frozenset[str]:
    return frozenset(a for a in variant.attributes if a.startswith(_ARGUMENT))


def _unanswered(way: Way, history: Sequence[PastTouch]) -> bool:
    """A LinkedIn message to somebody who did not accept our invitation would not arrive."""
    if (way.channel, way.action) != ("linkedin", "message"):
        return False
    invited = [touch for touch in history if touch.action == "connect"]
    return bool(invited) and not any("accepted" in touch.responses for touch in invited)


def _worth(way: Way, history: Sequence[PastTouch], view: View) -> tuple[float, float]:
    """The group's worth of the way, moved by what this person did on the channel: signs against what was to be expected."""
    mean, spread = view.worth(way.channel, way.action)
    signs = expected = 0.0
    for touch in history:
        if touch.channel == way.channel:
            likely = max(view.opens(touch.channel, touch.action).mean, view.responses(touch.channel, touch.action).mean)  # fmt: skip
            expected += likely
            signs += bool(touch.responses)
    factor = (_OWN_WEIGHT / 4 + signs) / (_OWN_WEIGHT / 4 + expected)
    return mean * factor, spread * factor


def _why(ways: Sequence[Way], worths: Sequence[tuple[float, float]]) -> str:
    said = (f"{_name(w)} {mean:.1%}" for w, (mean, _) in zip(ways, worths, strict=True))
    return f"replies per touch expected from this person: {', '.join(said)}"


def _name(way: Way) -> str:
    return f"{way.channel}: {way.action}"
