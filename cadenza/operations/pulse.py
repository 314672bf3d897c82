"""Which processes run: each notes every few seconds that it is there, and takes its line away when it ends."""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from cadenza.core.database import Database
from cadenza.core.ids import new_id
from cadenza.operations.models import ProcessRow

_EVERY_SECONDS = 10.0
_PATIENCE = 2.0
_FORGOTTEN = timedelta(days=1)
SILENT = timedelta(minutes=1)  # whoever was not seen for so long does not run


@dataclass(frozen=True, slots=True)
class Process:
    kind: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime


async def beat(database: Database, kind: str) -> None:
    """The loop of every process, until it is cancelled."""
    identity, started = new_id(), database.machine.now()
    try:
        while True:
            await _note(database, ProcessRow(
                id=identity, kind=kind, host=socket.gethostname(), pid=os.getpid(), version=version("cadenza"),
                started_at=started, seen_at=database.machine.now(),
            ))  # fmt: skip
            await asyncio.sleep(_EVERY_SECONDS)
    finally:
        with suppress(DBAPIError, TimeoutError):  # where the database is gone, the line grows old instead
            async with asyncio.timeout(_PATIENCE):
                await _forget(database, identity)


async def _forget(database: Database, identity: UUID) -> None:
    async with database.installation() as session:
        await session.execute(delete(ProcessRow).where(ProcessRow.id == identity))


async def _note(database: Database, row: ProcessRow) -> None:
    values = {name: getattr(row, name) for name in ProcessRow.__table__.columns.keys()}  # noqa: SIM118 - columns
    async with database.installation() as session:
        await session.execute(
            insert(ProcessRow)
            .values(values)
            .on_conflict_do_update(index_elements=["id"], set_={"seen_at": row.seen_at})
        )
        await session.execute(delete(ProcessRow).where(ProcessRow.seen_at < row.seen_at - _FORGOTTEN))


async def processes(database: Database) -> list[Process]:
    """Those seen within a day, by kind and age."""
    async with database.installation() as session:
        rows = await session.scalars(select(ProcessRow).order_by(ProcessRow.kind, ProcessRow.started_at))
        return [Process(r.kind, r.host, r.pid, r.version, r.started_at, r.seen_at) for r in rows]
