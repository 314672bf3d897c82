"""One sender and the pools through the API: everything that their pages can do."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response
from pydantic import Field

from cadenza.channels.contracts import DayOutcome, HealthState, Mailbox, MailboxState, Pool, WarmUpDay
from cadenza.channels.hours import hours_of
from cadenza.channels.kept_values import hours_json
from cadenza.channels.service import (
    Ramp,
    SenderSettings,
    change_sender,
    fill_pool,
    health_of,
    lift_stop,
    mailbox,
    make_pool,
    pools,
    remove_pool,
    rename_pool,
    settings_of,
    used_today,
    warm_up_days,
)
from cadenza.core.errors import not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import ApiUnit, Shape, api_router

router = api_router("channels")

SenderId = Annotated[UUID, Path(description="The mailbox's id")]
PoolId = Annotated[UUID, Path(description="The pool's id")]
Text = Annotated[str, Field(max_length=5000)]
Number = Annotated[int, Field(ge=1, le=2000)]


class HoursShape(Shape):
    """Days are ISO weekdays (1 is Monday), times ``HH:MM`` (the end may be ``24:00``), the zone an IANA name."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    opens: Annotated[str, Field(alias="from", pattern=r"^\d\d:\d\d$", examples=["09:00"])]
    closes: Annotated[str, Field(alias="to", pattern=r"^\d\d:\d\d$", examples=["17:00"])]
    zone: Annotated[str, Field(max_length=64, examples=["Europe/Berlin"])]


class RampShape(Shape):
    """Messages a day: at first, more on each good working day, and at most."""

    start: Annotated[int, Field(ge=1, le=2000, examples=[10])]
    growth: Annotated[int, Field(ge=1, le=2000, examples=[5])]
    target: Annotated[int, Field(ge=1, le=2000, examples=[60])]


class WarmUpShape(RampShape):
    """``allowance`` is today's."""

    since: datetime
    allowance: int


class StopShape(Shape):
    rule: str
    reason: str
    at: datetime
    until: datetime | None


class FiguresShape(Shape):
    sent: int
    delivered: int
    bounced: int
    refused: int
    complained: int
    replied: int


class HealthShape(Shape):
    state: HealthState
    reasons: list[str]
    week: FiguresShape
    month: FiguresShape
    at: datetime


class DayShape(Shape):
    day: str
    allowance: int
    sent: int
    trouble: int
    outcome: DayOutcome


class SenderWhole(Shape):
    """``allowance``: messages that may leave today; ``used``: how many were taken of it. Null ``hours``: at any time."""

    id: UUID
    address: str
    display_name: str
    state: MailboxState
    state_reason: str
    daily_limit: int
    allowance: int
    used: int
    aliases: list[str]
    signature: str
    signature_html: str | None
    hours: HoursShape | None
    owner_id: UUID | None
    warm_up: WarmUpShape | None
    warm_up_days: list[DayShape]
    stop: StopShape | None
    health: HealthShape | None
    pools: list[str]


class SenderChanges(Shape):
    """What is left out stays as it is; null takes hours, owner, warm-up or the HTML signature away."""

    display_name: Annotated[str, Field(max_length=200, examples=["Anna Lind"])] = ""
    daily_limit: Number = 60
    aliases: Annotated[list[Annotated[str, Field(max_length=320)]], Field(max_length=50)] = []  # noqa: RUF012 - pydantic copies it
    signature: Text = ""
    signature_html: Text | None = None
    hours: HoursShape | None = None
    owner_id: UUID | None = None
    warm_up: RampShape | None = None


class Seen(Shape):
    """The rule of the stop that was shown."""

    rule: Annotated[str, Field(max_length=40, examples=["authentication"])]


class PoolShape(Shape):
    id: UUID
    name: str
    former: list[str]
    mailbox_ids: list[UUID]


class NewPool(Shape):
    name: Annotated[str, Field(max_length=1000, examples=["north-team"])]


class PoolMembers(Shape):
    mailbox_ids: Annotated[list[UUID], Field(max_length=5000)]


@router.get("/senders/{mailbox_id}")
async def read_sender(request: Request, unit: ApiUnit, mailbox_id: SenderId) -> SenderWhole:
    """One sender with its settings, its day, its warm-up and its health."""
    authorize(actor_of(request), Action.READ)
    return await _whole(unit, await mailbox(unit, mailbox_id))


@router.patch("/senders/{mailbox_id}")
async def change(
    request: Request, unit: ApiUnit, mailbox_id: SenderId, changes: SenderChanges
) -> SenderWhole:
    """Change some of a sender's settings; a fault in one of them changes none."""
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    before = settings_of(await mailbox(unit, mailbox_id))
    return await _whole(unit, await change_sender(unit, actor, mailbox_id, _changed(before, changes)))


def _changed(before: SenderSettings, changes: SenderChanges) -> SenderSettings:
    given: dict[str, Any] = {name: getattr(changes, name) for name in changes.model_fields_set - {"warm_up"}}
    if "aliases" in given:
        given["aliases"] = tuple(changes.aliases)
    if changes.hours is not None:
        hours = changes.hours
        given["hours"] = hours_of(hours.days, hours.opens, hours.closes, hours.zone)
    if "warm_up" in changes.model_fields_set:
        ramp = changes.warm_up
        given["ramp"] = Ramp(ramp.start, ramp.growth, ramp.target) if ramp else None
    return replace(before, **given)


async def _whole(unit: Unit, box: Mailbox) -> SenderWhole:
    used, _ = await used_today(unit, box)
    found = {name: getattr(box, name) for name in SenderWhole.model_fields if hasattr(box, name)}
    return SenderWhole.model_validate(
        found
        | {
            "used": used,
            "hours": hours_json(box.hours) if box.hours else None,
            "health": (await health_of(unit, [box.id])).get(box.id),
            "warm_up_days": [_day(day) for day in await warm_up_days(unit, box.id)],
            "pools": [pool.name for pool in await pools(unit) if box.id in pool.mailbox_ids],
        }
    )


def _day(day: WarmUpDay) -> DayShape:
    return DayShape(
        day=day.day.isoformat(), allowance=day.allowance, sent=day.sent, trouble=day.trouble, outcome=day.outcome
    )  # fmt: skip


@router.post("/senders/{mailbox_id}/lift-stop")
async def lift(request: Request, unit: ApiUnit, mailbox_id: SenderId, seen: Seen) -> SenderWhole:
    """Let a sender go on that its health stopped; for complaints not before seven days without one."""
    await lift_stop(unit, actor_of(request), mailbox_id, seen.rule)
    return await _whole(unit, await mailbox(unit, mailbox_id))


@router.get("/sender-pools")
async def list_pools(request: Request, unit: ApiUnit) -> list[PoolShape]:
    """All pools by name, with who is in them."""
    authorize(actor_of(request), Action.READ)
    return [_pool(pool) for pool in await pools(unit)]


@router.post("/sender-pools")
async def create_pool(request: Request, unit: ApiUnit, new: NewPool) -> PoolShape:
    """Make an empty pool."""
    return _pool(await make_pool(unit, actor_of(request), new.name))


@router.patch("/sender-pools/{pool_id}")
async def change_pool(request: Request, unit: ApiUnit, pool_id: PoolId, new: NewPool) -> PoolShape:
    """Give a pool another name; it answers to its former names too."""
    await rename_pool(unit, actor_of(request), pool_id, new.name)
    found = next((pool for pool in await pools(unit) if pool.id == pool_id), None)
    if found is None:
        raise not_found("pool", pool_id)
    return _pool(found)


@router.put("/sender-pools/{pool_id}/members")
async def set_members(request: Request, unit: ApiUnit, pool_id: PoolId, members: PoolMembers) -> PoolShape:
    """Exactly these mailboxes are in it from now on."""
    return _pool(await fill_pool(unit, actor_of(request), pool_id, members.mailbox_ids))


@router.delete("/sender-pools/{pool_id}", status_code=204, response_class=Response)
async def delete_pool(request: Request, unit: ApiUnit, pool_id: PoolId) -> None:
    """Forget a pool that no campaign needs any more."""
    await remove_pool(unit, actor_of(request), pool_id)


def _pool(pool: Pool) -> PoolShape:
    return PoolShape(
        id=pool.id, name=pool.name, former=list(pool.former), mailbox_ids=sorted(pool.mailbox_ids)
    )
