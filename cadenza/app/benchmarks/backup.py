"""How long a backup takes to be made, verified and brought back, against PostgreSQL's own programs alone."""

import asyncio
import resource
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.scratch import KEYS, PASSWORD, scratch_server
from cadenza.audience.service import import_contacts
from cadenza.core.database import Database
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace
from cadenza.operations import backup_database as database
from cadenza.operations import backups

_ROWS = 1_000_000
_LONGEST = 15 * 60.0

# 200 rows for each person, as after a long life: what happened, and what was decided.
_PER_PERSON = 200
_FILL = """
insert into events (workspace_id, at, id, recorded_at, kind, origin, contact_id, step, machine, data)
  select c.workspace_id, now() - n * interval '3 hours', gen_random_uuid(), now(), 'sent', 'bench', c.id, 'step' || n, false,
         jsonb_build_object('why', md5(c.id::text || n)) from contacts c, generate_series(1, 150) n;
insert into decisions (workspace_id, id, at, what, options, taken, reason, policy, version, contact_id)
  select c.workspace_id, gen_random_uuid(), now(), 'variant', '[]', 'a', 'by hash ' || md5(c.id::text || n), 'even', 1, c.id
  from contacts c, generate_series(1, 47) n;
analyze;
"""


async def run(size: int = _ROWS) -> Result:
    """``backup``: seconds to make and verify one of a million rows; the restored database holds sending."""
    async with scratch_server() as server:
        with tempfile.TemporaryDirectory(prefix="cadenza-bench-home-") as folder:
            settings = Settings(home=Path(folder))
            (settings.home / "keys.json").write_text("{}")
            await _fill(server, size)
            made = await backups.create(settings, server.url)
            verified = await backups.verify(settings, server.url, made.folder)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            baseline = await asyncio.to_thread(_plainly, server.url, Path(folder) / "plain")
    return _result(made, verified, baseline, memory)


def _result(made: backups.Made, verified: backups.Verified, baseline: float, memory: float) -> Result:
    seconds = made.seconds + verified.seconds
    return Result(
        name="backup",
        value=round(seconds, 1),
        unit="s",
        baselines=(
            Baseline("pg_dump and pg_restore alone", round(baseline, 1), round(seconds / baseline, 2)),
        ),
        detail={
            "rows": made.manifest.rows,
            "create_seconds": round(made.seconds, 1),
            "verify_seconds": round(verified.seconds, 1),
            "megabytes": round(made.bytes / 1e6, 1),
            "peak_memory_mb": round(memory),
            "counts_and_checksums_equal": verified.manifest.tables == made.manifest.tables,
            "sending_held": True,  # or `verify` would have raised
        },
        failed=() if seconds < _LONGEST else (f"{seconds:.0f} s is over {_LONGEST:.0f} s",),
    )


async def _fill(server: EmbeddedServer, rows: int) -> None:
    application = Database(server.application_url, secrets=KEYS)
    workspace, _ = await create_workspace(
        application, "Bench", owner_email="bench@bench.example", owner_name="Bench", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="bench")
    people = "".join(f"p{n}@bench.example,Last {n},DE\n" for n in range(max(rows // _PER_PERSON, 1)))
    async with application.unit(workspace.id) as unit:
        await import_contacts(unit, actor, f"email,last_name,country\n{people}".encode(), file="people.csv")
    await application.close()
    with closing(database.connect(server.url)) as connection:
        await asyncio.to_thread(connection.execute, _FILL)


def _plainly(url: str, path: Path) -> float:
    """The same way there and back with nothing of ours: no encryption, no counting."""
    began, environment = time.perf_counter(), database.environment(url)
    dump = [
        database.program("pg_dump"),
        "--format=custom",
        "--compress=gzip:1",
        "--no-owner",
        f"--file={path}",
    ]
    subprocess.run(dump, env=environment, check=True)
    with database.scratch_database(url) as name:
        load = [database.program("pg_restore"), "--no-owner", f"--dbname={name}", str(path)]
        subprocess.run(load, env=environment | {"PGDATABASE": name}, check=True)
    return time.perf_counter() - began
