"""What the command palette finds beyond the page it is opened on: campaigns and people."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from cadenza.audience.service import contacts
from cadenza.campaigns.service import campaigns
from cadenza.identity.service import actor_of
from cadenza.web.service import PageUnit, render_part

router = APIRouter(include_in_schema=False)

_SHOWN = 6  # of each kind: more words find better than a longer list


@router.get("/palette")
async def found(
    request: Request, unit: PageUnit, q: Annotated[str, Query(max_length=200)] = ""
) -> HTMLResponse:
    """The options of a list, without a page around them. Nothing for less than two characters."""
    actor, words = actor_of(request), q.strip().casefold()
    named = [each for each in await campaigns(unit, actor) if words in each.name.casefold()]
    people = await contacts(unit, actor, q, size=_SHOWN) if len(words) > 1 else None
    return HTMLResponse(
        render_part(
            request,
            "engine/palette.html",
            campaigns=named[:_SHOWN] if words else [],
            people=people.contacts if people else (),
        )
    )
