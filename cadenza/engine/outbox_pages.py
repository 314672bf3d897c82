"""The outbox: what leaves in the next day, by sender, and the say over it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cadenza.audience.service import glances
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import mailboxes
from cadenza.core.unit import Unit
from cadenza.engine.campaign_pages import person_name
from cadenza.engine.contracts import Outbox, OutboxState
from cadenza.engine.service import give_up, keep_back, leave_out, let_go, outbox
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, ngettext, render, safe_path, see

router = APIRouter(include_in_schema=False)

_MOST_SHOWN = 100
_NOBODY_YET = "none"  # in the address: people whose sender is chosen when it leaves
_DOORS: dict[str, Callable[[Unit, Actor, list[UUID]], Awaitable[int]]] = {
    "keep-back": keep_back,
    "let-go": let_go,
    "leave-out": leave_out,
    "give-up": give_up,
}

Chosen = Annotated[list[UUID], Form(default_factory=list)]


@router.get("/outbox")
async def page(
    request: Request,
    unit: PageUnit,
    state: Annotated[str, Query()] = "",
    sender: Annotated[str, Query()] = "",
) -> Response:
    actor = actor_of(request)
    boxes = await mailboxes(unit)
    chosen = next((box for box in boxes if box.address == sender), None)
    which = OutboxState.KEPT_BACK if state == OutboxState.KEPT_BACK.value else OutboxState.SOON
    found = await outbox(
        unit, actor, state=which, sender=chosen.id if chosen else None, unassigned=sender == _NOBODY_YET, limit=_MOST_SHOWN
    )  # fmt: skip
    shown = [*(i.contact_id for i in found.items), *(t.contact_id for t in found.retries)]
    people = await glances(unit, shown)
    return render(
        request,
        "engine/outbox.html",
        **_figures(found, which, boxes),
        found=found,
        kept_back=which is OutboxState.KEPT_BACK,
        sender=chosen.address if chosen else (_NOBODY_YET if sender == _NOBODY_YET else ""),
        addresses={box.id: box.address for box in boxes},
        names={i: person_name(person) for i, person in people.items()},
        zones={i: person.timezone for i, person in people.items()},
        may_hold=allowed(authorize, actor, Action.HOLD_TOUCHES),
        said=_said(request),
    )


def _figures(found: Outbox, which: OutboxState, boxes: list[Mailbox]) -> dict[str, Any]:
    """Counts of the tabs, and of each sender in the open one."""
    here = found.soon if which is OutboxState.SOON else found.kept
    by_address = [(box.address, here[box.id]) for box in boxes if here.get(box.id)]
    return {
        "soon": sum(found.soon.values()),
        "kept": sum(found.kept.values()),
        "senders": by_address,
        "unassigned": here.get(None, 0),
        "more": sum(here.values()) > len(found.items),
    }


@router.post("/outbox/{act}")
async def change(
    request: Request, unit: PageUnit, act: str, chosen: Chosen, back: Annotated[str, Form()] = ""
) -> Response:
    door = _DOORS.get(act)
    address = safe_path(back, "/outbox")
    if door is None or not chosen:
        return see(address, "nobody")
    done = await door(unit, actor_of(request), chosen)
    return see(address, f"{act}&count={done}")


def _said(request: Request) -> str:
    asked = request.query_params
    count = int(asked["count"]) if asked.get("count", "").isdecimal() else 0
    words = {
        "keep-back": ngettext("%(count)s kept back.", "%(count)s kept back.", count),
        "let-go": ngettext("%(count)s goes on.", "%(count)s go on.", count),
        "leave-out": ngettext("%(count)s left out.", "%(count)s left out.", count),
        "give-up": ngettext("%(count)s not tried again.", "%(count)s not tried again.", count),
        "nobody": gettext("Choose somebody first; nothing was changed."),
    }
    found = words.get(asked.get("said", ""), "")
    return found % {"count": count} if "%(count)s" in found else found
