"""Identifiers: time-ordered for new rows, derived where a restore must find the same one again."""

import os
import time
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0d1f2e-6a43-5d0a-9a58-2f3b7a1c9d10")


def new_id() -> UUID:
    """UUID version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, 12 bits of their fraction (6.2, method 3), then
    random bits; so that rows made one after the other in one process sort in that order.

    The one place beside ``core.clock`` that reads the machine's time: an id's time is never shown nor used to decide.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random)


def derived_id(*parts: object) -> UUID:
    """The same parts give the same id, on every machine and after every restore."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))
