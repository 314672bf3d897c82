"""Who answers a conversation: given from beside it, or from a page with everybody."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize, colleagues
from cadenza.inbox.service import assign, assign_best, conversation
from cadenza.web.service import PageUnit, render, see

router = APIRouter(include_in_schema=False)


@router.get("/inbox/{conversation_id}/assign")
async def choose(
    request: Request,
    unit: PageUnit,
    conversation_id: UUID,
    view: Annotated[str, Query(max_length=20)] = "open",
) -> Response:
    """Everybody to choose from, for teams whose names would be too many beside each conversation."""
    actor = actor_of(request)
    authorize(actor, Action.ASSIGN)
    people = await colleagues(unit, actor)
    return render(
        request,
        "inbox/assign.html",
        line=(await conversation(unit, actor, conversation_id)).conversation,
        members=[member for member in people if member.active],
        view=view,
    )


@router.post("/inbox/{conversation_id}/assign")
async def give(
    request: Request,
    unit: PageUnit,
    conversation_id: UUID,
    member: Annotated[UUID | Literal["", "best", "other"], Form()] = "",
    view: Annotated[str, Form(max_length=20)] = "open",
) -> Response:
    if member == "other":
        return see(f"/inbox/{conversation_id}/assign?view={view}")
    if member == "best":
        await assign_best(unit, actor_of(request), conversation_id)
    else:
        await assign(unit, actor_of(request), conversation_id, member or None)
    return see(f"/inbox/{conversation_id}?view={view}", "assigned")
