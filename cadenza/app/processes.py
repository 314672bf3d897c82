"""The processes of an installation: `up` starts the others; web and worker hold no state of their own."""

import asyncio
import contextlib
import fcntl
import math
import socket
from collections.abc import Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from granian.constants import Interfaces
from granian.server.embed import Server

from cadenza.app import composition
from cadenza.core import logs
from cadenza.core.command import run_async
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.installation import attach, continue_world, follow_world, open_installation
from cadenza.core.jobs import run_jobs
from cadenza.core.postgres.server import make_folder
from cadenza.core.resilience import outlive_the_database
from cadenza.core.settings import Settings, settings
from cadenza.core.supervisor import Child, stop_on_signals, supervise
from cadenza.sandbox.service import check_world, demo_login, serve

T = TypeVar("T")


class _Speed(click.FloatRange):
    """Click's range holds whatever is neither below nor above it, and so takes nan for a number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


@click.command()
@click.option(
    "--sandbox", "with_sandbox", is_flag=True, help="With a local world to send into, and a demo workspace."
)
@click.option(
    "--world", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The sandbox's world file."
)
@click.option("--speed", type=_Speed(0.01, 20_000), help="World seconds per second; 1440 is a day a minute.")
@run_async
async def up(*, with_sandbox: bool, world: Path | None, speed: float | None) -> int:
    """Start the database, the pages, the worker and, on request, the sandbox; Ctrl-C stops all."""
    current = settings()
    logs.configure(current.log_level)
    if (world or speed) and not with_sandbox:
        raise click.UsageError("--world and --speed belong to --sandbox.")
    if not with_sandbox:
        raise CadenzaError(
            "production_not_ready",
            "This version runs campaigns in the sandbox only.",
            fix="Use `cadenza up --sandbox`.",
        )
    check_world(
        current.home, world
    )  # before anything is made or started, so that a wrong file leaves nothing behind
    with _only_one(current.home):
        async with open_installation() as database:
            await continue_world(database)
            await _run(database, current, world, speed)
    return 0


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Two of us on one home would fight for the same ports and mail."""
    make_folder(home)
    with (home / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise CadenzaError(
                "already_running",
                f"Cadenza runs already with the data in {home}.",
                Kind.CONFLICT,
                fix="Use that one, stop it first, or set CADENZA_HOME to another folder.",
            ) from held
        yield


async def _run(database: Database, current: Settings, world: Path | None, speed: float | None) -> None:
    port = _free_port(current)
    environment = {
        "CADENZA_DATABASE_URL": database.url,
        "CADENZA_HOME": str(current.home),
        "CADENZA_PORT": str(port),
        "CADENZA_PUBLIC_URL": current.public_url or f"http://{current.host}:{port}",
        "CADENZA_SANDBOX": "true",
    }
    options = [
        *(("--world", str(world.absolute())) if world else ()),
        *(("--speed", str(speed)) if speed else ()),
    ]
    stop = stop_on_signals()
    keeping = [asyncio.create_task(supervise([Child(("sandbox", *options))], environment, stop))]
    try:
        # World time begins with the sandbox, so the others wait for it.
        login = await _unless_stopped(demo_login(current.home), stop)
        if login:
            others = [Child(("web",)), Child(("worker",))]
            keeping.append(asyncio.create_task(supervise(others, environment, stop)))
            await _unless_stopped(_announce(current, port, login), stop)
            await stop.wait()
    finally:
        stop.set()
        await asyncio.gather(*keeping)
    click.echo("Stopped.", err=True)


async def _unless_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T | None:
    """The work's result, or None when the signal to stop came first."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


def _free_port(current: Settings) -> int:
    """The wanted port; if it is taken and nobody asked for it by name, any free one."""
    for port in (current.port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((current.host, port))
            except OSError:
                if "port" in current.model_fields_set:
                    break
                continue
            number: int = probe.getsockname()[1]
            return number
    raise CadenzaError(
        "port_taken", f"Port {current.port} is in use.", fix="Set CADENZA_PORT to another, or to 0."
    )


async def _announce(current: Settings, port: int, login: tuple[str, str]) -> None:
    while not await _answers(current.host, port):
        await asyncio.sleep(0.1)
    email, password = login
    click.echo(
        f"\n  Cadenza runs at http://{current.host}:{port}\n"
        f"  Sign in as {email} with the password {password}\n"
        "  Ctrl-C stops everything.\n"
    )


async def _answers(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: cadenza\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return b" 200 " in line


@contextlib.asynccontextmanager
async def _process() -> Any:
    """The database and settings of a process that `up` (or a service manager) started."""
    current = settings()
    logs.configure(current.log_level)
    if current.database_url is None:
        raise CadenzaError(
            "database_url_missing", "CADENZA_DATABASE_URL is not set.", fix="Use `cadenza up`."
        )
    async with attach(current.database_url, current) as database:
        yield database, current


async def _until_stopped(*work: Coroutine[Any, Any, None]) -> int:
    """Run all until a signal comes; the first one that fails ends the process, so that it is started anew."""
    stop = stop_on_signals()
    tasks = [asyncio.create_task(each) for each in work]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, *tasks):
        task.cancel()
    await asyncio.gather(waiting, *tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()
    return 0


@click.command(hidden=True)
@run_async
async def web() -> int:
    """Serve the pages and the API."""
    async with _process() as (database, current):
        server = Server(
            composition.web_app(database, current),
            address=current.host,
            port=current.port,
            interface=Interfaces.ASGI,
            websockets=False,
            log_enabled=False,
        )
        return await _until_stopped(
            server.serve(), outlive_the_database("world", partial(follow_world, database))
        )


@click.command(hidden=True)
@run_async
async def worker() -> int:
    """Send what is due, read what comes in, and do the jobs."""
    async with _process() as (database, current):
        return await _until_stopped(
            outlive_the_database("world", partial(follow_world, database, keep=True)),
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
        return await _until_stopped(serve(database, current, world, speed), follow_world(database))
