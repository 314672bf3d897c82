"""How far campaigns are and what lies before them: every query that pages ask about it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, func, select, text, true
from sqlalchemy.orm import aliased

from cadenza.campaigns.contracts import CampaignState
from cadenza.core.unit import Unit
from cadenza.engine.contracts import EnrolmentState
from cadenza.engine.models import EnrolmentRow, RunRow


async def state_counts(unit: Unit, campaign_id: UUID) -> dict[str, int]:
    query = (
        select(EnrolmentRow.state, func.count())
        .where(EnrolmentRow.workspace_id == unit.workspace_id, EnrolmentRow.campaign_id == campaign_id)
        .group_by(EnrolmentRow.state)
    )
    return {state: count for state, count in await unit.session.execute(query)}


async def due_counts(unit: Unit, campaign_id: UUID) -> tuple[int, datetime | None, dict[str, int]]:
    """How many are due now, when the next one is, and what the waiting ones wait for."""
    now = unit.world.now()
    query = (
        select(
            EnrolmentRow.waiting_for,
            func.count(),
            func.count().filter(EnrolmentRow.next_due_at <= now),
            func.min(EnrolmentRow.next_due_at),
        )
        .where(
            EnrolmentRow.workspace_id == unit.workspace_id,
            EnrolmentRow.campaign_id == campaign_id,
            EnrolmentRow.state == EnrolmentState.ACTIVE.value,
            EnrolmentRow.next_due_at.is_not(None),
        )
        .group_by(EnrolmentRow.waiting_for)
    )
    rows = (await unit.session.execute(query)).all()
    nexts = [first for _, _, _, first in rows if first]
    waiting = {why: count for why, count, _, _ in rows if why}
    return sum(due for _, _, due, _ in rows), min(nexts, default=None), waiting


async def upcoming(unit: Unit, campaign_id: UUID | None, limit: int) -> list[EnrolmentRow]:
    """Of each running campaign the first ones are read from the index; sorting all that is planned would take longer each day."""
    next_ones = (
        select(EnrolmentRow)
        .where(
            EnrolmentRow.workspace_id == unit.workspace_id,
            EnrolmentRow.campaign_id == RunRow.id,
            EnrolmentRow.state == EnrolmentState.ACTIVE.value,
            EnrolmentRow.next_due_at.is_not(None),
        )
        .order_by(EnrolmentRow.next_due_at)
        .limit(limit)
        .correlate(RunRow)
        .lateral()
    )
    row = aliased(EnrolmentRow, next_ones)
    running = [RunRow.workspace_id == unit.workspace_id, RunRow.state == CampaignState.RUNNING.value]
    if campaign_id is not None:
        running.append(RunRow.id == campaign_id)
    query = select(row).select_from(RunRow).join(next_ones, true()).where(*running)
    return list(await unit.session.scalars(query.order_by(row.next_due_at).limit(limit)))


_ANYTHING_PLANNED = text("""
    select exists (select from runs r where r.workspace_id = :workspace and r.state = 'running' and exists (
      select from enrolments e where e.workspace_id = r.workspace_id and e.campaign_id = r.id and e.state = 'active'
        and e.next_due_at is not null))
""")


async def anything_planned(unit: Unit) -> bool:
    found = await unit.session.execute(_ANYTHING_PLANNED, {"workspace": unit.workspace_id})
    return bool(found.scalar_one())


async def planned_by_time(
    unit: Unit, campaign_id: UUID, *, start: datetime, end: datetime, width: timedelta
) -> tuple[dict[int, int], datetime | None]:
    """Next steps of a campaign until ``end`` by spans since ``start``, and when the last of them is; what is due leaves now."""
    at = func.greatest(EnrolmentRow.next_due_at, unit.world.now())
    place = func.floor(func.extract("epoch", at - start) / width.total_seconds()).cast(Integer)
    query = select(place, func.count(), func.max(at)).where(
        EnrolmentRow.workspace_id == unit.workspace_id,
        EnrolmentRow.campaign_id == campaign_id,
        EnrolmentRow.state == EnrolmentState.ACTIVE.value,
        EnrolmentRow.next_due_at < end,
    )
    rows = (await unit.session.execute(query.group_by(text("1")))).all()
    return {slot: count for slot, count, _ in rows}, max((last for _, _, last in rows), default=None)


async def next_sendings(unit: Unit, campaign_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of these running campaigns sends next."""
    first = (
        select(func.min(EnrolmentRow.next_due_at))
        .where(
            EnrolmentRow.workspace_id == unit.workspace_id,
            EnrolmentRow.campaign_id == RunRow.id,
            EnrolmentRow.state == EnrolmentState.ACTIVE.value,
            EnrolmentRow.next_due_at.is_not(None),
        )
        .correlate(RunRow)
        .scalar_subquery()
    )
    query = select(RunRow.id, first).where(
        RunRow.workspace_id == unit.workspace_id,
        RunRow.state == CampaignState.RUNNING.value,
        RunRow.id.in_(campaign_ids),
    )
    return {identity: at for identity, at in await unit.session.execute(query) if at}
