"""One change to many people: stop writing, set a field, remove; each one statement, each to be taken back for a day.

Who is meant is frozen first, with what stood there before; the change and its undo read that list. A stop made here is
lifted only by whoever may lift stops, with a reason that goes into the audit trail; an opt-out of the person's own stands.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import cast as sql_cast
from sqlalchemy import delete, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB

from cadenza.audience.contracts import FieldKind
from cadenza.audience.field_values import normal_value
from cadenza.audience.fields import kinds_of
from cadenza.audience.models import BulkChangeRow, BulkItemRow, ContactRow
from cadenza.audience.people import chosen
from cadenza.audience.segment_rules import Group
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, may
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

UNDO_FOR = timedelta(hours=24)
MOST = 100_000
_EVENTS_AT_ONCE = 5000


class BulkKind(StrEnum):
    STOP = "stop"
    SET_FIELD = "set_field"
    REMOVE = "remove"


NEEDS = {
    BulkKind.STOP: Action.SUPPRESS,
    BulkKind.SET_FIELD: Action.EDIT_CONTACTS,
    BulkKind.REMOVE: Action.IMPORT_CONTACTS,
}


@dataclass(frozen=True, slots=True)
class Whom:
    """These people, or, where no ids are given, everybody of a filter and a search."""

    rule: Group
    query: str = ""
    ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class BulkChange:
    """``until`` is when it can no longer be taken back."""

    id: UUID
    at: datetime
    kind: BulkKind
    people: int
    field: str | None
    value: str | None
    undone_at: datetime | None
    until: datetime


_STOP = text("""
    insert into suppressions (workspace_id, id, kind, value, reason, source, at, contact_id)
    select i.workspace_id, gen_random_uuid(), s.kind, s.value, 'manual', :source, :at, i.contact_id
    from bulk_items i
    cross join lateral (select 'contact' as kind, cast(i.contact_id as text) as value
                        union all
                        select 'address', a.value from addresses a
                        where a.workspace_id = i.workspace_id and a.contact_id = i.contact_id) s
    where i.workspace_id = :workspace and i.change_id = :change
    on conflict do nothing
    returning kind, contact_id
""")
_SET = text("""
    update contacts c set custom = c.custom || jsonb_build_object(cast(:field as text), cast(:value as text)), updated_at = :now
    from bulk_items i
    where i.workspace_id = :workspace and i.change_id = :change and c.workspace_id = i.workspace_id and c.id = i.contact_id
""")
_REMOVE = text("""
    update contacts c set gone_at = :now from bulk_items i
    where i.workspace_id = :workspace and i.change_id = :change and c.workspace_id = i.workspace_id and c.id = i.contact_id
""")
# Back to what stood there, but only where nobody has changed it since.
_UNSET = text("""
    update contacts c
    set custom = case when i.before ? 'value' then c.custom || jsonb_build_object(cast(:field as text), i.before->'value')
                      else c.custom - cast(:field as text) end, updated_at = :now
    from bulk_items i
    where i.workspace_id = :workspace and i.change_id = :change and c.workspace_id = i.workspace_id and c.id = i.contact_id
      and c.custom->>cast(:field as text) = cast(:value as text)
""")
_BRING_BACK = text("""
    update contacts c set gone_at = null from bulk_items i
    where i.workspace_id = :workspace and i.change_id = :change and c.workspace_id = i.workspace_id and c.id = i.contact_id
      and c.merged_into is null
""")
_LIFT = text("select lift_bulk_stops(:source)")


async def change_many(
    unit: Unit, actor: Actor, kind: BulkKind, whom: Whom, *, field: str = "", value: str = ""
) -> BulkChange:
    """Do it to everybody meant. Raises ``CadenzaError`` for nobody, too many, or a value that the field cannot hold."""
    authorize(actor, NEEDS[kind])
    normal = await _field_value(unit, field, value) if kind is BulkKind.SET_FIELD else None
    await _forget_old(unit)
    row = BulkChangeRow(
        workspace_id=unit.workspace_id, id=new_id(), at=unit.machine.now(), member_id=actor.member_id, kind=kind.value,
        people=0, field=field or None, value=normal,
    )  # fmt: skip
    unit.session.add(row)
    await unit.session.flush()
    row.people = await _freeze(unit, row, whom)
    given: dict[str, Any] = {"workspace": unit.workspace_id, "change": row.id}
    if kind is BulkKind.STOP:
        await _stop(unit, actor, row, given)
    elif kind is BulkKind.SET_FIELD:
        given |= {"field": field, "value": normal, "now": unit.world.now()}
        await unit.session.execute(_SET, given)
    else:
        await unit.session.execute(_REMOVE, given | {"now": unit.machine.now()})
    await audit(
        unit, actor, f"bulk_{kind.value}", str(row.id), people=row.people, field=field, value=normal or ""
    )
    return _as_change(row)


async def _field_value(unit: Unit, field: str, value: str) -> str:
    kinds = await kinds_of(unit)
    if field not in kinds:
        raise not_found("field", field[:60])
    normal = normal_value(kinds[field], value) if len(value) <= 2000 else None
    if not normal or "\0" in normal:
        message = f"{value[:80]!r} is no {FieldKind(kinds[field]).words}."
        raise CadenzaError("field_value", message, fix="Nothing was changed; correct the value.")
    return normal


async def _freeze(unit: Unit, row: BulkChangeRow, whom: Whom) -> int:
    """Write down who is meant, with the field's value before; how many they are."""
    fits = await chosen(unit, whom.rule, whom.query)
    if whom.ids:
        fits.append(ContactRow.id.in_(whom.ids))
    before = (
        func.jsonb_strip_nulls(
            func.jsonb_build_object("value", func.jsonb_extract_path(ContactRow.custom, row.field or ""))
        )
        if row.field
        else sql_cast(literal("{}"), JSONB)
    )
    people = (
        select(literal(unit.workspace_id), literal(row.id), ContactRow.id, before)
        .where(*fits)
        .limit(MOST + 1)
    )
    columns = ["workspace_id", "change_id", "contact_id", "before"]
    statement = insert(BulkItemRow).from_select(columns, people)
    done: Any = await unit.session.execute(statement, execution_options={"preserve_rowcount": True})
    if done.rowcount == 0:
        raise CadenzaError("nobody_chosen", "Nobody fits.", fix="Nothing was changed; choose people first.")
    if done.rowcount > MOST:
        raise CadenzaError(
            "too_many_people",
            f"More than {MOST} people fit.",
            Kind.TOO_MANY,
            fix="Nothing was changed; narrow the filter.",
        )
    return int(done.rowcount)


async def _stop(unit: Unit, actor: Actor, row: BulkChangeRow, given: dict[str, Any]) -> None:
    source = _source(row.id)
    stopped = await unit.session.execute(_STOP, given | {"source": source, "at": unit.world.now()})
    people = [each.contact_id for each in stopped if each.kind == "contact"]
    for start in range(0, len(people), _EVENTS_AT_ONCE):
        events = [
            NewEvent(
                kind=EventKind.SUPPRESSED, origin=actor.origin.value, at=unit.world.now(), contact_id=contact_id,
                member_id=actor.member_id, data={"reason": "manual", "source": source, "kind": "contact"},
            )
            for contact_id in people[start : start + _EVENTS_AT_ONCE]
        ]  # fmt: skip
        await record_events(unit, events)


def _source(change_id: UUID) -> str:
    return f"bulk {change_id}"


async def changes(unit: Unit, actor: Actor) -> list[BulkChange]:
    """The changes that can still be taken back, newest first."""
    authorize(actor, Action.READ)
    query = (
        select(BulkChangeRow)
        .where(
            BulkChangeRow.workspace_id == unit.workspace_id,
            BulkChangeRow.undone_at.is_(None),
            BulkChangeRow.at > unit.machine.now() - UNDO_FOR,
        )
        .order_by(BulkChangeRow.at.desc())
        .limit(10)
    )
    return [_as_change(row) for row in await unit.session.scalars(query)]


def may_undo(actor: Actor, change: BulkChange) -> bool:
    needed = Action.LIFT_STOPS if change.kind is BulkKind.STOP else NEEDS[change.kind]
    return may(actor.role, needed)


async def undo(unit: Unit, actor: Actor, change_id: UUID, *, reason: str = "") -> BulkChange:
    """Take a change back. Lifting stops needs the right to and a reason. Raises ``CadenzaError``."""
    authorize(actor, Action.READ)
    query = select(BulkChangeRow).where(
        BulkChangeRow.workspace_id == unit.workspace_id, BulkChangeRow.id == change_id
    )
    row = await unit.session.scalar(query.with_for_update())
    if row is None:
        raise not_found("change", change_id)
    kind = BulkKind(row.kind)
    authorize(actor, Action.LIFT_STOPS if kind is BulkKind.STOP else NEEDS[kind])
    if row.undone_at is not None or row.at <= unit.machine.now() - UNDO_FOR:
        raise CadenzaError("undo_over", "This can no longer be taken back.", Kind.CONFLICT)
    if kind is BulkKind.STOP and not reason.strip():
        raise CadenzaError(
            "reason_missing",
            "A stop is lifted only with a reason.",
            fix="Say why; it stands in the audit trail.",
        )
    given = {"workspace": unit.workspace_id, "change": row.id}
    if kind is BulkKind.STOP:
        await unit.session.execute(_LIFT, {"source": _source(row.id)})
    elif kind is BulkKind.SET_FIELD:
        await unit.session.execute(
            _UNSET, given | {"field": row.field, "value": row.value, "now": unit.world.now()}
        )
    else:
        await unit.session.execute(_BRING_BACK, given)
    row.undone_at = unit.machine.now()
    await audit(
        unit, actor, f"bulk_{kind.value}_undone", str(row.id), people=row.people, reason=reason.strip()[:500]
    )
    return _as_change(row)


def _as_change(row: BulkChangeRow) -> BulkChange:
    return BulkChange(
        row.id, row.at, BulkKind(row.kind), row.people, row.field, row.value, row.undone_at, row.at + UNDO_FOR
    )


async def _forget_old(unit: Unit) -> None:
    """What stood there before is kept only as long as it can be taken back."""
    old = select(BulkChangeRow.id).where(
        BulkChangeRow.workspace_id == unit.workspace_id, BulkChangeRow.at <= unit.machine.now() - UNDO_FOR
    )
    mine = BulkItemRow.workspace_id == unit.workspace_id
    await unit.session.execute(delete(BulkItemRow).where(mine, BulkItemRow.change_id.in_(old)))
