"""By how much one policy reached more than another, and how sure that is.

The lift is the ratio of two sums less one. Its interval comes from the residuals of the ratio (W. G. Cochran, Sampling
Techniques, 3rd ed., 1977, section 6.4): with R = Σt/Σb and d = t - R·b over n paired units, the standard error is
sd(d) / (mean(b)·√n), times Student's t with n - 1 degrees of freedom at 95 %. Over runs the units are the runs; within one
run they are the companies, because colleagues share caps and stops.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from cadenza.lab.contracts import Lift

_Z = 1.959963984540054  # two-sided 95 % of the normal distribution
_FEW = {1: 12.706205, 2: 4.302653, 3: 3.182446}  # degrees of freedom for which the series is too coarse


def lift(tested: Sequence[float], baseline: Sequence[float]) -> Lift:
    """Paired sums of the same units. Nothing on both sides is no difference; nothing in the baseline alone has no ratio."""
    t, b = np.asarray(tested, dtype=float), np.asarray(baseline, dtype=float)
    if not b.sum():
        return Lift(None, None) if t.sum() else Lift(0.0, (0.0, 0.0))
    ratio = float(t.sum() / b.sum())
    if len(b) < 2:
        return Lift(ratio - 1, None)
    residuals = t - ratio * b
    error = float(residuals.std(ddof=1)) / (float(b.mean()) * sqrt(len(b)))
    half = student(len(b) - 1) * error
    return Lift(ratio - 1, (ratio - 1 - half, ratio - 1 + half))


def student(freedom: int) -> float:
    """The two-sided 95 % point of Student's t: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions (1964), 26.7.5."""
    if freedom in _FEW:
        return _FEW[freedom]
    z, n = _Z, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )
