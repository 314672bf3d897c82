"""Records what happened, what was decided and what a person should do."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Text, cast, func, select, text, true
from sqlalchemy import Row as SqlRow

from cadenza.core.database import bulk, plain
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.service import (
    Assignment,
    Question,
    all_members,
    choose,
    load,
    present,
)
from cadenza.ledger.contracts import (
    Decision,
    Event,
    EventKind,
    NewEvent,
    Option,
)
from cadenza.ledger.models import DecisionRow, EventRow
from cadenza.ledger.proposals import finish_proposal, propose
from cadenza.ledger.work import (
    finish_work_items,
    move_work_items,
    open_items_of_members,
    open_work_items,
    work_items,
    work_waiting,
)

__all__ = [
    "assign", "counts_by_time", "decisions_of", "events_of_contacts", "finish_proposal", "finish_work_items",
    "make_event_partitions", "move_work_items", "newest_of_campaign", "open_items_of_members", "open_work_items",
    "people_of_events", "propose", "record_decisions", "record_events", "timeline", "work_items", "work_waiting",
]  # fmt: skip

_PAGE = 200
_EVENTS = plain(EventRow)

# What is owed to webhooks is owed from the moment that the event is true: one statement, one transaction.
_INSERT_EVENTS = text("""
    with added as (
      insert into events select * from jsonb_populate_recordset(null::events, cast(:rows as jsonb))
      returning workspace_id, id, at, kind)
    insert into deliveries (workspace_id, id, webhook_id, event_id, event_at, state, attempts, due_at, created_at)
    select w.workspace_id, gen_random_uuid(), w.id, added.id, added.at, 'pending', 0, :now, :now
    from added join webhooks w on w.workspace_id = added.workspace_id and w.active and added.kind = any(w.kinds)
""")
_INSERT_DECISIONS = text(
    "insert into decisions select * from jsonb_populate_recordset(null::decisions, cast(:rows as jsonb))"
)


async def record_events(unit: Unit, events: Iterable[NewEvent]) -> None:
    """Append events in one statement. They commit with the change that they tell of."""
    recorded = unit.machine.now()
    rows = [
        {
            "workspace_id": unit.workspace_id,
            "id": new_id(),
            "at": event.at or unit.world.now(),
            "recorded_at": recorded,
            "kind": event.kind.value,
            "origin": event.origin,
            "contact_id": event.contact_id,
            "campaign_id": event.campaign_id,
            "step": event.step,
            "variant": event.variant,
            "touch_id": event.touch_id,
            "message_id": event.message_id,
            "mailbox_id": event.mailbox_id,
            "member_id": event.member_id,
            "machine": event.machine,
            "data": event.data,
        }
        for event in events
    ]
    if rows:
        await bulk(unit.session, _INSERT_EVENTS, rows, now=recorded)


async def timeline(
    unit: Unit,
    *,
    contact_id: UUID | None = None,
    touch_id: UUID | None = None,
    campaign_id: UUID | None = None,
    kinds: Sequence[EventKind] = (),
    limit: int = _PAGE,
    also: Collection[UUID] = (),
) -> list[Event]:
    """The newest events that fit every given filter, newest first. ``also`` are others who were merged into the contact."""
    if campaign_id is not None and touch_id is None and contact_id is None:
        return await newest_of_campaign(unit, campaign_id, kinds or tuple(EventKind), limit)
    conditions: list[ColumnElement[bool]] = [EventRow.workspace_id == unit.workspace_id]
    if also and contact_id is not None:
        conditions.append(EventRow.contact_id.in_([contact_id, *also]))
        contact_id = None
    for column, value in (
        (EventRow.contact_id, contact_id),
        (EventRow.touch_id, touch_id),
        (EventRow.campaign_id, campaign_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if kinds:
        conditions.append(EventRow.kind.in_([k.value for k in kinds]))
    query = _EVENTS.where(*conditions).order_by(EventRow.at.desc(), EventRow.id.desc()).limit(limit)
    return [_event(row) for row in await unit.session.execute(query)]


async def newest_of_campaign(
    unit: Unit, campaign_id: UUID, kinds: Sequence[EventKind], limit: int
) -> list[Event]:
    """The newest events of these kinds. Each kind is read from the end of its own index, however many events there are."""
    asked = (
        func.unnest(cast([k.value for k in kinds], ARRAY(Text))).table_valued("kind").render_derived("asked")
    )
    of_kind = (
        _EVENTS.where(
            EventRow.workspace_id == unit.workspace_id,
            EventRow.campaign_id == campaign_id,
            EventRow.kind == asked.c.kind,
        )
        .order_by(EventRow.at.desc())
        .limit(limit)
        .correlate(asked)
        .lateral()
    )
    query = select(*of_kind.c).select_from(asked).join(of_kind, true())
    query = query.order_by(of_kind.c.at.desc(), of_kind.c.id.desc()).limit(limit)
    return [_event(row) for row in await unit.session.execute(query)]


async def counts_by_time(
    unit: Unit, campaign_id: UUID, kind: EventKind, *, start: datetime, end: datetime, width: timedelta
) -> dict[int, int]:
    """How many events of a kind fell into each span of ``width`` since ``start``: number of the span to count, one query."""
    place = func.floor(func.extract("epoch", EventRow.at - start) / width.total_seconds())
    query = (
        select(cast(place, Integer), func.count().label("events"))
        .where(
            EventRow.workspace_id == unit.workspace_id,
            EventRow.campaign_id == campaign_id,
            EventRow.kind == kind.value,
            EventRow.at >= start,
            EventRow.at < end,
        )
        .group_by(text("1"))
    )
    return {number: count for number, count in await unit.session.execute(query)}


def people_of_events(
    unit: Unit, kind: EventKind, *, since: datetime | None = None, campaign_id: UUID | None = None
) -> Select[UUID | None]:
    """To whom this happened, not by a machine (M5): one column, for a condition of another room's query in its own unit."""
    mine = EventRow.workspace_id == unit.workspace_id
    query = select(EventRow.contact_id).where(mine, EventRow.kind == kind.value, EventRow.machine.is_(False))
    if since is not None:
        query = query.where(EventRow.at >= since)
    return query.where(EventRow.campaign_id == campaign_id) if campaign_id is not None else query


async def events_of_contacts(
    unit: Unit, contact_ids: Sequence[UUID], kinds: Sequence[EventKind]
) -> list[Event]:
    """All events of these kinds about these people, newest first; for a batch, not for a page."""
    query = _EVENTS.where(
        EventRow.workspace_id == unit.workspace_id,
        EventRow.contact_id.in_(contact_ids),
        EventRow.kind.in_([k.value for k in kinds]),
    ).order_by(EventRow.at.desc())
    return [_event(row) for row in await unit.session.execute(query)]


def _event(row: SqlRow[Any]) -> Event:
    return Event(
        id=row.id,
        recorded_at=row.recorded_at,
        kind=EventKind(row.kind),
        origin=row.origin,
        at=row.at,
        contact_id=row.contact_id,
        campaign_id=row.campaign_id,
        step=row.step,
        variant=row.variant,
        touch_id=row.touch_id,
        message_id=row.message_id,
        mailbox_id=row.mailbox_id,
        member_id=row.member_id,
        machine=row.machine,
        data=row.data,
    )


async def record_decisions(unit: Unit, decisions: Iterable[Decision]) -> None:
    rows = [
        {
            "workspace_id": unit.workspace_id,
            "id": new_id(),
            "at": decision.at or unit.world.now(),
            "what": decision.what,
            "options": [{"option": o.option, "probability": o.probability} for o in decision.options],
            "taken": decision.taken,
            "reason": decision.reason,
            "policy": decision.policy,
            "version": decision.version,
            "touch_id": decision.touch_id,
            "contact_id": decision.contact_id,
        }
        for decision in decisions
    ]
    if rows:
        await bulk(unit.session, _INSERT_DECISIONS, rows)


async def decisions_of(unit: Unit, touch_id: UUID) -> list[Decision]:
    """In the order they were taken."""
    query = (
        select(DecisionRow)
        .where(DecisionRow.workspace_id == unit.workspace_id, DecisionRow.touch_id == touch_id)
        .order_by(DecisionRow.at, DecisionRow.id)
    )
    return [
        Decision(
            what=row.what,
            options=tuple(Option(**o) for o in row.options),
            taken=row.taken,
            reason=row.reason,
            policy=row.policy,
            version=row.version,
            touch_id=row.touch_id,
            contact_id=row.contact_id,
            at=row.at,
        )
        for row in (await unit.session.scalars(query)).all()
    ]


async def assign(unit: Unit, question: Question, *, contact_id: UUID | None = None) -> Assignment:
    """Who should take this, or nobody, with the reason; the choice is recorded as a decision.

    The choice itself is ``identity.assigning.choose``; this is the one door for all routing. Giving the thing to the
    chosen one is up to the caller, in the same unit.
    """
    chosen = choose(
        question,
        await all_members(unit),
        now=unit.machine.now(),
        present=await present(unit),
        load=await load(unit),
    )
    best = chosen.member
    names = [member.name for member in chosen.fitting] or ["nobody"]
    decision = Decision(
        what="assignee",
        options=tuple(Option(name, float(at == 0)) for at, name in enumerate(names)),
        taken=best.name if best else "nobody",
        reason=chosen.reason,
        policy="assign",
        version=1,
        contact_id=contact_id,
    )
    await record_decisions(unit, [decision])
    return chosen


async def make_event_partitions(unit: Unit, around: datetime, months: int = 3) -> None:
    """Make sure that the months from ``around`` on have partitions of their own."""
    await unit.session.execute(
        text("select make_event_partitions(:month, :months)"), {"month": around.date(), "months": months}
    )
