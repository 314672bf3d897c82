"""What is kept of senders' health and of the days of a warm-up."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.channels.contracts import (
    DayOutcome,
    HealthState,
    Mailbox,
    SenderFigures,
    SenderHealth,
    Stop,
    WarmUp,
    WarmUpDay,
)
from cadenza.channels.kept_values import stop_json, warm_up_json
from cadenza.channels.models import MailboxRow, SenderHealthRow, WarmUpDayRow
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit

_SHOWN_DAYS = 60


async def only_one_looks(unit: Unit) -> bool:
    """Whether no other worker looks at the health of this workspace's senders until this transaction ends."""
    asked = text("select pg_try_advisory_xact_lock(hashtextextended('sender_health' || :workspace, 0))")
    return bool(await unit.session.scalar(asked, {"workspace": str(unit.workspace_id)}))


async def keep_health(unit: Unit, found: Sequence[SenderHealth]) -> None:
    rows = [
        {
            "workspace_id": unit.workspace_id, "id": each.mailbox_id, "state": each.state.value, "reasons": list(each.reasons),
            "week": asdict(each.week), "month": asdict(each.month), "at": each.at,
        }
        for each in found
    ]  # fmt: skip
    if rows:
        adding = insert(SenderHealthRow)
        values = {
            name: getattr(adding.excluded, name) for name in ("state", "reasons", "week", "month", "at")
        }
        await unit.session.execute(
            adding.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=values), rows
        )


async def health_of(unit: Unit, mailbox_ids: Sequence[UUID] | None = None) -> dict[UUID, SenderHealth]:
    """By the last look at the events; who was not looked at yet is left out."""
    query = select(SenderHealthRow).where(SenderHealthRow.workspace_id == unit.workspace_id)
    if mailbox_ids is not None:
        query = query.where(SenderHealthRow.id.in_(mailbox_ids))
    return {
        row.id: SenderHealth(
            row.id,
            HealthState(row.state),
            tuple(row.reasons),
            SenderFigures(**row.week),
            SenderFigures(**row.month),
            row.at,
        )
        for row in await unit.session.scalars(query.execution_options(populate_existing=True))
    }


async def set_stop(unit: Unit, mailbox_id: UUID, stop: Stop | None, judged_from: datetime | None) -> None:
    await unit.session.execute(
        update(MailboxRow)
        .where(MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id == mailbox_id)
        .values(stop=stop_json(stop) if stop else None, judged_from=judged_from)
    )


async def keep_warm_up(unit: Unit, before: Mailbox, after: WarmUp, days: Sequence[WarmUpDay]) -> bool:
    """The state after these days, unless a person changed the warm-up meanwhile; whether it was kept."""
    assert before.warm_up is not None  # noqa: S101 - its days were judged
    kept = await unit.session.execute(
        update(MailboxRow)
        .where(
            MailboxRow.workspace_id == unit.workspace_id,
            MailboxRow.id == before.id,
            MailboxRow.warm_up == warm_up_json(before.warm_up),
        )
        .values(warm_up=warm_up_json(after))
        .returning(MailboxRow.id)
    )
    if kept.first() is None:
        return False
    rows = [
        {"workspace_id": unit.workspace_id, "id": new_id(), "mailbox_id": before.id, **asdict(day), "outcome": day.outcome.value}
        for day in days
    ]  # fmt: skip
    await unit.session.execute(insert(WarmUpDayRow).on_conflict_do_nothing(), rows)
    return True


async def warm_up_days(unit: Unit, mailbox_id: UUID) -> list[WarmUpDay]:
    """The newest days of its warm-up that were judged, oldest first."""
    query = select(WarmUpDayRow).where(
        WarmUpDayRow.workspace_id == unit.workspace_id, WarmUpDayRow.mailbox_id == mailbox_id
    )
    rows = list(await unit.session.scalars(query.order_by(WarmUpDayRow.day.desc()).limit(_SHOWN_DAYS)))
    return [
        WarmUpDay(row.day, row.allowance, row.sent, row.trouble, DayOutcome(row.outcome))
        for row in reversed(rows)
    ]
