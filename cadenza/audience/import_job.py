"""The job that imports an upload: chunk by chunk, each committed with the row it reached, so that a killed worker's
successor goes on from there and no row counts twice.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text

from cadenza.audience import import_store
from cadenza.audience.contracts import FieldKind, ImportFault, ImportState
from cadenza.audience.fields import define_fields, kinds_of
from cadenza.audience.import_file import Row, Table, keys_of, merge_rows, open_table
from cadenza.audience.importing import imported
from cadenza.audience.models import ImportChunkRow, ImportRow
from cadenza.audience.rows import Person
from cadenza.audience.text_source import from_file
from cadenza.audience.uploads import faults_in, forget_bytes, import_row
from cadenza.core.database import Database, bulk
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.logs import logger
from cadenza.core.unit import Unit
from cadenza.identity.service import audit, job_actor
from cadenza.ledger.service import record_events

_log = logger("audience.import")
_FAULTS = text("""
    insert into import_faults (workspace_id, import_id, row, place, line, "column", code, reason, rejected)
    select :workspace, :import, r.row, r.place, r.line, r."column", r.code, r.reason, r.rejected
    from jsonb_to_recordset(cast(:rows as jsonb))
      as r(row int, place int, line int, "column" text, code text, reason text, rejected boolean)
""")


@dataclass(slots=True)
class _Chunk:
    """Rows that are committed together. ``people`` are one each; ``fills`` repeat somebody of an earlier chunk."""

    last: int
    people: list[Person] = field(default_factory=list)
    fills: set[int] = field(default_factory=set)  # row numbers: they fill what is empty and replace nothing
    duplicates: int = 0
    faults: list[ImportFault] = field(default_factory=list)


class _Chunks:
    """Cuts a table into chunks. Who came up already is remembered by hashes only, so that memory stays bounded."""

    def __init__(self, table: Table, reached: int) -> None:
        self._rows: Iterator[Row] = table.rows()
        self._seen: set[int] = set()
        self._reached = reached

    def catch_up(self) -> None:
        """Read again what an earlier worker imported: who came up there still counts as seen."""
        for row in islice(self._rows, self._reached):
            if row.person is not None:
                self._seen |= {hash(key) for key in keys_of(row.person)}

    def next(self) -> _Chunk | None:
        rows = list(islice(self._rows, import_store.BATCH))
        if not rows:
            return None
        chunk, here = _Chunk(rows[-1].number), dict[tuple[str, ...], Person]()
        for row in rows:
            chunk.faults += faults_in(row)
            if row.person is not None:
                self._add(chunk, here, row.person)
        self._seen |= {hash(key) for person in chunk.people for key in keys_of(person)}
        return chunk

    def _add(self, chunk: _Chunk, here: dict[tuple[str, ...], Person], person: Person) -> None:
        keys = keys_of(person)
        first = next((here[key] for key in keys if key in here), None)
        if first is not None:
            chunk.duplicates += 1
            merge_rows(first, person)
        else:
            if any(hash(key) in self._seen for key in keys):
                chunk.duplicates += 1
                chunk.fills.add(person.row)
            chunk.people.append(person)
        for key in keys_of(first or person):
            here.setdefault(key, first or person)


async def run_import(database: Database, *, workspace_id: str, import_id: str) -> None:
    """Import what is left of an upload. Safe to run again, and beside another run: only one of them commits a chunk."""
    workspace, identity = UUID(workspace_id), UUID(import_id)
    async with database.unit(workspace) as unit:
        row = await import_row(unit, identity, lock=True)
        if row.state not in (
            ImportState.WAITING.value, ImportState.RUNNING.value, ImportState.CANCELLING.value,
        ):  # fmt: skip
            return
        if row.state == ImportState.WAITING.value:
            row.state = ImportState.RUNNING.value
            await define_fields(unit, row.custom_fields)
        kinds = await kinds_of(unit)
    try:
        with tempfile.TemporaryDirectory(prefix="cadenza-import-") as folder:
            path = Path(folder) / "upload"
            await _download(database, workspace, identity, path)
            await _import(database, workspace, row, path, kinds)
    except CadenzaError as wrong:
        if wrong.kind is Kind.TEMPORARY:
            raise
        await _give_up(database, workspace, identity, str(wrong))


async def _download(database: Database, workspace: UUID, import_id: UUID, path: Path) -> None:
    """Piece by piece onto this machine's disk."""
    query = (
        select(ImportChunkRow.data)
        .where(ImportChunkRow.workspace_id == workspace, ImportChunkRow.import_id == import_id)
        .order_by(ImportChunkRow.number)
        .execution_options(yield_per=2)
    )
    async with database.unit(workspace) as unit:
        with path.open("wb") as file:
            async for data in await unit.session.stream_scalars(query):
                file.write(data)


async def _import(
    database: Database, workspace: UUID, row: ImportRow, path: Path, kinds: dict[str, FieldKind]
) -> None:
    table = await asyncio.to_thread(open_table, from_file(path, row.encoding), row.mapping, kinds)
    chunks, reached = _Chunks(table, row.reached), row.reached
    await asyncio.to_thread(chunks.catch_up)
    chunk = await asyncio.to_thread(chunks.next)
    while chunk:
        following = asyncio.create_task(asyncio.to_thread(chunks.next))  # read while this one is written
        async with database.unit(workspace) as unit:
            ours = await _commit(unit, row.id, chunk, reached)
        reached, chunk = chunk.last, await following
        if not ours:
            return
    async with database.unit(workspace) as unit:
        await _end(unit, await import_row(unit, row.id, lock=True), ImportState.DONE)


async def _commit(unit: Unit, import_id: UUID, chunk: _Chunk, reached: int) -> bool:
    """Write a chunk with the row it reached. False when the import is not ours to go on with."""
    row = await import_row(unit, import_id, lock=True)
    if row.state == ImportState.CANCELLING.value:
        await _end(unit, row, ImportState.CANCELLED)
        return False
    if row.state != ImportState.RUNNING.value or row.reached != reached:
        return False  # somebody else imports it, or it is over
    await import_store.lock(unit)
    now = unit.world.now()
    ids, created = await import_store.store(unit, chunk.people, now, fills=chunk.fills)
    await import_store.remember(unit, import_id, ids, reached)
    who = replace(job_actor(unit.workspace_id), member_id=row.member_id)
    await record_events(unit, [imported(who, each, import_id, now) for each in created])
    await _keep_faults(unit, import_id, chunk.faults)
    row.created += len(created)
    row.updated += len(chunk.people) - len(chunk.fills) - len(created)
    row.duplicates += chunk.duplicates
    row.rejected += len({fault.row for fault in chunk.faults if fault.rejected})
    row.reached = chunk.last
    await import_store.refresh_statistics(unit, chunk.last // 4)
    return True


async def _keep_faults(unit: Unit, import_id: UUID, faults: Sequence[ImportFault]) -> None:
    rows = [
        {"row": f.row, "place": n, "line": f.line, "column": f.column, "code": f.code, "reason": f.reason, "rejected": f.rejected}
        for n, f in enumerate(faults)
    ]  # fmt: skip
    if rows:
        await bulk(unit.session, _FAULTS, rows, workspace=unit.workspace_id, **{"import": import_id})


async def _end(unit: Unit, row: ImportRow, state: ImportState, trouble: str = "") -> None:
    row.state, row.trouble, row.finished_at = state.value, trouble, unit.machine.now()
    await forget_bytes(unit, [row.id])
    counts = {"rows": row.reached, "created": row.created, "updated": row.updated}
    await audit(unit, job_actor(unit.workspace_id), f"contacts_import_{state.value}", row.file, **counts)


async def _give_up(database: Database, workspace: UUID, import_id: UUID, trouble: str) -> None:
    _log.warning("import_failed", import_id=str(import_id), reason=trouble)
    async with database.unit(workspace) as unit:
        await _end(unit, await import_row(unit, import_id, lock=True), ImportState.FAILED, trouble)
