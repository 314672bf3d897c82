"""Reading the audit trail: search, and an export with which somebody else can check the chain."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, text, tuple_

from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.identity.audit import audit
from cadenza.identity.contracts import Action, Actor, AuditEntry, AuditFilter
from cadenza.identity.models import AuditLinkRow, AuditRow
from cadenza.identity.rights import authorize

PAGE = 50
_BATCH = 2_000
_EXPORT = text(
    "select l.number, encode(l.previous, 'hex') as previous, encode(l.hash, 'hex') as hash, audit_words(e) as entry "
    "from audit_links l join audit_entries e on e.workspace_id = l.workspace_id and e.id = l.entry_id "
    "where l.workspace_id = :workspace and l.number > :after and l.number <= :last order by l.number limit :batch"
)


async def audit_trail(
    unit: Unit, actor: Actor, wanted: AuditFilter, *, page: int = 1
) -> tuple[list[AuditEntry], bool]:
    """One page of what fits, the newest first, and whether there is more."""
    authorize(actor, Action.READ_AUDIT)
    query = _newest(unit, wanted).limit(PAGE + 1).offset((page - 1) * PAGE)
    found = [_entry(row, number) for row, number in await unit.session.execute(query)]
    return found[:PAGE], len(found) > PAGE


async def audit_part(
    unit: Unit, actor: Actor, wanted: AuditFilter, *, after: UUID | None, limit: int
) -> list[AuditEntry]:
    """So many of what fits, the newest first, beginning after the entry with the id ``after``."""
    authorize(actor, Action.READ_AUDIT)
    query = _newest(unit, wanted).limit(limit)
    if after:
        place = select(AuditRow.at, AuditRow.id).where(
            AuditRow.workspace_id == unit.workspace_id, AuditRow.id == after
        )
        query = query.where(tuple_(AuditRow.at, AuditRow.id) < place.scalar_subquery())
    return [_entry(row, number) for row, number in await unit.session.execute(query)]


def _newest(unit: Unit, wanted: AuditFilter) -> Select[AuditRow, int]:
    query = _linked().where(AuditRow.workspace_id == unit.workspace_id, *_conditions(wanted))
    return query.order_by(AuditRow.at.desc(), AuditRow.id.desc())


def _linked() -> Select[AuditRow, int]:
    same = and_(AuditLinkRow.workspace_id == AuditRow.workspace_id, AuditLinkRow.entry_id == AuditRow.id)
    return select(AuditRow, AuditLinkRow.number).outerjoin(AuditLinkRow, same)


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.member_id:
        found.append(AuditRow.member_id == wanted.member_id)
    if wanted.action:
        found.append(AuditRow.action == wanted.action)
    if wanted.subject:
        found.append(AuditRow.subject.icontains(wanted.subject, autoescape=True))
    if wanted.first:
        found.append(AuditRow.at >= datetime.combine(wanted.first, time(), UTC))
    if wanted.last and wanted.last < date.max:
        found.append(AuditRow.at < datetime.combine(wanted.last + timedelta(days=1), time(), UTC))
    return found


def _entry(row: AuditRow, number: int | None) -> AuditEntry:
    return AuditEntry(
        row.id, row.at, row.member_id, row.actor, row.origin, row.action, row.subject, row.request_id, row.data, number
    )  # fmt: skip


async def audit_actions(unit: Unit, actor: Actor) -> list[str]:
    """What has been done so far, by name; for the filter."""
    authorize(actor, Action.READ_AUDIT)
    query = select(AuditRow.action).where(AuditRow.workspace_id == unit.workspace_id).distinct()
    return sorted(await unit.session.scalars(query))


async def export_audit(database: Database, actor: Actor) -> AsyncIterator[str]:
    """The whole trail as lines of JSON, the oldest first, in batches with a transaction each.

    ``hash`` is SHA-256 of the bytes of ``previous`` followed by those of ``entry``, which is a text; whoever keeps these lines
    elsewhere can check the chain without us. That it was exported is the last entry of the trail before the export.
    """
    authorize(actor, Action.READ_AUDIT)
    async with database.unit(actor.workspace_id) as unit:
        await audit(unit, actor, "audit_exported")
    async with database.unit(actor.workspace_id) as unit:
        last = await _last_number(unit)
    return _lines(database, actor.workspace_id, last)


async def _last_number(unit: Unit) -> int:
    query = select(func.max(AuditLinkRow.number)).where(AuditLinkRow.workspace_id == unit.workspace_id)
    return await unit.session.scalar(query) or 0


async def _lines(database: Database, workspace_id: UUID, last: int) -> AsyncIterator[str]:
    after = 0
    while after < last:
        async with database.unit(workspace_id) as unit:
            values = {"workspace": workspace_id, "after": after, "last": last, "batch": _BATCH}
            rows = (await unit.session.execute(_EXPORT, values)).mappings().all()
        if not rows:
            return
        yield "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)
        after = rows[-1]["number"]
