"""The job that reads a message: what it means, and what follows from that."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cadenza.audience.service import load_recipients, unsubscribe
from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.engine.service import end_sequences, touches_of_contact
from cadenza.inbox import repository
from cadenza.inbox.models import MessageRow
from cadenza.inbox.routing import route
from cadenza.ledger.contracts import EventKind, NewEvent, NewWorkItem, WorkKind
from cadenza.ledger.service import open_work_items, record_events
from cadenza.understanding.contracts import (
    Analysis,
    FailureType,
    Intent,
    MailKind,
    Queue,
    Reply,
    ThreadMessage,
)
from cadenza.understanding.service import analyze

_PATIENCE = {"high": timedelta(hours=1), "medium": timedelta(days=1), "low": timedelta(days=3)}


async def analyse(database: Database, *, workspace_id: str, message_id: str) -> None:
    """Read, think without a transaction, write. Safe to run again: a message that has its analysis is left alone."""
    async with database.unit(UUID(workspace_id)) as unit:
        row = await repository.message(unit, UUID(message_id))
        if row is None or row.analysis is not None:
            return
        reply = await _reply(unit, row)
    analysis = await asyncio.to_thread(analyze, reply)
    async with database.unit(UUID(workspace_id)) as unit:
        await _record(unit, row, analysis)


async def _reply(unit: Unit, row: MessageRow) -> Reply:
    return Reply(
        id=str(row.id),
        raw_body=row.html if row.html and not row.text.strip() else row.text,
        received_at=row.received_at.astimezone(await _zone(unit, row)),
        subject=row.subject,
        from_name=row.from_name,
        from_email=row.from_address,
        headers={name: tuple(values) for name, values in row.headers.items()},
        thread=await _thread(unit, row),
        kind=MailKind(row.kind),
        failure=FailureType.UNKNOWN if row.kind == MailKind.BOUNCE.value else None,
    )


async def _zone(unit: Unit, row: MessageRow) -> ZoneInfo:
    """The writer's zone, by which "at four" and "tomorrow" are read."""
    people = await load_recipients(unit, [row.contact_id]) if row.contact_id else {}
    return ZoneInfo(next((person.timezone for person in people.values()), "UTC"))


async def _thread(unit: Unit, row: MessageRow) -> tuple[ThreadMessage, ...]:
    """What was written before, oldest first."""
    if row.contact_id is None:
        return ()
    ours = [(t.claimed_at, "us", t.text) for t in await touches_of_contact(unit, row.contact_id)]
    theirs = [
        (m.received_at, "them", m.text)
        for m in await repository.messages(unit, MessageRow.contact_id == row.contact_id)
        if m.id != row.id
    ]
    before = sorted(item for item in ours + theirs if item[0] <= row.received_at)
    return tuple(ThreadMessage(by=by, text=text, at=at) for at, by, text in before)


async def _record(unit: Unit, row: MessageRow, analysis: Analysis) -> None:
    await repository.set_analysis(unit, row.id, analysis.to_dict())
    data: dict[str, Any] = {
        "intent": analysis.intent.value,
        "queue": analysis.queue.value,
        "confidence": round(analysis.confidence, 3),
    }
    step, variant = await _step(unit, row)
    event = NewEvent(
        kind=EventKind.ANALYSED, origin="inbox", contact_id=row.contact_id, campaign_id=row.campaign_id,
        step=step, variant=variant, touch_id=row.touch_id, message_id=row.id, data=data,
    )  # fmt: skip
    await record_events(unit, [event])
    if row.conversation_id and row.kind == MailKind.PERSON.value:
        await repository.update_conversation(
            unit,
            row.conversation_id,
            intent=analysis.intent.value,
            interest=analysis.interest.value,
            urgency=analysis.urgency.value,
            queue=analysis.queue.value,
            needs_person=analysis.needs_person,
        )
        await _follow(unit, row, analysis)


async def _step(unit: Unit, row: MessageRow) -> tuple[str | None, str | None]:
    """The step and variant that they answer, so that the meaning counts where the reply does."""
    if row.contact_id is None or row.touch_id is None:
        return None, None
    touch = next((t for t in await touches_of_contact(unit, row.contact_id) if t.id == row.touch_id), None)
    return (touch.step, touch.variant) if touch else (None, None)


async def _follow(unit: Unit, row: MessageRow, analysis: Analysis) -> None:
    """Stop at once, or give a person something to do; nothing is ever answered by itself (M7)."""
    if row.contact_id and analysis.intent is Intent.UNSUBSCRIBE:
        await unsubscribe(unit, row.contact_id, source="their answer")
        await end_sequences(unit, row.contact_id, "opt_out")
    item = _work_item(unit, row, analysis)
    if item is not None:
        owner = (
            await route(unit, row.conversation_id, language=analysis.language)
            if row.conversation_id
            else None
        )
        await open_work_items(unit, [replace(item, owner_id=owner)])


def _work_item(unit: Unit, row: MessageRow, analysis: Analysis) -> NewWorkItem | None:
    who = row.from_name or row.from_address
    kind, title, due = (
        WorkKind.REVIEW_REPLY,
        f"Answer {who}",
        unit.world.now() + _PATIENCE[analysis.urgency.value],
    )
    if analysis.needs_person:
        title = f"Read what {who} means"
    elif analysis.intent is Intent.REFERRAL:
        kind, title = WorkKind.REFERRAL, f"{who} points to somebody else"
    elif analysis.intent is Intent.TIMING and analysis.return_date:
        kind, title = WorkKind.COME_BACK, f"Come back to {who}"
        due = datetime.combine(datetime.fromisoformat(analysis.return_date).date(), time(9), UTC)
    elif analysis.queue in (Queue.SEQUENCE, Queue.SUPPRESSION, Queue.AUTOMATION):
        return None
    return NewWorkItem(
        kind=kind,
        key=f"message/{row.id}",
        title=title,
        detail=(analysis.text or "")[:300],
        queue=analysis.queue.value,
        due_at=due,
        contact_id=row.contact_id,
        conversation_id=row.conversation_id,
    )
