"""Contacts and companies through the API: the list with its filter, one of each, and the stop."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import Field

from cadenza.audience.accounts import account, accounts
from cadenza.audience.contracts import SuppressionKind, SuppressionReason
from cadenza.audience.filter_pages import Asked, Chosen, chosen_by
from cadenza.audience.service import contact, contacts, suppress_contact
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.identity.service import actor_of
from cadenza.web.api import After, ApiUnit, Limit, Shape, api_router, cursor

router = api_router("audience")

PageNumber = Annotated[int, Query(ge=1, le=10_000, description="Counts from 1")]


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
    """``at_least`` says that ``total`` is where counting stopped; there are more. ``next`` is the ``after`` of the following
    part; null at the end.
    """

    contacts: list[ContactShape]
    page: int
    more: bool
    total: int
    at_least: bool
    next: str | None = None


class AccountLineShape(Shape):
    account: AccountShape
    people: int


class AccountPageShape(Shape):
    lines: list[AccountLineShape]
    page: int
    more: bool
    total: int


class AccountWhole(Shape):
    account: AccountShape
    contacts: list[ContactShape]  # the newest 200


def _asked(
    q: Annotated[
        str, Query(max_length=500, description="Beginnings of words of name, company and address")
    ] = "",
    match: Annotated[
        str, Query(pattern="^(all|any)$", description="Whether all conditions hold, or any")
    ] = "all",
    f: Annotated[
        list[Annotated[str, Field(max_length=600)]] | None,
        Query(
            max_length=50, description="Conditions, as FIELD|OPERATOR|VALUE", examples=[["country|is|DE, AT"]]
        ),
    ] = None,
    segment_id: Annotated[UUID | None, Query(description="A segment in place of conditions")] = None,
) -> Asked:
    return Asked(q, match, tuple(f or ()), segment_id)


Filter = Annotated[Asked, Depends(_asked)]


async def meant(unit: Unit, actor: Actor, asked: Asked) -> Chosen:
    """What the filter means. Raises ``CadenzaError`` for one that means nothing: it must not become everybody."""
    found = await chosen_by(unit, actor, asked)
    if found.wrong:
        raise CadenzaError("filter_invalid", found.wrong, fix="Nothing was changed. Correct the filter.")
    return found


@router.get("/contacts")
async def list_contacts(
    request: Request,
    unit: ApiUnit,
    asked: Filter,
    page: PageNumber = 1,
    limit: Limit = 50,
    after: After = None,
) -> ContactPageShape:
    """Contacts, newest first. With `after` the list goes on where the part before ended; `page` is not asked then."""
    actor = actor_of(request)
    chosen = await meant(unit, actor, asked)
    found = await contacts(
        unit, actor, asked.q, rule=chosen.rule, page=page, size=limit, after=after, custom=chosen.custom
    )
    shape = ContactPageShape.model_validate(found)
    shape.next = cursor(found.contacts[-1].id) if found.more else None
    return shape


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


@router.get("/accounts")
async def list_accounts(
    request: Request,
    unit: ApiUnit,
    q: Annotated[
        str, Query(max_length=200, description="A part of the name, or the beginning of the domain")
    ] = "",
    page: PageNumber = 1,
    limit: Limit = 50,
) -> AccountPageShape:
    """Companies, by name, each with how many people are there."""
    return AccountPageShape.model_validate(await accounts(unit, actor_of(request), q, page=page, size=limit))


@router.get("/accounts/{account_id}")
async def read_account(request: Request, unit: ApiUnit, account_id: UUID) -> AccountWhole:
    """One company and its people, newest first."""
    found, people = await account(unit, actor_of(request), account_id)
    return AccountWhole(
        account=AccountShape.model_validate(found),
        contacts=[ContactShape.model_validate(each) for each in people],
    )
