"""Which arm of an experiment a unit gets: even, and the same on every machine and after every restore.

The key is hashed with SHA-256; its first 53 bits are read as a number in [0, 1) and laid over the arms'
shares. Hashes of different keys are independent, hence so are experiments whose keys differ.
"""

import hashlib
import math
from collections.abc import Sequence

from cadenza.core.errors import CadenzaError
from cadenza.experiments.contracts import Assignment

_BITS = 53  # as many as a float holds exactly


def assign(key: str, arms: Sequence[str], weights: Sequence[float] | None = None) -> Assignment:
    """The arm of the unit that ``key`` names, such as ``campaign/step/contact``.

    ``weights`` are relative shares, even when left out. Raises ``CadenzaError`` for no arms, a repeated arm, or
    weights that are not one non-negative number per arm.
    """
    shares = _shares(arms, weights)
    point = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> (64 - _BITS)
    place, reached = point / (1 << _BITS), 0.0
    for arm, share in zip(arms, shares, strict=True):
        reached += share
        if place < reached:
            return Assignment(arm, share)
    arm, share = next((a, s) for a, s in zip(reversed(arms), reversed(shares), strict=True) if s > 0)
    return Assignment(arm, share)  # the shares added up to a hair less than 1


def _shares(arms: Sequence[str], weights: Sequence[float] | None) -> list[float]:
    if not arms or len(set(arms)) != len(arms):
        raise CadenzaError("arms_invalid", "An experiment needs arms with different names.")
    if weights is None:
        return [1 / len(arms)] * len(arms)
    total = math.fsum(weights)
    if len(weights) != len(arms) or not all(w >= 0 for w in weights) or not 0 < total < math.inf:
        raise CadenzaError(
            "weights_invalid", "Weights are one non-negative number per arm, not all of them 0."
        )
    return [weight / total for weight in weights]
