"""The launch as it goes: figures that move by themselves, today's pace, what leaves next."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.analytics.service import rates
from cadenza.audience.contracts import Glance
from cadenza.audience.service import glances
from cadenza.campaigns.contracts import Campaign
from cadenza.campaigns.service import campaign
from cadenza.core.unit import Unit
from cadenza.engine.campaign_pages import axis_end, campaign_head, campaign_said, person_name, unmeasured
from cadenza.engine.contracts import UpcomingTouch
from cadenza.engine.fleet import senders_of
from cadenza.engine.service import planned_today, status_of, touches_in_doubt, upcoming
from cadenza.identity.contracts import Actor
from cadenza.identity.service import actor_now, actor_of
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import counts_by_time, timeline
from cadenza.web.charts import Columns, columns
from cadenza.web.formats import zone_of
from cadenza.web.service import PageUnit, live, reader_of, render, render_part

router = APIRouter(include_in_schema=False)

_RECENT = 12
_TOLD = [  # what the figures and the plan do not tell already
    kind for kind in EventKind if kind not in {EventKind.SCHEDULED, EventKind.ENROLLED}
]
_SLOT = timedelta(minutes=30)
_MORNING, _EVENING = 12, 40  # half hours since midnight: 6 and 20 o'clock, always drawn


@router.get("/campaigns/{name}/live")
async def live_page(request: Request, unit: PageUnit, name: str) -> Response:
    actor = actor_of(request)
    head = await campaign_head(unit, actor, name, "live")
    return render(
        request,
        "engine/live.html",
        **head,
        **await _live(unit, actor, request, head["campaign"]),
        said=campaign_said(request),
    )


@router.get("/campaigns/{name}/live/stream")
async def live_stream(request: Request, name: str) -> Response:
    database = request.app.state.database
    actor = actor_of(request)
    async with database.unit(actor.workspace_id) as unit:
        await campaign(unit, actor, name)  # a stream of nothing would be asked for again for ever

    async def draw() -> str:
        actor = await actor_now(request)
        async with database.unit(actor.workspace_id) as unit:
            found = await campaign(unit, actor, name)
            context = await _live(unit, actor, request, found)
        return render_part(request, "engine/live_part.html", campaign=found, **context)

    return live(draw)


async def _live(unit: Unit, actor: Actor, request: Request, found: Campaign) -> dict[str, Any]:
    """Everything that moves on the live page."""
    standing = await status_of(unit, found)
    shown = await upcoming(unit, actor, campaign_id=found.id, limit=_RECENT)
    recent = await timeline(unit, campaign_id=found.id, kinds=_TOLD, limit=_RECENT)
    named = {each.contact_id for each in shown} | {event.contact_id for event in recent if event.contact_id}
    people = await glances(unit, named)
    waiting = await _waits(unit, found, shown)
    shown_rates = [rate for rate in rates(standing.counts) if rate.metric not in unmeasured(found)]
    doubts = await touches_in_doubt(unit, actor) if standing.counts.get("in_doubt") else []
    return {
        "status": standing,
        "rates": shown_rates,
        "top": axis_end(shown_rates),
        "upcoming": [_next_sending(each, people, waits) for each, waits in zip(shown, waiting, strict=True)],
        "recent": recent,
        "names": {i: person_name(p) for i, p in people.items()},
        "doubts": sum(touch.campaign_id == found.id for touch in doubts),
        **await _pace(unit, request, found),
    }


async def _waits(unit: Unit, found: Campaign, shown: Sequence[UpcomingTouch]) -> list[str]:
    """What each waits for: its time (""), a mailbox that works ("sender"), or the next turn of the engine ("now")."""
    now = unit.world.now()
    if not any(each.at <= now for each in shown):
        return ["" for _ in shown]
    due = "now" if any(box.can_send for box in await senders_of(unit, found.definition)) else "sender"
    return [due if each.at <= now else "" for each in shown]


def _next_sending(each: UpcomingTouch, people: Mapping[UUID, Glance], waits: str) -> dict[str, Any]:
    person = people.get(each.contact_id)
    return {
        "contact_id": each.contact_id, "step": each.step, "at": each.at, "why": each.why, "waits": waits,
        "name": person_name(person) if person else "", "timezone": person.timezone if person else "UTC",
    }  # fmt: skip


async def _pace(unit: Unit, request: Request, found: Campaign) -> dict[str, Any]:
    """Today's sendings by half hour, done and planned, in the reader's zone."""
    now = unit.world.now()
    local = now.astimezone(zone_of(reader_of(request).timezone))
    midnight, end = _midnight(local), _midnight(local + timedelta(days=1))
    sent = await counts_by_time(unit, found.id, EventKind.SENT, start=midnight, end=end, width=_SLOT)
    planned, last = await planned_today(unit, found, start=midnight, end=end, width=_SLOT)
    return {
        "chart": _chart(sent, planned, midnight, local),
        "done_today": sum(sent.values()),
        "planned_today": sum(planned.values()),
        "last_today": last,
        "now_words": local.strftime("%H:%M"),
    }


def _chart(
    sent: Mapping[int, int], planned: Mapping[int, int], midnight: datetime, local: datetime
) -> Columns:
    """Counts by half hours since midnight as columns of the working day."""
    shown = day_slots([*sent, *planned, (local - midnight) // _SLOT])
    start = (midnight + shown.start * _SLOT).astimezone(local.tzinfo)
    done, ahead = ([counts.get(slot, 0) for slot in shown] for counts in (sent, planned))
    return columns(done, ahead, start=start, width=_SLOT, count=len(shown), now=local)


def day_slots(marks: Sequence[int]) -> range:
    """Half hours since midnight to draw: the working day, and as much around it as something happens in; by two hours."""
    first, last = min([_MORNING, *marks]), max([_EVENING - 1, *marks]) + 1
    return range(first // 4 * 4, -(-last // 4) * 4)


def _midnight(local: datetime) -> datetime:
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)
