"""Every query on conversations and messages."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cadenza.core.database import plain
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.engine.contracts import Touch
from cadenza.inbox.contracts import Conversation, ConversationState, Filters
from cadenza.inbox.models import ConversationRow, MessageRow

PAGE = 50
# Plain columns in the order of the contract's fields: a page shows fifty, and whole rows cost as much again as the query.
_NAMES = tuple(field.name for field in fields(Conversation))
_MESSAGES = plain(MessageRow)
_STATE = _NAMES.index("state")
_CONVERSATIONS: Select[Any] = select(*(getattr(ConversationRow, name) for name in _NAMES))


async def insert_message(unit: Unit, row: dict[str, Any]) -> UUID | None:
    """None when this message is here already."""
    statement = upsert(MessageRow).values(row).on_conflict_do_nothing().returning(MessageRow.id)
    identity: UUID | None = await unit.session.scalar(statement)
    return identity


async def set_conversation(unit: Unit, message_id: UUID, conversation_id: UUID) -> None:
    await _update_message(unit, message_id, conversation_id=conversation_id)


async def set_touch(unit: Unit, message_id: UUID, touch: Touch) -> None:
    await _update_message(
        unit, message_id, touch_id=touch.id, contact_id=touch.contact_id, campaign_id=touch.campaign_id
    )


async def set_analysis(unit: Unit, message_id: UUID, analysis: dict[str, Any]) -> None:
    await _update_message(unit, message_id, analysis=analysis)


async def _update_message(unit: Unit, message_id: UUID, **values: Any) -> None:
    await unit.session.execute(
        update(MessageRow)
        .where(MessageRow.workspace_id == unit.workspace_id, MessageRow.id == message_id)
        .values(**values)
    )


async def upsert_conversation(unit: Unit, row: dict[str, Any], *, reopen: bool) -> UUID:
    """The person's one conversation. A robot's note neither opens a closed one nor hides what a person said."""
    new = {"workspace_id": unit.workspace_id, "id": new_id(), "state": "open", "unread": reopen, **row}
    if not reopen:
        new["state"] = ConversationState.CLOSED.value
    fresh = {
        key: row[key] for key in ("subject", "snippet", "kind", "last_at", "channel", "channel_account_id")
    }
    box = func.coalesce(row["mailbox_id"], ConversationRow.mailbox_id)
    changed: dict[str, Any] = (
        {
            **fresh,
            "mailbox_id": box,
            "state": "open",
            "unread": True,
            "campaign_id": func.coalesce(row["campaign_id"], ConversationRow.campaign_id),
        }
        if reopen
        else {"mailbox_id": box}
    )
    statement = (
        upsert(ConversationRow)
        .values(new)
        .on_conflict_do_update(index_elements=["workspace_id", "address"], set_=changed)
        .returning(ConversationRow.id)
    )
    identity: UUID = (await unit.session.execute(statement)).scalar_one()
    return identity


async def update_conversation(unit: Unit, conversation_id: UUID, **values: Any) -> bool:
    """False when there is no such conversation."""
    found = await unit.session.scalar(
        update(ConversationRow)
        .where(ConversationRow.workspace_id == unit.workspace_id, ConversationRow.id == conversation_id)
        .values(**values)
        .returning(ConversationRow.id)
    )
    return found is not None


async def message(unit: Unit, message_id: UUID) -> MessageRow | None:
    return await unit.session.get(MessageRow, (unit.workspace_id, message_id))


async def hold(unit: Unit, conversation_id: UUID) -> bool:
    """Let whoever sends or writes in this conversation end first. False when there is no such conversation."""
    query = select(ConversationRow.id).where(
        ConversationRow.workspace_id == unit.workspace_id, ConversationRow.id == conversation_id
    )
    return await unit.session.scalar(query.with_for_update()) is not None


async def messages(unit: Unit, *conditions: ColumnElement[bool], limit: int = 500) -> list[Row[Any]]:
    query = (
        _MESSAGES.where(MessageRow.workspace_id == unit.workspace_id, *conditions)
        .order_by(MessageRow.received_at, MessageRow.id)
        .limit(limit)
    )
    return list(await unit.session.execute(query))


async def conversation(unit: Unit, conversation_id: UUID) -> Conversation | None:
    query = _CONVERSATIONS.where(
        ConversationRow.workspace_id == unit.workspace_id, ConversationRow.id == conversation_id
    )
    row = (await unit.session.execute(query)).one_or_none()
    return _conversation(row) if row else None


async def conversation_of_contact(unit: Unit, contact_id: UUID) -> Conversation | None:
    query = (
        _CONVERSATIONS.where(
            ConversationRow.workspace_id == unit.workspace_id, ConversationRow.contact_id == contact_id
        )
        .order_by((ConversationRow.address == str(contact_id)).desc(), ConversationRow.last_at.desc())
        .limit(1)
    )
    row = (await unit.session.execute(query)).one_or_none()
    return _conversation(row) if row else None


def _conditions(unit: Unit, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ConversationRow.workspace_id == unit.workspace_id]
    for column, value in (
        (ConversationRow.state, filters.state.value if filters.state else None),
        (ConversationRow.queue, filters.queue),
        (ConversationRow.intent, filters.intent),
        (ConversationRow.assignee_id, filters.assignee_id),
        (ConversationRow.unread, filters.unread),
    ):
        if value is not None:
            conditions.append(column == value)
    if filters.search:
        words = f"%{filters.search.replace('%', '').replace('_', '')}%"
        conditions.append(
            or_(
                ConversationRow.name.ilike(words),
                ConversationRow.subject.ilike(words),
                ConversationRow.snippet.ilike(words),
            )
        )
    return conditions


async def conversations(
    unit: Unit, filters: Filters, before: tuple[datetime, UUID] | None
) -> tuple[Sequence[Conversation], int]:
    """One page, the newest first, and how many there are in all."""
    conditions = _conditions(unit, filters)
    total = await unit.session.scalar(select(func.count()).select_from(ConversationRow).where(*conditions))
    if before is not None:
        at, identity = before
        conditions.append(
            (ConversationRow.last_at < at)
            | ((ConversationRow.last_at == at) & (ConversationRow.id < identity))
        )
    query = (
        _CONVERSATIONS.where(*conditions)
        .order_by(ConversationRow.last_at.desc(), ConversationRow.id.desc())
        .limit(PAGE + 1)
    )
    return [_conversation(row) for row in await unit.session.execute(query)], total or 0


async def queue_counts(unit: Unit) -> dict[str, int]:
    """Open conversations by queue."""
    queue = func.coalesce(ConversationRow.queue, "")
    query = (
        select(queue, func.count())
        .where(ConversationRow.workspace_id == unit.workspace_id, ConversationRow.state == "open")
        .group_by(queue)
    )
    return {name: count for name, count in await unit.session.execute(query)}


def _conversation(row: Row[Any]) -> Conversation:
    values = list(row)
    values[_STATE] = ConversationState(values[_STATE])
    return Conversation(*values)
