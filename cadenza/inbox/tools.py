"""What an assistant may do with conversations: read them, keep a draft of an answer, give them to a member."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.identity.contracts import Action
from cadenza.identity.service import authorize
from cadenza.inbox.contracts import ConversationState, Filters
from cadenza.inbox.service import assign, conversation, conversations, draft_of, save_draft
from cadenza.web.tools import Call, Does, Given, Outside, Part, Proposed, Told, Toolbox, listed

TOOLS = Toolbox()

_MOST_MESSAGES = 20


class ConversationsAsked(Given):
    state: ConversationState | None = ConversationState.OPEN
    queue: Annotated[str | None, Field(max_length=20)] = None
    intent: Annotated[str | None, Field(max_length=30)] = None
    assignee_id: UUID | None = None
    unread: bool | None = None
    search: Annotated[str, Field(max_length=200)] = ""
    after: Annotated[str | None, Field(max_length=200, description="``next`` of the part before")] = None


class OneConversation(Given):
    conversation_id: UUID


class ConversationAsked(OneConversation):
    first: Annotated[int, Field(ge=0, le=10_000, description="Messages to skip, the oldest")] = 0
    limit: Annotated[int, Field(ge=1, le=_MOST_MESSAGES, description="Messages of a part")] = 10


class Answer(OneConversation):
    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class Assignment(OneConversation):
    member_id: Annotated[UUID | None, Field(description="Null gives it to nobody")]


class ConversationTold(Told):
    id: UUID
    contact_id: UUID | None
    name: Outside
    campaign_id: UUID | None
    subject: Outside
    snippet: Outside
    state: ConversationState
    unread: bool
    assignee_id: UUID | None
    intent: str | None
    interest: str | None
    urgency: str | None
    queue: str | None
    needs_person: bool
    last_at: datetime


class MessageTold(Told):
    """``by`` is us or them. ``analysis`` is what was understood of it, with the places in its text."""

    id: UUID
    by: str
    at: datetime
    name: Outside
    address: Outside
    subject: Outside
    text: Outside
    state: str
    touch_id: UUID | None
    step: str | None
    analysis: Outside | None
    attachments: Outside


class ThreadTold(Told):
    """``next`` is the ``first`` of the following part; null at the end."""

    conversation: ConversationTold
    messages: list[MessageTold]
    next: int | None


class AssignedTold(Told):
    conversation_id: UUID
    assignee_id: UUID | None


@TOOLS.add(Does.READS, Action.READ, "Conversations")
async def list_conversations(call: Call, given: ConversationsAsked) -> Part[ConversationTold]:
    """Conversations, the newest message first, fifty to a part."""
    filters = Filters(given.state, given.queue, given.intent, given.assignee_id, given.unread, given.search)
    found = await conversations(call.unit, call.actor, filters, given.after)
    return listed(found.items, ConversationTold, found.cursor)


@TOOLS.add(Does.READS, Action.READ, "One conversation")
async def read_conversation(call: Call, given: ConversationAsked) -> ThreadTold:
    """A thread, ours and theirs, oldest first, with what was understood of each reply. Reading it does not mark it as read."""
    found = await conversation(call.unit, call.actor, given.conversation_id)
    end = given.first + given.limit
    return ThreadTold.model_validate(
        {
            "conversation": found.conversation,
            "messages": found.items[given.first : end],
            "next": end if len(found.items) > end else None,
        }
    )


@TOOLS.add(Does.PROPOSES, Action.ANSWER, "Propose an answer")
async def propose_answer(call: Call, given: Answer) -> Proposed:
    """Keep an answer as the draft of the token's member in this conversation. Nothing is sent: they read, change and send it, or not. What they are writing already is left as it is."""
    authorize(call.actor, Action.ANSWER)
    await conversation(call.unit, call.actor, given.conversation_id)
    if await draft_of(call.unit, call.actor, given.conversation_id) is not None:
        raise CadenzaError(
            "draft_exists", "There is a draft in this conversation already.", Kind.CONFLICT,
            fix="It was left as it is. Ask its writer to send or empty it first.",
        )  # fmt: skip
    await save_draft(call.unit, call.actor, given.conversation_id, draft_id=new_id(), text=given.text)
    return Proposed(
        done="Kept as a draft; nothing was sent.",
        approve_at=call.address(f"/inbox/{given.conversation_id}?view=all"),
    )


@TOOLS.add(Does.ACTS, Action.ASSIGN, "Assign a conversation")
async def assign_conversation(call: Call, given: Assignment) -> AssignedTold:
    """Give a conversation to a member, or to nobody; at once, because nothing is sent or deleted by it."""
    await assign(call.unit, call.actor, given.conversation_id, given.member_id)
    return AssignedTold(conversation_id=given.conversation_id, assignee_id=given.member_id)
