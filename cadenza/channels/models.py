from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
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
    signature: Mapped[str] = mapped_column(Text, server_default="")
    signature_html: Mapped[str | None] = mapped_column(Text)  # checked: tags that only form text
    hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # null: any time
    owner_id: Mapped[UUID | None] = mapped_column(Uuid)  # a member
    warm_up: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # null: off
    stop: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # by its health
    judged_from: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True)
    )  # what came before is settled
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
    """How much was taken of one daily limit. ``scope`` is mailbox, domain or an action such as linkedin.connect; ``key`` of which
    mailbox, domain or account.
    """

    __tablename__ = "send_counters"
    __table_args__ = (UniqueConstraint("workspace_id", "day", "scope", "key"),)

    day: Mapped[date] = mapped_column(Date)
    scope: Mapped[str] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(String(253))
    amount: Mapped[int] = mapped_column(Integer)


class WarmUpDayRow(Row):
    """What one day of a mailbox's warm-up was, and what followed from it."""

    __tablename__ = "warm_up_days"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "mailbox_id"], ["mailboxes.workspace_id", "mailboxes.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("workspace_id", "mailbox_id", "day"),
    )

    mailbox_id: Mapped[UUID] = mapped_column(Uuid)
    day: Mapped[date] = mapped_column(Date)
    allowance: Mapped[int] = mapped_column(Integer)
    sent: Mapped[int] = mapped_column(Integer)
    trouble: Mapped[int] = mapped_column(Integer)  # hard bounces, refusals by policy and complaints
    outcome: Mapped[str] = mapped_column(String(10))


class SenderHealthRow(Row):
    """What the events of the last 7 and 30 days say about a mailbox; ``id`` is the mailbox's."""

    __tablename__ = "sender_health"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "id"], ["mailboxes.workspace_id", "mailboxes.id"], ondelete="CASCADE"
        ),
    )

    state: Mapped[str] = mapped_column(String(10))
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    week: Mapped[dict[str, Any]] = mapped_column(JSONB)
    month: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time


class PoolRow(Row):
    """A named set of mailboxes. It answers to its former names too, because campaigns name it in their files."""

    __tablename__ = "pools"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    name: Mapped[str] = mapped_column(String(100))
    former: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PoolMemberRow(Row):
    """A mailbox in a pool; it may be in several."""

    __tablename__ = "pool_members"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "pool_id"], ["pools.workspace_id", "pools.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "mailbox_id"], ["mailboxes.workspace_id", "mailboxes.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("workspace_id", "pool_id", "mailbox_id"),
        Index(None, "workspace_id", "mailbox_id"),
    )

    pool_id: Mapped[UUID] = mapped_column(Uuid)
    mailbox_id: Mapped[UUID] = mapped_column(Uuid)


class MailboxGrantRow(Row):
    """What a person allowed us at their mail provider (OAuth). The tokens are sealed and bound to this row.

    A new row for each consent, so that an answer to an older one changes nothing. ``lease_until`` is the database's time.
    """

    __tablename__ = "mailbox_grants"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "mailbox_id"], ["mailboxes.workspace_id", "mailboxes.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("workspace_id", "mailbox_id"),
    )

    mailbox_id: Mapped[UUID] = mapped_column(Uuid)
    provider: Mapped[str] = mapped_column(String(20))
    scopes: Mapped[list[Any]] = mapped_column(JSONB)
    refresh_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "mailbox_grants/{id}/refresh"})
    access_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "mailbox_grants/{id}/access"})
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MailboxConsentRow(Row):
    """A consent under way, between our redirect and the provider's answer; used once, by the session that began it."""

    __tablename__ = "mailbox_consents"
    __table_args__ = (UniqueConstraint("workspace_id", "state_hash"),)

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    provider: Mapped[str] = mapped_column(String(20))
    preset: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(320))  # of the mailbox that is meant; empty: whichever it is
    nonce: Mapped[str] = mapped_column(String(64))
    verifier_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "mailbox_consents/{id}/verifier"})
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ChannelAccountRow(Row):
    """What LinkedIn or the phone is used through. What opens it is sealed and bound to this row."""

    __tablename__ = "channel_accounts"
    __table_args__ = (UniqueConstraint("workspace_id", "channel", "address"),)

    channel: Mapped[str] = mapped_column(String(10))
    provider: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(500))
    base_url: Mapped[str] = mapped_column(String(500), server_default="")
    reference: Mapped[str] = mapped_column(String(200), server_default="")
    rings: Mapped[str] = mapped_column(String(20), server_default="")
    key_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "channel_accounts/{id}/key"})
    hook_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "channel_accounts/{id}/hook"})
    hooks: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")  # ids of webhooks at the provider
    state: Mapped[str] = mapped_column(String(10))
    state_reason: Mapped[str] = mapped_column(String(500), server_default="")
    owner_id: Mapped[UUID | None] = mapped_column(Uuid)  # a member
    wait_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # machine time
    fetched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # world time
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class IncomingRow(Row):
    """What a provider or a person told of an account: once for each of their keys, in whatever order it came."""

    __tablename__ = "incoming"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["channel_accounts.workspace_id", "channel_accounts.id"],
        ),
        UniqueConstraint("workspace_id", "account_id", "key"),
        Index("ix_incoming_waiting", "workspace_id", "id", postgresql_where="handled_at is null"),
    )

    account_id: Mapped[UUID] = mapped_column(Uuid)
    key: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time
    reference: Mapped[str | None] = mapped_column(String(200))
    person: Mapped[str | None] = mapped_column(String(500))
    thread: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    touch_id: Mapped[UUID | None] = mapped_column(Uuid)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    handled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ErrandRow(Row):
    """What a person is asked to do on LinkedIn or by phone, one for one touch, and what they said came of it."""

    __tablename__ = "errands"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["channel_accounts.workspace_id", "channel_accounts.id"],
        ),
        UniqueConstraint("workspace_id", "touch_id"),
    )

    account_id: Mapped[UUID] = mapped_column(Uuid)
    touch_id: Mapped[UUID] = mapped_column(Uuid)
    action: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(500))
    name: Mapped[str] = mapped_column(String(400))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    script: Mapped[str] = mapped_column(Text)
    thread: Mapped[str | None] = mapped_column(String(200))
    zone: Mapped[str | None] = mapped_column(String(60))
    contact_id: Mapped[UUID | None] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(String(20))
    outcome_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # world time
