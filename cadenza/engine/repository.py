"""Every query on runs, enrolments and touches. The claims are plain SQL: they are the hot path."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, TextClause, bindparam, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.database import bulk, plain
from cadenza.core.unit import Unit
from cadenza.engine import statements, states
from cadenza.engine.contracts import EnrolmentState, TouchState
from cadenza.engine.models import EnrolmentRow, RunRow, TouchRow


@dataclass(frozen=True, slots=True)
class Due:
    """An enrolment whose next step is due, locked by this transaction."""

    id: UUID
    campaign_id: UUID
    contact_id: UUID
    account_id: UUID | None
    step: str
    due_at: datetime
    mailbox_id: UUID | None
    version_id: UUID
    behind: str | None = None
    plan: dict[str, Any] | None = None


async def lock_due(
    unit: Unit, now: datetime, *, limit: int, busy: Sequence[UUID], but: Sequence[UUID] = ()
) -> list[Due]:
    """Enrolments that are due, of running campaigns other than ``but``, whose sender is not ``busy``."""
    values = {
        "workspace": unit.workspace_id,
        "now": now,
        "limit": limit,
        "each": limit,
        "busy": list(busy),
        "but": list(but),
    }
    return [Due(*row) for row in await unit.session.execute(statements.DUE, values)]


async def lock_caps(unit: Unit, keys: Sequence[UUID]) -> None:
    numbers = [int.from_bytes(key.bytes[-8:], "big", signed=True) for key in keys]
    await unit.session.execute(statements.LOCK_CAPS, {"keys": numbers})


async def recent_touches(
    unit: Unit, contact_ids: Sequence[UUID], account_ids: Sequence[UUID], since: datetime
) -> list[tuple[UUID, UUID | None, datetime]]:
    """(contact, account, world time) of the steps' touches since then, for these people and companies."""
    about: ColumnElement[bool] = TouchRow.contact_id.in_(contact_ids)
    if account_ids:
        about = about | TouchRow.account_id.in_(account_ids)
    query = select(TouchRow.contact_id, TouchRow.account_id, TouchRow.claimed_at).where(
        TouchRow.workspace_id == unit.workspace_id,
        about,
        TouchRow.claimed_at > since,
        TouchRow.enrolment_id.is_not(None),
        TouchRow.state.not_in([TouchState.DROPPED.value, TouchState.REFUSED.value]),
    )
    return [(contact, account, at) for contact, account, at in await unit.session.execute(query)]


async def insert_touches(unit: Unit, rows: list[dict[str, Any]]) -> set[UUID]:
    """The ids that are new. One that exists (after a restore, say) is never made again."""
    return set((await bulk(unit.session, statements.INSERT_TOUCHES, rows)).scalars()) if rows else set()


async def _update(unit: Unit, statement: TextClause, rows: Sequence[dict[str, Any]], **values: Any) -> None:
    if rows:
        await bulk(unit.session, statement, rows, workspace=unit.workspace_id, **values)


async def advance(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """The step is on its way: nothing is due until its outcome is known."""
    await _update(unit, statements.ADVANCE, rows)


async def next_steps(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """When what is due, and what it waits for; ``step`` only where it is another one than before."""
    await _update(unit, statements.NEXT_STEP, rows)


async def end(
    unit: Unit, ids: Sequence[UUID], state: EnrolmentState, reason: str
) -> list[tuple[UUID, UUID, UUID]]:
    """End those that have not ended; (enrolment, contact, campaign) of each."""
    values = {
        "ids": list(ids),
        "state": state.value,
        "reason": reason,
        "at": unit.world.now(),
        "workspace": unit.workspace_id,
    }
    return [tuple(row) for row in await unit.session.execute(statements.END, values)]


async def withdraw(unit: Unit, enrolment_ids: Sequence[UUID]) -> list[UUID]:
    """Drop what people were asked to do by hand for these; the touches."""
    values = {"workspace": unit.workspace_id, "ids": list(enrolment_ids)}
    return list(await unit.session.scalars(statements.WITHDRAW, values))


async def accounts_before(unit: Unit, enrolment_ids: Sequence[UUID]) -> dict[tuple[UUID, str], UUID]:
    """By enrolment and channel, the account that did something for it already."""
    query = select(TouchRow.enrolment_id, TouchRow.channel, TouchRow.channel_account_id).where(
        TouchRow.workspace_id == unit.workspace_id,
        TouchRow.enrolment_id.in_(enrolment_ids),
        TouchRow.channel_account_id.is_not(None),
    )
    rows = await unit.session.execute(query.order_by(TouchRow.claimed_at.desc()))
    return {(e, channel): account for e, channel, account in rows if e is not None and account is not None}


async def steps_done(unit: Unit, enrolment_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """The steps of each that have their touch already, in whatever state."""
    query = select(TouchRow.enrolment_id, TouchRow.step).where(
        TouchRow.workspace_id == unit.workspace_id, TouchRow.enrolment_id.in_(enrolment_ids)
    )
    found: dict[UUID, set[str]] = {}
    for enrolment, step in await unit.session.execute(query):
        if enrolment is not None and step is not None:
            found.setdefault(enrolment, set()).add(step)
    return found


async def mark_sending(unit: Unit, ids: Sequence[UUID], worker: UUID) -> set[UUID]:
    values = {"workspace": unit.workspace_id, "ids": list(ids), "worker": worker}
    return set(await unit.session.scalars(statements.MARK_SENDING, values))


async def unmark(unit: Unit, ids: Sequence[UUID], worker: UUID) -> None:
    """For marks of which nobody knows whether they were kept: nothing of them is on the wire, so they are asked for anew."""
    await unit.session.execute(
        statements.UNMARK, {"workspace": unit.workspace_id, "ids": list(ids), "worker": worker}
    )


async def still_sending(unit: Unit, ids: Sequence[UUID], worker: UUID) -> set[UUID]:
    """Those of which this worker has not recorded an answer; waits for whoever is about to."""
    values = {"workspace": unit.workspace_id, "ids": list(ids), "worker": worker}
    return set(await unit.session.scalars(statements.STILL_SENDING, values))


async def record(unit: Unit, rows: Sequence[dict[str, Any]], after: TouchState) -> None:
    await _update(unit, statements.RECORD, rows, state=after.value, origins=list(states.origins(after)))


async def release(unit: Unit, worker: UUID | None = None, busy: Sequence[UUID] = ()) -> list[Any]:
    """Give back the claims of this worker for other senders than the busy ones, or of anybody whose lease is over.

    (mailbox_id, channel_account_id, action, sender, day, amount) of what their limits get back.
    """
    values: dict[str, Any] = {"workspace": unit.workspace_id}
    if worker is not None:
        values |= {"worker": worker, "busy": list(busy)}
    answers = statements.RELEASE_ANSWERS_OF_WORKER if worker else statements.RELEASE_ANSWERS
    await unit.session.execute(answers, {**values, "now": unit.machine.now()})
    claims = statements.RELEASE_OF_WORKER if worker else statements.RELEASE
    return list(await unit.session.execute(claims, values))


async def doubt_expired(unit: Unit) -> list[Any]:
    return list(await unit.session.execute(statements.DOUBT, {"workspace": unit.workspace_id}))


async def lock_retries(unit: Unit, limit: int, busy: Sequence[UUID]) -> list[TouchRow]:
    """Touches whose back-off is over, locked by this transaction."""
    query = (
        select(TouchRow)
        .where(
            TouchRow.workspace_id == unit.workspace_id,
            TouchRow.state == TouchState.DEFERRED.value,
            TouchRow.retry_at <= unit.machine.now(),
            func.coalesce(TouchRow.mailbox_id, TouchRow.channel_account_id).not_in(busy),
        )
        .order_by(TouchRow.retry_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await unit.session.scalars(query))


async def take_retries(unit: Unit, ids: Sequence[UUID], worker: UUID, lease: timedelta) -> None:
    values = {"workspace": unit.workspace_id, "ids": list(ids), "worker": worker, "lease": lease}
    await unit.session.execute(statements.TAKE_RETRIES, values)


async def postpone(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    await _update(unit, statements.POSTPONE, rows)


async def workspaces_with_work(session: AsyncSession, world: datetime, machine: datetime) -> list[UUID]:
    return list(
        await session.scalars(
            text("select workspaces_with_work(:world, :machine)"), {"world": world, "machine": machine}
        )
    )


async def all_workspaces(session: AsyncSession) -> list[UUID]:
    return list(await session.scalars(text("select id from workspaces order by id")))


async def database_now(session: AsyncSession) -> datetime:
    moment: datetime = (await session.execute(text("select clock_timestamp()"))).scalar_one()
    return moment


async def senders_of(unit: Unit, touch_ids: Sequence[UUID]) -> list[tuple[UUID, UUID | None, UUID | None]]:
    """(touch, its mailbox, its channel account) for each; one of the two is None."""
    query = select(TouchRow.id, TouchRow.mailbox_id, TouchRow.channel_account_id).where(
        TouchRow.workspace_id == unit.workspace_id, TouchRow.id.in_(touch_ids)
    )
    return [(touch, mailbox, account) for touch, mailbox, account in await unit.session.execute(query)]


async def touches(unit: Unit, *conditions: ColumnElement[bool], limit: int = 500) -> list[TouchRow]:
    query = select(TouchRow).where(TouchRow.workspace_id == unit.workspace_id, *conditions).limit(limit)
    return list(await unit.session.scalars(query.order_by(TouchRow.claimed_at, TouchRow.id)))


_TOUCHES: Select[Any] = plain(TouchRow)


async def shown_touches(unit: Unit, *conditions: ColumnElement[bool], limit: int = 500) -> Sequence[Row[Any]]:
    """As ``touches``, for who only reads them."""
    query = _TOUCHES.where(TouchRow.workspace_id == unit.workspace_id, *conditions).limit(limit)
    return list(await unit.session.execute(query.order_by(TouchRow.claimed_at, TouchRow.id)))


async def newest_troubled(unit: Unit, mailbox_id: UUID, limit: int) -> Sequence[Row[Any]]:
    query = _TOUCHES.where(
        TouchRow.workspace_id == unit.workspace_id,
        TouchRow.mailbox_id == mailbox_id,
        TouchRow.state.in_(["deferred", "refused", "failed", "in_doubt"]),  # as the index has it
    )
    return list(await unit.session.execute(query.order_by(TouchRow.claimed_at.desc()).limit(limit)))


async def enrolments(unit: Unit, *conditions: ColumnElement[bool]) -> list[EnrolmentRow]:
    query = select(EnrolmentRow).where(EnrolmentRow.workspace_id == unit.workspace_id, *conditions)
    return list(await unit.session.scalars(query))


_ENROLMENT = select(EnrolmentRow).where(
    EnrolmentRow.workspace_id == bindparam("workspace"), EnrolmentRow.id == bindparam("id")
)


async def enrolment(unit: Unit, identity: UUID) -> EnrolmentRow | None:
    found = await unit.session.scalars(_ENROLMENT, {"workspace": unit.workspace_id, "id": identity})
    return found.one_or_none()


async def runs(unit: Unit, *conditions: ColumnElement[bool]) -> list[RunRow]:
    return list(
        await unit.session.scalars(
            select(RunRow).where(RunRow.workspace_id == unit.workspace_id, *conditions)
        )
    )


async def set_run(unit: Unit, campaign_id: UUID, *, state: str, version_id: UUID) -> None:
    values = {"state": state, "version_id": version_id}
    await unit.session.execute(
        upsert(RunRow)
        .values(workspace_id=unit.workspace_id, id=campaign_id, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "id"], set_=values)
    )


async def enrol(unit: Unit, rows: list[dict[str, Any]]) -> set[UUID]:
    """The contacts that were not enrolled before."""
    if not rows:
        return set()
    made = await unit.session.scalars(
        upsert(EnrolmentRow).on_conflict_do_nothing().returning(EnrolmentRow.contact_id), rows
    )
    return set(made)


async def hold(unit: Unit, contact_id: UUID, until: datetime) -> list[EnrolmentRow]:
    """Hold this person's running enrolments; one that is held longer already stays so."""
    rows = await unit.session.scalars(
        update(EnrolmentRow)
        .where(
            EnrolmentRow.workspace_id == unit.workspace_id,
            EnrolmentRow.contact_id == contact_id,
            EnrolmentRow.state.in_([EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value]),
            (EnrolmentRow.hold_until.is_(None)) | (EnrolmentRow.hold_until < until),
        )
        .values(state=EnrolmentState.HELD.value, hold_until=until)
        .returning(EnrolmentRow)
    )
    return list(rows)


async def end_holds(unit: Unit) -> list[EnrolmentRow]:
    """Those whose hold is over go on: what was due in the meantime is due now, and will be timed anew."""
    now = unit.world.now()
    rows = await unit.session.scalars(
        update(EnrolmentRow)
        .where(
            EnrolmentRow.workspace_id == unit.workspace_id,
            EnrolmentRow.state == EnrolmentState.HELD.value,
            EnrolmentRow.kept_back.is_(False),
            EnrolmentRow.hold_until <= now,
        )
        .values(
            state=EnrolmentState.ACTIVE.value,
            hold_until=None,
            next_due_at=case(
                (EnrolmentRow.next_due_at.is_not(None), func.greatest(EnrolmentRow.next_due_at, now))
            ),  # null while a touch is on its way
            waiting_for="back from absence",
        )
        .returning(EnrolmentRow)
    )
    return list(rows)


async def looked_up(unit: Unit, touch_ids: Sequence[UUID], *, reset: bool = False) -> None:
    await unit.session.execute(
        update(TouchRow)
        .where(TouchRow.workspace_id == unit.workspace_id, TouchRow.id.in_(touch_ids))
        .values(looked_up=0 if reset else TouchRow.looked_up + 1)
    )


async def campaigns_without_active(unit: Unit) -> list[tuple[UUID, UUID]]:
    """(campaign, version) of the running ones in which nobody is active or held any more."""
    going = select(EnrolmentRow.id).where(
        EnrolmentRow.workspace_id == RunRow.workspace_id,
        EnrolmentRow.campaign_id == RunRow.id,
        EnrolmentRow.state.in_([EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value]),
    )
    query = select(RunRow.id, RunRow.version_id).where(
        RunRow.workspace_id == unit.workspace_id,
        RunRow.state == "running",
        ~going.exists(),
    )
    return [(campaign, version) for campaign, version in await unit.session.execute(query)]
