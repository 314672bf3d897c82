"""Many people at their browsers, in a process of their own: keep-alive connections, pauses to read, and nothing parsed.

Told by one JSON object on standard input, answers by one on standard output. It shares the machine with what it measures,
so it does as little as it can, and says how much processor time that was.
"""

import asyncio
import json
import random
import resource
import sys
from dataclasses import dataclass, field
from typing import Any

from cadenza.core.clock import monotonic
from cadenza.identity.contracts import SESSION_COOKIE

_PATIENCE = 30.0  # seconds for one answer


@dataclass(slots=True)
class Visits:
    """What was asked for, and what came of it."""

    asked: dict[str, list[str]]  # page: its addresses
    weights: list[int]
    leaders: frozenset[str]  # sessions that may open what is closed to others
    closed: frozenset[str]
    until: float
    count_from: float  # what began before is warming up
    think: float
    port: int
    times: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    def note(self, page: str, began: float, status: int) -> None:
        if began < self.count_from:
            return
        self.times.setdefault(page, []).append(round((monotonic() - began) * 1000, 2))
        if status != 200:
            key = f"{page} {status}"
            self.errors[key] = self.errors.get(key, 0) + 1


async def _one(visits: Visits, token: str, dice: random.Random) -> None:
    """One member: first after a while, then again and again with pauses of half to one and a half times the mean."""
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    pages, weights = list(visits.asked), visits.weights
    if token not in visits.leaders:
        weights = [0 if page in visits.closed else w for page, w in zip(pages, weights, strict=True)]
    await asyncio.sleep(dice.uniform(0, visits.think))
    while monotonic() < visits.until:
        page = dice.choices(pages, weights)[0]
        began = monotonic()
        try:
            if reader is None or writer is None or writer.is_closing():
                reader, writer = await asyncio.open_connection("127.0.0.1", visits.port)
            status = await asyncio.wait_for(
                _get(reader, writer, dice.choice(visits.asked[page]), token), _PATIENCE
            )
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            status = 0
            if writer is not None:
                writer.close()
            reader = writer = None
        visits.note(page, began, status)
        await asyncio.sleep(dice.uniform(0.5, 1.5) * visits.think)
    if writer is not None:
        writer.close()


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, token: str) -> int:
    """The status of the answer; its body is read and thrown away."""
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {SESSION_COOKIE}={token}\r\nAccept: text/html\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head[9:12])


async def _visit(given: dict[str, Any]) -> dict[str, Any]:
    now, dice = monotonic(), random.Random(20261123)
    until = now + given["warm_up"] + given["seconds"]
    visits = Visits(
        given["pages"],
        given["weights"],
        frozenset(given["leaders"]),
        frozenset(given["closed"]),
        until,
        now + given["warm_up"],
        given["think"],
        given["port"],
    )
    await asyncio.gather(*(_one(visits, token, random.Random(dice.random())) for token in given["tokens"]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "times": visits.times,
        "errors": visits.errors,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "seconds": given["seconds"],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_visit(json.load(sys.stdin)))))
