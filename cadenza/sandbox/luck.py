"""Chance of one person and touch: every draw that could be needed, made at once from a key.

A stream never depends on what was drawn before it, so two runs that differ only in policy share their luck.
"""

import hashlib
import struct
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from statistics import NormalDist

_NAMES = (
    "deliver", "machine_open", "machine_click", "open", "click", "reply", "stop", "complain", "absent", "how",
    "after_absence", "answer", "absent_days", "delay", "intent", "accept", "connect", "converse", "meet", "meeting",
    "opportunity", "win", "value", "answer_delay",
)  # fmt: skip
_UNPACK = struct.Struct("<24Q").unpack
_BITS = 53  # as many as a float holds exactly
_NORMAL = NormalDist()


def draws(*key: object) -> dict[str, float]:
    """Numbers in (0, 1) by name, evenly spread and independent of each other and of other keys'."""
    text = "|".join(map(str, key)).encode()
    raw = b"".join(hashlib.blake2b(text, digest_size=64, salt=salt).digest() for salt in (b"1", b"2", b"3"))
    return {
        name: ((number >> (64 - _BITS)) + 0.5) / (1 << _BITS)
        for name, number in zip(_NAMES, _UNPACK(raw), strict=True)
    }


def normal(point: float) -> float:
    """The value of the standard normal distribution below which this share lies."""
    return _NORMAL.inv_cdf(point)


def choice(point: float, shares: Mapping[str, float]) -> str:
    """Which of them the point falls on when they are laid side by side."""
    reached = list(accumulate(shares.values()))
    place = bisect(reached, point * reached[-1])
    return list(shares)[min(place, len(reached) - 1)]
