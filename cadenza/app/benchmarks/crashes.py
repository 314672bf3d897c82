"""kill -9 at every write point and at random, and a restart of the database: nothing twice, nothing lost (M1).

The relay is the sandbox's, whose ledger is on disk before it says 250; after the run ledger and database must agree.
"""

import asyncio
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.scratch import (
    KEYS,
    NOON,
    PASSWORD,
    loopback,
    running_campaign,
    scratch_server,
    sender_addresses,
    worker_environment,
)
from cadenza.app.benchmarks.ways import slow_way
from cadenza.core.clock import Anchor, MachineClock, ManualClock
from cadenza.core.database import Database
from cadenza.core.faults import POINTS
from cadenza.core.installation import set_world
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.smtp_server import Accepted, Ledger, Provider

_PEOPLE = 5000
_RANDOM_KILLS = 50
_LEASE = 5  # seconds; the shortest that the settings allow
_TOUCH = re.compile(rb"^X-Cadenza-Touch: ([0-9a-f]{32})", re.MULTILINE)
_LONGEST = 600.0


@dataclass
class Scene:
    """A running campaign, its relay's ledger, and a worker process that may be killed."""

    server: EmbeddedServer
    home: Path
    store: MailStore
    ledger: Ledger
    workspace: UUID
    database: Database
    way_in: str = ""  # the database's address for the worker, where it is another one
    worker: asyncio.subprocess.Process | None = None
    kills: Counter[str] = field(default_factory=Counter)

    def environment(self, **more: str) -> dict[str, str]:
        return worker_environment(
            self.way_in or self.server.application_url, self.home, **{"CADENZA_DISPATCH_BATCH": "200"} | more
        )

    async def start_worker(self, fault: str = "", **more: str) -> None:
        environment = self.environment(**{"CADENZA_LEASE_SECONDS": str(_LEASE), "FAULT": fault} | more)
        self.worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cadenza.app", "worker", env=os.environ | environment
        )

    async def kill_worker(self) -> None:
        if self.worker is not None and self.worker.returncode is None:
            self.worker.send_signal(signal.SIGKILL)
            await self.worker.wait()

    async def crash_at(self, point: str, visit: int, patience: float = 20.0) -> bool:
        """Run until the point kills the worker; False when it never came there."""
        await self.start_worker(f"{point}:{visit}")
        assert self.worker is not None  # noqa: S101 - just started
        try:
            code = await asyncio.wait_for(self.worker.wait(), patience)
        except TimeoutError:
            await self.kill_worker()
            return False
        self.kills[point] += code == -signal.SIGKILL
        return code == -signal.SIGKILL

    async def count(self, query: str) -> int:
        async with self.database.engine.connect() as connection:
            await connection.execute(
                text("select set_config('cadenza.workspace', :w, true)"), {"w": str(self.workspace)}
            )
            return int((await connection.execute(text(query))).scalar_one())

    async def unsettled(self) -> int:
        """People whose one step is neither sent nor in doubt yet."""
        return await self.count(
            "select (select count(*) from enrolments where state = 'active') - "
            "(select count(*) from touches where state = 'in_doubt')"
        )

    async def under_way(self) -> int:
        """Touches of which somebody holds a lease, or that will be tried again."""
        return await self.count(
            "select count(*) from touches where state in ('claimed', 'sending', 'deferred')"
        )

    async def drain(self) -> float:
        """Let a worker run in peace until nothing is left to do; seconds it took."""
        began = time.perf_counter()
        await self.start_worker()
        while time.perf_counter() - began < _LONGEST and (await self.unsettled() or await self.under_way()):
            await asyncio.sleep(0.5)
        doubts = await self.count("select count(*) from touches where state = 'in_doubt'")
        # Two more rounds of housekeeping look up a doubt; a second sending would come before a lease is over.
        await asyncio.sleep(2 * _LEASE + 6 if doubts else _LEASE + 1)
        await self.kill_worker()
        return time.perf_counter() - began

    async def verdict(self, people: int) -> tuple[dict[str, int], tuple[str, ...]]:
        """What ledger and database say, and every promise that they break (I1, I2, I5)."""
        taken = Counter(_TOUCH.search(e.content).group(1).decode() for e in self.ledger.entries)  # type: ignore[union-attr]
        figures = {
            "people": people,
            "taken_by_relay": sum(taken.values()),
            "twice": sum(1 for times in taken.values() if times > 1),
            "sent": await self.count("select count(*) from touches where state = 'sent'"),
            "in_doubt": await self.count("select count(*) from touches where state = 'in_doubt'"),
            "listed": await self.count(
                "select count(*) from work_items where kind = 'in_doubt' and done_at is null"
            ),
            "open": await self.under_way(),
            "sent_events": await self.count(
                "select count(distinct touch_id) from events where kind = 'sent'"
            ),
        }
        broken = []
        if figures["twice"]:
            broken.append(f"{figures['twice']} touches were sent twice")
        if figures["sent"] + figures["in_doubt"] != people or figures["open"]:
            broken.append(f"{people - figures['sent'] - figures['in_doubt']} touches are lost or stuck")
        if figures["sent"] != figures["sent_events"]:
            broken.append("events and states disagree")
        if figures["in_doubt"] != figures["listed"]:
            broken.append("not everything in doubt is listed")
        if len(taken) < figures["sent"]:
            broken.append("touches count as sent that no relay took")
        return figures, tuple(broken)


@asynccontextmanager
async def scene(
    people: int, *, slowly: float = 0.0, delivered: Callable[[Accepted, MailStore], None] | None = None
) -> AsyncIterator[Scene]:
    """Everybody is due; no worker runs yet. The relay's answers come so many seconds later; ``delivered`` gets what it took."""
    world = ManualClock(NOON)
    with tempfile.TemporaryDirectory(prefix="cadenza-relay-") as folder:
        store, ledger = MailStore(Path(folder) / "mail", world), Ledger(Path(folder) / "ledger.jsonl")
        passwords = dict.fromkeys(sender_addresses(people), PASSWORD)

        def deliver(entry: Accepted) -> None:
            if delivered is not None:
                delivered(entry, store)

        relay = Provider(store, ledger, passwords, world, refuse=lambda _: None, deliver=deliver)
        mailboxes = ImapServer(store, passwords)
        ports = await relay.start("127.0.0.1", 0), await mailboxes.start("127.0.0.1", 0)
        async with scratch_server() as server, slow_way(loopback(ports[0]), slowly) as smtp:
            database = Database(server.application_url, secrets=KEYS, machine=MachineClock(), world=world)
            actor = await running_campaign(
                database, people, smtp if slowly else loopback(ports[0]), loopback(ports[1]), user="user"
            )
            late = NOON + timedelta(hours=11, minutes=59)
            await set_world(database, start=Anchor(database.machine.now(), late, 0.001))
            stage = Scene(server, Path(folder), store, ledger, actor.workspace_id, database)
            try:
                yield stage
            finally:
                await stage.kill_worker()
                await database.close()
                await relay.stop()
                await mailboxes.stop()


async def run() -> Result:
    """``crashes``: a kill at each outbound write point, 50 at random, one restart of the database, then the count."""
    dice, began = random.Random(20261123), time.perf_counter()
    async with scene(_PEOPLE) as stage:
        for point in outbound_points():
            await stage.crash_at(point, dice.randint(1, 3))
        for number in range(_RANDOM_KILLS):
            await stage.start_worker()
            await asyncio.sleep(dice.uniform(1.0, 2.2))
            if number == _RANDOM_KILLS // 2:
                await restart_database(stage)
                await asyncio.sleep(3)
            await stage.kill_worker()
            stage.kills["random"] += 1
        await stage.drain()
        figures, broken = await stage.verdict(_PEOPLE)
        kills = dict(stage.kills)
    total = sum(kills.values())
    return Result(
        name="crashes",
        value=float(figures["twice"] + people_lost(figures)),
        unit="touches sent twice or lost",
        baselines=(Baseline("kills survived", float(total), round(figures["twice"] / max(total, 1), 4)),),
        detail={**figures, "kills": kills, "seconds": round(time.perf_counter() - began, 1)},
        failed=broken,
    )


def people_lost(figures: dict[str, int]) -> int:
    return figures["people"] - figures["sent"] - figures["in_doubt"]


def outbound_points() -> list[str]:
    return [point for point in POINTS if not point.startswith("inbound.")]


async def restart_database(stage: Scene) -> None:
    """The server goes down in the middle of everything, without a word to anybody, and comes back."""
    await stage.database.engine.dispose()
    await asyncio.to_thread(partial(stage.server.stop, at_once=True))
    await asyncio.to_thread(stage.server.start)
