from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Row


class MailboxRow(Row):
    """A sending address with its servers. The password is sealed and bound to this row."""

    __tablename__ = "mailboxes"
    __table_args__ = (UniqueConstraint("workspace_id", "address"),)

    address: Mapped[str] = mapped_column(String(320))
    display_name: Mapped[str] = mapped_column(String(200))
    smtp_host: Mapped[str] = mapped_column(String(253))
    smtp_port: Mapped[int] = mapped_column(Integer)
    smtp_tls: Mapped[str] = mapped_column(String(10))
    imap_host: Mapped[str] = mapped_column(String(253))
    imap_port: Mapped[int] = mapped_column(Integer)
    imap_tls: Mapped[str] = mapped_column(String(10))
    user_name: Mapped[str] = mapped_column(String(320))
    password_sealed: Mapped[str] = mapped_column(String(2000), info={"sealed": "mailboxes/{id}/password"})
    state: Mapped[str] = mapped_column(String(10))
    state_reason: Mapped[str] = mapped_column(String(500), default="")
    daily_limit: Mapped[int] = mapped_column(Integer)
    aliases: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    files_copies: Mapped[bool | None] = mapped_column(Boolean)  # null: not known yet
    copies_lease_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True)
    )  # the database's time
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class FolderCursorRow(Row):
    """How far a folder of a mailbox has been read."""

    __tablename__ = "folder_cursors"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "mailbox_id"], ["mailboxes.workspace_id", "mailboxes.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("workspace_id", "mailbox_id", "folder"),
    )

    mailbox_id: Mapped[UUID] = mapped_column(Uuid)
    folder: Mapped[str] = mapped_column(String(500))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SendCounterRow(Row):
    """How much was taken of one daily limit. ``scope`` is mailbox or domain, ``key`` which one."""

    __tablename__ = "send_counters"
    __table_args__ = (UniqueConstraint("workspace_id", "day", "scope", "key"),)

    day: Mapped[date] = mapped_column(Date)
    scope: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(253))
    amount: Mapped[int] = mapped_column(Integer)
