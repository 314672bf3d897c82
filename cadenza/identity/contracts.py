"""Who acts, in which role, and what each role may do."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    REP = "rep"
    OPERATOR = "operator"
    READ_ONLY = "read_only"

    @property
    def words(self) -> str:
        """Its name, for people to read."""
        return _TOLD_ROLES[self.value]


_TOLD_ROLES = {
    "owner": "owner",
    "manager": "manager",
    "rep": "rep",
    "operator": "operator",
    "read_only": "read-only",
}


class Action(StrEnum):
    """Everything that a door can be asked for. What no role is given here is denied to all."""

    READ = "read"  # campaigns, contacts, conversations, figures
    IMPORT_CONTACTS = "import_contacts"
    EDIT_CONTACTS = "edit_contacts"
    SUPPRESS = "suppress"
    EDIT_CAMPAIGNS = "edit_campaigns"
    RUN_CAMPAIGNS = "run_campaigns"  # launch, pause, resume, stop
    ANSWER = "answer"
    ASSIGN = "assign"
    SETTLE_DOUBTS = "settle_doubts"
    HOLD_TOUCHES = "hold_touches"  # keep back, let go, leave out
    MANAGE_SENDERS = "manage_senders"
    MANAGE_MEMBERS = "manage_members"
    READ_AUDIT = "read_audit"
    EXPORT_CONTACTS = "export_contacts"
    LIFT_STOPS = "lift_stops"  # those that a member made for many people at once, within a day
    MANAGE_INTEGRATIONS = "manage_integrations"  # what leaves for other systems
    READ_HEALTH = "read_health"
    RELEASE_HOLD = "release_hold"  # let sending go on after a restore, a clone or a failover
    MANAGE_SIGN_IN = "manage_sign_in"  # second factor for all, sign-on by a provider

    @property
    def words(self) -> str:
        """What one does who has it, for people to read."""
        return _TOLD_RIGHTS[self.value]


_TOLD_RIGHTS = {
    "read": "read what is here",
    "import_contacts": "import contacts",
    "edit_contacts": "change contacts",
    "suppress": "stop people from being written to",
    "edit_campaigns": "edit campaigns",
    "run_campaigns": "launch, pause or stop campaigns",
    "answer": "answer people",
    "assign": "assign conversations",
    "settle_doubts": "settle messages in doubt",
    "hold_touches": "keep messages back or leave them out",
    "manage_senders": "manage senders",
    "manage_members": "manage members",
    "read_audit": "read the audit trail",
    "export_contacts": "export contacts",
    "lift_stops": "lift stops",
    "manage_integrations": "manage webhooks",
    "read_health": "read the health of the installation",
    "release_hold": "let sending go on",
    "manage_sign_in": "manage how people sign in",
}


ADMINISTERING = frozenset(
    {
        Action.MANAGE_SENDERS,
        Action.MANAGE_MEMBERS,
        Action.MANAGE_SIGN_IN,
        Action.MANAGE_INTEGRATIONS,
        Action.READ_AUDIT,
        Action.READ_HEALTH,
        Action.RELEASE_HOLD,
    }
)


class Scope(StrEnum):
    """What an API token may do at most; its member's role narrows it further."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def actions(self) -> frozenset[Action]:
        if self is Scope.READ:
            return frozenset({Action.READ})
        return ADMINISTERING if self is Scope.ADMIN else frozenset(Action) - ADMINISTERING


class Origin(StrEnum):
    PAGE = "page"
    API = "api"
    COMMAND_LINE = "command line"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of a workspace (or the command line, or a job) with the role that counts now."""

    workspace_id: UUID
    role: Role
    origin: Origin
    member_id: UUID | None = None
    name: str = ""
    user_id: UUID | None = None
    session_id: UUID | None = None
    proved_at: datetime | None = None  # when this session last gave a password or code
    scopes: frozenset[Action] | None = None  # of an API token; None is everything the role may


class Stage(StrEnum):
    """How far a session has come. Only an open one has an actor."""

    CODE = "code"  # the first proof was right; the second factor is still to come
    ENROL = "enrol"  # the workspace asks for a second factor, and there is none yet
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in, as its owner sees it."""

    id: UUID
    created_at: datetime
    used_at: datetime
    source: str  # client address
    agent: str  # browser and system
    current: bool


@dataclass(frozen=True, slots=True)
class Member:
    id: UUID
    workspace_id: UUID
    user_id: UUID
    email: str
    name: str
    role: Role
    active: bool
    timezone: str = "UTC"
    locale: str = "en"
    team_id: UUID | None = None
    territories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    most_open: int | None = None
    away_until: datetime | None = None
    has_factor: bool = False


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member by name, as lists show them."""

    id: UUID
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Members by name: all of them where ``whole``, else those that were asked for."""

    members: tuple[Colleague, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session a cookie names, and what it still lacks."""

    actor: Actor
    member: Member
    stage: Stage


@dataclass(frozen=True, slots=True)
class Team:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Workspace:
    id: UUID
    name: str
    slug: str
    require_factor: bool = False


INSTALLATION = UUID(int=0)  # stands where a workspace would, for what belongs to none


@dataclass(frozen=True, slots=True)
class AuditBreak:
    """Where the chain of an audit trail does not hold: the link's number, the entry it names, and what was done."""

    number: int
    entry_id: UUID | None
    problem: str  # "altered", "removed", "moved", "slipped in"


SESSION_COOKIE = "cadenza_session"  # with https it carries the prefix __Host-


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: UUID
    at: datetime  # machine time
    member_id: UUID | None
    actor: str
    origin: str
    action: str
    subject: str
    request_id: str
    data: dict[str, Any]
    number: int | None  # of its link; None until the transaction that wrote it has committed


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Every given part must fit. Days are whole days in UTC, both included; ``subject`` is a part of it."""

    member_id: UUID | None = None
    action: str = ""
    subject: str = ""
    first: date | None = None
    last: date | None = None
