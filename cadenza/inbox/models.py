from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Row


class ConversationRow(Row):
    """Everything between us and one person; strangers who write in a thread have one of their own."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("workspace_id", "address"),
        Index("ix_conversations_list", "workspace_id", "state", "last_at"),
        Index(None, "workspace_id", "contact_id"),
    )

    contact_id: Mapped[UUID | None] = mapped_column(Uuid)
    address: Mapped[str] = mapped_column(String(320))  # the contact's id, or the stranger's address
    name: Mapped[str] = mapped_column(String(300))
    channel: Mapped[str] = mapped_column(String(10), server_default="email")  # of their last message
    mailbox_id: Mapped[UUID | None] = mapped_column(Uuid)  # None until they write by e-mail
    channel_account_id: Mapped[UUID | None] = mapped_column(Uuid)  # where they wrote otherwise
    campaign_id: Mapped[UUID | None] = mapped_column(Uuid)
    subject: Mapped[str] = mapped_column(Text)
    snippet: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(10), default="open")
    unread: Mapped[bool] = mapped_column(Boolean, default=True)
    assignee_id: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(20))
    intent: Mapped[str | None] = mapped_column(String(30))
    interest: Mapped[str | None] = mapped_column(String(10))
    urgency: Mapped[str | None] = mapped_column(String(10))
    queue: Mapped[str | None] = mapped_column(String(20))
    needs_person: Mapped[bool] = mapped_column(Boolean, default=False)
    last_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True)
    )  # world time of the last message of theirs


class DraftRow(Row):
    """What a member has written of an answer and not sent yet."""

    __tablename__ = "answer_drafts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "conversation_id"],
            ["conversations.workspace_id", "conversations.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "conversation_id", "member_id"),
    )

    conversation_id: Mapped[UUID] = mapped_column(Uuid)
    member_id: Mapped[UUID] = mapped_column(Uuid)
    text: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time


class MessageRow(Row):
    """One message that came in. It has this row before the server is told that we have seen it."""

    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "mailbox_id"], ["mailboxes.workspace_id", "mailboxes.id"]),
        ForeignKeyConstraint(
            ["workspace_id", "channel_account_id"], ["channel_accounts.workspace_id", "channel_accounts.id"]
        ),
        UniqueConstraint("workspace_id", "fingerprint"),
        Index(None, "workspace_id", "conversation_id", "received_at"),
        Index(None, "workspace_id", "contact_id"),
        Index(None, "workspace_id", "message_id"),
    )

    channel: Mapped[str] = mapped_column(String(10), server_default="email")
    mailbox_id: Mapped[UUID | None] = mapped_column(Uuid)
    channel_account_id: Mapped[UUID | None] = mapped_column(Uuid)
    conversation_id: Mapped[UUID | None] = mapped_column(Uuid)
    contact_id: Mapped[UUID | None] = mapped_column(Uuid)
    touch_id: Mapped[UUID | None] = mapped_column(Uuid)
    campaign_id: Mapped[UUID | None] = mapped_column(Uuid)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    message_id: Mapped[str | None] = mapped_column(String(998))
    reference_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    kind: Mapped[str] = mapped_column(String(20))
    from_address: Mapped[str] = mapped_column(String(998))
    from_name: Mapped[str] = mapped_column(String(998), default="")
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    headers: Mapped[dict[str, list[str]]] = mapped_column(JSONB, default=dict)
    attachments: Mapped[list[str]] = mapped_column(JSONB, default=list)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # as its Date header says
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time
    analysis: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
