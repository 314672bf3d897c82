"""The launch before it happens: who would be enrolled, what keeps it from starting, and where that is mended."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.campaigns.contracts import Campaign
from cadenza.core.errors import CadenzaError, Problem
from cadenza.core.unit import Unit
from cadenza.engine.campaign_pages import campaign_head
from cadenza.engine.readiness import readiness
from cadenza.engine.service import launch
from cadenza.identity.service import actor_of
from cadenza.web.service import PageUnit, gettext, render, render_part, see

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{name}/launch")
async def before(request: Request, unit: PageUnit, name: str) -> Response:
    """A page of its own, and the part of it that stands in the dialog and beside the editor."""
    if request.headers.get("hx-request"):
        context = await _context(request, unit, name)
        return Response(render_part(request, "engine/launch_part.html", **context), media_type="text/html")
    return await _page(request, unit, name)


@router.post("/campaigns/{name}/launch")
async def start(request: Request, unit: PageUnit, name: str) -> Response:
    """Launched; or the page of the launch, with each reason why it is not."""
    try:
        await launch(unit, actor_of(request), name)
    except CadenzaError as wrong:
        if wrong.code != "campaign_not_ready":
            raise
        return await _page(request, unit, name, 409)
    return see(str(request.url_for("live_page", name=name).path), "launch")


async def _page(request: Request, unit: Unit, name: str, status: int = 200) -> Response:
    head = await campaign_head(unit, actor_of(request), name, "launch")
    context = await _context(request, unit, name)
    return render(
        request, "engine/launch.html", status_code=status, **head | context, refused=status != 200, active=0
    )


async def _context(request: Request, unit: Unit, name: str) -> dict[str, Any]:
    actor = actor_of(request)
    head = await campaign_head(unit, actor, name, "launch")
    ready = await readiness(unit, actor, name)
    ways = [(problem, *_way_to_mend(head["campaign"], problem)) for problem in ready.problems]
    return {"campaign": head["campaign"], "ready": ready, "ways": ways}


def _way_to_mend(found: Campaign, problem: Problem) -> tuple[str, str]:
    """Where this is put right: the words of the link, and its address."""
    if problem.key == "senders":
        return gettext("To the senders"), "/senders"
    if problem.key == "audience" and found.definition.segment:
        return gettext("To the segments"), "/contacts/segments"
    if problem.key == "audience":
        return gettext("To the imports"), "/contacts/imports"
    return gettext("To the editor"), f"/campaigns/{quote(found.name)}/edit"
