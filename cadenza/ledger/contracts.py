"""The seven nouns that every room shares. Frozen values; their stores are in this room."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventKind(StrEnum):
    ENROLLED = "enrolled"
    SCHEDULED = "scheduled"
    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    REFUSED = "refused"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SETTLED = "settled"
    SKIPPED = "skipped"
    HELD = "held"
    RESUMED = "resumed"
    FINISHED = "finished"
    STOPPED = "stopped"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    ACCEPTED = "accepted"  # an invitation of ours
    REACTED = "reacted"
    CONNECTED = "connected"  # a call in which people talked
    NO_ANSWER = "no_answer"  # nobody took the call, or a machine did
    MEETING_AGREED = "meeting_agreed"
    HANDED_OVER = "handed_over"  # to a person, who is asked to do it
    ABSENT = "absent"
    AUTO_REPLIED = "auto_replied"
    ANALYSED = "analysed"
    ANSWERED = "answered"
    ASSIGNED = "assigned"
    CLOSED = "closed"
    IMPORTED = "imported"
    SUPPRESSED = "suppressed"
    APPLIED = "applied"
    LAUNCHED = "launched"
    PAUSED = "paused"
    CAMPAIGN_STOPPED = "campaign_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One thing that happened, about to be recorded. ``at`` is world time; absent means now."""

    kind: EventKind
    origin: str  # who saw it: "engine", "inbox", "page", ...
    at: datetime | None = None
    contact_id: UUID | None = None
    campaign_id: UUID | None = None
    step: str | None = None
    variant: str | None = None
    touch_id: UUID | None = None
    message_id: UUID | None = None
    mailbox_id: UUID | None = None
    member_id: UUID | None = None
    machine: bool = False
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(NewEvent):
    id: UUID
    recorded_at: datetime  # machine time


class CheckStatus(StrEnum):
    PASS = "pass"  # noqa: S105 - the word of the contract, not a password
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question about readiness with its answer. ``fix`` says what to do, and is empty only on a pass."""

    id: str
    group: str
    status: CheckStatus
    looked_at: str
    found: str
    fix: str = ""
    blocking: bool = False
    affected: int = 0
    evidence: tuple["Evidence", ...] = ()
    override: str | None = None  # who opened a blocking one although it failed, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a claim comes from. ``span`` is a half-open range of characters in the source's text."""

    source: str  # "message", "transcript", "document", "news", "setting", ...
    source_id: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Option:
    option: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One automated choice: what there was to choose, what was taken, how likely that was, and why."""

    what: str  # "variant", "time", "sender", "gate", ...
    options: tuple[Option, ...]
    taken: str
    reason: str
    policy: str
    version: int
    touch_id: UUID | None = None
    contact_id: UUID | None = None
    at: datetime | None = None


class WorkKind(StrEnum):
    IN_DOUBT = "in_doubt"
    REVIEW_REPLY = "review_reply"
    REFERRAL = "referral"
    COME_BACK = "come_back"
    SENDER_BROKEN = "sender_broken"
    UNREADABLE_MESSAGE = "unreadable_message"
    LINKEDIN = "linkedin"  # a person does it there by hand
    CALL = "call"
    PROPOSAL = "proposal"  # of an assistant: a person does it, or not


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkItem:
    """Something a person should do. ``key`` makes it idempotent: the same key opens one item only."""

    kind: WorkKind
    key: str
    title: str
    queue: str
    due_at: datetime
    detail: str = ""
    contact_id: UUID | None = None
    touch_id: UUID | None = None
    conversation_id: UUID | None = None
    owner_id: UUID | None = None
    address: str = ""  # of the page where it is dealt with, where nothing else says


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem(NewWorkItem):
    id: UUID
    created_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first open items, the earliest due first; how many there are, and how many of them are late."""

    items: tuple[WorkItem, ...]
    total: int
    late: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of events of these kinds."""

    id: UUID
    url: str
    note: str
    kinds: tuple[EventKind, ...]
    active: bool
    paused_because: str
    created_at: datetime


class DeliveryState(StrEnum):
    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is owed to an outside system, and what became of it."""

    id: UUID
    webhook_id: UUID
    event_id: UUID | None  # null for a trial
    state: DeliveryState
    attempts: int
    due_at: datetime
    status: int | None  # of the last answer
    answer: str  # its beginning, or what went wrong
    created_at: datetime
    done_at: datetime | None
