"""`cadenza up` and what prepares it: everything of an installation on one machine, for real or as a sandbox."""

import asyncio
import math
import os
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from cadenza.app.leaving import BACKLOG
from cadenza.app.serving import check_reachable, own_tls
from cadenza.core import logs
from cadenza.core.admission import check_login
from cadenza.core.command import run_async
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import choose_mode, installation
from cadenza.core.installation import continue_world, open_installation, running_alone
from cadenza.core.settings import Settings, settings
from cadenza.core.supervisor import Child, renew_on_signal, stop_on_signals, supervise
from cadenza.operations.service import is_founded, keep_archive, new_setup_link
from cadenza.sandbox.service import check_world, demo_login

T = TypeVar("T")
_MOST_WEB_PROCESSES = 8


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
    # Before anything is made or started, so that what is wrong leaves nothing behind.
    if with_sandbox:
        check_world(current.home, world)
    else:
        check_reachable(current)
    with running_alone(current.home):
        async with open_installation() as database:
            await choose_mode(database, "sandbox" if with_sandbox else "production")
            if with_sandbox:
                await continue_world(database)
                await _run_sandbox(database, current, world, speed)
            else:
                await check_login(database)
                await _run_production(database, current)
    return 0


async def _run_sandbox(
    database: Database, current: Settings, world: Path | None, speed: float | None
) -> None:
    port = _free_port(current)
    environment = {
        **_environment(database, current, port),
        "CADENZA_PUBLIC_URL": current.public_url or f"http://{current.host}:{port}",
        "CADENZA_SANDBOX": "true",
    }
    options = [
        *(("--world", str(world.absolute())) if world else ()),
        *(("--speed", str(speed)) if speed else ()),
    ]
    children = _children(current, port)
    stop, renew = stop_on_signals(), renew_on_signal()
    keeping = [asyncio.create_task(supervise([Child(("sandbox", *options))], environment, stop))]
    try:
        # World time begins with the sandbox, so the others wait for it.
        login = await _unless_stopped(demo_login(current.home), stop)
        if login:
            keeping.append(asyncio.create_task(supervise(children, environment, stop, renew)))
            await _unless_stopped(_announce_sandbox(current, port, login), stop)
            await stop.wait()
    finally:
        stop.set()
        await asyncio.gather(*keeping)
    click.echo("Stopped.", err=True)


async def _run_production(database: Database, current: Settings) -> None:
    port = _wanted_port(current)
    environment = {
        **_environment(database, current, port),
        "CADENZA_DATABASE_OWNER_URL": "",  # they have no use for it
        "CADENZA_SANDBOX": "false",
    }
    stop, renew = stop_on_signals(), renew_on_signal()
    keeping = asyncio.create_task(supervise(_children(current, port), environment, stop, renew))
    archiving = asyncio.create_task(keep_archive(current))
    try:
        await _unless_stopped(_announce(database, current, port), stop)
        await stop.wait()
    finally:
        stop.set()
        await keeping
        archiving.cancel()
    click.echo("Stopped.", err=True)


def web_processes(current: Settings) -> int:
    """One for each core: each has a socket on the same port, and the kernel spreads connections over them."""
    return current.web_processes or min(os.cpu_count() or 1, _MOST_WEB_PROCESSES)


def _children(current: Settings, port: int) -> list[Child]:
    web = (Child(("web",), listener_on(current.host, port)) for _ in range(web_processes(current)))
    return [*web, Child(("worker",))]


def listener_on(host: str, port: int) -> socket.socket:
    """One place's socket, open as long as we run: connections wait in it while the process behind it is another."""
    listener = socket.socket(_family(host))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    listener.settimeout(0)  # the server waits by itself
    return listener


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _environment(database: Database, current: Settings, port: int) -> dict[str, str]:
    return {
        "CADENZA_DATABASE_URL": database.url,
        "CADENZA_HOME": str(current.home),
        "CADENZA_PORT": str(port),
    }


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


def _wanted_port(current: Settings) -> int:
    """The port that the public address or the proxy leads to: that one or none."""
    if not _can_listen(current.host, current.port):
        raise _port_taken(current)
    return current.port


def _can_listen(host: str, port: int) -> int:
    """The port that was bound for a moment, or 0."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
        number: int = probe.getsockname()[1]
        return number


def _port_taken(current: Settings) -> CadenzaError:
    return CadenzaError(
        "port_taken",
        f"Port {current.port} is in use, or this user may not listen on it.",
        fix="Set CADENZA_PORT to another.",
    )


def _free_port(current: Settings) -> int:
    """The wanted port; if it is taken and nobody asked for it by name, any free one."""
    if number := _can_listen(current.host, current.port):
        return number
    if "port" not in current.model_fields_set and (number := _can_listen(current.host, 0)):
        return number
    raise _port_taken(current)


async def _announce_sandbox(current: Settings, port: int, login: tuple[str, str]) -> None:
    await _until_it_answers(current, port)
    email, password = login
    click.echo(
        f"\n  Cadenza runs at http://{current.host}:{port}\n"
        f"  Sign in as {email} with the password {password}\n"
        "  Ctrl-C stops everything.\n"
    )


async def _announce(database: Database, current: Settings, port: int) -> None:
    await _until_it_answers(current, port)
    address = str(current.public_url)
    click.echo(f"\n  Cadenza runs at {address}\n  Ctrl-C or SIGTERM stops everything.\n")
    if not await is_founded(database):
        link = await new_setup_link(database, address)
        click.echo(f"  Open this once, within 24 hours, to make your workspace:\n  {link}\n")
    if database.hold:
        click.echo("  Sending is held: see `cadenza sending status`.\n", err=True)


async def _until_it_answers(current: Settings, port: int) -> None:
    while not await _answers(current, port):
        await asyncio.sleep(0.1)


async def _answers(current: Settings, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(current.host, port, ssl=own_tls(current))
    except OSError:
        return False
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: cadenza\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return b" 200 " in line


@click.command()
@run_async
async def migrate() -> int:
    """Bring the database to this version's schema and admit the application; for many machines, once a release.

    Uses CADENZA_DATABASE_OWNER_URL. `cadenza up` does the same by itself.
    """
    current = settings()
    logs.configure(current.log_level)
    async with open_installation() as database:
        async with database.installation() as session:
            mode = (await installation(session)).mode
        if mode != "sandbox":
            await check_login(database)
    click.echo("The database is ready for this version.")
    return 0


@click.command("setup-link")
@run_async
async def setup_link() -> int:
    """Print a new link for the first owner; an earlier one stops working."""
    current = settings()
    logs.configure(current.log_level)
    check_reachable(current)
    async with open_installation() as database:
        click.echo(await new_setup_link(database, str(current.public_url)))
    return 0
