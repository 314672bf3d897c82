"""Contacts, and the page that stops all e-mail to one address."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cadenza.audience import bulk_pages, import_pages, people_pages, segment_pages
from cadenza.audience.bulk import NEEDS, changes, may_undo
from cadenza.audience.filter_pages import Asked, chosen_by, with_added
from cadenza.audience.segment_rules import CUSTOM, Condition
from cadenza.audience.service import (
    contacts,
    load_recipients,
    read_unsubscribe_token,
    suppress_contact,
    unsubscribe,
)
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, render, see

router = APIRouter(include_in_schema=False)
router.include_router(import_pages.router)
router.include_router(segment_pages.router)
router.include_router(people_pages.router)
router.include_router(bulk_pages.router)

Words = Annotated[str, Query(max_length=500)]
_LARGEST_BODY = 10_000  # bytes; a one-click request has a few dozen


@router.get("/contacts")
async def everybody(
    request: Request,
    unit: PageUnit,
    q: Words = "",
    match: Words = "all",
    f: Annotated[list[str] | None, Query(max_length=50)] = None,
    segment: UUID | None = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    field: Words = "",
    operator: Words = "",
    value: Words = "",
) -> Response:
    actor, asked = actor_of(request), Asked(q, match, tuple(f or ()), segment)
    new = Condition(field, operator, value.strip()) if field else None
    chosen = await chosen_by(unit, actor, asked, new)
    if new and operator and not chosen.draft.wrong:
        return see(with_added(asked, new))
    found = await contacts(unit, actor, q, rule=chosen.rule, page=page, custom=chosen.custom)
    return render(
        request,
        "audience/contacts.html",
        status_code=422 if chosen.wrong or chosen.draft.wrong else 200,
        contacts=found.contacts,
        total=found.total,
        at_least=found.at_least,
        more=found.more,
        page=found.page,
        q=q,
        chosen=chosen,
        may_edit=allowed(authorize, actor, Action.EDIT_CONTACTS),
        may_export=allowed(authorize, actor, Action.EXPORT_CONTACTS),
        rights=[kind.value for kind, action in NEEDS.items() if allowed(authorize, actor, action)],
        custom=[field.removeprefix(CUSTOM) for field in chosen.fields if field.startswith(CUSTOM)],
        changes=[(each, may_undo(actor, each)) for each in await changes(unit, actor)],
        said=_said(request),
    )


def _said(request: Request) -> str:
    words = {
        "saved": gettext("Saved."),
        "changed": gettext("Done. It can be taken back for 24 hours."),
        "undone": gettext("Taken back."),
    }
    return words.get(request.query_params.get("said", ""), "")


@router.post("/contacts/{contact_id}/suppress")
async def suppress(request: Request, unit: PageUnit, contact_id: UUID) -> Response:
    await suppress_contact(unit, actor_of(request), contact_id)
    return see(f"/contacts/{contact_id}", "stopped")


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
async def ask(request: Request, token: str) -> Response:
    """Asks, and changes nothing: link scanners fetch every link (M4)."""
    named = read_unsubscribe_token(request.app.state.database.secrets, token)
    if named is None:
        return render(request, "audience/unsubscribe.html", status_code=404, state="unknown", address="")
    workspace_id, contact_id = named
    async with request.app.state.database.unit(workspace_id) as unit:
        person = (await load_recipients(unit, [contact_id])).get(contact_id)
    address = person.email if person and person.email else ""
    return render(request, "audience/unsubscribe.html", state="ask", address=_masked(address))


def _masked(address: str) -> str:
    """Enough for its owner to know it by, too little for whoever was sent the link."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}•••{at}{domain}" if at else gettext("this address")


@router.post("/u/{token}")
async def stop(request: Request, token: str) -> Response:
    """RFC 8058: one POST, without cookie, log-in or redirect, by a provider or by the button of the page."""
    named = read_unsubscribe_token(request.app.state.database.secrets, token)
    if named is None:
        return render(request, "audience/unsubscribe.html", status_code=404, state="unknown", address="")
    if not await _is_one_click(request):
        return await ask(request, token)
    workspace_id, contact_id = named
    async with request.app.state.database.unit(workspace_id) as unit:
        await unsubscribe(unit, contact_id, source="List-Unsubscribe link")
    return render(request, "audience/unsubscribe.html", state="done", address="")


async def _is_one_click(request: Request) -> bool:
    """Whether the body says ``List-Unsubscribe=One-Click``, as a form or as multipart."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            return False
    return b"List-Unsubscribe" in body and b"One-Click" in body
