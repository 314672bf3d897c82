"""Events, work items, webhooks and their deliveries through the API."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.ledger.contracts import DeliveryState, EventKind, WorkKind
from cadenza.ledger.service import finish_proposal, timeline, work_items
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
from cadenza.web.service import egress_of

router = api_router("ledger")


class EventShape(Shape):
    id: UUID
    kind: EventKind
    at: datetime
    origin: str
    contact_id: UUID | None
    campaign_id: UUID | None
    step: str | None
    variant: str | None
    touch_id: UUID | None
    message_id: UUID | None
    mailbox_id: UUID | None
    member_id: UUID | None
    machine: bool
    data: dict[str, Any]


class WorkItemShape(Shape):
    id: UUID
    kind: WorkKind
    title: str
    detail: str
    queue: str | None
    due_at: datetime
    contact_id: UUID | None
    touch_id: UUID | None
    conversation_id: UUID | None
    owner_id: UUID | None
    address: str  # of the page where it is dealt with; empty where the ids say it


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


@router.get("/events")
async def list_events(
    request: Request,
    unit: ApiUnit,
    contact_id: Annotated[UUID | None, Query()] = None,
    campaign_id: Annotated[UUID | None, Query()] = None,
    touch_id: Annotated[UUID | None, Query()] = None,
    kind: Annotated[list[EventKind] | None, Query(max_length=50)] = None,
    limit: Limit = 50,
) -> list[EventShape]:
    """What happened to a person, a campaign or a touch: the newest events that fit, newest first."""
    authorize(actor_of(request), Action.READ)
    found = await timeline(
        unit, contact_id=contact_id, campaign_id=campaign_id, touch_id=touch_id, kinds=kind or (), limit=limit
    )
    return [EventShape.model_validate(each) for each in found]


@router.get("/work-items")
async def list_work_items(
    request: Request,
    unit: ApiUnit,
    kind: Annotated[list[WorkKind] | None, Query(max_length=20)] = None,
    owner_id: Annotated[UUID | None, Query()] = None,
    limit: Limit = 50,
) -> list[WorkItemShape]:
    """What a person should do, the earliest due first."""
    found = await work_items(unit, actor_of(request), kinds=kind or (), owner_id=owner_id, limit=limit)
    return [WorkItemShape.model_validate(each) for each in found]


@router.post("/work-items/{item_id}/decided", status_code=204, response_class=Response)
async def decide_proposal(request: Request, unit: ApiUnit, item_id: UUID) -> None:
    """A proposal of an assistant was carried out, or will not be. Other items end when what they are about is done."""
    await finish_proposal(unit, actor_of(request), item_id)


@router.get("/webhooks")
async def list_webhooks(request: Request, unit: ApiUnit) -> list[WebhookShape]:
    """Every webhook of the workspace, oldest first."""
    return [WebhookShape.model_validate(each) for each in await webhooks(unit, actor_of(request))]


@router.post("/webhooks")
async def create_webhook(request: Request, unit: ApiUnit, new: NewWebhook) -> NewWebhookShape:
    """Tell an address of events of these kinds. The answer holds the signing secret, this once."""
    made, secret = await add_webhook(
        unit, actor_of(request), egress_of(request), url=new.url, kinds=new.kinds, note=new.note
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
