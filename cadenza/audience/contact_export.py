"""All people of a filter as a table: read in batches, counted and told in the audit trail before it begins."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, func, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY

from cadenza.audience.contracts import Channel
from cadenza.audience.export import Cell
from cadenza.audience.fields import known_fields
from cadenza.audience.models import AccountRow, ContactRow, ExportRow
from cadenza.audience.people import chosen
from cadenza.audience.segment_query import SAME_ACCOUNT, here
from cadenza.audience.segment_rules import Group
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

MOST_ROWS = 100_000
_BATCH = 500
MOST_A_DAY = 20  # exports of one workspace
_PLAIN = ("first_name", "last_name", "title", "country", "language", "timezone", "website")
_COMPANY = ("name", "domain", "industry", "country")
_CHANNELS = {"email": Channel.EMAIL, "phone": Channel.PHONE, "linkedin": Channel.LINKEDIN}


@dataclass(frozen=True, slots=True)
class Export:
    """What was allowed: the header, and the people whom the filter let through when it was asked for."""

    header: tuple[str, ...]
    custom: tuple[str, ...]
    people: tuple[UUID, ...]


async def begin_export(unit: Unit, actor: Actor, rule: Group, query: str = "") -> Export:
    """Ask for an export: counted, limited, and told in the audit trail. Raises ``CadenzaError`` (not allowed, too many)."""
    authorize(actor, Action.EXPORT_CONTACTS)
    people = await _people(unit, rule, query)
    await _check_ceiling(unit)
    row = ExportRow(
        workspace_id=unit.workspace_id,
        id=new_id(),
        at=unit.machine.now(),
        member_id=actor.member_id,
        rows=len(people),
    )
    unit.session.add(row)
    await unit.session.flush()
    await audit(unit, actor, "contacts_exported", str(row.id), rows=row.rows)
    custom = tuple(field.name for field in await known_fields(unit))
    company = tuple(f"company_{name}" for name in _COMPANY)
    return Export((*_CHANNELS, *_PLAIN, *company, "stopped", "added", *custom), custom, people)


async def _people(unit: Unit, rule: Group, query: str) -> tuple[UUID, ...]:
    """Those who fit, oldest first."""
    which = select(ContactRow.id).where(*await chosen(unit, rule, query))
    people = tuple(await unit.session.scalars(which.order_by(ContactRow.id).limit(MOST_ROWS + 1)))
    if len(people) > MOST_ROWS:
        raise CadenzaError(
            "export_too_large",
            f"More than {MOST_ROWS} people fit, which is what one export takes.",
            Kind.TOO_MANY,
            fix="Narrow the filter.",
        )
    return people


async def _check_ceiling(unit: Unit) -> None:
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


async def export_rows(database: Database, actor: Actor, export: Export) -> AsyncIterator[tuple[Cell, ...]]:
    """The people, oldest first, a batch at a time in memory, each in a unit of its own that is over before it is sent.

    Who was removed meanwhile is left out.
    """
    for start in range(0, len(export.people), _BATCH):
        async with database.unit(actor.workspace_id) as unit:
            query = _query(unit, export.people[start : start + _BATCH])
            rows = (await unit.session.execute(query)).all()
        for row in rows:
            custom, plain = row[-1], row[:-1]
            yield (*plain, *(custom.get(name) for name in export.custom))


def _query(unit: Unit, people: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    addresses: list[Any] = [
        literal_column(_ADDRESSES.format(channel.value)) for channel in _CHANNELS.values()
    ]
    person: list[Any] = [getattr(ContactRow, name) for name in _PLAIN]
    company: list[Any] = [getattr(AccountRow, name) for name in _COMPANY]
    stopped: Any = literal_column(_STOPPED)
    added = func.to_char(ContactRow.created_at, "YYYY-MM-DD")
    query = select(*addresses, *person, *company, stopped, added, ContactRow.custom).select_from(ContactRow)
    meant = ContactRow.id == func.any(sql_cast(list(people), ARRAY(Uuid)))
    return query.outerjoin(AccountRow, SAME_ACCOUNT).where(*here(unit), meant).order_by(ContactRow.id)


_ADDRESSES = """(select string_agg(a.value, ' ' order by a.main desc, a.value) from addresses a
  where a.workspace_id = contacts.workspace_id and a.contact_id = contacts.id and a.channel = '{}')"""
_STOPPED = """(select case when exists (select from suppressions s where s.workspace_id = contacts.workspace_id
  and s.kind = 'contact' and s.value = cast(contacts.id as text)) then 'yes' else 'no' end)"""
