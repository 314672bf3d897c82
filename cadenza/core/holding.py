"""Which installation this is, and the hold: sending stops by itself where the data was restored, copied or promoted.

A restored or copied database does not know what was sent after the copy was made, and a promoted standby may lack the
last commits. Sending waits until the Sent folders were compared and a person said so.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.logs import logger
from cadenza.core.models import InstallationRow
from cadenza.core.settings import Settings

_log = logger("holding")
_LOOK_SECONDS = 5.0
_MARGIN = timedelta(minutes=10)  # clocks differ, and a provider may file a copy late
MARKER = "installation"
REASONS = ("restored", "cloned", "failover", "by_hand")


@dataclass(frozen=True, slots=True)
class Hold:
    """``since`` sending is held; what was sent after ``lost_from`` may be unknown here. Machine times."""

    reason: str
    since: datetime
    lost_from: datetime
    compared_at: datetime | None = None
    compared: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    identity: UUID
    mode: str | None
    seen_at: datetime | None
    hold: Hold | None


async def installation(session: AsyncSession) -> Installation:
    row = await _row(session)
    return Installation(row.identity, row.mode, row.seen_at, _hold(row))


async def _row(session: AsyncSession, *, lock: bool = False) -> InstallationRow:
    query = select(InstallationRow)
    row: InstallationRow = (await session.scalars(query.with_for_update() if lock else query)).one()
    return row


def _hold(row: InstallationRow) -> Hold | None:
    if row.held_since is None:
        return None
    lost_from = row.held_from or row.held_since
    return Hold(row.held_reason or "by_hand", row.held_since, lost_from, row.compared_at, row.compared)


async def choose_mode(database: Database, mode: str) -> None:
    """The first start decides; a sandbox has people who do not exist, and can never write to real ones."""
    async with database.installation() as session:
        row = await _row(session, lock=True)
        if row.mode is None:
            row.mode = mode
    if row.mode != mode:
        raise CadenzaError(
            "wrong_mode",
            f"The data here is a {row.mode} installation and cannot become a {mode} one.",
            Kind.CONFLICT,
            fix="Set CADENZA_HOME (or CADENZA_DATABASE_URL) to another place for it. Nothing was changed.",
        )


def place_of(home: Path) -> str:
    """Where the data lies. A marker file that was copied along has another inode, so a copy tells itself apart."""
    marker = home / MARKER
    marker.touch(exist_ok=True)
    machine = Path("/etc/machine-id")
    name = machine.read_text().strip() if machine.exists() else ""
    return f"{name}:{home.resolve()}:{marker.stat().st_ino}"


async def recognise(database: Database, home: Path | None = None) -> Hold | None:
    """Compare where this data is with where it was last seen, and hold sending if it moved; notes the look.

    ``home`` is given where the embedded server keeps the data below it.
    """
    now = database.machine.now()
    async with database.installation() as session:
        row = await _row(session, lock=True)
        system, timeline, synchronous = await _server(session)
        place = await asyncio.to_thread(place_of, home) if home else None
        reason = _moved(row, system, timeline, place)
        if reason:
            _set_hold(row, reason, now)
            _log.error("sending_held", reason=reason)
        row.system, row.timeline, row.synchronous, row.seen_at = system, timeline, synchronous, now
        row.place = place or row.place
        database.hold = found = _hold(row)
    return found


async def _server(session: AsyncSession) -> tuple[str, str, bool]:
    query = text(
        "select (select system_identifier from pg_control_system()) || '.' || d.oid, "
        "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), "
        "current_setting('synchronous_standby_names') <> '' from pg_database d where d.datname = current_database()"
    )
    system, timeline, synchronous = (await session.execute(query)).one()
    return system, timeline, synchronous


def _moved(row: InstallationRow, system: str, timeline: str, place: str | None) -> str | None:
    if row.system is None:
        return None  # its first start
    if row.system != system:
        return "restored"
    if row.place and place and row.place != place:
        return "cloned"
    if row.timeline != timeline:
        # With a synchronous standby every commit that counted is here: sending follows the failover.
        return None if row.synchronous else "failover"
    return None


def _set_hold(row: InstallationRow, reason: str, now: datetime) -> None:
    if row.held_since is None:
        row.held_from = (row.seen_at or now) - _MARGIN
    row.held_since, row.held_reason = row.held_since or now, reason
    row.compared_at = row.compared = None


async def hold(database: Database) -> None:
    """Stop sending until it is released. Calling it again changes nothing."""
    async with database.installation() as session:
        row = await _row(session, lock=True)
        if row.held_since is None:
            _set_hold(row, "by_hand", database.machine.now())
        database.hold = _hold(row)


async def note_compared(database: Database, result: dict[str, Any]) -> None:
    """What the comparison of the Sent folders found; it is what a release waits for."""
    async with database.installation() as session:
        await session.execute(
            update(InstallationRow).values(compared_at=database.machine.now(), compared=result)
        )


async def release(session: AsyncSession, *, without_comparing: bool = False) -> Hold:
    """Let sending go on. Raises ``not_held``, and ``not_compared`` unless the Sent folders were, all of them."""
    row = await _row(session, lock=True)
    held = _hold(row)
    if held is None:
        raise CadenzaError("not_held", "Sending is not held.", Kind.CONFLICT)
    missing = held.compared is None or bool(held.compared["unreachable"])
    if missing and not without_comparing:
        raise CadenzaError(
            "not_compared",
            "The Sent folders were not all compared, so somebody might be written to twice.",
            Kind.CONFLICT,
            fix="Compare them first, or release without it if you know that nothing was sent since.",
        )
    row.held_since = row.held_reason = row.held_from = row.compared_at = row.compared = None
    return held


async def keep_watch(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The worker's loop: notices within seconds that another server answers, and notes that it looked."""
    while True:
        await recognise(database)
        await asyncio.sleep(_LOOK_SECONDS)


async def follow_hold(database: Database) -> None:
    """The web process' loop: what the banner on every page says."""
    while True:
        async with database.installation() as session:
            database.hold = (await installation(session)).hold
        await asyncio.sleep(_LOOK_SECONDS)
