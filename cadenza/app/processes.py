"""The processes of an installation; web and worker hold no state of their own, so that any number may run."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from granian.constants import Interfaces, SSLProtocols

from cadenza.app import composition
from cadenza.app.leaving import Door, Pages, serve_pages
from cadenza.app.serving import check_reachable
from cadenza.core import logs
from cadenza.core.admission import check_login
from cadenza.core.command import run_async
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import choose_mode, follow_hold, recognise
from cadenza.core.installation import attach, follow_world
from cadenza.core.jobs import run_jobs
from cadenza.core.resilience import outlive_the_database, until_known
from cadenza.core.room import keep_room
from cadenza.core.settings import Settings, settings
from cadenza.core.supervisor import given_listener, say_ready, stop_on_signals
from cadenza.operations.service import beat
from cadenza.sandbox.service import serve
from cadenza.web.rendering import environment

_NICENESS = 5  # of the worker: about a third of what a web process gets, while both want all


@asynccontextmanager
async def _process() -> AsyncIterator[tuple[Database, Settings]]:
    """The database and settings of a process that `up` (or a service manager) started."""
    current = settings()
    logs.configure(current.log_level)
    if current.database_url is None:
        raise CadenzaError(
            "database_url_missing",
            "CADENZA_DATABASE_URL is not set.",
            fix="Set it, or use `cadenza up`, which brings a database along.",
        )
    async with attach(current.database_url, current) as database:
        await until_known(lambda _: _introduce(database, current))
        yield database, current


async def _introduce(database: Database, current: Settings) -> None:
    """Whether this process and this data belong together; the same however often it is asked."""
    await choose_mode(database, "sandbox" if current.sandbox else "production")
    if not current.sandbox:
        await check_login(database)
    await recognise(database)


async def _until_stopped(stop: asyncio.Event, *work: Coroutine[Any, Any, None]) -> int:
    """Run all until a signal comes; the first one that fails ends the process, so that it is started anew."""
    tasks = [asyncio.create_task(each) for each in work]
    say_ready()
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, *tasks):
        task.cancel()
    await asyncio.gather(waiting, *tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()
    return 0


def _keep_what_stays() -> None:
    """Code, templates' code and mappings live as long as the process: the collector need not look through them again and
    again. What a request leaves behind is mostly freed without it.
    """
    environment()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@click.command()
@run_async
async def web() -> int:
    """Serve the pages and the API; any number may run, on any number of machines."""
    if not settings().sandbox:
        check_reachable(settings())
    async with _process() as (database, current):
        handing_over = asyncio.Event()
        door = Door(composition.web_app(database, current), alone=given_listener() is None)
        server = _server(door, current)
        _keep_what_stays()
        return await _until_stopped(
            stop_on_signals(handing_over),
            serve_pages(server, door, handing_over),
            outlive_the_database("world", partial(follow_world, database)),
            outlive_the_database("hold", partial(follow_hold, database)),
            outlive_the_database("pulse", partial(beat, database, "web")),
            keep_room(database, current),
        )


def _server(door: Door, current: Settings) -> Pages:
    return Pages(
        door,
        address=current.host,
        port=current.port,
        listener=given_listener(),
        interface=Interfaces.ASGI,
        websockets=False,
        # Connections, not requests: browsers keep theirs between pages, and live pages hold one each.
        backpressure=4096,
        log_enabled=False,
        ssl_cert=current.tls_certificate,
        ssl_key=current.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
    )


def _give_way() -> None:
    """Where pages and sending share processors, pages come first: a person waits for a page, nobody for one message's second."""
    os.nice(_NICENESS)


@click.command()
@run_async
async def worker() -> int:
    """Send what is due, read what comes in, and do the jobs; any number may run, on any number of machines."""
    _give_way()
    async with _process() as (database, current):
        return await _until_stopped(
            stop_on_signals(),
            outlive_the_database("world", partial(follow_world, database, keep=True)),
            outlive_the_database("pulse", partial(beat, database, "worker")),
            outlive_the_database("jobs", partial(run_jobs, database, composition.JOBS)),
            *(
                outlive_the_database(loop.__name__, partial(loop, database, current))
                for loop in composition.LOOPS
            ),
        )


@click.command(hidden=True)
@click.option("--world", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--speed", type=float)
@run_async
async def sandbox(*, world: Path | None, speed: float | None) -> int:
    """Serve the local world: mail servers, prospects, the demo workspace."""
    async with _process() as (database, current):
        return await _until_stopped(
            stop_on_signals(), serve(database, current, world, speed), follow_world(database)
        )
