"""Writing in a conversation: the answer, and what is kept of it while it is written."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse, Response

from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity.service import actor_of
from cadenza.inbox.pages import Refused, inbox_page
from cadenza.inbox.service import answer, save_draft
from cadenza.web.service import PageUnit, gettext, see

router = APIRouter(include_in_schema=False)
_SHOWN_BESIDE = {Kind.INVALID, Kind.CONFLICT}  # what its writer can do something about, here


@router.post("/inbox/{conversation_id}/answer")
async def send(
    request: Request,
    unit: PageUnit,
    conversation_id: UUID,
    draft: Annotated[UUID, Form()],
    text: Annotated[str, Form(max_length=100_000)] = "",
    seen: Annotated[UUID | None, Form()] = None,
    although_closed: Annotated[bool, Form()] = False,
    view: Annotated[str, Form(max_length=20)] = "open",
) -> Response:
    """Sent; or the page again with the text as it was typed, why it was not sent, and what came in between."""
    actor = actor_of(request)
    try:
        await answer(
            unit,
            actor,
            conversation_id,
            draft_id=draft,
            text=text,
            seen=seen,
            although_closed=although_closed,
        )
    except CadenzaError as error:
        if error.kind not in _SHOWN_BESIDE:
            raise
        refused = Refused(text, draft, seen, error)
        return await inbox_page(request, unit, view, conversation_id=conversation_id, refused=refused)
    return see(f"/inbox/{conversation_id}?view={view}", "answered")


@router.post("/inbox/{conversation_id}/draft")
async def keep(
    request: Request,
    unit: PageUnit,
    conversation_id: UUID,
    draft: Annotated[UUID, Form()],
    text: Annotated[str, Form(max_length=100_000)] = "",
) -> Response:
    """The page asks for this by itself while somebody writes."""
    kept = await save_draft(unit, actor_of(request), conversation_id, draft_id=draft, text=text)
    return PlainTextResponse(gettext("Saved") if kept and text.strip() else "")
