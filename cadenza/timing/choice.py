"""Choosing with known probability among options whose worth is only estimated.

Each option is weighed by the chance that it beats the one that looks best, for normal errors, raised to a power that
makes clear differences count; what is left over explores evenly. It stands for Thompson's rule (Biometrika 25, 1933,
285-294: take each option as often as it is likely to be the best), whose own probabilities have no closed form, while
these can be written into the Decision exactly.
"""

import math
from collections.abc import Sequence

_POWER = 4
EXPLORED = 0.02  # share that is spread over all options whatever they look like


def likely_best(
    means: Sequence[float], spreads: Sequence[float], sizes: Sequence[float] | None = None
) -> list[float]:
    """The probability with which each option is taken; they add up to 1.

    ``spreads`` are standard deviations; ``sizes`` how much there is of each option, even when left out.
    """
    amounts = sizes or [1.0] * len(means)
    best = max(range(len(means)), key=means.__getitem__)
    top, unsure = means[best], spreads[best] ** 2
    weights = [
        amount * _beats(mean - top, math.sqrt(spread * spread + unsure))
        for mean, spread, amount in zip(means, spreads, amounts, strict=True)
    ]
    total, whole = math.fsum(weights), math.fsum(amounts)
    return [
        (1 - EXPLORED) * weight / total + EXPLORED * amount / whole
        for weight, amount in zip(weights, amounts, strict=True)
    ]


def draw(probabilities: Sequence[float], point: float) -> int:
    """The option at which ``point`` (0 to 1) lies when they are laid side by side."""
    reached = 0.0
    for place, probability in enumerate(probabilities):
        reached += probability
        if point < reached:
            return place
    return len(probabilities) - 1


def _beats(lead: float, spread: float) -> float:
    """1 for the best one itself."""
    if spread == 0:
        return 1.0 if lead >= 0 else 0.0
    return math.erfc(-lead / spread / math.sqrt(2)) ** _POWER
