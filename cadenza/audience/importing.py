"""Importing a contact file, or looking at what an import would do."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from cadenza.audience import import_store
from cadenza.audience.contracts import ImportReport, ImportState
from cadenza.audience.fields import define_fields, kinds_of, known_fields
from cadenza.audience.import_file import ParsedFile, open_table, parse_file, preview
from cadenza.audience.models import ImportMemberRow, ImportRow
from cadenza.audience.text_source import MAX_BYTES, from_bytes
from cadenza.core.clock import monotonic
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

_NONE: Mapping[str, str] = {}


def read_contacts_file(path: Path) -> bytes:
    """Raises ``CadenzaError`` for a file that is missing, unreadable or too large."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CadenzaError(
                "file_too_large",
                f"{path.name} is larger than {MAX_BYTES >> 20} MB.",
                fix="Split it and import the parts.",
            )
        return path.read_bytes()
    except (OSError, ValueError) as wrong:
        why = getattr(wrong, "strerror", None) or "its name is none"
        raise CadenzaError(
            "file_unreadable", f"It cannot be read: {why}.", fix="Check the file's name and rights."
        ) from wrong


def dry_run_alone(data: bytes, *, file: str, mapping: Mapping[str, str] = _NONE) -> ImportReport:
    """What an import would take, compared with nothing stored: needs no installation."""
    started = monotonic()
    parsed = parse_file(data, mapping)
    return _report(parsed, file, len(parsed.people), started, dry_run=True, compared=False)


async def import_contacts(
    unit: Unit,
    actor: Actor,
    data: bytes,
    *,
    file: str,
    mapping: Mapping[str, str] = _NONE,
    dry_run: bool = False,
) -> ImportReport:
    """Import a contact file's bytes; with ``dry_run`` only say what would happen.

    Known people are found by e-mail address, then LinkedIn profile; what the file says replaces what is stored, and
    what it leaves empty stays. A stop stays a stop. Raises ``CadenzaError`` for a file that cannot be read at all.
    """
    authorize(actor, Action.IMPORT_CONTACTS)
    started = monotonic()
    parsed = await asyncio.to_thread(
        parse_file, data, mapping, await kinds_of(unit)
    )  # seconds for a large file: others go on meanwhile
    if dry_run:
        return _report(parsed, file, await _count_new(unit, parsed), started, dry_run=True)
    await import_store.lock(unit)
    await define_fields(unit, parsed.custom_fields)
    import_id = await _begin(unit, actor, parsed, file, data)
    ids, created = await _store(unit, actor, parsed, import_id)
    row = await unit.session.get_one(ImportRow, (unit.workspace_id, import_id))
    row.created, row.updated = len(created), len(parsed.people) - len(created)
    await audit(
        unit, actor, "contacts_imported", row.file, rows=parsed.rows, created=row.created, updated=row.updated
    )
    return _report(parsed, file, len(created), started, ids=tuple(dict.fromkeys(ids)))


async def _begin(unit: Unit, actor: Actor, parsed: ParsedFile, file: str, data: bytes) -> UUID:
    row = ImportRow(
        workspace_id=unit.workspace_id,
        id=new_id(),
        at=unit.machine.now(),
        member_id=actor.member_id,
        file=base_name(file),
        digest=hashlib.sha256(data).hexdigest(),
        mapping=parsed.mapping,
        custom_fields=sorted(parsed.custom_fields),
        rows=parsed.rows,
        created=0,
        updated=0,
        rejected=len(parsed.rejected),
        duplicates=len(parsed.merged),
        state=ImportState.DONE.value,
        encoding=parsed.encoding,
        reached=parsed.rows,
        finished_at=unit.machine.now(),
    )
    unit.session.add(row)
    await unit.session.flush()
    return row.id


async def _store(
    unit: Unit, actor: Actor, parsed: ParsedFile, import_id: UUID
) -> tuple[list[UUID], set[UUID]]:
    now = unit.world.now()
    ids, created = list[UUID](), set[UUID]()
    for start in range(0, len(parsed.people), import_store.BATCH):
        batch_ids, new = await import_store.store(
            unit, parsed.people[start : start + import_store.BATCH], now
        )
        await import_store.remember(unit, import_id, batch_ids, start)
        await record_events(
            unit,
            [imported(actor, contact_id, import_id, now) for contact_id in batch_ids if contact_id in new],
        )
        ids += batch_ids
        created |= new
        await import_store.refresh_statistics(unit, len(ids) // 4)
    return ids, created


def imported(actor: Actor, contact_id: UUID, import_id: UUID, now: datetime) -> NewEvent:
    return NewEvent(
        kind=EventKind.IMPORTED,
        origin=actor.origin.value,
        at=now,
        contact_id=contact_id,
        member_id=actor.member_id,
        data={"import": str(import_id)},
    )


async def _count_new(unit: Unit, parsed: ParsedFile) -> int:
    new = 0
    for start in range(0, len(parsed.people), import_store.BATCH):
        batch = parsed.people[start : start + import_store.BATCH]
        found = await import_store.known(unit, batch)
        new += sum(found.contact_of(person) is None for person in batch)
    return new


def _report(
    parsed: ParsedFile,
    file: str,
    created: int,
    started: float,
    *,
    ids: tuple[UUID, ...] = (),
    dry_run: bool = False,
    compared: bool = True,
) -> ImportReport:
    return ImportReport(
        file=file,
        dry_run=dry_run,
        encoding=parsed.encoding,
        delimiter=parsed.delimiter,
        mapping=parsed.mapping,
        rows=parsed.rows,
        accepted=len(parsed.people),
        created=created,
        updated=len(parsed.people) - created,
        duplicates=len(parsed.merged),
        merged=tuple(parsed.merged),
        rejected=tuple(parsed.rejected),
        preview=preview(parsed.people),
        seconds=round(monotonic() - started, 3),
        contact_ids=ids,
        warnings=tuple(parsed.warnings),
        compared=compared,
    )


def base_name(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2][:255] or "file"


async def contacts_of_file(unit: Unit, file: str, limit: int | None = None) -> list[UUID]:
    """The people of the newest import of a file of this name, in its order, or the first of them; none when it was never imported."""
    newest = await _newest(unit, file)
    if newest is None:
        return []
    query = (
        select(ImportMemberRow.contact_id)
        .where(ImportMemberRow.workspace_id == unit.workspace_id, ImportMemberRow.import_id == newest.id)
        .order_by(ImportMemberRow.position)
        .limit(limit)
    )
    return list((await unit.session.scalars(query)).all())


async def resolve_contacts_file(unit: Unit, actor: Actor, path: Path) -> ImportReport | None:
    """Make the people of a campaign's contacts file known: import it unless exactly this file was the last import.

    The report of the import, or None when there was nothing to do.
    """
    data = read_contacts_file(path)
    newest = await _newest(unit, path.name)
    if newest is not None and newest.digest == hashlib.sha256(data).hexdigest():
        return None
    return await import_contacts(unit, actor, data, file=path.name, mapping=_NONE)


def custom_fields_of_file(path: Path) -> frozenset[str]:
    """The custom fields that an import of this file would bring. Raises ``CadenzaError``."""
    return open_table(from_bytes(read_contacts_file(path)), _NONE).custom_fields


async def custom_fields(unit: Unit) -> frozenset[str]:
    """Every custom field of the workspace: what imports brought and what people defined."""
    return frozenset(field.name for field in await known_fields(unit))


async def _newest(unit: Unit, file: str) -> ImportRow | None:
    query = (
        select(ImportRow)
        .where(
            ImportRow.workspace_id == unit.workspace_id,
            ImportRow.file == base_name(file),
            ImportRow.state == ImportState.DONE.value,
        )
        .order_by(ImportRow.at.desc(), ImportRow.id.desc())
        .limit(1)
    )
    return (await unit.session.scalars(query)).first()
