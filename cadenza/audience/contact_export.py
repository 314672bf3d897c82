"""All people of a filter as a table: streamed from the database, counted and told in the audit trail before it begins."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from cadenza.audience.contracts import Channel
from cadenza.audience.export import Cell
from cadenza.audience.fields import known_fields
from cadenza.audience.models import AccountRow, ContactRow, ExportRow
from cadenza.audience.people import chosen
from cadenza.audience.segment_rules import Group
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

MOST_ROWS = 100_000
MOST_A_DAY = 20  # exports of one workspace
_PLAIN = ("first_name", "last_name", "title", "country", "language", "timezone", "website")
_COMPANY = ("name", "domain", "industry", "country")
_CHANNELS = {"email": Channel.EMAIL, "phone": Channel.PHONE, "linkedin": Channel.LINKEDIN}


@dataclass(frozen=True, slots=True)
class Export:
    """What was allowed: the header, and the people that the filter lets through."""

    header: tuple[str, ...]
    custom: tuple[str, ...]
    rule: Group
    query: str


async def begin_export(unit: Unit, actor: Actor, rule: Group, query: str = "") -> Export:
    """Ask for an export: counted, limited, and told in the audit trail. Raises ``CadenzaError`` (not allowed, too many)."""
    authorize(actor, Action.EXPORT_CONTACTS)
    fits = await chosen(unit, rule, query)
    rows = await unit.session.scalar(select(func.count()).select_from(ContactRow).where(*fits)) or 0
    if rows > MOST_ROWS:
        raise CadenzaError(
            "export_too_large",
            f"{rows} people fit; one export takes {MOST_ROWS}.",
            Kind.TOO_MANY,
            fix="Narrow the filter.",
        )
    today = select(func.count()).where(
        ExportRow.workspace_id == unit.workspace_id, ExportRow.at > unit.machine.now() - timedelta(days=1)
    )
    if (await unit.session.scalar(today) or 0) >= MOST_A_DAY:
        raise CadenzaError(
            "too_many_exports",
            f"There were {MOST_A_DAY} exports within a day.",
            Kind.TOO_MANY,
            fix="Try again tomorrow.",
        )
    row = ExportRow(
        workspace_id=unit.workspace_id,
        id=new_id(),
        at=unit.machine.now(),
        member_id=actor.member_id,
        rows=rows,
    )
    unit.session.add(row)
    await unit.session.flush()
    await audit(unit, actor, "contacts_exported", str(row.id), rows=rows)
    custom = tuple(field.name for field in await known_fields(unit))
    company = tuple(f"company_{name}" for name in _COMPANY)
    return Export((*_CHANNELS, *_PLAIN, *company, "stopped", "added", *custom), custom, rule, query)


async def export_rows(database: Database, actor: Actor, export: Export) -> AsyncIterator[tuple[Cell, ...]]:
    """The people, oldest first, a few hundred at a time in memory; in a unit of its own, as long as the file takes."""
    async with database.unit(actor.workspace_id) as unit:
        query = _query(await chosen(unit, export.rule, export.query))
        async for row in await unit.session.stream(query.execution_options(yield_per=500)):
            custom, plain = row[-1], row[:-1]
            yield (*plain, *(custom.get(name) for name in export.custom))


def _query(fits: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    addresses: list[Any] = [
        literal_column(_ADDRESSES.format(channel.value)) for channel in _CHANNELS.values()
    ]
    person: list[Any] = [getattr(ContactRow, name) for name in _PLAIN]
    company: list[Any] = [getattr(AccountRow, name) for name in _COMPANY]
    stopped: Any = literal_column(_STOPPED)
    added = func.to_char(ContactRow.created_at, "YYYY-MM-DD")
    same = (AccountRow.workspace_id == ContactRow.workspace_id) & (AccountRow.id == ContactRow.account_id)
    query = select(*addresses, *person, *company, stopped, added, ContactRow.custom).select_from(ContactRow)
    return query.outerjoin(AccountRow, same).where(*fits).order_by(ContactRow.id).limit(MOST_ROWS)


_ADDRESSES = """(select string_agg(a.value, ' ' order by a.main desc, a.value) from addresses a
  where a.workspace_id = contacts.workspace_id and a.contact_id = contacts.id and a.channel = '{}')"""
_STOPPED = """(select case when exists (select from suppressions s where s.workspace_id = contacts.workspace_id
  and s.kind = 'contact' and s.value = cast(contacts.id as text)) then 'yes' else 'no' end)"""
