"""Room on the disk: new work stops before the database has to. Reading, answering pages and stops go on."""

import asyncio
import shutil
from pathlib import Path

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.logs import logger
from cadenza.core.settings import Settings

_log = logger("room")
_LOOK_SECONDS = 5.0


def free_bytes(path: Path) -> int:
    """Of the file system that the path, or the nearest folder above that exists, lies on."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


async def keep_room(database: Database, settings: Settings) -> None:
    """The loop of every process: what `Database.full` says is at most five seconds old."""
    while True:
        await look_for_room(database, settings)
        await asyncio.sleep(_LOOK_SECONDS)


async def look_for_room(database: Database, settings: Settings) -> None:
    free = await asyncio.to_thread(free_bytes, settings.home)
    full = free < settings.disk_reserve_mb * 1_000_000
    if full and not database.full:
        _log.error("disk_nearly_full", free_mb=free // 1_000_000)
    database.full = full


def require_room(database: Database) -> None:
    """For doors that take in much. Raises ``disk_full``."""
    if database.full:
        raise CadenzaError(
            "disk_full",
            "The disk is nearly full, so nothing new is taken in.",
            Kind.TEMPORARY,
            fix="Nothing was kept of this. Try again when the operator has made room.",
        )
