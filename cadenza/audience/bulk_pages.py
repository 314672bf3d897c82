"""One change to many people in a browser: asked, watched, cancelled, taken back."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.audience.bulk import (
    AT_ONCE,
    Whom,
    cancel,
    change,
    change_many,
    how_many,
    may_cancel,
    may_undo,
    undo,
)
from cadenza.audience.contracts import BulkChange, BulkKind, BulkState
from cadenza.audience.filter_pages import Asked, Chosen, chosen_by
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.identity.service import actor_now, actor_of
from cadenza.web.service import PageUnit, gettext, live, render, render_part, see

router = APIRouter(include_in_schema=False)

Words = Annotated[str, Form(max_length=2000)]


async def _chosen(unit: Unit, actor: Actor, asked: Asked) -> Chosen:
    """A filter that means nothing must not mean everybody."""
    chosen = await chosen_by(unit, actor, asked)
    if chosen.wrong:
        raise CadenzaError(
            "filter_invalid", chosen.wrong, fix=gettext("Nothing was changed. Correct the filter.")
        )
    return chosen


@router.post("/contacts/bulk")
async def change_people(
    request: Request,
    unit: PageUnit,
    kind: Annotated[BulkKind, Form()],
    whom: Annotated[str, Form(max_length=10)] = "checked",
    contact: Annotated[list[UUID] | None, Form(max_length=500)] = None,
    field: Words = "",
    value: Words = "",
    q: Words = "",
    match: Words = "all",
    f: Annotated[list[str] | None, Form(max_length=50)] = None,
    segment: Annotated[UUID | None, Form()] = None,
    people: Annotated[int | None, Form(ge=1)] = None,
) -> Response:
    """Stop, set a field of, or remove the people that are checked, or everybody that the list's filter lets through.

    For many the page asks first, by their number; ``people`` is the number that was said yes to.
    """
    actor, asked = actor_of(request), Asked(q, match, tuple(f or ()), segment)
    chosen = await _chosen(unit, actor, asked)
    if whom != "all" and not contact:
        raise CadenzaError(
            "nobody_chosen", gettext("Nobody is checked."), fix=gettext("Check people in the list first.")
        )
    meant = Whom(chosen.rule, q, tuple(contact or ()) if whom != "all" else ())
    count = await how_many(unit, actor, meant) if whom == "all" else None
    if count is not None and (count > AT_ONCE or people is not None) and people != count:
        given: dict[str, Any] = {
            "kind": kind.value,
            "field": field,
            "value": value,
            "count": count,
            "before": people,
        }
        return render(request, "audience/bulk_ask.html", chosen=chosen, back=asked.address(), **given)
    made = await change_many(unit, actor, kind, meant, field=field, value=value, expected=people)
    return see(asked.address(), "changed") if made.over else see(f"/contacts/changes/{made.id}", "started")


@router.get("/contacts/changes/{change_id}")
async def page(request: Request, unit: PageUnit, change_id: UUID) -> Response:
    actor = actor_of(request)
    found = await change(unit, actor, change_id)
    words = {
        "started": gettext("It goes on by itself; this page may be closed."),
        "cancelled": gettext("Cancelled."),
        "over": gettext("It was over already; nothing was cancelled."),
    }
    said = words.get(request.query_params.get("said", ""), "")
    return render(request, "audience/change.html", **_progress(unit, actor, found), said=said)


def _progress(unit: Unit, actor: Actor, found: BulkChange) -> dict[str, Any]:
    open_still = found.over and found.done > 0 and found.until > unit.machine.now()
    return {
        "found": found,
        "may_cancel": may_cancel(actor, found),
        "may_undo": open_still and may_undo(actor, found),
    }


@router.get("/contacts/changes/{change_id}/stream")
async def stream(request: Request, change_id: UUID) -> Response:
    database = request.app.state.database
    actor = actor_of(request)
    async with database.unit(actor.workspace_id) as unit:
        await change(unit, actor, change_id)  # a stream of nothing would be asked for again for ever

    async def draw() -> str:
        actor = await actor_now(request)
        async with database.unit(actor.workspace_id) as unit:
            context = _progress(unit, actor, await change(unit, actor, change_id))
        return render_part(request, "audience/change_part.html", **context)

    return live(draw)


@router.post("/contacts/changes/{change_id}/cancel")
async def end(request: Request, unit: PageUnit, change_id: UUID) -> Response:
    ended = await cancel(unit, actor_of(request), change_id)
    cancelled = ended.state is BulkState.CANCELLED
    return see(f"/contacts/changes/{change_id}", "cancelled" if cancelled else "over")


@router.post("/contacts/changes/{change_id}/undo")
async def take_back(request: Request, unit: PageUnit, change_id: UUID, reason: Words = "") -> Response:
    undone = await undo(unit, actor_of(request), change_id, reason=reason)
    return see("/contacts", "undone") if undone.over else see(f"/contacts/changes/{change_id}", "started")
