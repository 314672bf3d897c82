"""Looking after senders: their figures are counted, warm-ups judged by the day, and the rules stop or let go on."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from cadenza.analytics.contracts import SenderCounts
from cadenza.analytics.service import sender_counts, sender_days
from cadenza.channels.contracts import HealthState, Mailbox, SenderHealth, Stop
from cadenza.channels.service import (
    DayFigures,
    judge_warm_up,
    keep_health,
    keep_warm_up,
    mailboxes,
    only_one_looks,
    set_stop,
    stop_key,
)
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.health_rules import BACK_AFTER, DOMAIN_REFUSED, Assessment, assess
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import audit
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import finish_work_items, open_work_items

_EVERY_SECONDS = 60.0


async def watch_senders(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The worker's loop."""
    while True:
        async with database.installation() as session:
            ids = await repository.all_workspaces(session)
        for workspace_id in ids:
            async with database.unit(workspace_id) as unit:
                await look_at_senders(unit)
        await asyncio.sleep(_EVERY_SECONDS)


async def look_at_senders(unit: Unit) -> None:
    """One look at all senders of a workspace; several workers may try, one does it."""
    boxes = await mailboxes(unit)
    if not boxes or not await only_one_looks(unit):
        return
    now = unit.world.now()
    await _judge_warm_ups(unit, boxes, now.astimezone(UTC).date())
    counts = await sender_counts(unit, {box.id: box.judged_from for box in boxes}, DOMAIN_REFUSED)
    found = _whole_domains(boxes, {box.id: assess(counts[box.id], now) for box in boxes})
    health = []
    for box in boxes:
        stop = await _decide(unit, box, found[box.id], counts[box.id])
        health.append(_health(box, stop, found[box.id], counts[box.id], now))
    await keep_health(unit, health)


def _whole_domains(boxes: Sequence[Mailbox], found: Mapping[UUID, Assessment]) -> dict[UUID, Assessment]:
    """Where a provider refuses a domain, every sender of it stops: the next one would be refused as well."""
    refused = {box.domain: found[box.id] for box in boxes if found[box.id].whole_domain}
    return {box.id: refused.get(box.domain, found[box.id]) for box in boxes}


def _health(
    box: Mailbox, stop: Stop | None, found: Assessment, counts: SenderCounts, now: datetime
) -> SenderHealth:
    if stop is not None:
        return SenderHealth(box.id, HealthState.STOPPED, (stop.reason,), counts.week, counts.month, now)
    return SenderHealth(box.id, found.state, found.reasons, counts.week, counts.month, now)


async def _decide(unit: Unit, box: Mailbox, found: Assessment, counts: SenderCounts) -> Stop | None:
    """The stop that holds from now on."""
    now, before = unit.world.now(), box.stop
    if before is None and found.stop is None:
        return None
    if before is None or _is_graver(found.stop, before):
        return await _stop(unit, box, found.stop) if found.stop else None
    if before.until is None:
        return before
    until = max(before.until, counts.complained_at + BACK_AFTER) if counts.complained_at else before.until
    if until <= now:
        await set_stop(unit, box.id, None, now)
        await finish_work_items(unit, keys=stop_key(box.id))
        await audit(unit, _watch(unit), "sender_goes_on", box.address, rule=before.rule)
        return None
    if until != before.until:
        await set_stop(unit, box.id, replace(before, until=until), box.judged_from)
    return replace(before, until=until)


def _is_graver(stop: Stop | None, before: Stop) -> bool:
    """One that a person must lift goes before one that ends by itself."""
    return stop is not None and stop.until is None and before.until is not None


async def _stop(unit: Unit, box: Mailbox, stop: Stop) -> Stop:
    await set_stop(unit, box.id, stop, box.judged_from)
    await audit(unit, _watch(unit), "sender_stopped", box.address, rule=stop.rule, reason=stop.reason)
    by_itself = f" It goes on by itself on {stop.until:%Y-%m-%d} at the earliest." if stop.until else ""
    item = NewWorkItem(
        kind=WorkKind.SENDER_BROKEN,
        key=f"{stop_key(box.id)}{stop.rule}/{stop.at.isoformat()}",
        title=f"{box.address} was stopped",
        detail=f"{stop.reason}.{by_itself}",
        queue="operator",
        due_at=stop.at,
    )
    await open_work_items(unit, [item])
    return stop


def _watch(unit: Unit) -> Actor:
    return Actor(unit.workspace_id, Role.OPERATOR, Origin.JOB, name="sender health")


async def _judge_warm_ups(unit: Unit, boxes: Sequence[Mailbox], today: date) -> None:
    """Every day of a warm-up that is over and was not judged yet."""
    waiting = [box for box in boxes if box.warm_up and (box.warm_up.judged or box.warm_up.since) < today]
    if not waiting:
        return
    first = min(box.warm_up.judged or box.warm_up.since for box in waiting if box.warm_up)
    figures: dict[UUID, dict[date, DayFigures]] = defaultdict(dict)
    found = await sender_days(unit, [box.id for box in waiting], first, today)
    for (mailbox_id, day), each in found.items():
        figures[mailbox_id][day] = DayFigures(each.sent, each.bounced, each.refused + each.complained)
    for box in waiting:
        assert box.warm_up is not None  # noqa: S101 - chosen by it
        after, days = judge_warm_up(box.warm_up, figures[box.id], today)
        await keep_warm_up(unit, box, after, days)
