"""Accounts of LinkedIn and phone through the API, and what people are asked to do by hand.

Their keys never come out. Connecting opens nothing that is here already, so a token may; disconnecting needs a fresh proof.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field

from cadenza.channels.accounts import NewAccount, accounts, connect_account, test_account
from cadenza.channels.channel_work import Job, job_of, say_outcome
from cadenza.channels.contracts import AccountProvider, AccountState, IncomingKind
from cadenza.identity.service import actor_of
from cadenza.web.api import Shape, api_router
from cadenza.web.service import egress_of

router = api_router("channels", one_unit=False)


class AccountShape(Shape):
    id: UUID
    channel: str
    provider: AccountProvider
    name: str
    address: str
    state: AccountState
    state_reason: str
    wait_until: datetime | None


class NewAccountShape(Shape):
    channel: Annotated[str, Field(max_length=10, examples=["linkedin"])]
    provider: Annotated[AccountProvider, Field(examples=["assisted"])]
    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Anna Berg"])]
    address: Annotated[
        str, Field(max_length=500, description="Address of a profile, or a number with + and country.")
    ]
    base_url: Annotated[str, Field(max_length=500, description="Of Unipile's API (DSN).")] = ""
    reference: Annotated[
        str, Field(max_length=200, description="Unipile's id of the account, or Twilio's account SID.")
    ] = ""
    rings: Annotated[str, Field(max_length=20, description="The phone that Twilio rings first.")] = ""
    key: Annotated[str, Field(max_length=500, description="Unipile's API key, or Twilio's auth token.")] = ""


class AccountTestShape(Shape):
    """What the provider said. ``account`` is empty when nothing was kept."""

    account: str
    channel: str
    address: str
    ok: bool
    detail: str


class JobShape(Shape):
    """What a person is asked to do; ``outcome`` is null while it waits."""

    id: UUID
    account_id: UUID
    action: str
    recipient: str
    name: str
    text: str
    script: str
    zone: str | None
    contact_id: UUID | None
    touch_id: UUID
    outcome: IncomingKind | None


class OutcomeShape(Shape):
    outcome: Annotated[IncomingKind, Field(examples=["done"])]
    note: Annotated[str, Field(max_length=5000)] = ""


@router.get("/channel-accounts")
async def list_accounts(request: Request) -> list[AccountShape]:
    """Every account of LinkedIn and phone that is connected."""
    actor = actor_of(request)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        return [AccountShape.model_validate(each) for each in await accounts(unit, actor)]


@router.post("/channel-accounts")
async def add_account(request: Request, new: NewAccountShape) -> AccountTestShape:
    """Connect an account, once its provider lets us in; otherwise the answer says why, and nothing is kept."""
    entered = NewAccount(**new.model_dump(exclude={"key"}))
    state = request.app.state
    tested = await connect_account(
        state.database,
        egress_of(request),
        actor_of(request),
        entered,
        new.key,
        site=state.settings.public_url,
    )
    return AccountTestShape.model_validate(tested)


@router.post("/channel-accounts/{account_id}/test")
async def try_account(request: Request, account_id: UUID) -> AccountTestShape:
    """Ask its provider: the account stops, or goes on, from a restriction too."""
    tested = await test_account(request.app.state.database, egress_of(request), actor_of(request), account_id)
    return AccountTestShape.model_validate(tested)


@router.get("/jobs/{job_id}")
async def read_job(request: Request, job_id: UUID) -> JobShape:
    """What a person is asked to do on LinkedIn or by phone."""
    actor = actor_of(request)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        return _shape(await job_of(unit, actor, job_id))


@router.post("/jobs/{job_id}/outcome")
async def say(request: Request, job_id: UUID, told: OutcomeShape) -> JobShape:
    """Say what came of it; the first answer holds."""
    actor = actor_of(request)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        return _shape(await say_outcome(unit, actor, job_id, told.outcome, told.note))


def _shape(job: Job) -> JobShape:
    errand = job.errand
    return JobShape(
        id=job.id, account_id=job.account.id, action=errand.action, recipient=errand.recipient, name=errand.name, text=errand.text,
        script=errand.script, zone=errand.zone, contact_id=errand.contact_id, touch_id=errand.touch_id, outcome=job.outcome,
    )  # fmt: skip
