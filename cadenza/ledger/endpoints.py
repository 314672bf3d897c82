"""Webhooks and their deliveries through the API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from cadenza.core.http import Egress
from cadenza.identity.service import actor_of
from cadenza.ledger.contracts import DeliveryState, EventKind
from cadenza.ledger.webhooks import (
    add_webhook,
    deliveries,
    remove_webhook,
    send_again,
    set_webhook_active,
    try_webhook,
    webhooks,
)
from cadenza.web.api import After, ApiUnit, Limit, Page, Shape, api_router, page_of

router = api_router("webhooks")


class NewWebhook(Shape):
    url: Annotated[str, Field(max_length=2000, examples=["https://hooks.example.com/cadenza"])]
    kinds: Annotated[list[EventKind], Field(max_length=50, examples=[["replied", "unsubscribed"]])]
    note: Annotated[str, Field(max_length=200)] = ""


class WebhookShape(Shape):
    id: UUID
    url: str
    note: str
    kinds: list[EventKind]
    active: bool
    paused_because: str
    created_at: datetime


class NewWebhookShape(WebhookShape):
    secret: str  # shown this once


class DeliveryShape(Shape):
    id: UUID
    webhook_id: UUID
    event_id: UUID | None
    state: DeliveryState
    attempts: int
    due_at: datetime
    status: int | None
    answer: str
    created_at: datetime
    done_at: datetime | None


class Owed(Shape):
    delivery_id: UUID


def _egress(request: Request) -> Egress:
    return Egress(this_machine=request.app.state.settings.sandbox)


@router.get("/webhooks")
async def list_webhooks(request: Request, unit: ApiUnit) -> list[WebhookShape]:
    """Every webhook of the workspace, oldest first."""
    return [WebhookShape.model_validate(each) for each in await webhooks(unit, actor_of(request))]


@router.post("/webhooks")
async def create_webhook(request: Request, unit: ApiUnit, new: NewWebhook) -> NewWebhookShape:
    """Tell an address of events of these kinds. The answer holds the signing secret, this once."""
    made, secret = await add_webhook(
        unit, actor_of(request), _egress(request), url=new.url, kinds=new.kinds, note=new.note
    )
    return NewWebhookShape(**WebhookShape.model_validate(made).model_dump(), secret=secret)


@router.post("/webhooks/{webhook_id}/pause")
async def pause_webhook(request: Request, unit: ApiUnit, webhook_id: UUID) -> WebhookShape:
    """Tell it nothing more; what happens meanwhile is not made up for."""
    return WebhookShape.model_validate(
        await set_webhook_active(unit, actor_of(request), webhook_id, active=False)
    )


@router.post("/webhooks/{webhook_id}/resume")
async def resume_webhook(request: Request, unit: ApiUnit, webhook_id: UUID) -> WebhookShape:
    """Tell it of events again."""
    return WebhookShape.model_validate(
        await set_webhook_active(unit, actor_of(request), webhook_id, active=True)
    )


@router.post("/webhooks/{webhook_id}/test")
async def test_webhook(request: Request, unit: ApiUnit, webhook_id: UUID) -> Owed:
    """Send it a message of the type `test`; its delivery tells what came back."""
    return Owed(delivery_id=await try_webhook(unit, actor_of(request), webhook_id))


@router.delete("/webhooks/{webhook_id}", status_code=204, response_class=Response)
async def delete_webhook(request: Request, unit: ApiUnit, webhook_id: UUID) -> None:
    """Remove it together with its log of deliveries."""
    await remove_webhook(unit, actor_of(request), webhook_id)


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    request: Request,
    unit: ApiUnit,
    webhook_id: UUID,
    state: Annotated[DeliveryState | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[DeliveryShape]:
    """What was and is owed to it, newest first, with what its receiver answered."""
    found = await deliveries(unit, actor_of(request), webhook_id, state=state, after=after, limit=limit + 1)
    return page_of(found, limit, DeliveryShape)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/repeat")
async def repeat_delivery(request: Request, unit: ApiUnit, webhook_id: UUID, delivery_id: UUID) -> Owed:
    """Send it once more, with the same message id."""
    await send_again(unit, actor_of(request), webhook_id, delivery_id)
    return Owed(delivery_id=delivery_id)
