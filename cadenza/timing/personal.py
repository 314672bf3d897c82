"""A person's own hour: how likely each hour of the day is to be the one at which they respond best, from few touches.

Bayes' rule over the statements "hour h is theirs" and "they have none": at their own hour the odds of any response are
multiplied by ``FACTOR``. One touch says little, so everybody starts with the same prior and hours that were never tried
keep it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FACTOR = 3.0  # odds at one's own hour: an assumption
SHARE = 0.5  # of people who have one: an assumption
_AWAKE = 16  # hours of the day that can be somebody's own


@dataclass(frozen=True, slots=True)
class Tried:
    """A touch at an hour of the day, the chance of the outcome without an hour of one's own, and whether it came."""

    hour: int
    chance: float
    happened: bool


def own_hours(tried: Iterable[Tried]) -> tuple[dict[int, float], float]:
    """Probability for each hour that was tried, and for any other single one.

    Without touches every hour has the prior's. The probabilities over ``_AWAKE`` hours and of having none add up to 1.
    """
    likelihood: dict[int, float] = {}
    for touch in tried:
        grown = with_odds(touch.chance, FACTOR)
        ratio = grown / touch.chance if touch.happened else (1 - grown) / (1 - touch.chance)
        likelihood[touch.hour] = likelihood.get(touch.hour, 1.0) * ratio
    each = SHARE / _AWAKE
    total = 1 - SHARE + each * (_AWAKE - len(likelihood) + sum(likelihood.values()))
    return {hour: each * value / total for hour, value in likelihood.items()}, each / total


def with_odds(chance: float, factor: float) -> float:
    """The chance after its odds are multiplied."""
    odds = chance / (1 - chance) * factor
    return odds / (1 + odds)
