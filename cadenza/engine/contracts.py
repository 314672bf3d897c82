"""What the engine says about enrolments and touches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from cadenza.campaigns.contracts import CampaignState, Step, Way
from cadenza.ledger.contracts import Decision, Event
from cadenza.timing.contracts import Window


class EnrolmentState(StrEnum):
    ACTIVE = "active"
    HELD = "held"  # away; goes on by itself at hold_until
    FINISHED = "finished"
    STOPPED = "stopped"


class TouchState(StrEnum):
    CLAIMED = "claimed"
    SENDING = "sending"
    WITH_PERSON = "with_person"  # a work item asks somebody to do it, and they have not said so yet
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
    mailbox_id: UUID | None  # None of what no mailbox sent
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
    action: str = "send"
    channel_account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class News:
    """Whom it is about, and which touch it follows; None where that is not known."""

    touch: Touch | None
    contact_id: UUID | None


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
    mailbox_id: UUID | None
    recipient: str
    subject: str
    text: str
    in_reply_to: str | None
    references: tuple[str, ...]
    channel_account_id: UUID | None = None  # of a message on LinkedIn, instead of a mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """Who a decision is about, as far as the program knows. ``groups`` are the segments they belong to, narrow ones first."""

    key: str  # the same for the same person in every campaign
    account: str
    groups: tuple[str, ...]
    zone: str
    country: str | None = None
    region: str | None = None  # ISO 3166-2 without the country, such as BY
    industry: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTouch:
    """What was done before, in any campaign, and what the person did with it: opened, clicked, accepted, connected, replied."""

    step: str
    channel: str
    action: str
    at: datetime
    attributes: tuple[str, ...] = ()
    responses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A step that has to be timed, and done in one of its ways. All moments are world time in UTC."""

    person: PersonFacts
    step: Step
    key: str  # enrolment and step: chance is drawn from it, so that the same question has the same answer
    earliest: datetime  # the delay of the step is over
    window: Window
    history: tuple[PastTouch, ...] = ()  # oldest first
    usable: frozenset[str] = frozenset(
        {"email"}
    )  # channels on which the person can be reached and that work now
    news: tuple[datetime, ...] = ()  # recent events at the person's company, as they became known
    now: datetime | None = None  # when it is asked, where that is before ``earliest``
    steps_left: int | None = None  # after this one, as the file has them; None where nobody counted


@dataclass(frozen=True, slots=True)
class Planned:
    """When and in which way a step is done, with the decisions that say why; ``way`` is None when no channel is usable.

    ``again``, where it is given, is a moment before ``at`` at which ``plan`` has to be asked once more with what is known then:
    until then ``at`` is pencil, and the later answer replaces this one with its decisions.
    """

    at: datetime
    way: Way | None
    decisions: tuple[Decision, ...]
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Worded:
    """The variant of a way, None where nothing is written; the decision is None where there was no choice."""

    variant: str | None
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A touch that arrived at ``at`` (``response`` None), or what the person did because of it.

    Responses are the words of ``PastTouch``, and ``met`` (a meeting), ``unsubscribed`` or ``complained``.
    """

    person: PersonFacts
    channel: str
    action: str
    at: datetime  # when the touch arrived, not when the person acted
    attributes: tuple[str, ...] = ()
    response: str | None = None


class Policy(Protocol):
    """How steps are timed, channels chosen and variants assigned; pure but for what it learned. Policies are named and versioned.

    The same code decides in the engine and in the lab. It never sees a clock, a database or the truth of a world, and takes
    its chance from the question's key, so that each Decision can be replayed and carries the probability it was taken with.
    """

    name: str
    version: int

    def plan(self, question: Question) -> Planned: ...

    def word(self, question: Question, way: Way) -> Worded: ...

    def learn(self, observation: Observation) -> None: ...
