"""A job in a process of its own, as in a worker, so that its time and its memory are its own."""

import asyncio
import json
import resource
import sys
import time

from cadenza.app.benchmarks.scratch import KEYS, NOON
from cadenza.core.clock import MachineClock, ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.jobs import Job


def open_database(url: str) -> Database:
    return Database(url, secrets=KEYS, machine=MachineClock(), world=ManualClock(NOON), pool=5)


async def work_alone(module: str, *arguments: object) -> dict[str, float]:
    """Run this module with these arguments; the ``seconds`` and ``rss_mb`` that its ``work`` took."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise CadenzaError("bench_process", f"The process of {module} failed.")
    taken: dict[str, float] = json.loads(out)
    return taken


async def work(job: Job, url: str, **arguments: str) -> None:
    """Do a job and say on standard output what it took."""
    database, began = open_database(url), time.perf_counter()
    await job(database, **arguments)
    seconds = time.perf_counter() - began
    await database.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "rss_mb": memory}))
