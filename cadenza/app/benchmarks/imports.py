"""How fast a contact file of 100,000 rows is imported by the job behind the page, and in how much memory.

The job runs in a process of its own, as in a worker, so that its memory is its own; beside it the same file is copied
into a table of plain texts, which is the fastest that the database takes it.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import psycopg

from cadenza.app.benchmarks.alone import open_database, work, work_alone
from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.scratch import PASSWORD, scratch_server
from cadenza.audience.service import examine_upload, keep_upload, run_import, start_import
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace

ROWS = 100_000
_LONGEST, _MOST_MEMORY = 60.0, 300  # seconds, MB: the figures that were promised
_HEADER = "email,first_name,last_name,title,company,phone,linkedin,website,country,plan,renewal\n"


async def run() -> Result:
    """``import``: rows a second, from the confirmed upload to the last committed row."""
    with tempfile.TemporaryDirectory(prefix="cadenza-bench-") as folder:
        path = Path(folder) / "people.csv"
        path.write_text(_HEADER + "".join(map(_row, range(ROWS))))
        async with scratch_server() as server:
            workspace, import_id = await _upload(server.url, path)
            taken = await work_alone(__name__, server.url, workspace, import_id)
            contacts = _count(server.url)
            baseline = ROWS / _copy(server.url, path)
    value = ROWS / taken["seconds"]
    return Result(
        name="import",
        value=round(value, 1),
        unit="rows/s",
        baselines=(Baseline("COPY of the same file", round(baseline, 1), round(value / baseline, 4)),),
        detail={"rows": ROWS, "contacts": contacts, "seconds": round(taken["seconds"], 2), "rss_mb": taken["rss_mb"]},
        failed=tuple(_broken(taken, contacts)),
    )  # fmt: skip


def _row(number: int) -> str:
    return (
        f"p{number}@company{number // 3}.example,First{number},Last{number},Head of {number % 50},Company {number // 3},"
        f"030 {900000 + number % 90000},linkedin.com/in/person-{number},company{number // 3}.example,Germany,pro {number % 7},"
        f"2027-0{number % 9 + 1}-01\n"
    )


def _broken(taken: dict[str, float], contacts: int) -> list[str]:
    wrong = []
    if contacts != ROWS:
        wrong.append(f"{contacts} of {ROWS} contacts are there")
    if taken["seconds"] > _LONGEST:
        wrong.append(f"it took longer than {_LONGEST:.0f} s")
    if taken["rss_mb"] > _MOST_MEMORY:
        wrong.append(f"it took more than {_MOST_MEMORY} MB")
    return wrong


async def _upload(url: str, path: Path) -> tuple[UUID, UUID]:
    database = open_database(url)
    workspace, _ = await create_workspace(
        database, "Bench", owner_email="bench@bench.example", owner_name="Bench", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="bench")
    upload = examine_upload(path, path.name)
    async with database.unit(workspace.id) as unit:
        import_id = await keep_upload(unit, actor, upload)
        await start_import(unit, actor, import_id)
    await database.close()
    return workspace.id, import_id


def _count(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("select count(*) from contacts").fetchone()
    return int(found[0]) if found else 0


def _copy(url: str, path: Path) -> float:
    columns = ", ".join(f"{name} text" for name in _HEADER.strip().split(","))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create table plain ({columns})")
        began = time.perf_counter()
        with path.open("rb") as file, connection.cursor().copy("copy plain from stdin csv header") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
        return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(work(run_import, sys.argv[1], workspace_id=sys.argv[2], import_id=sys.argv[3]))
