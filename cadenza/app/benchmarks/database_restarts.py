"""The database falls over 20 times while mail goes out: how long until the next message leaves, and none twice."""

import asyncio
import statistics

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.crashes import Scene, people_lost, restart_database, scene
from cadenza.core.clock import monotonic

_ROUNDS = 20
_PEOPLE_A_ROUND = 150
_SLOWLY = 0.25  # so that there is still something to send in the last round
_SOON = 10.0  # seconds; the number of the plan
_SENT = "select count(*) from touches where state = 'sent'"


async def run(size: int = _ROUNDS) -> Result:
    """``database-restarts``: the longest of ``size`` waits from the server's return to the next recorded message."""
    people = size * _PEOPLE_A_ROUND
    async with scene(people, slowly=_SLOWLY) as stage:
        await stage.start_worker(CADENZA_DISPATCH_CONNECTIONS="1", CADENZA_LEASE_SECONDS="120")
        before = await seconds_until_more(stage)
        took = []
        for _ in range(size):
            await restart_database(stage)
            took.append(round(await seconds_until_more(stage), 2))
        await stage.kill_worker()
        await stage.drain()
        figures, broken = await stage.verdict(people)
    slow = tuple(f"sending went on only after {seconds} s" for seconds in took if seconds > _SOON)
    lost = people_lost(figures)
    return Result(
        name="database-restarts",
        value=max(took),
        unit="s until sending goes on, the longest",
        baselines=(Baseline("seconds from a worker's start to its first message", round(before, 2), round(max(took) / before, 2)),),
        detail={**figures, "lost": lost, "restarts": size, "median_seconds": statistics.median(took), "seconds": took},
        failed=(*broken, *slow),
    )  # fmt: skip


async def seconds_until_more(stage: Scene) -> float:
    """Until the next message is recorded as sent; half a minute at most."""
    began, before = monotonic(), await stage.count(_SENT)
    while await stage.count(_SENT) == before and monotonic() - began < 3 * _SOON:
        await asyncio.sleep(0.1)
    return monotonic() - began
