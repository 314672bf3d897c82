from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Base, Row
from cadenza.core.ids import new_id


class EventRow(Base):
    """Append-only and partitioned by world time: every metric is a count of these rows."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "workspace_id", "campaign_id", "kind", "at"),
        Index(None, "workspace_id", "contact_id", "at"),
        Index(None, "workspace_id", "touch_id", "at"),
        Index(None, "workspace_id", "recorded_at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str] = mapped_column(String(30))
    origin: Mapped[str] = mapped_column(String(30))
    contact_id: Mapped[UUID | None] = mapped_column(Uuid)
    campaign_id: Mapped[UUID | None] = mapped_column(Uuid)
    step: Mapped[str | None] = mapped_column(String(64))
    variant: Mapped[str | None] = mapped_column(String(64))
    touch_id: Mapped[UUID | None] = mapped_column(Uuid)
    message_id: Mapped[UUID | None] = mapped_column(Uuid)
    mailbox_id: Mapped[UUID | None] = mapped_column(Uuid)
    member_id: Mapped[UUID | None] = mapped_column(Uuid)
    machine: Mapped[bool] = mapped_column(Boolean, default=False)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class DecisionRow(Row):
    __tablename__ = "decisions"
    __table_args__ = (
        Index(None, "workspace_id", "touch_id"),
        Index(None, "workspace_id", "contact_id", "at"),
    )

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    what: Mapped[str] = mapped_column(String(40))
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    taken: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    policy: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    touch_id: Mapped[UUID | None] = mapped_column(Uuid)
    contact_id: Mapped[UUID | None] = mapped_column(Uuid)


class WorkItemRow(Row):
    __tablename__ = "work_items"
    __table_args__ = (
        UniqueConstraint("workspace_id", "key"),
        Index("ix_work_items_open", "workspace_id", "due_at", postgresql_where="done_at is null"),
        Index(None, "workspace_id", "touch_id"),
    )

    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")
    queue: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    contact_id: Mapped[UUID | None] = mapped_column(Uuid)
    touch_id: Mapped[UUID | None] = mapped_column(Uuid)
    conversation_id: Mapped[UUID | None] = mapped_column(Uuid)
    owner_id: Mapped[UUID | None] = mapped_column(Uuid)
    address: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    done_by: Mapped[UUID | None] = mapped_column(Uuid)


class WebhookRow(Row):
    """An address that is told of events of certain kinds."""

    __tablename__ = "webhooks"

    url: Mapped[str] = mapped_column(String(2000))
    note: Mapped[str] = mapped_column(String(200), default="")
    kinds: Mapped[list[str]] = mapped_column(ARRAY(String(30)))
    secret: Mapped[str] = mapped_column(Text, info={"sealed": "webhooks/{id}/secret"})
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    paused_because: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DeliveryRow(Row):
    """One event owed to one webhook, kept until it is acknowledged or given up."""

    __tablename__ = "deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "webhook_id"], ["webhooks.workspace_id", "webhooks.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("workspace_id", "webhook_id", "event_id"),
        Index("ix_deliveries_due", "workspace_id", "due_at", postgresql_where="state = 'pending'"),
        Index(None, "workspace_id", "webhook_id", "created_at"),
    )

    webhook_id: Mapped[UUID] = mapped_column(Uuid)
    event_id: Mapped[UUID | None] = mapped_column(Uuid)  # null for a trial
    event_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(String(15))
    attempts: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # machine time
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # the database's time
    status: Mapped[int | None] = mapped_column(Integer)  # of the last answer
    answer: Mapped[str] = mapped_column(String(500), server_default="")  # its beginning, or what went wrong
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
