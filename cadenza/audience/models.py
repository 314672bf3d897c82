from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Base, Row


class AccountRow(Row):
    """A company. Known by its domain where it has one, else by its name."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index(
            "ux_accounts_domain",
            "workspace_id",
            "domain",
            unique=True,
            postgresql_where=text("domain is not null"),
        ),
        Index(None, "workspace_id", "name_key"),
    )

    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(String(200))  # the name without case and accents
    domain: Mapped[str | None] = mapped_column(String(253))
    country: Mapped[str | None] = mapped_column(String(2))
    industry: Mapped[str | None] = mapped_column(String(200))
    custom: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ContactRow(Row):
    """A person. Addresses, one row each, are beside it; so are the stops."""

    __tablename__ = "contacts"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
        Index(None, "workspace_id", "account_id"),
        Index("ix_contacts_search", text("to_tsvector('simple', search)"), postgresql_using="gin"),
        Index("ix_contacts_here", "workspace_id", "id", postgresql_where=text("gone_at is null")),
        Index(
            "ix_contacts_merged",
            "workspace_id",
            "merged_into",
            postgresql_where=text("merged_into is not null"),
        ),
    )

    account_id: Mapped[UUID | None] = mapped_column(Uuid)
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    title: Mapped[str | None] = mapped_column(String(200))
    website: Mapped[str | None] = mapped_column(String(500))
    country: Mapped[str | None] = mapped_column(String(2))
    language: Mapped[str | None] = mapped_column(String(3))
    timezone: Mapped[str | None] = mapped_column(String(64))  # as given; None is derived from the country
    custom: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    search: Mapped[str] = mapped_column(Text, default="")  # what the list's search box looks through
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    gone_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True)
    )  # removed or merged, machine time
    merged_into: Mapped[UUID | None] = mapped_column(Uuid)  # who they turned out to be


class AddressRow(Row):
    """One way to reach a person. An e-mail address or a LinkedIn profile is one person's; a telephone may be shared."""

    __tablename__ = "addresses"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "contact_id"], ["contacts.workspace_id", "contacts.id"]),
        Index(
            "ux_addresses_value",
            "workspace_id",
            "channel",
            "value",
            unique=True,
            postgresql_where=text("channel <> 'phone'"),
        ),
        UniqueConstraint("workspace_id", "contact_id", "channel", "value"),
        Index("ix_addresses_phone", "workspace_id", "value", postgresql_where=text("channel = 'phone'")),
    )

    contact_id: Mapped[UUID] = mapped_column(Uuid)
    channel: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(500))  # normal form of the channel
    main: Mapped[bool] = mapped_column(Boolean, default=True)  # the one to use; the first that was known
    dead_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # a hard bounce, in world time
    dead_source: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SuppressionRow(Row):
    """A stop. Rows are added, never changed or removed."""

    __tablename__ = "suppressions"
    __table_args__ = (
        UniqueConstraint("workspace_id", "kind", "value", "reason"),
        Index(None, "workspace_id", "contact_id"),
    )

    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(500))  # address, domain, or the contact's id
    reason: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # world time
    contact_id: Mapped[UUID | None] = mapped_column(Uuid)  # whose act it was, where known


class ImportRow(Row):
    """One import, from the upload to its end: for the page, and for which custom fields exist."""

    __tablename__ = "imports"
    __table_args__ = (Index(None, "workspace_id", "file", "at"), Index(None, "workspace_id", "at"))

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # machine time
    member_id: Mapped[UUID | None] = mapped_column(Uuid)
    file: Mapped[str] = mapped_column(String(255))  # its name without folders
    digest: Mapped[str] = mapped_column(
        String(64)
    )  # SHA-256 of its bytes: the same file need not be read again
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB)
    custom_fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rows: Mapped[int] = mapped_column(Integer)
    created: Mapped[int] = mapped_column(Integer, default=0)
    updated: Mapped[int] = mapped_column(Integer, default=0)
    rejected: Mapped[int] = mapped_column(Integer, default=0)
    duplicates: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(20))  # contracts.ImportState
    encoding: Mapped[str] = mapped_column(String(20))
    reached: Mapped[int] = mapped_column(Integer, default=0)  # the last row whose chunk is committed
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trouble: Mapped[str] = mapped_column(Text, default="")  # why it failed, in words


class ImportChunkRow(Base):
    """A piece of an uploaded file, kept until its import has ended: web and worker may be on different machines."""

    __tablename__ = "import_chunks"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "import_id"], ["imports.workspace_id", "imports.id"]),
    )

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    import_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportFaultRow(Base):
    """What was wrong with a row: why it was rejected, or which of its values was left out."""

    __tablename__ = "import_faults"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "import_id"], ["imports.workspace_id", "imports.id"]),
    )

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    import_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)  # several in one row
    line: Mapped[int] = mapped_column(Integer)
    column: Mapped[str] = mapped_column(String(100))
    code: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    rejected: Mapped[bool] = mapped_column(Boolean)


class ImportMemberRow(Base):
    """Whom an import brought, in the order of the file: the audience of a campaign that names the file."""

    __tablename__ = "import_members"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "import_id"], ["imports.workspace_id", "imports.id"]),
        ForeignKeyConstraint(["workspace_id", "contact_id"], ["contacts.workspace_id", "contacts.id"]),
    )

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    import_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)


class CustomFieldRow(Row):
    """A custom field of the workspace: what it is called, what it holds, and whether pages show it."""

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    name: Mapped[str] = mapped_column(String(60))  # as templates write it
    kind: Mapped[str] = mapped_column(String(20))  # contracts.FieldKind
    shown: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SegmentRow(Row):
    """A saved filter of people."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    name: Mapped[str] = mapped_column(String(100))
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)  # segment_rules.to_json
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    member_id: Mapped[UUID | None] = mapped_column(Uuid)


class BulkChangeRow(Row):
    """What was done to many people at once, and how it is taken back."""

    __tablename__ = "bulk_changes"
    __table_args__ = (Index(None, "workspace_id", "at"),)

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # machine time
    member_id: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(20))  # contracts.BulkKind
    state: Mapped[str] = mapped_column(String(20))  # contracts.BulkState
    people: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, default=0)  # of the people; taking it back counts down
    reached: Mapped[UUID | None] = mapped_column(Uuid)  # the change holds for its people up to this id
    left_out: Mapped[int] = mapped_column(Integer, default=0)  # somebody else had changed them meanwhile
    field: Mapped[str | None] = mapped_column(String(60))
    value: Mapped[str | None] = mapped_column(Text)
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class BulkItemRow(Base):
    """One person of such a change with what stood there before; kept as long as it can be taken back."""

    __tablename__ = "bulk_items"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "change_id"], ["bulk_changes.workspace_id", "bulk_changes.id"]),
    )

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    change_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ExportRow(Row):
    """An export that somebody took: how many a day is limited."""

    __tablename__ = "exports"
    __table_args__ = (Index(None, "workspace_id", "at"),)

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # machine time
    member_id: Mapped[UUID | None] = mapped_column(Uuid)
    rows: Mapped[int] = mapped_column(Integer)
