"""Senders, what a wire says about one message, and the one protocol of e-mail, LinkedIn and phone."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from cadenza.channels.channel_values import (
    AccountProvider,
    AccountState,
    Capacity,
    ChannelAccount,
    ChannelHealth,
    Errand,
    Incoming,
    IncomingKind,
)
from cadenza.timing.contracts import Window

__all__ = [
    "AccountProvider", "AccountState", "Batch", "Capacity", "Channel", "ChannelAccount", "ChannelHealth", "Credentials", "DayOutcome", "Envelope", "Errand", "Fetched", "FolderCursor", "HealthState", "Incoming", "IncomingKind", "Mailbox", "MailboxState", "Outcome", "Pool", "SenderFigures", "SenderHealth", "SenderTest", "Server", "Stop", "Tls", "WarmUp", "WarmUpDay", "WireReply",
]  # fmt: skip


class Tls(StrEnum):
    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"  # loopback only


class MailboxState(StrEnum):
    OK = "ok"
    PAUSED = "paused"
    BROKEN = "broken"
    RETIRED = "retired"  # disconnected; kept for what it sent


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    tls: Tls


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A ramp of real mail: ``start`` messages a day at first, ``growth`` more for each good working day, up to ``target``.

    ``step`` is how far it has come by the days before ``judged``; the days from ``judged`` on are not looked at yet.
    """

    start: int
    growth: int
    target: int
    since: date
    step: int = 0
    judged: date | None = None

    @property
    def allowance(self) -> int:
        return min(self.target, self.start + self.growth * self.step)

    @property
    def done(self) -> bool:
        return self.allowance >= self.target


class DayOutcome(StrEnum):
    GREW = "grew"
    HELD = "held"  # no working day, or hardly anything was sent: nothing was learned
    FELL = "fell"


@dataclass(frozen=True, slots=True)
class WarmUpDay:
    """One day of a warm-up that is over. ``trouble``: hard bounces, refusals by policy and complaints."""

    day: date
    allowance: int
    sent: int
    trouble: int
    outcome: DayOutcome


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a sender's health keeps it from sending. ``until`` is when it may go on by itself; None when a person must."""

    rule: str
    reason: str
    at: datetime
    until: datetime | None = None


class HealthState(StrEnum):
    GOOD = "good"
    WATCH = "watch"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SenderFigures:
    """What events say about one sender in a span of days. ``delivered`` is what was sent less what came back for good."""

    sent: int = 0
    delivered: int = 0
    bounced: int = 0  # for good
    refused: int = 0  # by policy: 5.7.x
    complained: int = 0
    replied: int = 0


@dataclass(frozen=True, slots=True)
class SenderHealth:
    """How a sender stands by the last look at the events, at world time ``at``. ``reasons`` are sentences."""

    mailbox_id: UUID
    state: HealthState
    reasons: tuple[str, ...]
    week: SenderFigures
    month: SenderFigures
    at: datetime


@dataclass(frozen=True, slots=True)
class Pool:
    """A named set of mailboxes, by address. ``former`` are names it had: campaigns may still name it so."""

    id: UUID
    name: str
    former: tuple[str, ...]
    mailbox_ids: frozenset[UUID]


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
    signature: str = ""
    signature_html: str | None = None
    hours: Window | None = None  # None: at any time; its zone is always set
    owner_id: UUID | None = None
    warm_up: WarmUp | None = None
    stop: Stop | None = None
    judged_from: datetime | None = None  # its health counts nothing from before

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def can_send(self) -> bool:
        """Whether anything may leave now, as far as the mailbox itself is concerned."""
        return self.state is MailboxState.OK and self.stop is None

    @property
    def why_not(self) -> str:
        """Why nothing may leave; empty when it may."""
        if self.stop is not None:
            return self.stop.reason
        return "" if self.can_send else self.state_reason or self.state.value

    @property
    def allowance(self) -> int:
        """Messages that may leave today: the daily limit, or less while the warm-up goes on."""
        return min(self.daily_limit, self.warm_up.allowance) if self.warm_up else self.daily_limit

    @property
    def is_connected(self) -> bool:
        """Whether there is any use in asking its servers: a broken one waits for a person, a retired one is over."""
        return self.state in (MailboxState.OK, MailboxState.PAUSED)


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to log in, by a password or by an OAuth access token. Made for one connection, never stored or logged.

    ``renew`` gives others in place of a token that a server refuses; it uses the network, and raises ``CadenzaError`` when
    there are no more to be had.
    """

    user: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    renew: Callable[[], Awaitable["Credentials"]] | None = field(default=None, repr=False, compare=False)


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
    """What the other side said about one envelope or errand.

    ``stage``: connect, tls, login, mail, rcpt, data or dot of a relay; look_up, request or answer of a provider's API; work
    where a person does it. ``code`` is the relay's or HTTP's. ``retry_after``: seconds that the other side asks us to wait.
    """

    touch_id: UUID
    outcome: Outcome
    stage: str
    code: int | None = None
    enhanced: str | None = None  # RFC 3463, such as 5.1.1
    text: str = ""
    reference: str | None = None  # the other side's own id of what was done
    person: str | None = None  # and of whom it was done to
    retry_after: float | None = None


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


class Channel(Protocol):
    """E-mail, LinkedIn and phone, whoever carries it out. Every method uses the network or the database: no unit may be open."""

    async def health(self) -> ChannelHealth:
        """Whether the other side lets us in. Never raises for what it answers."""
        ...

    async def capacity(self, action: str) -> Capacity:
        """What our limits, and the other side's, still allow of this action now. Takes nothing."""
        ...

    async def send(self, errand: Errand) -> WireReply:
        """Do it, once. Never raises for what the other side did; IN_DOUBT is looked up by ``find`` and never sent again."""
        ...

    async def find(self, errand: Errand) -> WireReply | None:
        """What became of an errand in doubt: ACCEPTED with its reference, or None where the other side shows nothing of it."""
        ...

    async def fetch(self, since: datetime) -> Sequence[Incoming]:
        """What happened since, in any order; things told before may come again. Raises ``CadenzaError``."""
        ...
