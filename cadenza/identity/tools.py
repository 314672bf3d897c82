"""What an assistant may ask about people and about what was done."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cadenza.identity.audit_search import audit_part
from cadenza.identity.contracts import Action, AuditFilter, Role
from cadenza.identity.service import members
from cadenza.web.api import cursor, read_cursor
from cadenza.web.tools import Call, Does, Given, Limit, Outside, Part, Told, Toolbox, listed

TOOLS = Toolbox()


class Nothing(Given):
    """No arguments."""


class MemberTold(Told):
    id: UUID
    name: Outside
    role: Role
    active: bool
    languages: list[str]
    territories: list[str]
    away_until: datetime | None


class AuditAsked(Given):
    member_id: UUID | None = None
    action: Annotated[str, Field(max_length=60, description="Such as campaign_applied")] = ""
    subject: Annotated[str, Field(max_length=200, description="A part of it")] = ""
    first: Annotated[date | None, Field(description="Day in UTC, included")] = None
    last: Annotated[date | None, Field(description="Day in UTC, included")] = None
    limit: Limit = 20
    after: Annotated[str | None, Field(max_length=64, description="``next`` of the part before")] = None


class AuditTold(Told):
    id: UUID
    at: datetime
    actor: Outside
    origin: str
    action: str
    subject: Outside
    data: Outside


@TOOLS.add(Does.READS, Action.READ, "Members")
async def list_members(call: Call, given: Nothing) -> Part[MemberTold]:  # noqa: ARG001 - of every tool
    """Everybody of the workspace, by name: whom a conversation can be assigned to."""
    return listed(await members(call.unit, call.actor), MemberTold)


@TOOLS.add(Does.READS, Action.READ_AUDIT, "Audit trail")
async def search_audit(call: Call, given: AuditAsked) -> Part[AuditTold]:
    """Who did what, newest first, for those who may read the audit trail."""
    wanted = AuditFilter(
        member_id=given.member_id,
        action=given.action,
        subject=given.subject,
        first=given.first,
        last=given.last,
    )
    after = read_cursor(given.after) if given.after else None
    found = await audit_part(call.unit, call.actor, wanted, after=after, limit=given.limit + 1)
    more = cursor(found[given.limit - 1].id) if len(found) > given.limit else None
    return listed(found[: given.limit], AuditTold, more)
