from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Row


class RunRow(Row):
    """A launched campaign as the dispatcher sees it; ``id`` is the campaign's. Paused runs cost nothing."""

    __tablename__ = "runs"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "id"], ["campaigns.workspace_id", "campaigns.id"]),
        Index("ix_runs_running", "workspace_id", "id", postgresql_where="state = 'running'"),
    )

    state: Mapped[str] = mapped_column(String(20))
    version_id: Mapped[UUID] = mapped_column(Uuid)


class EnrolmentRow(Row):
    """One person in one campaign. ``next_due_at`` (world time) is null while a touch of it is on its way."""

    __tablename__ = "enrolments"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "campaign_id"], ["runs.workspace_id", "runs.id"]),
        ForeignKeyConstraint(["workspace_id", "contact_id"], ["contacts.workspace_id", "contacts.id"]),
        UniqueConstraint("workspace_id", "campaign_id", "contact_id"),
        Index(
            "ix_enrolments_due",
            "workspace_id",
            "campaign_id",
            "next_due_at",
            postgresql_where="state = 'active' and next_due_at is not null",
            postgresql_include=["mailbox_id"],  # the outbox counts by it, and need not read the rows
        ),
        Index("ix_enrolments_hold", "workspace_id", "hold_until", postgresql_where="state = 'held'"),
        Index(None, "workspace_id", "contact_id"),
    )

    campaign_id: Mapped[UUID] = mapped_column(Uuid)
    contact_id: Mapped[UUID] = mapped_column(Uuid)
    account_id: Mapped[UUID | None] = mapped_column(Uuid)
    state: Mapped[str] = mapped_column(String(20))
    step: Mapped[str] = mapped_column(String(64))  # the next one
    next_due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    waiting_for: Mapped[str] = mapped_column(Text, default="")  # why it is due then, in words
    hold_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    kept_back: Mapped[bool] = mapped_column(Boolean, server_default="false")  # held until a person lets it go
    mailbox_id: Mapped[UUID | None] = mapped_column(Uuid)  # a person keeps the first sender
    behind: Mapped[str | None] = mapped_column(
        String(64)
    )  # the step that this one stands in for: it goes on there
    plan: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB
    )  # of the next step: its way, and what was decided
    ended_reason: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TouchRow(Row):
    """One message to one person. Its id is derived from enrolment and step, so a second one cannot exist."""

    __tablename__ = "touches"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "contact_id"], ["contacts.workspace_id", "contacts.id"]),
        ForeignKeyConstraint(["workspace_id", "mailbox_id"], ["mailboxes.workspace_id", "mailboxes.id"]),
        ForeignKeyConstraint(
            ["workspace_id", "channel_account_id"], ["channel_accounts.workspace_id", "channel_accounts.id"]
        ),
        CheckConstraint("(mailbox_id is null) <> (channel_account_id is null)", name="one_sender"),
        UniqueConstraint("workspace_id", "message_id"),
        Index(
            "ix_touches_reference",
            "workspace_id",
            "channel_account_id",
            "reference",
            postgresql_where="reference is not null",
        ),
        Index(
            "ix_touches_person",
            "workspace_id",
            "channel_account_id",
            "person",
            postgresql_where="person is not null",
        ),
        Index(None, "workspace_id", "enrolment_id", "step"),
        Index(None, "workspace_id", "contact_id", "claimed_at"),
        Index(None, "workspace_id", "account_id", "claimed_at"),
        Index(None, "workspace_id", "conversation_id"),
        Index(
            "ix_touches_leased",
            "workspace_id",
            "lease_until",
            postgresql_where="state in ('claimed', 'sending')",
        ),
        Index("ix_touches_retry", "workspace_id", "retry_at", postgresql_where="state = 'deferred'"),
        Index(
            "ix_touches_copies",
            "workspace_id",
            "mailbox_id",
            postgresql_where="state = 'sent' and needs_copy",
        ),
        Index(
            "ix_touches_trouble",
            "workspace_id",
            "mailbox_id",
            "claimed_at",
            postgresql_where="state in ('deferred', 'refused', 'failed', 'in_doubt')",
        ),
        Index("ix_touches_doubt", "workspace_id", "claimed_at", postgresql_where="state = 'in_doubt'"),
    )

    contact_id: Mapped[UUID] = mapped_column(Uuid)
    account_id: Mapped[UUID | None] = mapped_column(Uuid)
    enrolment_id: Mapped[UUID | None] = mapped_column(Uuid)  # null for an answer that a person wrote
    campaign_id: Mapped[UUID | None] = mapped_column(Uuid)
    conversation_id: Mapped[UUID | None] = mapped_column(Uuid)
    step: Mapped[str | None] = mapped_column(String(64))
    variant: Mapped[str | None] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(20), server_default="send")
    mailbox_id: Mapped[UUID | None] = mapped_column(Uuid)  # of a letter
    channel_account_id: Mapped[UUID | None] = mapped_column(Uuid)  # of anything else
    reference: Mapped[str | None] = mapped_column(String(200))  # the provider's id of what was done
    person: Mapped[str | None] = mapped_column(String(200))  # and of the recipient
    sender: Mapped[str] = mapped_column(String(320))  # as it was, never derived later (M20)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    track_opens: Mapped[bool] = mapped_column(Boolean, default=False)
    track_clicks: Mapped[bool] = mapped_column(Boolean, default=False)
    message_id: Mapped[str] = mapped_column(String(400))
    references: Mapped[list[str]] = mapped_column("reference_ids", JSONB, default=list)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    claimed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # the database's time
    worker: Mapped[UUID | None] = mapped_column(Uuid)
    retry_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # machine time
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    looked_up: Mapped[int] = mapped_column(Integer, default=0)  # times it was searched for in the Sent folder
    needs_copy: Mapped[bool | None] = mapped_column(Boolean)  # once sent, in the Sent folder
    wire: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    gates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
