"""Intervals of shares."""

from math import sqrt

_Z = 1.959963984540054  # two-sided 95 % of the normal distribution


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """Wilson's score interval (E. B. Wilson, 1927) at 95 %; None without a trial.

    centre = (p + z²/2n) / (1 + z²/n), half = z √(p(1-p)/n + z²/4n²) / (1 + z²/n). Raises ``ValueError`` for
    impossible counts.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    if trials == 0:
        return None
    share, spread = successes / trials, _Z * _Z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)
