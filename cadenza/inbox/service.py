"""Doors of the inbox: conversations to read, answer, assign and close."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from cadenza.audience.service import load_recipients
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.unit import Unit
from cadenza.engine.contracts import Answer, Touch
from cadenza.engine.service import is_answered, send_answer, touches_of_conversation
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, members
from cadenza.inbox import merging as _merging  # noqa: F401 - hears of merges
from cadenza.inbox import repository
from cadenza.inbox.contracts import Conversation, ConversationState, Filters, Page, Thread, ThreadItem
from cadenza.inbox.drafts import draft_of, forget_draft, save_draft
from cadenza.inbox.meanwhile import came_between, check_seen
from cadenza.inbox.models import MessageRow
from cadenza.inbox.reader import read_mail_boxes
from cadenza.inbox.routing import choose_for
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import finish_work_items, record_events

__all__ = [
    "answer", "assign", "assign_best", "came_between", "close", "conversation", "conversation_of_contact", "conversations", "draft_of",
    "mark_read", "queue_counts", "read_mail_boxes", "reopen", "save_draft", "thread_of",
]  # fmt: skip
_YOUR_CALL = "your call"  # what an answer to a voicemail is about, where nobody wrote before


async def conversations(
    unit: Unit, actor: Actor, filters: Filters | None = None, cursor: str | None = None
) -> Page:
    """One page of the inbox, the newest first."""
    authorize(actor, Action.READ)
    found, total = await repository.conversations(unit, filters or Filters(), _read_cursor(cursor))
    items = tuple(found[: repository.PAGE])
    following = _cursor(items[-1]) if len(found) > repository.PAGE else None
    return Page(items, following, total)


def _cursor(last: Conversation) -> str:
    return base64.urlsafe_b64encode(f"{last.last_at.isoformat()}|{last.id}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    try:
        at, _, identity = base64.urlsafe_b64decode(cursor).decode().partition("|")
        return datetime.fromisoformat(at), UUID(identity)
    except ValueError as wrong:
        raise CadenzaError(
            "cursor_invalid", "This page of the list does not exist.", fix="Start from the first."
        ) from wrong


async def queue_counts(unit: Unit, actor: Actor) -> dict[str, int]:
    authorize(actor, Action.READ)
    return await repository.queue_counts(unit)


async def conversation(unit: Unit, actor: Actor, conversation_id: UUID) -> Thread:
    """The whole conversation, ours and theirs, oldest first."""
    return await thread_of(unit, actor, await _found(unit, conversation_id))


async def thread_of(unit: Unit, actor: Actor, found: Conversation) -> Thread:
    """As ``conversation``, for who has loaded its line already."""
    authorize(actor, Action.READ)
    conversation_id = found.id
    theirs = await repository.messages(unit, MessageRow.conversation_id == conversation_id)
    ours = await touches_of_conversation(unit, conversation_id, found.contact_id) if found.contact_id else []
    items = sorted([*map(_ours, ours), *map(_theirs, theirs)], key=lambda item: item.at)
    return Thread(found, tuple(items))


async def conversation_of_contact(unit: Unit, actor: Actor, contact_id: UUID) -> Thread | None:
    authorize(actor, Action.READ)
    found = await repository.conversation_of_contact(unit, contact_id)
    return await thread_of(unit, actor, found) if found else None


def _ours(touch: Touch) -> ThreadItem:
    return ThreadItem(
        came_at=touch.claimed_at,
        id=touch.id, by="us", at=touch.sent_at or touch.claimed_at, name=touch.sender, address=touch.sender,
        subject=touch.subject, text=touch.text, state=touch.state.value, touch_id=touch.id, step=touch.step,
        variant=touch.variant, channel=touch.channel, action=touch.action,
    )  # fmt: skip


def _theirs(row: Row[Any]) -> ThreadItem:
    return ThreadItem(
        came_at=row.received_at,
        id=row.id, by="them", at=row.received_at, name=row.from_name or row.from_address, address=row.from_address,
        subject=row.subject, text=row.text, html=row.html, state=row.kind, touch_id=row.touch_id,
        analysis=row.analysis, attachments=tuple(row.attachments), channel=row.channel,
    )  # fmt: skip


async def _found(unit: Unit, conversation_id: UUID) -> Conversation:
    found = await repository.conversation(unit, conversation_id)
    if found is None:
        raise not_found("conversation", conversation_id)
    return found


async def answer(
    unit: Unit,
    actor: Actor,
    conversation_id: UUID,
    *,
    draft_id: UUID,
    text: str,
    seen: UUID | None = None,
    although_closed: bool = False,
) -> Touch:
    """Send an answer in the same thread, from the mailbox they wrote to. The same draft twice is one message.

    ``seen`` is the newest message that the writer knows. Raises ``CadenzaError`` (conflict) and sends nothing where
    something came after it, or where the conversation is closed and the writer does not say that they know.
    """
    authorize(actor, Action.ANSWER)
    thread = await _answerable(unit, actor, conversation_id, draft_id, seen, although_closed)
    last = next((i for i in reversed(thread.items) if i.by == "them"), None)
    if last is None or thread.conversation.contact_id is None:
        raise CadenzaError(
            "answer_nobody",
            "There is nobody to answer here.",
            Kind.CONFLICT,
            fix="Make this person a contact first.",
        )
    row = await repository.message(unit, last.id)
    found = thread.conversation
    by_message = found.channel == "linkedin"
    before = last.subject or next((i.subject for i in reversed(thread.items) if i.subject), _YOUR_CALL)
    subject = before if before.lower().startswith("re:") else f"Re: {before}"
    recipient = last.address if found.channel == last.channel != "phone" else await _mail_of(unit, found)
    touch, new = await send_answer(
        unit,
        Answer(
            draft_id=draft_id,
            conversation_id=conversation_id,
            contact_id=thread.conversation.contact_id,
            mailbox_id=None if by_message else found.mailbox_id,
            channel_account_id=found.channel_account_id if by_message else None,
            recipient=recipient,
            subject="" if by_message else " ".join(subject.split()),
            text=text,
            in_reply_to=row.message_id if row else None,
            references=tuple(row.reference_ids) if row else (),
        ),
    )
    if new:
        await _answered(unit, actor, thread.conversation, touch)
    return touch


async def _answerable(
    unit: Unit, actor: Actor, conversation_id: UUID, draft_id: UUID, seen: UUID | None, although_closed: bool
) -> Thread:
    """The conversation while nobody else answers in it: of two who do so at once, the second is told of the first."""
    if not await repository.hold(unit, conversation_id):
        raise not_found("conversation", conversation_id)
    thread = await conversation(unit, actor, conversation_id)
    if not await is_answered(unit, draft_id):
        check_seen(await came_between(unit, actor, thread, seen=seen, although_closed=although_closed))
    return thread


async def _mail_of(unit: Unit, found: Conversation) -> str:
    """Whoever spoke to us is answered by mail. Raises ``CadenzaError`` where they have no address."""
    people = await load_recipients(unit, [found.contact_id]) if found.contact_id else {}
    address = next((person.email for person in people.values()), None)
    if address is None:
        raise CadenzaError(
            "answer_nobody", "There is no e-mail address to answer to.", Kind.CONFLICT, fix="Call them."
        )
    return address


async def _answered(unit: Unit, actor: Actor, found: Conversation, touch: Touch) -> None:
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.ANSWERED, origin=actor.origin.value, contact_id=found.contact_id,
                campaign_id=found.campaign_id, touch_id=touch.id, mailbox_id=touch.mailbox_id, member_id=actor.member_id,
            )
        ],
    )  # fmt: skip
    await repository.update_conversation(unit, found.id, unread=False)
    await forget_draft(unit, found.id, actor.member_id)
    await finish_work_items(unit, conversation_id=found.id, member_id=actor.member_id)
    await audit(unit, actor, "answer", str(found.id))


async def assign(unit: Unit, actor: Actor, conversation_id: UUID, member_id: UUID | None) -> None:
    """Give the conversation to a member, or to nobody."""
    authorize(actor, Action.ASSIGN)
    if member_id is not None and member_id not in {m.id for m in await members(unit, actor) if m.active}:
        raise not_found("member", member_id)
    await _change(unit, actor, conversation_id, EventKind.ASSIGNED, assignee_id=member_id)


async def assign_best(unit: Unit, actor: Actor, conversation_id: UUID) -> str:
    """Give the conversation to whoever fits best. Why them, in words; raises ``CadenzaError`` when nobody fits."""
    authorize(actor, Action.ASSIGN)
    found = await _found(unit, conversation_id)
    chosen = await choose_for(unit, found.contact_id)
    if chosen.member is None:
        raise CadenzaError("nobody_fits", chosen.reason, Kind.CONFLICT, fix="Choose somebody by name.")
    await _change(unit, actor, conversation_id, EventKind.ASSIGNED, assignee_id=chosen.member.id)
    return chosen.reason


async def close(unit: Unit, actor: Actor, conversation_id: UUID) -> None:
    """Nothing more to do here; a new message opens it again."""
    authorize(actor, Action.ANSWER)
    await _change(
        unit, actor, conversation_id, EventKind.CLOSED, state=ConversationState.CLOSED.value, unread=False
    )
    await finish_work_items(unit, conversation_id=conversation_id, member_id=actor.member_id)


async def reopen(unit: Unit, actor: Actor, conversation_id: UUID) -> None:
    authorize(actor, Action.ANSWER)
    await _change(unit, actor, conversation_id, None, state=ConversationState.OPEN.value)


async def mark_read(unit: Unit, actor: Actor, conversation_id: UUID) -> None:
    authorize(actor, Action.READ)
    await repository.update_conversation(unit, conversation_id, unread=False)


async def _change(
    unit: Unit, actor: Actor, conversation_id: UUID, kind: EventKind | None, **values: object
) -> None:
    found = await _found(unit, conversation_id)
    await repository.update_conversation(unit, conversation_id, **values)
    if kind is not None:
        event = NewEvent(
            kind=kind, origin=actor.origin.value, contact_id=found.contact_id, campaign_id=found.campaign_id,
            member_id=actor.member_id, data={k: str(v) for k, v in values.items()},
        )  # fmt: skip
        await record_events(unit, [event])
    await audit(unit, actor, kind.value if kind else "reopen", str(conversation_id))
