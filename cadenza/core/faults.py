"""Crash points for fault tests: ``FAULT=point:n`` kills this process at the nth visit of that point.

A point stands right before or after a commit or a socket write. Without the variable a visit costs
one comparison. The kill is SIGKILL: no cleaning up, as in a real crash.
"""

import os
import signal
from collections import Counter

POINTS: dict[str, str] = {
    "claim.before_commit": "touches are claimed, nothing is committed",
    "claim.after_commit": "claims are committed, nothing is on the wire",
    "sending.before_commit": "the next message is composed, not yet marked as sending",
    "sending.after_commit": "its mark is committed, nothing is on the wire",
    "wire.after_write": "the message is written to the socket, no answer read",
    "wire.after_reply": "the relay has answered, nothing is recorded",
    "record.before_commit": "outcomes are written, not committed",
    "record.after_commit": "outcomes are committed",
    "inbound.before_commit": "a fetched message is stored, not committed",
    "inbound.after_commit": "the message is committed, not yet marked seen",
}

_point, _, _count = os.environ.get("FAULT", "").partition(":")
_visits: Counter[str] = Counter()


def visit(point: str) -> None:
    """Die here if this is the visit that was asked for."""
    if point != _point:
        return
    _visits[point] += 1
    if _visits[point] == int(_count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
