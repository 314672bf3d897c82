"""What a person should do: items that are opened, listed, moved and finished."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy import Row as SqlRow
from sqlalchemy.dialects.postgresql import insert as upsert

from cadenza.core.database import plain
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize, counts_as_load
from cadenza.ledger.contracts import NewWorkItem, Waiting, WorkItem, WorkKind
from cadenza.ledger.models import WorkItemRow

_PAGE = 200
_ITEMS = plain(WorkItemRow)


async def open_work_items(unit: Unit, items: Iterable[NewWorkItem]) -> None:
    """Open items; one whose key exists already, open or done, is left as it is."""
    rows = [
        {
            **asdict(item),
            "kind": item.kind.value,
            "workspace_id": unit.workspace_id,
            "id": new_id(),
            "created_at": unit.machine.now(),
        }
        for item in items
    ]
    if rows:
        await unit.session.execute(upsert(WorkItemRow).on_conflict_do_nothing(), rows)


async def work_items(
    unit: Unit,
    actor: Actor,
    *,
    kinds: Sequence[WorkKind] = (),
    owner_id: UUID | None = None,
    limit: int = _PAGE,
) -> list[WorkItem]:
    """Open items, the earliest due first."""
    authorize(actor, Action.READ)
    conditions = [WorkItemRow.workspace_id == unit.workspace_id, WorkItemRow.done_at.is_(None)]
    if kinds:
        conditions.append(WorkItemRow.kind.in_([k.value for k in kinds]))
    if owner_id is not None:
        conditions.append(WorkItemRow.owner_id == owner_id)
    query = _ITEMS.where(*conditions).order_by(WorkItemRow.due_at, WorkItemRow.id).limit(limit)
    return [_work_item(row) for row in await unit.session.execute(query)]


async def work_waiting(unit: Unit, actor: Actor, *, limit: int) -> Waiting:
    """The first open items, the earliest due first, and how many there are."""
    found = await work_items(unit, actor, limit=limit)
    late = sum(item.due_at < unit.world.now() for item in found)
    if len(found) < limit:
        return Waiting(tuple(found), len(found), late)
    query = select(func.count(), func.count().filter(WorkItemRow.due_at < unit.world.now())).where(
        WorkItemRow.workspace_id == unit.workspace_id, WorkItemRow.done_at.is_(None)
    )
    total, late = (await unit.session.execute(query)).one()
    return Waiting(tuple(found), total, late)


def _work_item(row: SqlRow[Any]) -> WorkItem:
    return WorkItem(
        id=row.id,
        kind=WorkKind(row.kind),
        key=row.key,
        title=row.title,
        detail=row.detail,
        queue=row.queue,
        due_at=row.due_at,
        contact_id=row.contact_id,
        touch_id=row.touch_id,
        conversation_id=row.conversation_id,
        owner_id=row.owner_id,
        address=row.address,
        created_at=row.created_at,
        done_at=row.done_at,
    )


async def move_work_items(unit: Unit, contact_id: UUID, to: UUID) -> None:
    """Items about one person are about another from now on: the two turned out to be one."""
    await unit.session.execute(
        update(WorkItemRow)
        .where(WorkItemRow.workspace_id == unit.workspace_id, WorkItemRow.contact_id == contact_id)
        .values(contact_id=to)
    )


async def finish_work_items(
    unit: Unit,
    *,
    ids: Sequence[UUID] = (),
    touch_ids: Sequence[UUID] = (),
    conversation_id: UUID | None = None,
    keys: str = "",
    member_id: UUID | None = None,
) -> None:
    """Close open items by their own id, by what they are about, or by what their ``keys`` begin with."""
    about: list[ColumnElement[bool]] = []
    if ids:
        about.append(WorkItemRow.id.in_(ids))
    if touch_ids:
        about.append(WorkItemRow.touch_id.in_(touch_ids))
    if conversation_id is not None:
        about.append(WorkItemRow.conversation_id == conversation_id)
    if keys:
        about.append(WorkItemRow.key.startswith(keys, autoescape=True))
    for condition in about:
        await unit.session.execute(
            update(WorkItemRow)
            .where(WorkItemRow.workspace_id == unit.workspace_id, WorkItemRow.done_at.is_(None), condition)
            .values(done_at=unit.machine.now(), done_by=member_id)
        )


@counts_as_load
async def open_items_of_members(unit: Unit) -> dict[UUID, int]:
    """How many open items each owner has, leaving out those of a conversation: it counts itself."""
    query = (
        select(WorkItemRow.owner_id, func.count())
        .where(
            WorkItemRow.workspace_id == unit.workspace_id,
            WorkItemRow.done_at.is_(None),
            WorkItemRow.conversation_id.is_(None),
            WorkItemRow.owner_id.is_not(None),
        )
        .group_by(WorkItemRow.owner_id)
    )
    return {owner: count for owner, count in await unit.session.execute(query) if owner}
