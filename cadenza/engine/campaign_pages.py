"""Campaigns: the list, the sequence with a preview for a real person, the launch as it goes, its events."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cadenza.analytics.contracts import Rate
from cadenza.analytics.service import rates, totals_of
from cadenza.audience.contracts import Glance, Recipient
from cadenza.audience.service import glances, load_recipients
from cadenza.campaigns.contracts import Campaign, CampaignState, Step, Variant
from cadenza.campaigns.service import audience_of, campaign, campaigns_page, previewed
from cadenza.channels.service import sender_facts
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.engine.contracts import Status
from cadenza.engine.fleet import senders_of
from cadenza.engine.plan_calendar import plan_calendar
from cadenza.engine.service import next_sendings, pause, pause_all, plan_of, resume, status_of, stop
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, authorize
from cadenza.ledger.contracts import Event, EventKind
from cadenza.ledger.service import timeline
from cadenza.web.charts import axis_top
from cadenza.web.service import PageUnit, allowed, gettext, render, see

router = APIRouter(include_in_schema=False)

LOOKED_AT = 30  # people to choose from for a preview
_PAGE = 50


@dataclass(frozen=True, slots=True)
class _Line:
    """A campaign in the list."""

    campaign: Campaign
    counts: Mapping[str, int]
    replied: Rate
    next_at: datetime | None


@router.get("/campaigns")
async def overview(
    request: Request, unit: PageUnit, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    actor = actor_of(request)
    shown, states = await campaigns_page(unit, actor, (page - 1) * _PAGE, _PAGE)
    ids = [each.id for each in shown]
    totals, soon = await totals_of(unit, ids), await next_sendings(unit, actor, ids)
    lines = [_line(each, totals[each.id], soon.get(each.id)) for each in shown]
    return render(
        request,
        "engine/campaigns.html",
        lines=lines,
        page=page,
        more=sum(states.values()) > page * _PAGE,
        running=states.get(CampaignState.RUNNING, 0),
        drafts=states.get(CampaignState.DRAFT, 0),
        top=axis_end([line.replied for line in lines]),
        may_run=allowed(authorize, actor, Action.RUN_CAMPAIGNS),
        may_edit=allowed(authorize, actor, Action.EDIT_CAMPAIGNS),
        said=campaign_said(request),
    )


@router.post("/campaigns/pause")
async def pause_running(request: Request, unit: PageUnit) -> Response:
    await pause_all(unit, actor_of(request))
    return see("/campaigns", "pause")


def _line(each: Campaign, total: Mapping[str, int], next_at: datetime | None) -> _Line:
    replied = next(rate for rate in rates(total) if rate.metric == "replied")
    return _Line(each, total, replied, next_at if each.state is CampaignState.RUNNING else None)


def axis_end(shown: Sequence[Rate]) -> float:
    """Where the common axis of these rates ends."""
    return axis_top(max((rate.interval[1] for rate in shown if rate.interval), default=0.0))


async def campaign_head(unit: Unit, actor: Actor, name: str, tab: str) -> dict[str, Any]:
    """What the head of each page of one campaign shows."""
    found = await campaign(unit, actor, name)
    return {
        "campaign": found,
        "tab": tab,
        "may_run": allowed(authorize, actor, Action.RUN_CAMPAIGNS),
        "may_edit": allowed(authorize, actor, Action.EDIT_CAMPAIGNS),
    }


@router.get("/campaigns/{name}")
async def sequence(
    request: Request,
    unit: PageUnit,
    name: str,
    step: str = "",
    variant: str = "",
    contact: UUID | None = None,
) -> Response:
    """The steps over working days; one text as written, and as one real person would read it."""
    actor = actor_of(request)
    head = await campaign_head(unit, actor, name, "sequence")
    found: Campaign = head["campaign"]
    chosen = next((each for each in found.definition.steps if each.id == step), found.definition.steps[0])
    texts = [each for way in chosen.ways for each in way.variants]
    said = Variant("", chosen.script or "")  # of a step that says nothing in writing
    text = next((each for each in texts if each.id == variant), texts[0] if texts else said)
    people = await _people(unit, found, contact)
    shown = contact if contact in people else None if contact else next(iter(people), None)
    person = (await load_recipients(unit, [shown])).get(shown) if shown else None
    return render(
        request,
        "engine/campaign.html",
        **head,
        **_score(found.definition.steps),
        **await _figures(unit, found, chosen, text),
        **await _shown_to(unit, found, chosen, text, person),
        step=chosen,
        texts=texts,
        variant=text,
        written={"subject": _tokens(text.subject or ""), "text": _tokens(text.text)},
        people=[(i, person_name(each)) for i, each in people.items()],
        said=campaign_said(request),
    )


async def _figures(unit: Unit, found: Campaign, step: Step, variant: Variant) -> dict[str, Any]:
    """The rates of one text, and how many people a stop would concern."""
    standing = await status_of(unit, found)
    measured = next((c.counts for c in standing.steps if (c.step, c.variant) == (step.id, variant.id)), {})
    shown = [rate for rate in rates(measured) if rate.metric not in unmeasured(found)]
    return {
        "rates": shown if any(rate.trials for rate in shown) else [],
        "top": axis_end(shown),
        "active": standing.active + standing.held,
    }


async def _shown_to(
    unit: Unit, found: Campaign, step: Step, variant: Variant, person: Recipient | None
) -> dict[str, Any]:
    """The text as this person would read it, and what they would get when; empty when there is nobody."""
    if person is None:
        return {"person": None, "person_name": "", "rendered": None, "plan": [], "calendar": None}
    boxes = await senders_of(unit, found.definition)
    shown = previewed(found, person, sender_facts(boxes[0]) if boxes else None)
    planned = await plan_of(unit, found, person, boxes)
    return {
        "person": person,
        "person_name": person_name(person),
        "rendered": next((p.rendered for p in shown if (p.step, p.variant) == (step.id, variant.id)), None),
        "plan": planned,
        "calendar": plan_calendar(planned, person, found.definition),
    }


async def _people(unit: Unit, found: Campaign, chosen: UUID | None) -> dict[UUID, Glance]:
    """Some of the audience to look at the texts with, and the one that was asked for."""
    ids = await audience_of(unit, found.definition, LOOKED_AT)
    if chosen is not None and chosen not in ids:
        ids = [chosen, *ids]
    people = await glances(unit, ids)
    return {i: people[i] for i in ids if i in people}


def _score(steps: Sequence[Step]) -> dict[str, Any]:
    """On which working day each step falls when nothing is in its way; day 1 is the first sending."""
    days, day = [], 1
    for number, step in enumerate(steps):
        day += step.after_days if number else 0
        days.append((day, step))
    return {"notes": days, "days": day, "note_days": {each for each, _ in days}}


def _tokens(text: str) -> list[tuple[str, bool]]:
    """The text cut at its Liquid, each piece with whether it is Liquid."""
    return [(piece, piece.startswith("{")) for piece in _LIQUID.split(text) if piece]


_LIQUID = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)


def campaign_said(request: Request) -> str:
    words = {
        "launch": gettext("Launched. This page moves by itself."),
        "pause": gettext("Paused. Nothing leaves until you go on."),
        "resume": gettext("It goes on."),
        "stop": gettext("Stopped for good."),
        "saved": gettext("Saved as a new version. Whoever is on the way goes on with it."),
    }
    return words.get(request.query_params.get("said", ""), "")


def unmeasured(found: Campaign) -> set[str]:
    """Rates that this campaign does not measure, because it was told not to track."""
    asked = {"opened": found.definition.track_opens, "clicked": found.definition.track_clicks}
    return {metric for metric, tracked in asked.items() if not tracked}


def person_name(person: Recipient | Glance) -> str:
    return (
        " ".join(p for p in (person.first_name, person.last_name) if p) or person.email or gettext("Unnamed")
    )


@router.get("/campaigns/{name}/events")
async def events(
    request: Request,
    unit: PageUnit,
    name: str,
    kind: EventKind | None = None,
    step: str = "",
    variant: str = "",
) -> Response:
    """Every figure of a campaign, or of one of its texts, opens into the events that it counts."""
    actor = actor_of(request)
    head = await campaign_head(unit, actor, name, "events")
    found = await _happened(unit, head["campaign"], kind, step, variant)
    people = await glances(unit, {e.contact_id for e in found if e.contact_id})
    return render(
        request,
        "engine/campaign_events.html",
        **head,
        happened=found,
        chosen=kind,
        step=step,
        variant=variant,
        kinds=_KINDS,
        names={i: person_name(p) for i, p in people.items()},
        zones={i: p.timezone for i, p in people.items()},
    )


async def _happened(
    unit: Unit, found: Campaign, kind: EventKind | None, step: str, variant: str
) -> list[Event]:
    """The newest events of this kind, of one text where a step is named."""
    kinds, limit = ([kind] if kind else ()), (_SEARCHED if step else _SHOWN)
    happened = await timeline(unit, campaign_id=found.id, kinds=kinds, limit=limit)
    return [e for e in happened if not step or (e.step, e.variant) == (step, variant)][:_SHOWN]


_SHOWN, _SEARCHED = 200, 5000
_KINDS = (
    EventKind.SENT, EventKind.REPLIED, EventKind.BOUNCED, EventKind.DEFERRED, EventKind.ABSENT, EventKind.UNSUBSCRIBED,
    EventKind.OPENED, EventKind.CLICKED, EventKind.SKIPPED, EventKind.STOPPED, EventKind.FINISHED,
)  # fmt: skip

_ACTS = {"pause": pause, "resume": resume, "stop": stop}


@router.post("/campaigns/{name}/{act}")
async def change(request: Request, unit: PageUnit, name: str, act: str) -> Response:
    if act not in _ACTS:
        raise CadenzaError("page_not_found", gettext("There is no such page."), Kind.NOT_FOUND)
    standing: Status = await _ACTS[act](unit, actor_of(request), name)
    return see(str(request.url_for("live_page", name=standing.campaign).path), act)
