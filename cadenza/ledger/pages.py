"""Settings: webhooks and what became of each delivery."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.identity.service import actor_of
from cadenza.ledger.contracts import DeliveryState, EventKind, Webhook
from cadenza.ledger.webhooks import (
    add_webhook,
    deliveries,
    remove_webhook,
    send_again,
    set_webhook_active,
    try_webhook,
    webhooks,
)
from cadenza.web.service import PageUnit, egress_of, gettext, render, see

router = APIRouter(include_in_schema=False)

_AT = "/settings/webhooks"
_SHOWN = 50
# What a receiver most often wants, first in the form.
_OFFERED = (
    EventKind.REPLIED, EventKind.ANALYSED, EventKind.UNSUBSCRIBED, EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.SENT,
    EventKind.DELIVERED, EventKind.OPENED, EventKind.CLICKED, EventKind.ABSENT, EventKind.ENROLLED, EventKind.FINISHED,
    EventKind.IN_DOUBT, EventKind.LAUNCHED, EventKind.PAUSED, EventKind.CAMPAIGN_STOPPED,
)  # fmt: skip


@router.get(_AT)
async def page(request: Request, unit: PageUnit) -> Response:
    return await _show(request, unit)


async def _show(
    request: Request,
    unit: Unit,
    *,
    secret: str = "",
    wrong: CadenzaError | None = None,
    typed: str = "",
) -> Response:
    return render(
        request,
        "ledger/webhooks.html",
        status_code=422 if wrong else 200,
        webhooks=await webhooks(unit, actor_of(request)),
        kinds=_OFFERED,
        secret=secret,
        wrong=wrong,
        typed=typed,
        said=_said(request),
    )


@router.post(_AT)
async def add(
    request: Request,
    unit: PageUnit,
    url: Annotated[str, Form(max_length=2000)] = "",
    note: Annotated[str, Form(max_length=200)] = "",
    kinds: Annotated[list[EventKind] | None, Form()] = None,
) -> Response:
    """The page with the new secret, which is shown this once."""
    try:
        _, secret = await add_webhook(
            unit, actor_of(request), egress_of(request), url=url.strip(), kinds=kinds or [], note=note.strip()
        )
    except CadenzaError as wrong:
        if not wrong.problems:
            raise
        return await _show(request, unit, wrong=wrong, typed=url)
    return await _show(request, unit, secret=secret)


@router.get(_AT + "/{webhook_id}")
async def log(
    request: Request,
    unit: PageUnit,
    webhook_id: UUID,
    state: DeliveryState | None = None,
    after: Annotated[UUID | None, Query()] = None,
) -> Response:
    actor = actor_of(request)
    found = await deliveries(unit, actor, webhook_id, state=state, after=after, limit=_SHOWN + 1)
    webhook: Webhook = next(each for each in await webhooks(unit, actor) if each.id == webhook_id)
    return render(
        request,
        "ledger/deliveries.html",
        webhook=webhook,
        deliveries=found[:_SHOWN],
        following=found[_SHOWN - 1].id if len(found) > _SHOWN else None,
        state=state,
        states=list(DeliveryState),
        said=_said(request),
    )


@router.post(_AT + "/{webhook_id}/{act}")
async def change(request: Request, unit: PageUnit, webhook_id: UUID, act: str) -> Response:
    actor, one = actor_of(request), f"{_AT}/{webhook_id}"
    if act == "test":
        await try_webhook(unit, actor, webhook_id)
        return see(one, "tried")
    if act == "remove":
        await remove_webhook(unit, actor, webhook_id)
        return see(_AT, "removed")
    if act not in {"pause", "resume"}:
        raise CadenzaError("page_not_found", gettext("There is no such page."), Kind.NOT_FOUND)
    await set_webhook_active(unit, actor, webhook_id, active=act == "resume")
    return see(one, "resumed" if act == "resume" else "paused")


@router.post(_AT + "/{webhook_id}/deliveries/{delivery_id}")
async def repeat(request: Request, unit: PageUnit, webhook_id: UUID, delivery_id: UUID) -> Response:
    await send_again(unit, actor_of(request), webhook_id, delivery_id)
    return see(f"{_AT}/{webhook_id}", "repeated")


def _said(request: Request) -> str:
    words = {
        "tried": gettext("A trial is on its way; reload to see what came back."),
        "removed": gettext("Removed, with its log."),
        "paused": gettext("Paused. What happens meanwhile is not made up for."),
        "resumed": gettext("It goes on."),
        "repeated": gettext("On its way once more, with the same id."),
    }
    return words.get(request.query_params.get("said", ""), "")
