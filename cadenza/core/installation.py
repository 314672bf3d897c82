"""Opens the installation that the settings describe: database up, schema current, clocks and keys ready."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError, ProgrammingError

from cadenza.core.admission import admit
from cadenza.core.clock import Anchor, Clock, MachineClock, WorldClock
from cadenza.core.crypto import secret_box
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.holding import recognise
from cadenza.core.migrations.service import is_current, migrate
from cadenza.core.models import WorldClockRow
from cadenza.core.postgres.server import EmbeddedServer, make_folder
from cadenza.core.settings import Settings, settings

_REFRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Access:
    """The database as its owner (None where nobody told us) and as the application; ``home`` where we run it."""

    owner: str | None
    application: str
    home: Path | None = None


@contextmanager
def access(current: Settings) -> Iterator[Access]:
    """The given server, or the embedded one for as long as the block runs."""
    if current.database_url:
        yield Access(current.database_owner_url, current.database_url)
        return
    with EmbeddedServer(current.home / "database", archive=current.continuous_archive) as server:
        yield Access(server.url, server.application_url, current.home)


@contextmanager
def running_alone(home: Path) -> Iterator[None]:
    """Two of us on one home would fight for the same ports and mail. Raises ``already_running``."""
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


@asynccontextmanager
async def open_installation() -> AsyncIterator[Database]:
    """The database of this installation, migrated; starts the embedded server if nobody else has."""
    current = settings()
    with access(current) as found:
        await asyncio.to_thread(bring_up, found)
        async with attach(found.application, current) as database:
            await recognise(database, found.home)
            yield database


def bring_up(found: Access) -> None:
    """The newest schema, and the application admitted. Raises ``CadenzaError`` when the database does not let us."""
    with _reaching():
        if found.owner is None and is_current(found.application):
            return
        migrate(found.owner or found.application)
        admit(found.owner or found.application, found.application)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (OperationalError, psycopg.OperationalError) as wrong:
        said = getattr(wrong, "orig", wrong)
        raise CadenzaError(
            "database_unreachable",
            f"The database does not answer: {str(said).strip()}",
            Kind.TEMPORARY,
            fix="Check CADENZA_DATABASE_URL and whether the server is up.",
        ) from wrong
    except ProgrammingError as refused:
        if not isinstance(refused.orig, InsufficientPrivilege):
            raise
        raise CadenzaError(
            "database_refused",
            f"The database does not let us: {str(refused.orig).strip()}",
            Kind.NOT_ALLOWED,
            fix="Run `cadenza migrate` with CADENZA_DATABASE_OWNER_URL set, the same database as its owner.",
        ) from refused


def _is_current(url: str) -> bool:
    with _reaching():
        return is_current(url)


@asynccontextmanager
async def attach(url: str, current: Settings) -> AsyncIterator[Database]:
    """A database that is up and migrated already, with the world clock as it stands."""
    if not await asyncio.to_thread(_is_current, url):
        raise CadenzaError(
            "schema_old",
            "The database's schema is not that of this version.",
            fix="Run `cadenza migrate` once, or `cadenza up`.",
        )
    world = WorldClock(MachineClock())
    database = Database(url, secrets=secret_box(current), world=world, pool=current.database_pool)
    try:
        world.anchor = await read_anchor(database)
        yield database
    finally:
        await database.close()


async def read_anchor(database: Database) -> Anchor | None:
    async with database.installation() as session:
        row = await session.get(WorldClockRow, 1)
    return Anchor(row.machine, row.world, row.speed) if row else None


async def set_world(database: Database, *, speed: float | None = None, start: Anchor | None = None) -> Anchor:
    """Start world time (``start``), or change its speed from now on without a jump."""
    now = database.machine.now()
    before = await read_anchor(database)
    if start is not None:
        anchor = start
    else:
        world = before.at(now) if before else database.world.now()
        anchor = Anchor(now, world, speed if speed is not None else (before.speed if before else 1.0))
    values = {
        "machine": anchor.machine,
        "world": anchor.world,
        "speed": anchor.speed,
        "seen_world": anchor.world,
    }
    async with database.installation() as session:
        await session.execute(
            insert(WorldClockRow)
            .values(id=1, **values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )
    if isinstance(database.world, WorldClock):
        database.world.anchor = anchor
    return anchor


async def continue_world(database: Database) -> Anchor | None:
    """After a stop, planned or not, world time goes on from where it was last seen."""
    async with database.installation() as session:
        row = await session.scalar(select(WorldClockRow))
    if row is None:
        return None
    return await set_world(database, start=Anchor(database.machine.now(), row.seen_world, row.speed))


async def follow_world(database: Database, *, keep: bool = False) -> None:
    """Run for ever: take over changes of the clock that others make; with ``keep`` also note how far it came."""
    world: Clock = database.world
    while isinstance(world, WorldClock):
        await asyncio.sleep(_REFRESH_SECONDS)
        world.anchor = await read_anchor(database)
        if keep and world.anchor:
            async with database.installation() as session:
                await session.execute(update(WorldClockRow).values(seen_world=world.now()))
