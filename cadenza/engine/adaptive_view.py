"""What was learned about a combination of groups, computed once and then asked for each of its people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
_DOUBT = 1.0  # standard deviations by which tiredness has to show


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
        self._tired: dict[tuple[str, str], tuple[float, ...]] = {}

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

    def tiredness(self, channel: str, action: str) -> tuple[float, ...]:
        """By touches of the week before: the share of a touch's worth that is lost, unsubscribes counted as lost replies.

        Only what shows beyond doubt counts, and it never falls with more touches.
        """
        found = self._tired.get((channel, action))
        if found is None:
            found = self._tired[channel, action] = self._tire(channel, action)
        return found

    def _tire(self, channel: str, action: str) -> tuple[float, ...]:
        counts = np.zeros((MOST_RECENT + 1, 5))
        scope = next((g for g in self.groups if self._curves.totals(g, channel, action)), "")
        for (recent, market), cells in self._curves.totals(scope, channel, action).items():
            if not market:
                counts[recent] += cells
        losses, most = [0.0], 0.0
        for recent in range(1, MOST_RECENT + 1):
            most = max(most, self._lost(counts[0], counts[recent], channel, action))
            losses.append(most)
        return tuple(losses)

    def _lost(self, fresh: np.ndarray, tired: np.ndarray, channel: str, action: str) -> float:
        """Falling responses (opens and replies together) and growing unsubscribes."""
        if fresh[SHOWN] == 0 or tired[SHOWN] == 0:
            return 0.0
        fall = max(_surely(fresh, tired, what) for what in (OPENED, RESPONDED))
        rise = _surely(tired, fresh, STOPPED, relative=False)
        return fall + rise / max(self.responses(channel, action).mean, 0.01)

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


def _surely(more: np.ndarray, less: np.ndarray, what: int, *, relative: bool = True) -> float:
    """By how much the first share is above the second, less the doubt; relative to the first unless told otherwise."""
    high, low = more[what] / more[SHOWN], less[what] / less[SHOWN]
    pooled = (more[what] + less[what] + 0.5) / (more[SHOWN] + less[SHOWN])
    doubt = _DOUBT * math.sqrt(pooled * (1 - min(pooled, 1.0)) * (1 / more[SHOWN] + 1 / less[SHOWN]))
    sure = max(float(high - low - doubt), 0.0)
    return sure / float(high) if relative and high else sure * (not relative)
