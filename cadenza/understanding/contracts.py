"""What goes into the analysis of one reply and what comes out; the names are a public contract."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Intent(StrEnum):
    MEETING_REQUEST = "meeting_request"
    POSITIVE_INTEREST = "positive_interest"
    INFORMATION_REQUEST = "information_request"
    REFERRAL = "referral"
    TIMING = "timing"
    OBJECTION = "objection"
    NOT_INTERESTED = "not_interested"
    UNSUBSCRIBE = "unsubscribe"
    OUT_OF_OFFICE = "out_of_office"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    ACKNOWLEDGMENT = "acknowledgment"
    OTHER = "other"


class Interest(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"
    UNKNOWN = "unknown"


class Urgency(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Objection(StrEnum):
    BUDGET = "budget"
    TIMING = "timing"
    AUTHORITY = "authority"
    NEED = "need"
    COMPETITION = "competition"
    TECHNICAL = "technical"
    RISK = "risk"


class Authority(StrEnum):
    DECISION_MAKER = "decision_maker"
    INFLUENCER = "influencer"
    USER = "user"
    GATEKEEPER = "gatekeeper"
    UNKNOWN = "unknown"


class BuyingStage(StrEnum):
    NONE = "none"
    AWARENESS = "awareness"
    CONSIDERATION = "consideration"
    EVALUATION = "evaluation"
    DECISION = "decision"


class Focus(StrEnum):
    TECHNICAL = "technical"
    BUSINESS = "business"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class Queue(StrEnum):
    SALES = "sales"
    PRICING = "pricing"
    TECHNICAL = "technical"
    OBJECTIONS = "objections"
    EXECUTIVE = "executive"
    LEGAL = "legal"
    RELATIONSHIP = "relationship"
    AUTOMATION = "automation"
    SEQUENCE = "sequence"
    SUPPRESSION = "suppression"


class MailKind(StrEnum):
    """What a received message is, told from its envelope and structure before its words are read."""

    PERSON = "person"
    OUT_OF_OFFICE = "out_of_office"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    DELIVERED = "delivered"
    RECEIPT = "receipt"
    CALENDAR = "calendar"
    BULK = "bulk"
    OWN_COPY = "own_copy"


class FailureType(StrEnum):
    """Why a message was not delivered, by what there is to do about it."""

    HARD = "hard"  # the address is dead: suppress it
    SOFT = "soft"  # may work later
    DELAYED = "delayed"  # still being tried
    POLICY = "policy"  # our side: reputation, authentication, rules
    CONTENT = "content"  # our side: what the message holds
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """An earlier message of the conversation. ``by`` is ``us`` or ``them``."""

    by: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One received message. ``raw_body`` is decoded text or HTML; without ``received_at`` no relative day is told.

    ``kind`` and ``failure`` are what detection found in the whole mail; without them the headers and
    words given here are read for the same signs.
    """

    raw_body: str
    received_at: datetime | None = None
    id: str = ""
    subject: str = ""
    from_name: str = ""
    from_email: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    thread: tuple[ThreadMessage, ...] = ()
    kind: MailKind | None = None
    failure: FailureType | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """A person we are pointed to; what the text does not say is null."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Money in units of the ISO 4217 ``currency``; null where the text names none."""

    amount: float
    currency: str | None


@dataclass(frozen=True, slots=True)
class DealSize:
    low: float
    high: float
    currency: str | None


@dataclass(frozen=True, slots=True)
class Stakeholder:
    name: str | None
    role: str | None


@dataclass(frozen=True, slots=True)
class Bant:
    """Budget, authority, need and timeline: the words that say each, or null."""

    budget: str | None = None
    authority: str | None = None
    need: str | None = None
    timeline: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    tone: str = "neutral"
    style: str = "direct"
    terms: tuple[str, ...] = ()
    vendor_satisfaction: str = "unknown"
    criteria: tuple[str, ...] = ()
    decision_by: str | None = None
    stakeholders: tuple[Stakeholder, ...] = ()
    deal_size: DealSize | None = None
    bant: Bant = Bant()
    complexity: str = "simple"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one reply says. ``evidence`` gives half-open character spans of ``text`` by field name."""

    language: str | None
    text: str | None
    intent: Intent
    confidence: float
    interest: Interest
    sentiment: float
    urgency: Urgency
    objections: tuple[Objection, ...] = ()
    authority: Authority = Authority.UNKNOWN
    buying_stage: BuyingStage = BuyingStage.NONE
    focus: Focus = Focus.UNKNOWN
    queue: Queue
    return_date: str | None = None
    referrals: tuple[Referral, ...] = ()
    competitors: tuple[str, ...] = ()
    budget: Budget | None = None
    proposed_times: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    needs_person: bool = False
    evidence: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    signals: Signals = Signals()

    def to_dict(self) -> dict[str, Any]:
        """The public JSON object: tuples as lists, labels as plain strings."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Automatic:
    """What an automatic mail is and, for an absence, when the person is back and who stands in."""

    kind: MailKind
    return_date: str | None = None
    colleague: Referral | None = None
