"""Segments: filters that are saved by name, counted, and whose people can be asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from cadenza.audience.contracts import FieldKind
from cadenza.audience.fields import kinds_of
from cadenza.audience.models import ContactRow, SegmentRow
from cadenza.audience.segment_query import clause, here
from cadenza.audience.segment_rules import NOBODY, Group, read, to_json
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

_MOST = 200
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Segment:
    """``people`` is None where nobody counted; ``wrong`` says why its filter means nothing any more."""

    id: UUID
    name: str
    rule: Group
    updated_at: datetime
    people: int | None = None
    wrong: str = ""


async def segments(unit: Unit, actor: Actor) -> list[Segment]:
    """All segments by name, each with how many people are in it now; two queries."""
    authorize(actor, Action.READ)
    custom = await kinds_of(unit)
    query = select(SegmentRow).where(SegmentRow.workspace_id == unit.workspace_id).order_by(SegmentRow.name)
    rows = list(await unit.session.scalars(query))
    found = [_read(row, custom) for row in rows]
    counts = [
        select(func.count())
        .select_from(ContactRow)
        .where(*here(unit), clause(unit, each.rule, custom))
        .scalar_subquery()
        for each in found
    ]
    people: Sequence[int] = (await unit.session.execute(select(*counts))).one() if counts else ()
    return [replace(each, people=count) for each, count in zip(found, people, strict=True)]


def _read(row: SegmentRow, custom: Mapping[str, FieldKind]) -> Segment:
    """A filter that names a field which is no longer there is told in the list, and chooses nobody."""
    try:
        return Segment(row.id, row.name, read(row.rule, custom), row.updated_at)
    except CadenzaError as wrong:
        return Segment(row.id, row.name, NOBODY, row.updated_at, wrong=wrong.message)


async def segment(
    unit: Unit, actor: Actor, segment_id: UUID, custom: Mapping[str, FieldKind] | None = None
) -> Segment:
    """Raises ``CadenzaError`` (not found, or a filter whose field is gone). ``custom`` are the own fields, where known."""
    authorize(actor, Action.READ)
    row = await unit.session.get(SegmentRow, (unit.workspace_id, segment_id))
    if row is None:
        raise not_found("segment", segment_id)
    return Segment(
        row.id, row.name, read(row.rule, await kinds_of(unit) if custom is None else custom), row.updated_at
    )


async def save_segment(unit: Unit, actor: Actor, name: str, rule: Group, *, replace: bool = False) -> UUID:
    """Keep a filter under a name; with ``replace`` one of that name takes the new filter.

    Raises ``CadenzaError``, a conflict where there is one of that name and it is not to be replaced.
    """
    authorize(actor, Action.EDIT_CONTACTS)
    name = await _checked_name(unit, name)
    saved = await _keep(unit, actor, name, rule, replace=replace)
    if saved is None:
        raise CadenzaError(
            "segment_exists",
            f"There is a segment {name!r} already.",
            Kind.CONFLICT,
            fix="Nothing was saved. Give another name, or say that it is to be replaced.",
        )
    await audit(unit, actor, "segment_saved", name)
    return saved


async def _checked_name(unit: Unit, name: str) -> str:
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not name or len(name) > _LONGEST_NAME:
        raise CadenzaError(
            "segment_name", f"A segment has a name of 1 to {_LONGEST_NAME} characters.", fix="Shorten it."
        )
    held = select(func.count()).where(SegmentRow.workspace_id == unit.workspace_id, SegmentRow.name != name)
    if (await unit.session.scalar(held) or 0) >= _MOST:
        raise CadenzaError("too_many_segments", f"There are {_MOST} segments already.", Kind.TOO_MANY)
    return name


async def _keep(unit: Unit, actor: Actor, name: str, rule: Group, *, replace: bool) -> UUID | None:
    """None where there is one of that name and it is not to be replaced."""
    now = unit.machine.now()
    values = {"rule": to_json(rule), "updated_at": now, "member_id": actor.member_id}
    row = insert(SegmentRow).values(
        workspace_id=unit.workspace_id, id=new_id(), name=name, created_at=now, **values
    )
    key = ["workspace_id", "name"]
    kept = (
        row.on_conflict_do_update(index_elements=key, set_=values)
        if replace
        else row.on_conflict_do_nothing(index_elements=key)
    )
    return (await unit.session.scalars(kept.returning(SegmentRow.id))).one_or_none()


async def remove_segment(unit: Unit, actor: Actor, segment_id: UUID) -> None:
    """Forget a filter; nobody in it is changed. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.EDIT_CONTACTS)
    mine = (SegmentRow.workspace_id == unit.workspace_id) & (SegmentRow.id == segment_id)
    name = (
        await unit.session.scalars(delete(SegmentRow).where(mine).returning(SegmentRow.name))
    ).one_or_none()
    if name is None:
        raise not_found("segment", segment_id)
    await audit(unit, actor, "segment_removed", name)


async def segment_named(unit: Unit, name: str) -> UUID | None:
    query = select(SegmentRow.id).where(SegmentRow.workspace_id == unit.workspace_id, SegmentRow.name == name)
    return (await unit.session.scalars(query)).one_or_none()


async def segment_members(unit: Unit, segment_id: UUID, limit: int | None = None) -> list[UUID]:
    """Who is in a segment now, or the first of them; whoever was added first comes first. Raises ``CadenzaError`` (not found)."""
    row = await unit.session.get(SegmentRow, (unit.workspace_id, segment_id))
    if row is None:
        raise not_found("segment", segment_id)
    custom = await kinds_of(unit)
    query = select(ContactRow.id).where(*here(unit), clause(unit, read(row.rule, custom), custom))
    return list((await unit.session.scalars(query.order_by(ContactRow.id).limit(limit))).all())
