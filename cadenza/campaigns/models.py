from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, Integer, String, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Row


class CampaignRow(Row):
    """A campaign by its name. ``version_id`` is the version in force; switching it is one update."""

    __tablename__ = "campaigns"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index(None, "workspace_id", "created_at"),
    )

    name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    version_id: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    launched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class CampaignVersionRow(Row):
    """What the file said at one time, with the texts of its files. Never changed."""

    __tablename__ = "campaign_versions"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "campaign_id"], ["campaigns.workspace_id", "campaigns.id"]),
        UniqueConstraint("workspace_id", "campaign_id", "number"),
    )

    campaign_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    folder: Mapped[str | None] = mapped_column(Text)  # where the file lay; None when it came from a page
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changes: Mapped[list[str]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    member_id: Mapped[UUID | None] = mapped_column(Uuid)


class CampaignEditRow(Row):
    """A member's working copy, as a campaign file in plain values; gone once it is saved or discarded."""

    __tablename__ = "campaign_edits"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "campaign_id"], ["campaigns.workspace_id", "campaigns.id"]),
        UniqueConstraint("workspace_id", "campaign_id", "member_id"),
    )

    campaign_id: Mapped[UUID] = mapped_column(Uuid)
    member_id: Mapped[UUID] = mapped_column(Uuid)
    based_on: Mapped[int] = mapped_column(Integer)
    tree: Mapped[dict[str, Any]] = mapped_column(JSON)  # keeps the order of the file, which JSONB does not
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    window: Mapped[str] = mapped_column(String(40), server_default="")  # of the browser, that wrote last
