"""How fast pages are for a large team: 500 members with sessions of their own over 100,000 people and a million events.

They ask the web processes that production would start on this machine, over real connections, while a worker sends through
the sandbox's relay. Before, the same members with the same pauses ask for the cheapest answer of the same processes. The
relay, the database, the worker and the visitors share the machine with what is measured.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import event, text

from cadenza.app.benchmarks.api import free_port, until_up
from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.population import Population, populate, sender_names
from cadenza.app.benchmarks.scratch import (
    KEYS,
    NOON,
    PASSWORD,
    loopback,
    scratch_server,
    worker_environment,
)
from cadenza.app.composition import web_app
from cadenza.app.starting import web_processes
from cadenza.channels.contracts import Server
from cadenza.core.clock import Anchor, MachineClock, ManualClock
from cadenza.core.database import Database
from cadenza.core.installation import set_world
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.smtp_server import Ledger, Provider

_PEOPLE, _MEMBERS = 100_000, 500
_THINK = 5.0
_WARM_UP, _BASELINE_SECONDS, _SECONDS = 10, 15, 60
_WANTED_MS = 200.0

# Page: how often of about a hundred it is asked for, and its addresses with places for what is there.
_MIX: dict[str, tuple[int, tuple[str, ...]]] = {
    "today": (14, ("/",)),
    "inbox": (14, ("/inbox", "/inbox?view=all", "/inbox?queue=sales", "/inbox?view=mine")),
    "conversation": (18, ("/inbox/{conversation}",)),
    "campaigns": (7, ("/campaigns",)),
    "campaign": (6, ("/campaigns/{campaign}",)),
    "live": (6, ("/campaigns/{campaign}/live",)),
    "contacts": (10, ("/contacts", "/contacts?q=last777", "/contacts?f=country%7Cis%7CDE", "/contacts?page=50")),
    "contact": (10, ("/contacts/{contact}",)),
    "senders": (3, ("/senders",)),
    "outbox": (4, ("/outbox",)),
    "touch": (4, ("/touches/{touch}",)),
    "settings": (2, ("/settings/account",)),
    "audit": (8, ("/audit",)),
}  # fmt: skip
_CLOSED = ("audit",)  # to all but managers
_ADDRESSES = 200  # of each kind with a place


async def run(size: int = _PEOPLE) -> Result:
    """``pages``: the 95th percentile in ms over all pages; ``size`` is how many people there are."""
    async with _scene(size) as (here, population):
        queries = await _count_queries(here.url, population)
        processes = web_processes(Settings())
        async with _serving(here, processes) as port:
            idle = await _visit(population, port, {"health": ["/healthz"]}, [1], _BASELINE_SECONDS)
            async with _worker(here):
                sent_before = await _sent(here.url, population)
                asked = _addresses(population)
                weights = [_MIX[page][0] for page in asked]
                seen = await _visit(population, port, asked, weights, _SECONDS)
                sent = await _sent(here.url, population) - sent_before
    detail = {"web_processes": processes, "members": _MEMBERS, "rows": population.rows, "queries": queries}
    return _result(seen, idle, detail | {"sent_meanwhile": sent})


def _result(seen: dict[str, Any], idle: dict[str, Any], detail: dict[str, Any]) -> Result:
    together, baseline = _percentiles(_all(seen)), _percentiles(_all(idle))
    more = {
        "overall": together,
        "health": baseline,
        "pages": {page: _percentiles(times) for page, times in sorted(seen["times"].items())},
        "requests_per_second": round(len(_all(seen)) / seen["seconds"], 1),
        "errors": seen["errors"],
        "generator_cpu_seconds": seen["cpu_seconds"],
    }
    failed = [f"{count} answers were {what}" for what, count in seen["errors"].items()]
    if together["p95"] > _WANTED_MS:
        failed.append(f"p95 is {together['p95']:.0f} ms, more than {_WANTED_MS:.0f}")
    return Result(
        name="pages",
        value=together["p95"],
        unit="ms at the 95th percentile",
        baselines=(
            Baseline(
                "the same members asking for /healthz",
                baseline["p95"],
                round(together["p95"] / max(baseline["p95"], 0.01), 1),
            ),
        ),
        detail={**detail, **more},
        failed=tuple(failed),
    )


def _all(seen: dict[str, Any]) -> list[float]:
    return [each for times in seen["times"].values() for each in times]


def _percentiles(times: list[float]) -> dict[str, float]:
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1), "n": len(times)}


def _addresses(population: Population) -> dict[str, list[str]]:
    """For each page the addresses to choose from, as many of each kind as there are."""
    there = {
        "campaign": population.campaigns,
        "contact": population.contacts,
        "conversation": population.conversations,
        "touch": population.touches,
    }
    return {
        page: [filled for pattern in patterns for filled in _filled(pattern, there)]
        for page, (_, patterns) in _MIX.items()
    }


def _filled(pattern: str, there: Mapping[str, Sequence[object]]) -> list[str]:
    name = pattern.partition("{")[2].partition("}")[0]
    if not name:
        return [pattern]
    return [pattern.format(**{name: value}) for value in there[name][:_ADDRESSES]]


async def _visit(
    population: Population,
    port: int,
    pages: dict[str, list[str]],
    weights: list[int],
    seconds: int,
    *,
    warm_up: float = _WARM_UP,
    think: float = _THINK,
) -> dict[str, Any]:
    given = {
        "port": port, "pages": pages, "weights": weights, "tokens": population.tokens, "think": think,
        "leaders": population.leaders, "closed": _CLOSED,
        "warm_up": warm_up, "seconds": seconds,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cadenza.app.benchmarks.visitors",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(given).encode())
    found: dict[str, Any] = json.loads(out)
    return found


@dataclass(frozen=True, slots=True)
class _Here:
    url: str
    home: Path


@asynccontextmanager
async def _scene(people: int) -> AsyncIterator[tuple[_Here, Population]]:
    """A full database, and mail servers that the worker sends through and reads from."""
    world = ManualClock(NOON)
    with tempfile.TemporaryDirectory(prefix="cadenza-bench-") as folder:
        store, ledger = MailStore(Path(folder) / "mail", world), Ledger(Path(folder) / "ledger.jsonl")
        passwords = dict.fromkeys(sender_names(), PASSWORD)
        relay = Provider(store, ledger, passwords, world, refuse=lambda _: None, deliver=lambda _: None)
        boxes = ImapServer(store, passwords)
        post = loopback(await relay.start("127.0.0.1", 0)), loopback(await boxes.start("127.0.0.1", 0))
        try:
            async with scratch_server() as server:
                yield (
                    _Here(server.application_url, Path(folder)),
                    await _filled_database(server.url, server.application_url, post, people),
                )
        finally:
            await relay.stop()
            await boxes.stop()


async def _filled_database(owner_url: str, url: str, post: tuple[Server, Server], people: int) -> Population:
    population = await populate(url, owner_url, post, people, _MEMBERS)
    database = Database(url, secrets=KEYS, machine=MachineClock(), world=ManualClock(NOON))
    await set_world(database, start=Anchor(database.machine.now(), NOON, 1.0))
    await database.close()
    return population


@asynccontextmanager
async def _serving(here: _Here, processes: int) -> AsyncIterator[int]:
    port = free_port()
    environment = worker_environment(here.url, here.home, CADENZA_SANDBOX="1", CADENZA_PORT=str(port))
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cadenza.app", "web", env=os.environ | environment
        )
        for _ in range(processes)
    ]
    try:
        await until_up(f"http://127.0.0.1:{port}")
        await asyncio.sleep(2)  # the others, too
        yield port
    finally:
        for process in started:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def _worker(here: _Here) -> AsyncIterator[None]:
    environment = worker_environment(here.url, here.home, CADENZA_SANDBOX="1")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cadenza.app", "worker", env=os.environ | environment
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _sent(url: str, population: Population) -> int:
    database = Database(url, secrets=KEYS)
    async with database.unit(population.actor.workspace_id) as unit:
        query = text("select count(*) from touches where state = 'sent' and sent_at >= :noon")
        count = int((await unit.session.execute(query, {"noon": NOON})).scalar_one())
    await database.close()
    return count


async def _count_queries(url: str, population: Population) -> dict[str, int]:
    """How many statements each page asks the database, those of the session and of the workspace's entry among them."""
    database = Database(url, secrets=KEYS, world=ManualClock(NOON + timedelta(minutes=1)))
    app, found = web_app(database, Settings(sandbox=True)), {}
    sent: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *given: sent.append(str(given[2]))
    )
    for page, addresses in _addresses(population).items():
        for _ in range(2):  # the first one also connects
            sent.clear()
            await _ask(app, addresses[0], population.leaders[0])
        found[page] = len(sent)
    await database.close()
    return found


async def _ask(app: Any, address: str, token: str) -> None:
    path, _, query = address.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "headers": [(b"cookie", f"{SESSION_COOKIE}={token}".encode()), (b"accept", b"text/html")],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: dict[str, Any]) -> None:
        return None

    await app(scope, receive, send)
