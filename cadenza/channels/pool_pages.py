"""Pools: making, renaming, filling, emptying and removing them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.channels.contracts import Pool
from cadenza.channels.pools import fill_pool, make_pool, pools, remove_pool, rename_pool
from cadenza.channels.repository import mailboxes
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.failures import STATUS, faults_of
from cadenza.web.service import PageUnit, allowed, gettext, render, see

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Form(max_length=1000)]
Members = Annotated[list[UUID], Form(default_factory=list, max_length=5000)]

_NAME_REFUSED = frozenset({"pool_name_invalid", "pool_exists"})


@router.get("/senders/pools")
async def overview(request: Request, unit: PageUnit) -> Response:
    return await _overview(request, unit)


async def _overview(
    request: Request, unit: Unit, wrong: CadenzaError | None = None, name: str = ""
) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    boxes = {box.id: box for box in await mailboxes(unit, None)}
    found = await pools(unit)
    return render(
        request,
        "channels/pools.html",
        status_code=STATUS[wrong.kind] if wrong else 200,
        faults=faults_of(wrong),
        pools=[(pool, _a_day(pool, {i: box.allowance for i, box in boxes.items()})) for pool in found],
        senders=len(boxes),
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS),
        wrong=wrong,
        name=name,
        said=_said(request),
    )


def _a_day(pool: Pool, allowances: dict[UUID, int]) -> int:
    """Messages that its mailboxes may send today in all, other pools and campaigns left out of account."""
    return sum(allowances.get(i, 0) for i in pool.mailbox_ids)


def _said(request: Request) -> str:
    words = {
        "saved": gettext("Saved. It holds from the next message on."),
        "removed": gettext("Removed. Its mailboxes are as they were."),
    }
    return words.get(request.query_params.get("said", ""), "")


@router.post("/senders/pools")
async def make(request: Request, unit: PageUnit, name: Name = "") -> Response:
    try:
        pool = await make_pool(unit, actor_of(request), name)
    except CadenzaError as wrong:
        if wrong.code not in _NAME_REFUSED:
            raise
        return await _overview(request, unit, wrong, name)
    return see(f"/senders/pools/{pool.id}")


@router.get("/senders/pools/{pool_id}")
async def one(request: Request, unit: PageUnit, pool_id: UUID) -> Response:
    return await _one(request, unit, pool_id)


@dataclass(frozen=True, slots=True)
class _Typed:
    """The form of a pool, as somebody filled it in."""

    name: str
    members: Collection[UUID]


async def _one(
    request: Request,
    unit: Unit,
    pool_id: UUID,
    typed: _Typed | None = None,
    wrong: CadenzaError | None = None,
) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    pool = next((each for each in await pools(unit) if each.id == pool_id), None)
    if pool is None:
        raise not_found("pool", pool_id)
    return render(
        request,
        "channels/pool.html",
        status_code=STATUS[wrong.kind] if wrong else 200,
        pool=pool,
        typed=typed or _Typed(pool.name, pool.mailbox_ids),
        wrong=wrong,
        faults=faults_of(wrong),
        boxes=await mailboxes(unit, None),
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS),
        said=_said(request),
    )


@router.post("/senders/pools/{pool_id}")
async def save(
    request: Request, unit: PageUnit, pool_id: UUID, members: Members, name: Name = ""
) -> Response:
    actor = actor_of(request)
    try:
        await rename_pool(unit, actor, pool_id, name)
    except CadenzaError as wrong:
        if wrong.code not in _NAME_REFUSED:
            raise
        return await _one(request, unit, pool_id, _Typed(name, members), wrong)
    await fill_pool(unit, actor, pool_id, members)
    return see(f"/senders/pools/{pool_id}", "saved")


@router.post("/senders/pools/{pool_id}/remove")
async def remove(request: Request, unit: PageUnit, pool_id: UUID) -> Response:
    await remove_pool(unit, actor_of(request), pool_id)
    return see("/senders/pools", "removed")
