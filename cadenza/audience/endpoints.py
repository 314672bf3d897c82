"""Contacts, accounts, stops and segments through the API."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request

from cadenza.audience.contracts import SuppressionKind, SuppressionReason
from cadenza.audience.service import contact, contacts, imports, segments, suppress_contact
from cadenza.identity.service import actor_of
from cadenza.web.api import ApiUnit, Limit, Shape, api_router

router = api_router("audience")


class SuppressionShape(Shape):
    kind: SuppressionKind
    value: str
    reason: SuppressionReason
    source: str
    at: datetime


class AccountShape(Shape):
    id: UUID
    name: str
    domain: str | None
    country: str | None
    industry: str | None
    custom: dict[str, Any]


class ContactShape(Shape):
    id: UUID
    name: str
    first_name: str | None
    last_name: str | None
    title: str | None
    language: str | None
    country: str | None
    timezone: str
    email: str | None
    phone_e164: str | None
    linkedin_url: str | None
    website: str | None
    account: AccountShape | None
    custom: dict[str, Any]
    created_at: datetime
    suppressions: list[SuppressionShape]


class ContactPageShape(Shape):
    """``at_least`` says that ``total`` is where counting stopped; there are more."""

    contacts: list[ContactShape]
    page: int
    more: bool
    total: int
    at_least: bool


class SegmentShape(Shape):
    id: UUID
    name: str
    updated_at: datetime


class ImportShape(Shape):
    id: UUID
    file: str


@router.get("/contacts")
async def list_contacts(
    request: Request,
    unit: ApiUnit,
    q: Annotated[
        str, Query(max_length=500, description="Beginnings of words of name, company and address")
    ] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    limit: Limit = 50,
) -> ContactPageShape:
    """Contacts, newest first."""
    found = await contacts(unit, actor_of(request), q, page=page, size=limit)
    return ContactPageShape.model_validate(found)


@router.get("/contacts/{contact_id}")
async def read_contact(request: Request, unit: ApiUnit, contact_id: UUID) -> ContactShape:
    """One person, with every stop that holds for them."""
    return ContactShape.model_validate(await contact(unit, actor_of(request), contact_id))


@router.post("/contacts/{contact_id}/stop")
async def stop_contact(request: Request, unit: ApiUnit, contact_id: UUID) -> ContactShape:
    """Nobody here writes to them again, on any channel; effective at once."""
    actor = actor_of(request)
    await suppress_contact(unit, actor, contact_id, source="api")
    return ContactShape.model_validate(await contact(unit, actor, contact_id))


@router.get("/segments")
async def list_segments(request: Request, unit: ApiUnit) -> list[SegmentShape]:
    """Saved filters, by name."""
    return [SegmentShape.model_validate(each) for each in await segments(unit, actor_of(request))]


@router.get("/imports")
async def list_imports(request: Request, unit: ApiUnit, limit: Limit = 50) -> list[ImportShape]:
    """The newest imports, whatever became of them."""
    return [ImportShape.model_validate(each) for each in await imports(unit, actor_of(request), limit=limit)]
