"""People and companies as other rooms see them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Channel(StrEnum):
    EMAIL = "email"
    LINKEDIN = "linkedin"
    PHONE = "phone"


class SuppressionKind(StrEnum):
    ADDRESS = "address"
    DOMAIN = "domain"
    CONTACT = "contact"


class SuppressionReason(StrEnum):
    OPT_OUT = "opt_out"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    LEGAL = "legal"

    @property
    def words(self) -> str:
        """Why nobody may write, for people to read."""
        return _TOLD_REASONS[self.value]


_TOLD_REASONS = {
    "opt_out": "asked us to stop",
    "bounce": "the address is dead",
    "complaint": "marked us as spam",
    "manual": "stopped by a colleague",
    "legal": "stopped for legal reasons",
}


@dataclass(frozen=True, slots=True)
class Account:
    id: UUID
    name: str
    domain: str | None = None
    country: str | None = None
    industry: str | None = None
    custom: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A stop. It has no end; the earliest one that fits is the reason shown."""

    kind: SuppressionKind
    value: str
    reason: SuppressionReason
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Everything the engine needs to write to one person, read in the claim's own transaction."""

    contact_id: UUID
    email: str | None  # normalised; None when there is none or it is known to be dead
    first_name: str | None
    last_name: str | None
    title: str | None
    language: str | None
    country: str | None  # ISO 3166-1 alpha-2
    timezone: str  # IANA; derived from country, else UTC
    account_id: UUID | None
    facts: dict[str, Any]  # template tokens: {"contact": {...}, "account": {...}}
    suppression: Suppression | None = None
    linkedin: str | None = None  # the profile's URL
    phone: str | None = None  # E.164

    def reached_at(self, channel: str) -> str | None:
        """Their address on ``channel`` (email, linkedin or phone); None when it has none that can be used."""
        return {"email": self.email, "linkedin": self.linkedin, "phone": self.phone}.get(channel)


@dataclass(frozen=True, slots=True)
class Glance:
    """Who somebody is in a line of a list."""

    contact_id: UUID
    first_name: str | None
    last_name: str | None
    email: str | None  # only of somebody without a name
    timezone: str  # IANA


@dataclass(frozen=True, slots=True)
class Contact:
    """One person as the pages show them."""

    id: UUID
    first_name: str | None
    last_name: str | None
    title: str | None
    language: str | None
    country: str | None
    timezone: str
    email: str | None
    phone_e164: str | None
    linkedin_url: str | None
    website: str | None
    account: Account | None
    custom: dict[str, Any]
    created_at: datetime
    suppressions: tuple[Suppression, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(p for p in (self.first_name, self.last_name) if p) or self.email or "Unnamed"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The answer of ``cadenza contacts import``; its keys are public (see docs/commands.md)."""

    file: str
    dry_run: bool
    encoding: str
    delimiter: str
    mapping: dict[str, str]
    rows: int
    accepted: int
    created: int
    updated: int
    duplicates: int
    merged: tuple[dict[str, int], ...]
    rejected: tuple[dict[str, Any], ...]
    preview: tuple[dict[str, Any], ...]
    seconds: float
    contact_ids: tuple[UUID, ...] = ()  # accepted contacts, in file order; not printed
    warnings: tuple[
        dict[str, Any], ...
    ] = ()  # values left out of accepted rows, in the shape of ``rejected``
    compared: bool = True  # False for a dry run without an installation: everything counts as created


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page of the list of contacts, newest first. ``page`` counts from 1.

    ``at_least`` says that ``total`` is only a lower bound: a search of a common word is not counted to its end.
    """

    contacts: tuple[Contact, ...]
    page: int
    more: bool
    total: int
    at_least: bool = False


class ImportState(StrEnum):
    MAPPING = "mapping"  # uploaded; somebody looks at which column holds what
    WAITING = "waiting"  # confirmed; a worker takes it up
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"  # the rows up to ``reached`` are in
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Import:
    """One import as the pages show it."""

    id: UUID
    at: datetime
    file: str
    state: ImportState
    mapping: dict[str, str]
    rows: int
    reached: int
    created: int
    updated: int
    duplicates: int
    rejected: int
    trouble: str = ""
    finished_at: datetime | None = None

    @property
    def over(self) -> bool:
        return self.state in {ImportState.CANCELLED, ImportState.DONE, ImportState.FAILED}


@dataclass(frozen=True, slots=True)
class ImportFault:
    """What was wrong with a row: why it was rejected, or (``rejected`` is False) which value was left out."""

    row: int
    line: int
    column: str
    code: str
    reason: str
    rejected: bool


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column of an uploaded file: its name, the field it is mapped to, and some of its values."""

    name: str
    field: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What would become of the first ``rows`` rows of an upload with its present mapping; nothing is kept.

    ``accepted`` rows can be used: ``new`` people, ``updated`` ones who are known already, and rows ``repeated`` in the file.
    The others are ``rejected``. The four are what the import of these rows then counts.
    """

    columns: tuple[MappedColumn, ...]
    rows: int
    accepted: int
    new: int
    updated: int
    repeated: int
    rejected: int
    people: tuple[dict[str, Any], ...]
    faults: tuple[ImportFault, ...]


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"

    @property
    def words(self) -> str:
        return _TOLD_KINDS[self.value]


_TOLD_KINDS = {"text": "text", "number": "number", "date": "date", "yes_no": "yes or no"}


class BulkKind(StrEnum):
    STOP = "stop"
    SET_FIELD = "set_field"
    REMOVE = "remove"


class BulkState(StrEnum):
    WAITING = "waiting"  # for a worker
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class BulkChange:
    """One change to many people. ``done`` of ``people`` are behind it, in the order of their ids; taking it back counts down.

    ``left_out`` of those were changed by somebody else meanwhile and stayed as they are. ``until`` is when the change can
    no longer be taken back.
    """

    id: UUID
    at: datetime
    kind: BulkKind
    state: BulkState
    people: int
    done: int
    left_out: int
    field: str | None
    value: str | None
    undone_at: datetime | None
    until: datetime

    @property
    def over(self) -> bool:
        return self.state in (BulkState.DONE, BulkState.CANCELLED, BulkState.UNDONE)


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field of the workspace's own: its name as templates write it (``contact.custom.NAME``)."""

    name: str
    kind: FieldKind = FieldKind.TEXT
    shown: bool = True  # on pages
