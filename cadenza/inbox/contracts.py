"""Conversations as the pages and the API show them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class ConversationState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of the inbox."""

    id: UUID
    contact_id: UUID | None
    name: str
    address: str
    mailbox_id: UUID | None
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
    channel: str  # of their last message
    channel_account_id: UUID | None


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One message of a conversation, ours or theirs. ``analysis`` is the object of docs/reply-analysis.md."""

    came_at: (
        datetime  # when it came into the conversation: of ours when it was written, of theirs when it came in
    )
    id: UUID
    by: str  # "us" | "them"
    at: datetime
    name: str
    address: str
    subject: str
    text: str
    state: str  # of ours: the touch's state; of theirs: the mail's kind
    html: str = ""
    touch_id: UUID | None = None
    step: str | None = None
    variant: str | None = None
    analysis: dict[str, Any] | None = None
    attachments: tuple[str, ...] = ()
    channel: str = "email"
    action: str = "send"  # of ours


@dataclass(frozen=True, slots=True)
class Thread:
    conversation: Conversation
    items: tuple[ThreadItem, ...]  # oldest first

    @property
    def newest(self) -> UUID | None:
        """The message that came last: who saw it saw all of the conversation."""
        return max(self.items, key=lambda item: (item.came_at, item.id)).id if self.items else None

    def since(self, seen: UUID | None) -> tuple[ThreadItem, ...]:
        """What came after this message; everything, where it is not of this conversation."""
        known = next((item for item in self.items if item.id == seen), None)
        newer = [i for i in self.items if known is None or (i.came_at, i.id) > (known.came_at, known.id)]
        return tuple(newer)


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """One thing that happened in a conversation and that the writer of an answer has not seen."""

    what: str  # "them" wrote | "us": one of us answered, or a campaign wrote | "closed"
    who: str  # as people call them; "" where nobody is known
    at: datetime | None  # world time


@dataclass(frozen=True, slots=True)
class Draft:
    """What a member has written of an answer and not sent yet; nobody else reads it."""

    text: str
    saved_at: datetime  # world time


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of conversations shows; None shows all."""

    state: ConversationState | None = ConversationState.OPEN
    queue: str | None = None
    intent: str | None = None
    assignee_id: UUID | None = None
    unread: bool | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """``cursor`` asks for the next page; None at the end."""

    items: tuple[Conversation, ...]
    cursor: str | None
    total: int
