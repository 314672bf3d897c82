"""The audit trail: a page to search it, and an export."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cadenza.identity.audit_endpoints import audit_file
from cadenza.identity.audit_search import audit_actions, audit_trail
from cadenza.identity.audit_words import act_words
from cadenza.identity.contracts import AuditFilter
from cadenza.identity.service import actor_of
from cadenza.identity.workspaces import colleagues
from cadenza.web.service import PageUnit, render

router = APIRouter(include_in_schema=False)

_Text = Annotated[str, Query(max_length=200)]


@router.get("/audit")
async def trail(
    request: Request,
    unit: PageUnit,
    who: _Text = "",
    what: _Text = "",
    about: _Text = "",
    first: _Text = "",
    last: _Text = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    actor = actor_of(request)
    wanted = AuditFilter(member_id=_id(who), action=what, subject=about, first=_day(first), last=_day(last))
    entries, more = await audit_trail(unit, actor, wanted, page=page)
    return render(
        request,
        "identity/audit.html",
        entries=entries,
        more=more,
        page=page,
        wanted=wanted,
        members=await colleagues(unit, actor),
        actions=await audit_actions(unit, actor),
        act_words=act_words,
    )


def _id(words: str) -> UUID | None:
    """None for what is no id: a filter that nobody can have chosen is left out."""
    try:
        return UUID(words)
    except ValueError:
        return None


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


@router.post("/audit/export")
async def export(request: Request) -> Response:
    return await audit_file(request)
