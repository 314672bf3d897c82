"""A contact file that somebody uploaded: looked at before it is kept, kept in pieces, its mapping shown and corrected."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from cadenza.audience import import_store
from cadenza.audience.contracts import (
    Import,
    ImportFault,
    ImportPreview,
    ImportState,
    MappedColumn,
)
from cadenza.audience.csv_text import MAX_ROWS
from cadenza.audience.fields import kinds_of
from cadenza.audience.import_file import Row, Table, distinct, open_table, preview
from cadenza.audience.importing import base_name
from cadenza.audience.models import ImportChunkRow, ImportFaultRow, ImportRow
from cadenza.audience.text_source import Source, from_file, refuse
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.jobs import enqueue
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

IMPORT_JOB = "audience.import"
ENDINGS = (".csv", ".tsv", ".txt")
CHUNK = 1 << 20  # bytes
_PREVIEWED = 500  # rows
_SHOWN_PEOPLE, _SHOWN_FAULTS, _SAMPLES = 10, 20, 3
_MOST_WAITING = 10  # uploads of a workspace that are not imported yet
_FORGOTTEN_AFTER = timedelta(hours=24)  # uploads that nobody confirms
_MARKUP = ("<!doctype", "<html", "<?xml", "<svg", "<script", "{", "[")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on disk that has been looked at: text, a table, not too long."""

    path: Path
    file: str
    digest: str
    rows: int
    table: Table


def examine_upload(path: Path, name: str) -> Upload:
    """Read an uploaded file through once, a little at a time. ``name`` is what the browser calls it; no path is made of it.

    Raises ``CadenzaError`` for another kind of file than its name says, no table, or one that is too large.
    """
    file = _safe_name(name)
    if not file.lower().endswith(ENDINGS):
        raise refuse(
            "file_kind", f"{file} is no CSV file.", f"Save it as CSV; names end in {', '.join(ENDINGS)}."
        )
    source = from_file(path)
    if source.head(512).lstrip().lower().startswith(_MARKUP):
        raise refuse(
            "not_text", f"{file} is called CSV but holds markup.", "Export the table as CSV in UTF-8."
        )
    table = open_table(source, {})
    rows = sum(1 for _ in islice(table.records(), MAX_ROWS + 1))
    if rows > MAX_ROWS:
        raise refuse(
            "too_many_rows", f"The file has more than {MAX_ROWS} rows.", "Split it and import the parts."
        )
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return Upload(path, file, digest, rows, table)


def _safe_name(name: str) -> str:
    """Only for showing: without folders, control characters and marks that turn the direction of writing."""
    shown = "".join(c for c in base_name(name) if c.isprintable())
    return " ".join(shown.split())[:200] or "file"


async def keep_upload(unit: Unit, actor: Actor, upload: Upload) -> UUID:
    """Keep an upload until its mapping is confirmed; nobody is imported yet. Raises ``CadenzaError`` (too many)."""
    authorize(actor, Action.IMPORT_CONTACTS)
    await _forget_old(unit)
    waiting = await unit.session.scalar(
        select(func.count()).where(
            ImportRow.workspace_id == unit.workspace_id, ImportRow.state == ImportState.MAPPING.value
        )
    )
    if (waiting or 0) >= _MOST_WAITING:
        raise CadenzaError(
            "too_many_uploads", f"{_MOST_WAITING} uploads wait for their mapping already.", Kind.TOO_MANY,
            fix="Import or drop one of them first.",
        )  # fmt: skip
    row = ImportRow(
        workspace_id=unit.workspace_id, id=new_id(), at=unit.machine.now(), member_id=actor.member_id, file=upload.file,
        digest=upload.digest, mapping=upload.table.mapping, custom_fields=sorted(upload.table.custom_fields),
        rows=upload.rows, state=ImportState.MAPPING.value, encoding=upload.table.source.encoding,
    )  # fmt: skip
    unit.session.add(row)
    await unit.session.flush()
    with upload.path.open("rb") as file:
        for number, data in enumerate(iter(lambda: file.read(CHUNK), b"")):
            key = {"workspace_id": unit.workspace_id, "import_id": row.id, "number": number}
            await unit.session.execute(insert(ImportChunkRow).values(**key, data=data))
    return row.id


async def _forget_old(unit: Unit) -> None:
    """Uploads that nobody confirmed within a day: addresses of people are not kept for nothing."""
    old = (
        update(ImportRow)
        .where(
            ImportRow.workspace_id == unit.workspace_id,
            ImportRow.state == ImportState.MAPPING.value,
            ImportRow.at < unit.machine.now() - _FORGOTTEN_AFTER,
        )
        .values(state=ImportState.CANCELLED.value, finished_at=unit.machine.now())
        .returning(ImportRow.id)
    )
    await forget_bytes(unit, (await unit.session.scalars(old)).all())


async def forget_bytes(unit: Unit, import_ids: Sequence[UUID]) -> None:
    if import_ids:
        await unit.session.execute(
            delete(ImportChunkRow).where(
                ImportChunkRow.workspace_id == unit.workspace_id, ImportChunkRow.import_id.in_(import_ids)
            )
        )


async def imports(unit: Unit, actor: Actor, *, limit: int = 50) -> list[Import]:
    """The newest imports, whatever became of them."""
    authorize(actor, Action.READ)
    query = select(ImportRow).where(ImportRow.workspace_id == unit.workspace_id)
    rows = await unit.session.scalars(query.order_by(ImportRow.at.desc(), ImportRow.id.desc()).limit(limit))
    return [as_import(row) for row in rows]


async def import_of(unit: Unit, actor: Actor, import_id: UUID) -> Import:
    """Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.READ)
    return as_import(await import_row(unit, import_id))


async def import_row(unit: Unit, import_id: UUID, *, lock: bool = False) -> ImportRow:
    query = select(ImportRow).where(ImportRow.workspace_id == unit.workspace_id, ImportRow.id == import_id)
    query = (query.with_for_update() if lock else query).execution_options(populate_existing=True)
    if (row := await unit.session.scalar(query)) is None:
        raise not_found("import", import_id)
    return row


def as_import(row: ImportRow) -> Import:
    names = ("id", "at", "file", "mapping", "rows", "reached", "created", "updated", "duplicates", "rejected", "trouble", "finished_at")  # fmt: skip
    return Import(state=ImportState(row.state), **{name: getattr(row, name) for name in names})


async def faults_of(unit: Unit, actor: Actor, import_id: UUID, *, limit: int) -> list[ImportFault]:
    """What was wrong with rows of an import, in the order of the file."""
    authorize(actor, Action.READ)
    query = (
        select(ImportFaultRow)
        .where(ImportFaultRow.workspace_id == unit.workspace_id, ImportFaultRow.import_id == import_id)
        .order_by(ImportFaultRow.row, ImportFaultRow.place)
        .limit(limit)
    )
    rows = await unit.session.scalars(query)
    return [ImportFault(r.row, r.line, r.column, r.code, r.reason, r.rejected) for r in rows]


async def preview_upload(unit: Unit, actor: Actor, import_id: UUID) -> ImportPreview:
    """What would become of the first rows with the present mapping. Raises ``CadenzaError``."""
    authorize(actor, Action.READ)
    row = await _mapping_row(unit, import_id)
    table = await _first_piece(unit, row, row.mapping)
    read = _first_rows(row, table)
    usable = [each.person for each in read if each.person is not None]
    people = distinct(usable)
    found = await import_store.known(unit, people)
    new = sum(found.contact_of(person) is None for person in people)
    return ImportPreview(
        columns=_columns(table, row.mapping),
        rows=len(read),
        accepted=len(usable),
        new=new,
        updated=len(people) - new,
        repeated=len(usable) - len(people),
        rejected=len(read) - len(usable),
        people=preview(people[:_SHOWN_PEOPLE]),
        faults=tuple(fault for each in read for fault in faults_in(each))[:_SHOWN_FAULTS],
    )


def _first_rows(row: ImportRow, table: Table) -> list[Row]:
    return list(islice(table.rows(), min(_PREVIEWED, row.rows)))


def faults_in(row: Row) -> list[ImportFault]:
    rejected = row.person is None
    return [ImportFault(row.number, row.line, f.column, f.code, f.reason, rejected) for f in row.told]


def _columns(table: Table, mapping: Mapping[str, str]) -> tuple[MappedColumn, ...]:
    """Each column with the first values that are not empty."""
    values: list[list[str]] = [[] for _ in table.names]
    for record in islice(table.records(), _PREVIEWED):
        for place, cell in enumerate(record.cells[: len(values)]):
            if (shown := cell.strip()[:80]) and len(values[place]) < _SAMPLES and shown not in values[place]:
                values[place].append(shown)
    return tuple(MappedColumn(name, mapping[name], tuple(values[n])) for n, name in enumerate(table.names))


async def _mapping_row(unit: Unit, import_id: UUID, *, lock: bool = False) -> ImportRow:
    row = await import_row(unit, import_id, lock=lock)
    if row.state != ImportState.MAPPING.value:
        raise CadenzaError("import_begun", f"The import of {row.file} has begun already.", Kind.CONFLICT)
    return row


async def _first_piece(unit: Unit, row: ImportRow, mapping: Mapping[str, str]) -> Table:
    """The table that the first piece of the file holds, without the line that the piece may cut."""
    key = (unit.workspace_id, row.id, 0)
    data = (await unit.session.get_one(ImportChunkRow, key)).data
    if len(data) == CHUNK:
        width = {"utf-16": 2, "utf-32": 4}.get(row.encoding[:6], 1)
        end = data.rfind("\n".encode(row.encoding if "-" in row.encoding[6:] else "utf-8")) + width
        data = data[: end // width * width]
    return open_table(Source(lambda: io.BytesIO(data), row.encoding), mapping, await kinds_of(unit))


async def set_mapping(unit: Unit, actor: Actor, import_id: UUID, mapping: Mapping[str, str]) -> None:
    """Correct what columns hold; columns that are not named are guessed again. Raises ``CadenzaError``."""
    authorize(actor, Action.IMPORT_CONTACTS)
    row = await _mapping_row(unit, import_id, lock=True)
    table = await _first_piece(unit, row, mapping)
    row.mapping, row.custom_fields = table.mapping, sorted(table.custom_fields)


async def start_import(unit: Unit, actor: Actor, import_id: UUID) -> None:
    """Confirm the mapping; a worker imports the file, piece by piece.

    Raises ``CadenzaError`` when it has begun already, or when not one of the first rows can be used.
    """
    authorize(actor, Action.IMPORT_CONTACTS)
    row = await _mapping_row(unit, import_id, lock=True)
    await _check_usable(unit, row)
    row.state, row.member_id = ImportState.WAITING.value, actor.member_id
    await audit(unit, actor, "import_started", row.file, rows=row.rows)
    await enqueue(unit.session, IMPORT_JOB, workspace_id=str(unit.workspace_id), import_id=str(import_id))


async def _check_usable(unit: Unit, row: ImportRow) -> None:
    read = _first_rows(row, await _first_piece(unit, row, row.mapping))
    if any(each.person is not None for each in read):
        return
    fix = "Nobody was imported. Say which column holds the e-mail addresses, or correct the file and upload it again."
    if not read:
        raise CadenzaError("nothing_usable", f"{row.file} has no rows.", fix=fix)
    if len(read) == row.rows:
        raise CadenzaError("nothing_usable", f"No row of {row.file} can be used.", fix=fix)
    raise CadenzaError(
        "nothing_usable", f"None of the first {len(read)} rows of {row.file} can be used.", fix=fix
    )


async def cancel_import(unit: Unit, actor: Actor, import_id: UUID) -> bool:
    """Stop an import; the people of the rows so far stay. False for one that was over already, and is left as it is."""
    authorize(actor, Action.IMPORT_CONTACTS)
    row = await import_row(unit, import_id, lock=True)
    if row.state in (ImportState.MAPPING.value, ImportState.WAITING.value):
        row.state, row.finished_at = ImportState.CANCELLED.value, unit.machine.now()
        await forget_bytes(unit, [row.id])
    elif row.state == ImportState.RUNNING.value:
        row.state = ImportState.CANCELLING.value
    else:
        return False
    await audit(unit, actor, "import_cancelled", row.file, reached=row.reached)
    return True
