"""What the engine says about enrolments and touches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cadenza.campaigns.contracts import CampaignState
from cadenza.ledger.contracts import Decision, Event


class EnrolmentState(StrEnum):
    ACTIVE = "active"
    HELD = "held"  # away; goes on by itself at hold_until
    FINISHED = "finished"
    STOPPED = "stopped"


class TouchState(StrEnum):
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    REFUSED = "refused"
    FAILED = "failed"  # every try was deferred
    IN_DOUBT = "in_doubt"
    DROPPED = "dropped"  # a person decided not to send


class GateAnswer(StrEnum):
    PASS = "pass"  # noqa: S105 - the word of the contract
    WAIT = "wait"
    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class GateResult:
    """One question of the last gate, its answer, and why in words. ``until`` says when a wait is over."""

    gate: str
    answer: GateAnswer
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """One message to one person, planned, on its way or done."""

    id: UUID
    contact_id: UUID
    state: TouchState
    channel: str
    step: str | None
    variant: str | None
    campaign_id: UUID | None
    enrolment_id: UUID | None
    conversation_id: UUID | None
    mailbox_id: UUID
    sender: str
    recipient: str
    subject: str
    text: str
    html: str | None
    message_id: str
    due_at: datetime
    claimed_at: datetime
    sent_at: datetime | None
    attempts: int
    wire: dict[str, Any] | None
    gates: tuple[GateResult, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a touch was sent, or not: everything that was asked, decided and answered."""

    touch: Touch
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class PlannedTouch:
    """A step that one person would get, when and why; pencil, not ink."""

    step: str
    channel: str
    variant: str | None
    at: datetime
    local_time: str
    why: str
    unless: str


@dataclass(frozen=True, slots=True)
class StepCounts:
    step: str
    variant: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Status:
    """The answer of ``cadenza campaigns status``."""

    campaign: str
    version: int
    state: CampaignState
    enrolled: int
    due: int
    next_due_at: datetime | None
    counts: dict[str, int]
    steps: tuple[StepCounts, ...]
    active: int = 0
    held: int = 0
    waiting: dict[str, int] | None = None  # reasons that hold people back now, with how many


@dataclass(frozen=True, slots=True)
class UpcomingTouch:
    """An enrolment's next step in the queue."""

    enrolment_id: UUID
    campaign_id: UUID
    contact_id: UUID
    step: str
    at: datetime
    why: str


class Standing(StrEnum):
    """How the campaigns of a workspace stand together."""

    NOTHING = "nothing"  # there is none
    DRAFT = "draft"  # none was launched
    PAUSED = "paused"  # none runs, and at least one could go on
    RUNNING = "running"
    OVER = "over"


class OutboxState(StrEnum):
    SOON = "soon"  # leaves within a day
    KEPT_BACK = "kept_back"  # waits until a person lets it go


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One person's next step; ``mailbox_id`` is None while nobody writes to them yet."""

    enrolment_id: UUID
    campaign_id: UUID
    campaign: str
    contact_id: UUID
    step: str
    at: datetime
    why: str
    mailbox_id: UUID | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """What leaves; ``soon`` and ``kept`` count by mailbox over all items, ``retries`` were put off by a server."""

    items: tuple[OutboxItem, ...]
    soon: dict[UUID | None, int]
    kept: dict[UUID | None, int]
    retries: tuple[Touch, ...]


class DoubtDecision(StrEnum):
    """What a person says about a touch in doubt."""

    LOOK_AGAIN = "look_again"
    WAS_SENT = "was_sent"
    SEND_AGAIN = "send_again"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that a person wrote in a conversation; ``draft_id`` makes it once only."""

    draft_id: UUID
    conversation_id: UUID
    contact_id: UUID
    mailbox_id: UUID
    recipient: str
    subject: str
    text: str
    in_reply_to: str | None
    references: tuple[str, ...]
