"""Who acts, in which role, and what each role may do."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    REP = "rep"
    OPERATOR = "operator"
    READ_ONLY = "read_only"


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
    MANAGE_INTEGRATIONS = "manage_integrations"  # what leaves for other systems
    READ_HEALTH = "read_health"
    RELEASE_HOLD = "release_hold"  # let sending go on after a restore, a clone or a failover


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


@dataclass(frozen=True, slots=True)
class Workspace:
    id: UUID
    name: str
    slug: str


INSTALLATION = UUID(int=0)  # stands where a workspace would, for what belongs to none


@dataclass(frozen=True, slots=True)
class AuditBreak:
    """Where the chain of an audit trail does not hold: the link's number, the entry it names, and what was done."""

    number: int
    entry_id: UUID | None
    problem: str  # "altered", "removed", "moved", "slipped in"


SESSION_COOKIE = "cadenza_session"  # with https it carries the prefix __Host-
