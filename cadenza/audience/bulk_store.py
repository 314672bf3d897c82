"""What a change to many people writes, and what taking it back writes: one batch at a time, each once.

Who is meant was frozen before, in the order of their ids, with what stood there. A batch reads that list from where the
last one ended and moves the mark in the same transaction, so whoever comes after a killed worker goes on from there.
Somebody whom another changed meanwhile is left as they are, and leaves the list: taking the change back is not about them.
"""

from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, text

from cadenza.audience.contracts import BulkKind, BulkState
from cadenza.audience.models import BulkChangeRow
from cadenza.core.errors import not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.identity.service import job_actor
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

BATCH = 2000  # people that one transaction changes
_BEFORE_ALL, _AFTER_ALL = UUID(int=0), UUID(int=2**128 - 1)

_MEANT = """
    bulk_items where workspace_id = :workspace and change_id = :change and contact_id between :first and :last
"""
_NEXT = text("""
    select min(cast(b.contact_id as text)) as first, max(cast(b.contact_id as text)) as last, count(*) as people
    from (select contact_id from bulk_items
          where workspace_id = :workspace and change_id = :change and contact_id > :reached
          order by contact_id limit :batch) b
""")
_LAST = text("""
    select min(cast(b.contact_id as text)) as first, max(cast(b.contact_id as text)) as last, count(*) as people
    from (select contact_id from bulk_items
          where workspace_id = :workspace and change_id = :change and contact_id <= :reached
          order by contact_id desc limit :batch) b
""")
# Whoever was merged meanwhile is stopped as who they turned out to be. One order everywhere, so that nobody waits in a ring.
_STOP = text("""
    insert into suppressions (workspace_id, id, kind, value, reason, source, at, contact_id)
    select :workspace, gen_random_uuid(), s.kind, s.value, 'manual', :source, :now, p.id
    from (select distinct coalesce(c.merged_into, c.id) as id
          from bulk_items i join contacts c on c.workspace_id = i.workspace_id and c.id = i.contact_id
          where i.workspace_id = :workspace and i.change_id = :change and i.contact_id between :first and :last) p
    cross join lateral (select 'contact' as kind, cast(p.id as text) as value
                        union all
                        select 'address', a.value from addresses a
                        where a.workspace_id = :workspace and a.contact_id = p.id) s
    order by p.id, s.kind, s.value
    on conflict do nothing
    returning kind, contact_id
""")
_LEFT_OUT = """
    , left_out as (
      delete from bulk_items i using meant m
      where i.workspace_id = :workspace and i.change_id = :change and i.contact_id = m.contact_id
        and not exists (select from changed d where d.id = m.contact_id)
    )
    select count(*) from changed
"""
_SET = text(f"""
    with meant as materialized (select contact_id, before from {_MEANT}), changed as (
      update contacts c set custom = c.custom || jsonb_build_object(cast(:field as text), cast(:value as text)), updated_at = :now
      from meant i
      where c.workspace_id = :workspace and c.id = i.contact_id
        and c.custom->>cast(:field as text) is not distinct from i.before->>'value'
      returning c.id
    ) {_LEFT_OUT}
""")  # noqa: S608 - our own text
_REMOVE = text(f"""
    with meant as materialized (select contact_id from {_MEANT}), changed as (
      update contacts c set gone_at = :began from meant i
      where c.workspace_id = :workspace and c.id = i.contact_id and c.gone_at is null
      returning c.id
    ) {_LEFT_OUT}
""")  # noqa: S608 - our own text
# Back to what stood there, but only where nobody has changed it since, not even to the same value by a later change.
_UNSET = text(f"""
    with meant as materialized (select contact_id, before from {_MEANT}), changed as (
      update contacts c
      set custom = case when i.before ? 'value' then c.custom || jsonb_build_object(cast(:field as text), i.before->'value')
                        else c.custom - cast(:field as text) end, updated_at = :now
      from meant i
      where c.workspace_id = :workspace and c.id = i.contact_id and c.custom->>cast(:field as text) = cast(:value as text)
        and not exists (select from bulk_changes b
                        join bulk_items l on l.workspace_id = b.workspace_id and l.change_id = b.id
                        where b.workspace_id = :workspace and b.id > :change and b.field = :field and b.undone_at is null
                          and l.contact_id = i.contact_id and l.contact_id <= b.reached)
      returning c.id
    )
    select count(*) from changed
""")  # noqa: S608 - our own text
# The moment of the change is the mark of those whom it removed.
_BRING_BACK = text(f"""
    with meant as materialized (select contact_id from {_MEANT}), changed as (
      update contacts c set gone_at = null from meant i
      where c.workspace_id = :workspace and c.id = i.contact_id and c.merged_into is null and c.gone_at = :began
      returning c.id
    )
    select count(*) from changed
""")  # noqa: S608 - our own text
_LIFT = text("select lift_bulk_stops(:source, :first, :last)")


class _Part(NamedTuple):
    first: str
    last: str
    people: int


async def change_row(unit: Unit, change_id: UUID, *, lock: bool = False) -> BulkChangeRow:
    """Raises ``CadenzaError`` (not found)."""
    query = select(BulkChangeRow).where(
        BulkChangeRow.workspace_id == unit.workspace_id, BulkChangeRow.id == change_id
    )
    query = (query.with_for_update() if lock else query).execution_options(populate_existing=True)
    if (row := await unit.session.scalar(query)) is None:
        raise not_found("change", change_id)
    return row


async def step(unit: Unit, row: BulkChangeRow, actor: Actor | None = None) -> bool:
    """Do, or take back, the next batch of a change whose row is locked; whether there is another one.

    ``actor`` is who does it now; a job acts for whoever asked.
    """
    if row.state in (BulkState.WAITING.value, BulkState.RUNNING.value):
        await _forward(unit, row, actor or replace(job_actor(unit.workspace_id), member_id=row.member_id))
    elif row.state == BulkState.UNDOING.value:
        await _back(unit, row)
    return row.state in (BulkState.RUNNING.value, BulkState.UNDOING.value)


async def _forward(unit: Unit, row: BulkChangeRow, actor: Actor) -> None:
    part = await _part(unit, _NEXT, row, row.reached or _BEFORE_ALL)
    if part.people:
        row.left_out += part.people - await _change(unit, row, part, actor)
        row.done, row.reached = row.done + part.people, UUID(part.last)
    row.state = (BulkState.DONE if part.people < BATCH else BulkState.RUNNING).value


async def _back(unit: Unit, row: BulkChangeRow) -> None:
    part = await _part(unit, _LAST, row, row.reached or _BEFORE_ALL)
    if part.people:
        row.left_out += part.people - await _put_back(unit, row, part)
        row.done, row.reached = row.done - part.people, UUID(int=UUID(part.first).int - 1)
    if part.people < BATCH:
        row.state, row.done, row.undone_at = BulkState.UNDONE.value, 0, unit.machine.now()


async def _part(unit: Unit, statement: Any, row: BulkChangeRow, reached: UUID) -> _Part:
    given = {"workspace": unit.workspace_id, "change": row.id, "reached": reached, "batch": BATCH}
    return _Part(*(await unit.session.execute(statement, given)).one())


def _given(unit: Unit, row: BulkChangeRow, part: _Part) -> dict[str, Any]:
    return {
        "workspace": unit.workspace_id,
        "change": row.id,
        "first": UUID(part.first),
        "last": UUID(part.last),
    }


async def _change(unit: Unit, row: BulkChangeRow, part: _Part, actor: Actor) -> int:
    """How many of the batch the change holds for."""
    given = _given(unit, row, part)
    if row.kind == BulkKind.STOP.value:
        await _stop(unit, row, given, actor)
        return part.people
    if row.kind == BulkKind.SET_FIELD.value:
        more = {"field": row.field, "value": row.value, "now": unit.world.now()}
        return await unit.session.scalar(_SET, given | more) or 0
    return await unit.session.scalar(_REMOVE, given | {"began": row.at}) or 0


async def _stop(unit: Unit, row: BulkChangeRow, given: dict[str, Any], actor: Actor) -> None:
    """Nobody of the batch is written to once this is committed. People who were stopped before get no second event."""
    now, source = unit.world.now(), source_of(row.id)
    stopped = await unit.session.execute(_STOP, given | {"source": source, "now": now})
    events = [
        NewEvent(
            kind=EventKind.SUPPRESSED, origin=actor.origin.value, at=now, contact_id=each.contact_id,
            member_id=actor.member_id, data={"reason": "manual", "source": source, "kind": "contact"},
        )
        for each in stopped
        if each.kind == "contact"
    ]  # fmt: skip
    await record_events(unit, events)


async def _put_back(unit: Unit, row: BulkChangeRow, part: _Part) -> int:
    """How many of the batch are again as they were."""
    given = _given(unit, row, part)
    if row.kind == BulkKind.STOP.value:
        lift = {"source": source_of(row.id), "first": given["first"], "last": given["last"]}
        await unit.session.execute(_LIFT, lift)
        return part.people
    if row.kind == BulkKind.SET_FIELD.value:
        more = {"field": row.field, "value": row.value, "now": unit.world.now()}
        return await unit.session.scalar(_UNSET, given | more) or 0
    return await unit.session.scalar(_BRING_BACK, given | {"began": row.at}) or 0


def source_of(change_id: UUID) -> str:
    """What the stops of a change name as their source."""
    return f"bulk {change_id}"
