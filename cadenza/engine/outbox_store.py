"""What the outbox changes in enrolments and touches: kept back, let go, left out."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, update

from cadenza.core.unit import Unit
from cadenza.engine.contracts import EnrolmentState, TouchState
from cadenza.engine.models import EnrolmentRow, TouchRow


async def keep_back(unit: Unit, ids: Sequence[UUID]) -> list[EnrolmentRow]:
    """Those whose next step was still to come, and that nobody keeps back yet."""
    rows = await unit.session.scalars(
        update(EnrolmentRow)
        .where(
            *_next_to_come(unit, ids),
            EnrolmentRow.kept_back.is_(False),
        )
        .values(state=EnrolmentState.HELD.value, kept_back=True)
        .returning(EnrolmentRow)
    )
    return list(rows)


async def let_go(unit: Unit, ids: Sequence[UUID]) -> list[EnrolmentRow]:
    """Kept back no more. Whose absence lasts stays held for that."""
    away = EnrolmentRow.hold_until > unit.world.now()
    rows = await unit.session.scalars(
        update(EnrolmentRow)
        .where(*_next_to_come(unit, ids), EnrolmentRow.kept_back.is_(True))
        .values(
            kept_back=False,
            state=case((away, EnrolmentState.HELD.value), else_=EnrolmentState.ACTIVE.value),
            hold_until=case((away, EnrolmentRow.hold_until)),
            next_due_at=func.greatest(EnrolmentRow.next_due_at, unit.world.now()),
        )
        .returning(EnrolmentRow)
    )
    return list(rows)


async def lock_next(unit: Unit, ids: Sequence[UUID]) -> list[EnrolmentRow]:
    """Those whose next step is still to come, locked so that no worker claims it."""
    query = select(EnrolmentRow).where(*_next_to_come(unit, ids)).order_by(EnrolmentRow.id).with_for_update()
    return list(await unit.session.scalars(query.execution_options(populate_existing=True)))


def _next_to_come(unit: Unit, ids: Sequence[UUID]) -> list[ColumnElement[bool]]:
    return [
        EnrolmentRow.workspace_id == unit.workspace_id,
        EnrolmentRow.id.in_(ids),
        EnrolmentRow.state.in_([EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value]),
        EnrolmentRow.next_due_at.is_not(None),
    ]


async def lock_deferred(unit: Unit, ids: Sequence[UUID]) -> list[TouchRow]:
    """Messages that wait for another try, locked so that no worker takes them up."""
    query = select(TouchRow).where(
        TouchRow.workspace_id == unit.workspace_id,
        TouchRow.id.in_(ids),
        TouchRow.state == TouchState.DEFERRED.value,
    )
    locked = query.order_by(TouchRow.id).with_for_update().execution_options(populate_existing=True)
    return list(await unit.session.scalars(locked))
