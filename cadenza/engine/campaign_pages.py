"""Campaigns: the list, the sequence with a preview for a real person, the launch as it goes, its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.analytics.contracts import Rate
from cadenza.analytics.service import counts, rates
from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.campaigns.service import campaign, campaigns
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.engine.contracts import Status, UpcomingTouch
from cadenza.engine.service import launch, pause, resume, status, stop, touches_in_doubt, upcoming
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, authorize
from cadenza.ledger.contracts import Event, EventKind
from cadenza.ledger.service import timeline
from cadenza.web.charts import Columns, axis_top, columns
from cadenza.web.formats import zone_of
from cadenza.web.service import PageUnit, allowed, gettext, live, reader_of, render, render_part, see

router = APIRouter(include_in_schema=False)

_RECENT = 12
_UPCOMING = 500  # what today's plan is drawn from
_EVENTS = 2000  # what today's sendings are drawn from
_SLOT = timedelta(minutes=30)
_FIRST_HOUR, _SLOTS = time(6), 28  # from 6 to 20 o'clock


@dataclass(frozen=True, slots=True)
class _Line:
    """A campaign in the list."""

    campaign: Campaign
    counts: Mapping[str, int]
    replied: Rate
    next_at: datetime | None


@router.get("/campaigns")
async def overview(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    soon = await upcoming(unit, actor, limit=_UPCOMING)
    first = {each.campaign_id: each.at for each in reversed(soon)}
    lines = [await _line(unit, each, first.get(each.id)) for each in await campaigns(unit, actor)]
    return render(
        request,
        "engine/campaigns.html",
        lines=lines,
        running=sum(line.campaign.state is CampaignState.RUNNING for line in lines),
        drafts=sum(line.campaign.state is CampaignState.DRAFT for line in lines),
        top=_top([line.replied for line in lines]),
    )


async def _line(unit: Unit, each: Campaign, next_at: datetime | None) -> _Line:
    total = (await counts(unit, each.id)).total
    replied = next(rate for rate in rates(total) if rate.metric == "replied")
    return _Line(each, total, replied, next_at if each.state is CampaignState.RUNNING else None)


def _top(shown: Sequence[Rate]) -> float:
    """Where the common axis of these rates ends."""
    return axis_top(max((rate.interval[1] for rate in shown if rate.interval), default=0.0))


async def _head(unit: Unit, actor: Actor, name: str, tab: str) -> dict[str, Any]:
    """What the head of each page of one campaign shows."""
    found = await campaign(unit, actor, name)
    return {"campaign": found, "tab": tab, "may_run": allowed(authorize, actor, Action.RUN_CAMPAIGNS)}


@router.get("/campaigns/{name}/live")
async def live_page(request: Request, unit: PageUnit, name: str) -> Response:
    actor = actor_of(request)
    head = await _head(unit, actor, name, "live")
    return render(request, "engine/live.html", **head, **await _live(unit, actor, request, head["campaign"]))


@router.get("/campaigns/{name}/live/stream")
async def live_stream(request: Request, name: str) -> Response:
    actor = actor_of(request)
    database = request.app.state.database

    async def draw() -> str:
        async with database.unit(actor.workspace_id) as unit:
            found = await campaign(unit, actor, name)
            context = await _live(unit, actor, request, found)
        return render_part(request, "engine/live_part.html", campaign=found, **context)

    return live(draw)


async def _live(unit: Unit, actor: Actor, request: Request, found: Campaign) -> dict[str, Any]:
    """Everything that moves on the live page."""
    standing = await status(unit, actor, found.name)
    soon = await upcoming(unit, actor, campaign_id=found.id, limit=_UPCOMING)
    soon = soon if found.state is CampaignState.RUNNING else []
    happened = await timeline(unit, campaign_id=found.id, limit=_EVENTS)
    shown, recent = soon[:_RECENT], happened[:_RECENT]
    people = await load_recipients(
        unit, list({e.contact_id for e in [*shown, *recent] if e.contact_id is not None})
    )
    shown_rates = [rate for rate in rates(standing.counts) if rate.metric not in _unmeasured(found)]
    doubts = await touches_in_doubt(unit, actor) if standing.counts.get("in_doubt") else []
    return {
        "status": standing,
        "rates": shown_rates,
        "top": _top([rate for rate in shown_rates if rate.metric != "delivered"]),
        "upcoming": [_next_sending(each, people) for each in shown],
        "recent": recent,
        "names": {i: person_name(p) for i, p in people.items()},
        "doubts": sum(touch.campaign_id == found.id for touch in doubts),
        **_pace(unit, request, happened, soon),
    }


def _unmeasured(found: Campaign) -> set[str]:
    """Rates that this campaign does not measure, because it was told not to track."""
    asked = {"opened": found.definition.track_opens, "clicked": found.definition.track_clicks}
    return {metric for metric, tracked in asked.items() if not tracked}


def person_name(person: Recipient) -> str:
    return (
        " ".join(p for p in (person.first_name, person.last_name) if p) or person.email or gettext("Unnamed")
    )


def _next_sending(each: UpcomingTouch, people: Mapping[UUID, Recipient]) -> dict[str, Any]:
    person = people.get(each.contact_id)
    return {
        "contact_id": each.contact_id, "step": each.step, "at": each.at, "why": each.why,
        "name": person_name(person) if person else "", "timezone": person.timezone if person else "UTC",
    }  # fmt: skip


def _pace(
    unit: Unit, request: Request, happened: Sequence[Event], soon: Sequence[UpcomingTouch]
) -> dict[str, Any]:
    """Today's sendings by half hour, done and planned, in the reader's zone."""
    now = unit.world.now()
    local = now.astimezone(zone_of(reader_of(request).timezone))
    start = datetime.combine(local.date(), _FIRST_HOUR, local.tzinfo)
    sent = [e.at for e in happened if e.kind is EventKind.SENT and e.at and _same_day(e.at, local)]
    planned = [max(each.at, now) for each in soon if _same_day(max(each.at, now), local)]
    chart: Columns = columns(sent, planned, start=start, width=_SLOT, count=_SLOTS, now=now)
    return {
        "chart": chart,
        "done_today": len(sent),
        "planned_today": len(planned),
        "last_today": max(planned, default=None),
        "now_words": local.strftime("%H:%M"),
    }


def _same_day(at: datetime, local: datetime) -> bool:
    return at.astimezone(local.tzinfo).date() == local.date()


@router.get("/campaigns/{name}/events")
async def events(request: Request, unit: PageUnit, name: str, kind: EventKind | None = None) -> Response:
    """Every figure of a campaign opens into the events that it counts."""
    actor = actor_of(request)
    head = await _head(unit, actor, name, "events")
    found = await timeline(unit, campaign_id=head["campaign"].id, kinds=[kind] if kind else ())
    people = await load_recipients(unit, list({e.contact_id for e in found if e.contact_id}))
    return render(
        request,
        "engine/campaign_events.html",
        **head,
        happened=found,
        chosen=kind,
        kinds=_KINDS,
        names={i: person_name(p) for i, p in people.items()},
        zones={i: p.timezone for i, p in people.items()},
        active=0,
    )


_KINDS = (
    EventKind.SENT, EventKind.REPLIED, EventKind.BOUNCED, EventKind.DEFERRED, EventKind.ABSENT, EventKind.UNSUBSCRIBED,
    EventKind.OPENED, EventKind.CLICKED, EventKind.SKIPPED, EventKind.STOPPED, EventKind.FINISHED,
)  # fmt: skip

_ACTS = {"launch": launch, "pause": pause, "resume": resume, "stop": stop}


@router.post("/campaigns/{name}/{act}")
async def change(request: Request, unit: PageUnit, name: str, act: str) -> Response:
    if act not in _ACTS:
        raise CadenzaError("page_not_found", gettext("There is no such page."), Kind.NOT_FOUND)
    standing: Status = await _ACTS[act](unit, actor_of(request), name)
    return see(str(request.url_for("live_page", name=standing.campaign).path), act)
