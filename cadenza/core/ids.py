"""Identifiers: time-ordered for new rows, derived where a restore must find the same one again."""

import os
import time
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0d1f2e-6a43-5d0a-9a58-2f3b7a1c9d10")


def new_id() -> UUID:
    """UUID version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random bits.

    The one place beside ``core.clock`` that reads the machine's time: an id's time is never shown
    nor compared, it only keeps neighbouring rows together in the index.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    return UUID(int=value & ~(0x3 << 62) | (0x2 << 62))


def derived_id(*parts: object) -> UUID:
    """The same parts give the same id, on every machine and after every restore."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))
