"""How fast messages leave: the whole path, against what Postfix's own load generator does to the same sink."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import text

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.scratch import NOON, loopback, running_campaign, scratch_database
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher

_PEOPLE = 6000
_BASELINE_MESSAGES = 20_000
_CONNECTIONS = 8
_SIZE = 3000
_LONGEST = 240.0


async def run() -> Result:
    """``dispatch``: messages a second from claim to recorded answer, one worker, one relay."""
    world = ManualClock(NOON)
    with _sink() as port:
        async with scratch_database(world) as database:
            await running_campaign(database, _PEOPLE, loopback(port), loopback(port))
            world.move(timedelta(hours=12) - timedelta(minutes=1))  # everybody's hour of today has come
            seconds, turns = await _drain(database)
            sent = await _sent(database)
        baseline = await asyncio.to_thread(_source, port)
    value = sent / seconds
    return Result(
        name="dispatch",
        value=round(value, 1),
        unit="messages/s",
        baselines=(
            Baseline("smtp-source into the same sink", round(baseline, 1), round(value / baseline, 4)),
        ),
        detail={"sent": sent, "people": _PEOPLE, "seconds": round(seconds, 2), "turns": turns, "workers": 1},
        failed=() if sent == _PEOPLE else (f"only {sent} of {_PEOPLE} left",),
    )


async def _drain(database: Database) -> tuple[float, int]:
    dispatcher, began, turns = Dispatcher(database, Settings()), time.perf_counter(), 0
    while time.perf_counter() - began < _LONGEST:
        turns += 1
        if not await dispatcher.turn():
            await dispatcher.drain()
            if not await dispatcher.turn():
                break
    await dispatcher.drain()
    return time.perf_counter() - began, turns


async def _sent(database: Database) -> int:
    async with database.installation() as session:
        (workspace,) = await session.scalars(text("select id from workspaces"))
    async with database.unit(workspace) as unit:
        query = text("select count(*) from touches where state = 'sent'")
        return int((await unit.session.execute(query)).scalar_one())


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise CadenzaError(
            "postfix_missing", f"{name} is not on this machine.", fix="Install Postfix: it brings the tool."
        )
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _sink() -> Iterator[int]:
    port = _free_port()
    process = subprocess.Popen([_tool("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "500"])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _source(port: int) -> float:
    """Messages a second of smtp-source with reused connections and a body of the same size."""
    command = [
        _tool("smtp-source"), "-d", "-s", str(_CONNECTIONS), "-l", str(_SIZE), "-m", str(_BASELINE_MESSAGES),
        "-f", "a@bench.example", "-t", "b@bench.example", f"127.0.0.1:{port}",
    ]  # fmt: skip
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return _BASELINE_MESSAGES / (time.perf_counter() - began)
