"""How fast writing to 100,000 people is stopped by the job behind the page, in how much memory, and how fast that is undone.

Beside it the same people are changed by one plain UPDATE, which is the fastest that the database does anything to them.
"""

import asyncio
import sys
import time
from uuid import UUID

import psycopg

from cadenza.app.benchmarks.alone import open_database, work, work_alone
from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.population_sql import PEOPLE
from cadenza.app.benchmarks.scratch import PASSWORD, scratch_server
from cadenza.audience.bulk import Whom, change_many, run_change, undo
from cadenza.audience.contracts import BulkKind
from cadenza.audience.segment_rules import EVERYBODY
from cadenza.core.database import Database
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace

SIZE = 100_000
_TABLES = 3  # of the population: companies, people, addresses
_MOST_MEMORY = 300  # MB, as for an import


async def run(*, size: int = SIZE) -> Result:
    """``bulk``: people a second, from the queued change to the last committed batch."""
    async with scratch_server() as server:
        database = open_database(server.url)
        actor = await _people(database, server.url, size)
        stop, request = await _asked(database, actor)
        taken = await work_alone(__name__, server.url, actor.workspace_id, stop)
        stopped = _stopped(server.url)
        async with database.unit(actor.workspace_id) as unit:
            await undo(unit, actor, stop, reason="a benchmark")
        back = await work_alone(__name__, server.url, actor.workspace_id, stop)
        left = _stopped(server.url)
        baseline = size / _update(server.url)
        await database.close()
    value = size / taken["seconds"]
    return Result(
        name="bulk",
        value=round(value, 1),
        unit="people/s",
        baselines=(Baseline("one UPDATE of the same people", round(baseline, 1), round(value / baseline, 4)),),
        detail={
            "people": size, "request_seconds": round(request, 2), "seconds": round(taken["seconds"], 2),
            "rss_mb": taken["rss_mb"], "undo_seconds": round(back["seconds"], 2), "undo_rss_mb": back["rss_mb"],
        },
        failed=tuple(_broken(size, stopped, left, max(taken["rss_mb"], back["rss_mb"]))),
    )  # fmt: skip


def _broken(size: int, stopped: int, left: int, memory: float) -> list[str]:
    wrong = []
    if stopped != size:
        wrong.append(f"{stopped} of {size} people are stopped")
    if left:
        wrong.append(f"{left} people are still stopped after the undo")
    if memory > _MOST_MEMORY:
        wrong.append(f"it took more than {_MOST_MEMORY} MB")
    return wrong


async def _people(database: Database, url: str, size: int) -> Actor:
    workspace, _ = await create_workspace(
        database, "Bench", owner_email="bench@bench.example", owner_name="Bench", password=PASSWORD
    )
    with psycopg.connect(url) as connection:
        for statement in PEOPLE[:_TABLES]:
            connection.execute(statement.encode(), {"workspace": workspace.id, "people": size})
        connection.execute("analyze")
    return Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="bench")


async def _asked(database: Database, actor: Actor) -> tuple[UUID, float]:
    """The queued change, and how many seconds it took until it was."""
    began = time.perf_counter()
    async with database.unit(actor.workspace_id) as unit:
        made = await change_many(unit, actor, BulkKind.STOP, Whom(EVERYBODY))
    return made.id, time.perf_counter() - began


def _stopped(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("select count(*) from suppressions where kind = 'contact'").fetchone()
    return int(found[0]) if found else 0


def _update(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        connection.execute("update contacts set updated_at = now()")
        return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(work(run_change, sys.argv[1], workspace_id=sys.argv[2], change_id=sys.argv[3]))
