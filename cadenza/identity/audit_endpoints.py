"""The audit trail through the API: its search in parts, and the whole of it as lines to keep elsewhere."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from cadenza.identity.audit_search import audit_part, export_audit
from cadenza.identity.contracts import AuditFilter
from cadenza.identity.service import actor_of
from cadenza.web.api import After, ApiUnit, Limit, Page, Shape, api_router, page_of
from cadenza.web.service import download

router = api_router("audit")
whole = api_router("audit", one_unit=False)


class AuditShape(Shape):
    id: UUID
    at: datetime
    member_id: UUID | None
    actor: str
    origin: str
    action: str
    subject: str
    request_id: str
    data: dict[str, Any]
    number: int | None  # of its link in the chain


@router.get("/audit")
async def search_audit(
    request: Request,
    unit: ApiUnit,
    member_id: Annotated[UUID | None, Query()] = None,
    action: Annotated[str, Query(max_length=60)] = "",
    subject: Annotated[str, Query(max_length=200, description="A part of it")] = "",
    first: Annotated[date | None, Query(description="Day in UTC, included")] = None,
    last: Annotated[date | None, Query(description="Day in UTC, included")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditShape]:
    """Who did what, newest first."""
    wanted = AuditFilter(member_id=member_id, action=action, subject=subject, first=first, last=last)
    found = await audit_part(unit, actor_of(request), wanted, after=after, limit=limit + 1)
    return page_of(found, limit, AuditShape)


@whole.post("/audit/export", response_class=StreamingResponse)
async def export_trail(request: Request) -> Response:
    """The whole trail as lines of JSON, oldest first, with the hashes of its chain. The export itself is in the trail."""
    return await audit_file(request)


async def audit_file(request: Request) -> StreamingResponse:
    """The export as an answer; it is in the trail only where there was room for it."""
    actor = actor_of(request)

    async def begin() -> AsyncIterator[str]:
        return await export_audit(request.app.state.database, actor)

    return await download(request, actor.workspace_id, "audit.jsonl", "application/jsonl", begin)
