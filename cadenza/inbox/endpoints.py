"""Conversations through the API: reading, answering, assigning, closing."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from cadenza.core.errors import not_found
from cadenza.identity.service import actor_of
from cadenza.inbox.contracts import ConversationState, Filters, Thread
from cadenza.inbox.drafts import LONGEST
from cadenza.inbox.service import (
    answer,
    assign,
    assign_best,
    close,
    conversation,
    conversation_of_contact,
    conversations,
    draft_of,
    mark_read,
    reopen,
    save_draft,
)
from cadenza.web.api import ApiUnit, Page, Shape, api_router

router = api_router("inbox")


class ConversationShape(Shape):
    id: UUID
    contact_id: UUID | None
    name: str
    address: str
    mailbox_id: UUID
    campaign_id: UUID | None
    subject: str
    snippet: str
    state: ConversationState
    unread: bool
    assignee_id: UUID | None
    kind: str
    intent: str | None
    interest: str | None
    urgency: str | None
    queue: str | None
    needs_person: bool
    last_at: datetime


class MessageShape(Shape):
    """``by`` is us or them; ``analysis`` is the object of `cadenza replies analyze`."""

    id: UUID
    by: str
    at: datetime
    name: str
    address: str
    subject: str
    text: str
    state: str
    touch_id: UUID | None
    step: str | None
    variant: str | None
    analysis: dict[str, Any] | None
    attachments: list[str]


class ThreadShape(Shape):
    conversation: ConversationShape
    items: list[MessageShape]


class NewAnswer(Shape):
    """``draft_id`` is yours to choose: the same one twice is one message.

    ``seen`` is the id of the newest message that you know: with a newer one the answer is refused (409), and each is told.
    Without it nothing newer is looked for. A closed conversation is answered only with ``although_closed``.
    """

    draft_id: UUID
    text: Annotated[str, Field(min_length=1, max_length=LONGEST, examples=["Thursday at 10 suits us."])]
    seen: UUID | None = None
    although_closed: bool = False


class NewDraft(Shape):
    """``draft_id`` is that of the answer which it becomes; once that is sent, nothing more is kept."""

    draft_id: UUID
    text: Annotated[str, Field(max_length=LONGEST, examples=["Thursday at 10 suits us."])]


class DraftShape(Shape):
    text: str
    saved_at: datetime | None


class Chosen(Shape):
    why: str


class Assignment(Shape):
    member_id: UUID | None


class SentAnswer(Shape):
    touch_id: UUID


@router.get("/conversations")
async def list_conversations(
    request: Request,
    unit: ApiUnit,
    state: Annotated[ConversationState | None, Query()] = None,
    queue: Annotated[str | None, Query(max_length=20)] = None,
    intent: Annotated[str | None, Query(max_length=30)] = None,
    assignee_id: Annotated[UUID | None, Query()] = None,
    unread: Annotated[bool | None, Query()] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[ConversationShape]:
    """Conversations, the newest message first."""
    filters = Filters(state, queue, intent, assignee_id, unread, search)
    found = await conversations(unit, actor_of(request), filters, after)
    return Page(items=[ConversationShape.model_validate(each) for each in found.items], next=found.cursor)


@router.get("/contacts/{contact_id}/conversation")
async def read_conversation_of(request: Request, unit: ApiUnit, contact_id: UUID) -> ThreadShape:
    """The conversation with this person."""
    found = await conversation_of_contact(unit, actor_of(request), contact_id)
    if found is None:
        raise not_found("conversation", f"with {contact_id}")
    return _thread(found)


@router.get("/conversations/{conversation_id}")
async def read_conversation(request: Request, unit: ApiUnit, conversation_id: UUID) -> ThreadShape:
    """The whole thread, ours and theirs, oldest first. Reading it here does not mark it as read."""
    return _thread(await conversation(unit, actor_of(request), conversation_id))


@router.post("/conversations/{conversation_id}/answer")
async def answer_conversation(
    request: Request, unit: ApiUnit, conversation_id: UUID, new: NewAnswer
) -> SentAnswer:
    """Send an answer in the same thread, from the mailbox they wrote to."""
    touch = await answer(unit, actor_of(request), conversation_id, **new.model_dump())
    return SentAnswer(touch_id=touch.id)


@router.post("/conversations/{conversation_id}/assign")
async def assign_conversation(
    request: Request, unit: ApiUnit, conversation_id: UUID, to: Assignment
) -> ThreadShape:
    """Give it to a member, or with null to nobody."""
    actor = actor_of(request)
    await assign(unit, actor, conversation_id, to.member_id)
    return _thread(await conversation(unit, actor, conversation_id))


@router.post("/conversations/{conversation_id}/assign-best")
async def assign_to_best(request: Request, unit: ApiUnit, conversation_id: UUID) -> Chosen:
    """Give it to whoever fits best by territory, language, load and presence; why them, in words."""
    return Chosen(why=await assign_best(unit, actor_of(request), conversation_id))


@router.get("/conversations/{conversation_id}/draft")
async def read_draft(request: Request, unit: ApiUnit, conversation_id: UUID) -> DraftShape:
    """What one has written of an answer and not sent yet; empty where there is nothing."""
    actor = actor_of(request)
    await conversation(unit, actor, conversation_id)
    found = await draft_of(unit, actor, conversation_id)
    return DraftShape.model_validate(found) if found else DraftShape(text="", saved_at=None)


@router.put("/conversations/{conversation_id}/draft")
async def keep_draft(request: Request, unit: ApiUnit, conversation_id: UUID, new: NewDraft) -> DraftShape:
    """Keep what is written so far; without words the draft is gone. Nothing is sent."""
    actor = actor_of(request)
    await save_draft(unit, actor, conversation_id, draft_id=new.draft_id, text=new.text)
    return await read_draft(request, unit, conversation_id)


@router.post("/conversations/{conversation_id}/close")
async def close_conversation(request: Request, unit: ApiUnit, conversation_id: UUID) -> ThreadShape:
    """Nothing more to do here; a new message opens it again."""
    actor = actor_of(request)
    await close(unit, actor, conversation_id)
    return _thread(await conversation(unit, actor, conversation_id))


@router.post("/conversations/{conversation_id}/reopen")
async def reopen_conversation(request: Request, unit: ApiUnit, conversation_id: UUID) -> ThreadShape:
    """Put it back among the open ones."""
    actor = actor_of(request)
    await reopen(unit, actor, conversation_id)
    return _thread(await conversation(unit, actor, conversation_id))


@router.post("/conversations/{conversation_id}/read", status_code=204, response_class=Response)
async def read_mark(request: Request, unit: ApiUnit, conversation_id: UUID) -> None:
    """Mark it as read."""
    actor = actor_of(request)
    await conversation(unit, actor, conversation_id)
    await mark_read(unit, actor, conversation_id)


def _thread(found: Thread) -> ThreadShape:
    return ThreadShape(
        conversation=ConversationShape.model_validate(found.conversation),
        items=[MessageShape.model_validate(each) for each in found.items],
    )
