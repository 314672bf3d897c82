"""Senders, and what a wire says about one message."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Tls(StrEnum):
    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"  # loopback only


class MailboxState(StrEnum):
    OK = "ok"
    PAUSED = "paused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    tls: Tls


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One sending address with its two servers. No secret in it.

    ``files_copies``: whether the provider puts what is sent into the Sent folder by itself; None when not known yet.
    """

    id: UUID
    workspace_id: UUID
    address: str
    display_name: str
    smtp: Server
    imap: Server
    user: str
    state: MailboxState
    state_reason: str
    daily_limit: int
    aliases: tuple[str, ...] = ()
    files_copies: bool | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to log in. Made for one connection, never stored or logged."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message ready for the wire: CRLF line ends, not dot-stuffed."""

    touch_id: UUID
    sender: str
    recipient: str
    content: bytes


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # 4xx, or nothing was handed over: the same message may be tried later
    REFUSED = "refused"  # 5xx: this message will never be taken
    IN_DOUBT = "in_doubt"  # handed over, the answer was lost: never try again blindly


@dataclass(frozen=True, slots=True)
class WireReply:
    """What the relay said about one envelope. ``stage``: connect, tls, login, mail, rcpt, data or dot."""

    touch_id: UUID
    outcome: Outcome
    stage: str
    code: int | None = None
    enhanced: str | None = None  # RFC 3463, such as 5.1.1
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message as IMAP gave it."""

    folder: str
    uidvalidity: int
    uid: int
    raw: bytes
    seen: bool
    internal_date: datetime | None
    truncated: bool = False  # larger than we read: the rest stayed on the server


@dataclass(frozen=True, slots=True)
class FolderCursor:
    """How far a folder has been read. ``uidvalidity`` 0 and ``last_uid`` 0 mean: not at all."""

    folder: str
    uidvalidity: int = 0
    last_uid: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Some messages, and the cursor to store in the same transaction as they are.

    ``resync``: the folder was numbered anew and is read from its start, so known messages come again.
    """

    cursor: FolderCursor
    messages: tuple[Fetched, ...]
    resync: bool = False


@dataclass(frozen=True, slots=True)
class SenderTest:
    """The answer of ``cadenza senders add|test``."""

    sender: str
    address: str
    ok: bool
    detail: str
