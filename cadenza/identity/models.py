from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Base, Row
from cadenza.core.ids import new_id


class UserRow(Base):
    """A person who signs in; belongs to the installation, has no data of any workspace."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(255))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    locale: Mapped[str] = mapped_column(String(8), default="en")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SessionRow(Base):
    """A sign-in of one user in one workspace. ``stage`` says what is still missing, see ``contracts.Stage``."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, default=new_id)  # names the session to people; opens nothing
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    workspace_id: Mapped[UUID] = mapped_column("current_workspace", Uuid, ForeignKey("workspaces.id"))
    stage: Mapped[str] = mapped_column(String(10), default="open")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    proved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # password or code, last given
    source: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(200), default="")


class LoginFailureRow(Base):
    """Failed log-ins of late, by account and by source, to slow down guessing. Holds hashes only."""

    __tablename__ = "login_failures"
    __table_args__ = (Index(None, "key", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class WorkspaceRow(Base):
    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    require_factor: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MemberRow(Row):
    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("workspace_id", "user_id"),
        ForeignKeyConstraint(["workspace_id", "team_id"], ["teams.workspace_id", "teams.id"]),
        Index(None, "user_id"),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    team_id: Mapped[UUID | None] = mapped_column(Uuid)
    territories: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")  # DE, DE-BY
    languages: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")  # ISO 639-1
    industries: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    most_open: Mapped[int | None] = mapped_column(Integer)  # conversations and work items at once
    away_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApiTokenRow(Row):
    """A token acts as one member; only its hash is stored."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "member_id"], ["members.workspace_id", "members.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("token_hash"),
    )

    member_id: Mapped[UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TeamRow(Row):
    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    name: Mapped[str] = mapped_column(String(100))


class InvitationRow(Row):
    """A link by which somebody becomes a member, once."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("token_hash"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    invited_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PasswordResetRow(Base):
    """A link by which one user chooses a new password, once."""

    __tablename__ = "password_resets"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FactorRow(Base):
    """The second factor of a user: a secret shared with their authenticator (RFC 6238)."""

    __tablename__ = "factors"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "factor {user_id}"})
    confirmed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_step: Mapped[int] = mapped_column(
        BigInteger, default=0
    )  # no code of this step or before works again


class RecoveryCodeRow(Base):
    """One of the codes that stand in for a lost authenticator; each works once."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True)


class SignOnRow(Row):
    """The OpenID provider of a workspace."""

    __tablename__ = "sign_on"
    __table_args__ = (UniqueConstraint("workspace_id"),)

    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(300))
    secret_sealed: Mapped[str] = mapped_column(Text, info={"sealed": "sign-on {id}"})
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SignOnIdentityRow(Row):
    """Who a provider's subject is here. Only issuer and subject name a person, never an e-mail address."""

    __tablename__ = "sign_on_identities"
    __table_args__ = (UniqueConstraint("workspace_id", "issuer", "subject"),)

    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SignOnAttemptRow(Base):
    """A sign-on under way, between our redirect and the provider's answer; used once."""

    __tablename__ = "sign_on_attempts"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    workspace_id: Mapped[UUID] = mapped_column("for_workspace", Uuid, ForeignKey("workspaces.id"))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    user_id: Mapped[UUID | None] = mapped_column(Uuid)  # who connects their account, when somebody does
    next: Mapped[str] = mapped_column(String(2000), default="/")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AuditRow(Row):
    """Who did what. Rows are added and read, never altered; the database adds each to the chain when it commits."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "workspace_id", "at"),
        Index(None, "workspace_id", "action", "at"),
        Index(None, "workspace_id", "member_id", "at"),
    )

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # machine time
    member_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor: Mapped[str] = mapped_column(String(200))
    origin: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class AuditLinkRow(Base):
    """One link of a workspace's chain: ``hash`` is SHA-256 of ``previous`` and the words of the entry."""

    __tablename__ = "audit_links"
    __table_args__ = (UniqueConstraint("workspace_id", "entry_id"),)

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(Uuid)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHeadRow(Base):
    """The end of a workspace's chain; locked for the moment in which a link is added."""

    __tablename__ = "audit_heads"

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
