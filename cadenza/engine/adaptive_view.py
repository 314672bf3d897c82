"""What was learned about a combination of groups, computed once and then asked for each of its people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cadenza.ledger.contracts import Decision, Option
from cadenza.timing.service import (
    MOST_RECENT,
    OPENED,
    RESPONDED,
    SHOWN,
    STOPPED,
    WON,
    Curves,
    Rate,
    assumed_factor,
)

_START = {
    ("email", "send"): (0.35, 0.04),
    ("linkedin", "message"): (0.0, 0.06),
    ("linkedin", "connect"): (0.0, 0.25),
    ("phone", "call"): (0.0, 0.1),
}
"""Opens and responses of a touch before anything is known; outweighed by a few dozen touches."""
_START_WEIGHT = 25.0
_SIDE = 0.1  # what a response that is no reply is worth beside one
_DOUBT = 1.64  # standard deviations by which tiredness has to show: one case in twenty by chance
_STOP = (
    5.0  # replies that an unsubscribe costs: all that the person would still have said, and the sender's name
)

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice as it was made; the policy adds its name."""

    what: str
    options: Sequence[tuple[str, float]]
    taken: str
    reason: str

    def decision(self, policy: str, version: int) -> Decision:
        options = tuple(Option(option, probability) for option, probability in self.options)
        return Decision(
            what=self.what,
            options=options,
            taken=self.taken,
            reason=self.reason,
            policy=policy,
            version=version,
        )


class View:
    """``hours`` is the curve of the groups; rates and effects are remembered as they are asked for."""

    def __init__(self, curves: Curves, groups: tuple[str, ...]) -> None:
        self.made_at = curves.changes
        self.groups = groups
        self.hours = curves.hours(groups)
        self._curves = curves
        self._rates: dict[tuple[str, str, int], Rate] = {}
        self._worths: dict[tuple[str, str], tuple[float, float]] = {}
        self._effects: dict[str, float] = {}

    def opens(self, channel: str, action: str) -> Rate:
        return self._rate(channel, action, OPENED)

    def responses(self, channel: str, action: str) -> Rate:
        return self._rate(channel, action, RESPONDED)

    def worth(self, channel: str, action: str) -> tuple[float, float]:
        """What a touch brings, in replies (a meeting counts as one more), and how unsure that is (standard deviation)."""
        found = self._worths.get((channel, action))
        if found is None:
            won, side = self._rate(channel, action, WON), self._rate(channel, action, RESPONDED)
            mean = won.mean + _SIDE * max(side.mean - won.mean, 0.0)
            found = mean, math.sqrt(max(mean * (1 - min(mean, 0.9)), 1e-4) / won.weight)
            self._worths[channel, action] = found
        return found

    def effect(self, kind: str) -> float:
        """The factor on responses of a kind of dated event: the assumption, as far as responses do not say otherwise."""
        found = self._effects.get(kind)
        if found is None:
            found = self._curves.effect(self.groups, kind, assumed_factor(kind)).mean
            self._effects[kind] = found
        return found

    @cached_property
    def tiredness(self) -> tuple[float, ...]:
        """By touches of the week before, on any channel: the share of a touch's worth that is lost.

        Falling responses, and growing unsubscribes at ``_STOP`` replies each. Only what shows beyond doubt counts, and it
        never falls with more touches.
        """
        scope = next((g for g in self.groups if self._curves.kinds(g)), "")
        kinds = [self._by_recent(scope, *kind) for kind in sorted(self._curves.kinds(scope))]
        whole = sum(kinds, np.zeros((MOST_RECENT + 1, 5)))
        losses, most = [0.0], 0.0
        for recent in range(1, MOST_RECENT + 1):
            most = max(most, _fall(kinds, recent) + _stops(whole[0], whole[recent]))
            losses.append(most)
        return tuple(losses)

    def _by_recent(self, scope: str, channel: str, action: str) -> Counts:
        counts = np.zeros((MOST_RECENT + 1, 5))
        for (recent, market), cells in self._curves.totals(scope, channel, action).items():
            if not market:
                counts[recent] += cells
        return counts

    def _rate(self, channel: str, action: str, what: int) -> Rate:
        key = (channel, action, what)
        found = self._rates.get(key)
        if found is None:
            opens, responses = _START.get((channel, action), (0.0, 0.05))
            start = {OPENED: opens, RESPONDED: responses, WON: responses}[what]
            if what == WON and action == "connect":
                start = 0.0
            found = self._curves.rate(self.groups, channel, action, what, Rate(start, _START_WEIGHT))
            self._rates[key] = found
        return found


def _fall(kinds: Sequence[Counts], recent: int) -> float:
    """The share of responses that is surely lost, over the channels and actions that were used rested and tired."""
    compared = [k for k in kinds if k[0, SHOWN] and k[recent, SHOWN]]
    weight = sum(float(k[recent, SHOWN]) for k in compared)
    lost = sum(
        float(k[recent, SHOWN]) * max(_surely_less(k[0], k[recent], what) for what in (OPENED, RESPONDED))
        for k in compared
    )
    return lost / weight if weight else 0.0


def _stops(fresh: Counts, tired: Counts) -> float:
    """What surely more unsubscribes cost, in shares of the touch's worth."""
    if not fresh[SHOWN] or not tired[SHOWN]:
        return 0.0
    worth = (fresh[RESPONDED] + tired[RESPONDED] + 1) / (fresh[SHOWN] + tired[SHOWN])
    return _STOP * _surely_above(tired, fresh, STOPPED) / float(worth)


def _surely_less(fresh: Counts, tired: Counts, what: int) -> float:
    return _surely_above(fresh, tired, what) * float(fresh[SHOWN] / fresh[what]) if fresh[what] else 0.0


def _surely_above(more: Counts, less: Counts, what: int) -> float:
    """By how much the first share is above the second, less the doubt of the difference of two shares."""
    pooled = (more[what] + less[what] + 0.5) / (more[SHOWN] + less[SHOWN])
    doubt = _DOUBT * math.sqrt(max(pooled * (1 - pooled), 0.0) * (1 / more[SHOWN] + 1 / less[SHOWN]))
    return max(float(more[what] / more[SHOWN] - less[what] / less[SHOWN] - doubt), 0.0)
