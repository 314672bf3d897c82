"""Opens the installation that the settings describe: database up, schema current, clocks and keys ready."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from cadenza.core.clock import Anchor, Clock, MachineClock, WorldClock
from cadenza.core.crypto import secret_box
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.migrations.service import is_current, migrate
from cadenza.core.models import WorldClockRow
from cadenza.core.postgres.server import database_url
from cadenza.core.settings import Settings, settings

_REFRESH_SECONDS = 1.0


@asynccontextmanager
async def open_installation(url: str | None = None) -> AsyncIterator[Database]:
    """The database of this installation, migrated; starts the embedded server if nobody else has."""
    current = settings()
    with database_url(current.home, url or current.database_url) as found:
        await _migrate(found)
        async with attach(found, current) as database:
            yield database


async def _migrate(url: str) -> None:
    try:
        await asyncio.to_thread(migrate, url)
    except OperationalError as wrong:
        raise CadenzaError(
            "database_unreachable",
            f"The database does not answer: {str(wrong.orig).strip()}",
            Kind.TEMPORARY,
            fix="Check CADENZA_DATABASE_URL and whether the server is up.",
        ) from wrong


@asynccontextmanager
async def attach(url: str, current: Settings) -> AsyncIterator[Database]:
    """A database that is up and migrated already, with the world clock as it stands."""
    if not await asyncio.to_thread(is_current, url):
        raise CadenzaError(
            "schema_old", "The database's schema is not that of this version.", fix="Run `cadenza up` once."
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
