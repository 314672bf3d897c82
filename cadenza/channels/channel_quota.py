"""Taking from an account's limits: counted in ``send_counters``, so that any number of workers respects one limit."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from cadenza.channels import repository
from cadenza.channels.channel_limits import LIMITS, Limit, limit_of, taken_by
from cadenza.channels.contracts import Capacity, ChannelAccount
from cadenza.channels.models import SendCounterRow
from cadenza.core.unit import Unit

_WEEK = timedelta(days=7)
_PLENTY = 1_000_000  # where no limit is published


async def take_actions(
    unit: Unit, account: ChannelAccount, action: str, wanted: int, *, known: bool = False
) -> int:
    """How many of ``wanted`` errands this account may do today; they are taken at once. None of a stopped or waiting account.

    Until this transaction ends, other workers of the workspace wait here. ``known``: their provider ids are known.
    """
    if _stands(unit, account) is not None:
        return 0
    names = taken_by(account.channel, action, known=known)
    day, keys = unit.world.now().date(), [(_scope(account, name), str(account.id)) for name in names]
    await repository.lock_counters(unit, day, keys)
    granted = min([wanted, *[await _left(unit, account, name, day) for name in names]])
    if granted > 0:
        await repository.add_to_counters(unit, day, keys, granted)
    return max(0, granted)


async def give_back_actions(
    unit: Unit, day: date, account: ChannelAccount, action: str, amount: int, *, known: bool = False
) -> None:
    """What was taken and not used, such as for a claim that was released."""
    names = taken_by(account.channel, action, known=known)
    await repository.add_to_counters(
        unit, day, [(_scope(account, name), str(account.id)) for name in names], -amount
    )


async def capacity_of(unit: Unit, account: ChannelAccount, action: str) -> Capacity:
    """What is left of an action now, taking nothing."""
    if (stands := _stands(unit, account)) is not None:
        return stands
    day = unit.world.now().date()
    names = taken_by(account.channel, action, known=False)
    left = {name: await _left(unit, account, name, day) for name in names}
    least = min(left, key=lambda name: left[name])
    if left[least] > 0:
        return Capacity(left[least])
    return Capacity(
        0, midnight_after(unit.world.now()), f"{account.name} has done what it may of {least} for now"
    )


def midnight_after(now: datetime) -> datetime:
    """When a new day of the counters begins: days are in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _stands(unit: Unit, account: ChannelAccount) -> Capacity | None:
    """What is in the way of anything; None when nothing is."""
    if not account.can_send:
        return Capacity(0, None, account.state_reason or account.state.value)
    if account.wait_until is not None and account.wait_until > unit.machine.now():
        span = account.wait_until - unit.machine.now()
        return Capacity(0, unit.world.now() + span, f"the provider of {account.name} asked us to wait")
    return None


async def _left(unit: Unit, account: ChannelAccount, action: str, day: date) -> int:
    limit = limit_of(account.channel, action)
    if limit is None:
        return _PLENTY
    today, week = await _used(unit, _scope(account, action), str(account.id), day)
    return _least(limit, today, week)


def _least(limit: Limit, today: int, week: int) -> int:
    a_day = limit.a_day - today
    return a_day if limit.a_week is None else min(a_day, limit.a_week - week)


async def _used(unit: Unit, scope: str, key: str, day: date) -> tuple[int, int]:
    """Today, and in the seven days that end with today."""
    total, today = func.sum(SendCounterRow.amount), SendCounterRow.day == day
    query = select(func.coalesce(total.filter(today), 0), func.coalesce(total, 0)).where(
        SendCounterRow.workspace_id == unit.workspace_id,
        SendCounterRow.scope == scope,
        SendCounterRow.key == key,
        SendCounterRow.day > day - _WEEK,
        SendCounterRow.day <= day,
    )
    found = (await unit.session.execute(query)).one()
    return int(found[0]), int(found[1])


def _scope(account: ChannelAccount, action: str) -> str:
    return f"{account.channel}.{action}"


async def capacities(
    unit: Unit, accounts: Sequence[ChannelAccount]
) -> dict[UUID, dict[str, tuple[int, int | None]]]:
    """Of each account and limited action: what was taken today, and in the week where that is limited. One query."""
    day = unit.world.now().date()
    total, today = func.sum(SendCounterRow.amount), SendCounterRow.day == day
    query = select(
        SendCounterRow.key,
        SendCounterRow.scope,
        func.coalesce(total.filter(today), 0),
        func.coalesce(total, 0),
    ).where(
        SendCounterRow.workspace_id == unit.workspace_id,
        SendCounterRow.key.in_([str(each.id) for each in accounts]),
        SendCounterRow.day > day - _WEEK,
    )
    rows = await unit.session.execute(query.group_by(SendCounterRow.key, SendCounterRow.scope))
    used = {(key, scope): (int(now), int(week)) for key, scope, now, week in rows}
    found: dict[UUID, dict[str, tuple[int, int | None]]] = {}
    for each in accounts:
        limits = [limit for limit in LIMITS if limit.channel == each.channel]
        taken = {limit: used.get((str(each.id), _scope(each, limit.action)), (0, 0)) for limit in limits}
        found[each.id] = {
            limit.action: (now, week if limit.week is not None else None)
            for limit, (now, week) in taken.items()
        }
    return found
