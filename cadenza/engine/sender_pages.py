"""One sender: whether it can send and why not, its day, its health, its warm-up, its settings, who sends from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from cadenza.analytics.contracts import Rate
from cadenza.analytics.service import wilson
from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.campaigns.service import campaigns
from cadenza.channels.contracts import Mailbox, Pool, SenderFigures, WarmUpDay
from cadenza.channels.service import (
    Ramp,
    SenderSettings,
    by_any_name,
    change_sender,
    health_of,
    hours_of,
    lift_stop,
    mailbox,
    mailboxes,
    pools,
    sender_condition,
    sender_opens,
    settings_of,
    used_today,
    warm_up_ahead,
    warm_up_days,
)
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.unit import Unit
from cadenza.engine.explain import last_answers
from cadenza.engine.handing_over import hand_over, people_of
from cadenza.engine.senders import DOMAIN_DAILY_LIMIT
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, all_members, authorize
from cadenza.web.charts import axis_top
from cadenza.web.charts import ramp as ramp_chart
from cadenza.web.failures import faults_of
from cadenza.web.formats import day_names
from cadenza.web.service import PageUnit, allowed, gettext, reader_of, render, see

router = APIRouter(include_in_schema=False)

_AHEAD = 14  # days of a warm-up to come that are drawn
_OVER = {CampaignState.STOPPED, CampaignState.FINISHED}
_LITTLE = 200  # messages in a month: with fewer a provider hardly knows who sends, and warming up may help


@dataclass(frozen=True, slots=True)
class _Line:
    """One figure over 7 and 30 days, and as a share of the month with its interval where it is one."""

    name: str
    week: int
    month: int
    rate: Rate | None


@router.get("/senders/{mailbox_id}")
async def page(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    return await _page(request, unit, mailbox_id)


async def _page(
    request: Request,
    unit: Unit,
    mailbox_id: UUID,
    wrong: CadenzaError | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    box = await mailbox(unit, mailbox_id)
    return render(
        request,
        "engine/sender.html",
        status_code=422 if wrong else 200,
        box=box,
        **await _standing(unit, box),
        **await _around(unit, actor, box),
        form=typed or _form_of(settings_of(box)),
        zones=sorted(available_timezones()),
        weekdays=list(enumerate(day_names(reader_of(request).locale), start=1)),
        wrong=wrong,
        faults=faults_of(wrong),
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS),
        said=_said(request),
    )


async def _standing(unit: Unit, box: Mailbox) -> dict[str, Any]:
    """What the mailbox itself says: its day, its health, its warm-up."""
    health = (await health_of(unit, [box.id])).get(box.id)
    used, domain = await used_today(unit, box)
    lines = _health_lines(health.week, health.month) if health else []
    shown = [line.rate.interval[1] for line in lines if line.rate and line.rate.interval]
    condition = sender_condition(box, used, health)
    return {
        "health": health,
        "lines": lines,
        "top": axis_top(max(shown, default=0.0)),
        "used": used,
        "domain_used": domain,
        "domain_limit": DOMAIN_DAILY_LIMIT,
        "shape": condition.shape,
        "condition": condition.value,
        "opens": sender_opens(box, unit.world.now()),
        "young": health is not None and health.month.sent < _LITTLE and box.warm_up is None,
        **await _warm_up(unit, box, used),
    }


def _health_lines(week: SenderFigures, month: SenderFigures) -> list[_Line]:
    return [
        _Line(gettext("Sent"), week.sent, month.sent, None),
        _Line(gettext("Delivered"), week.delivered, month.delivered, None),
        _line(gettext("Came back for good"), week.bounced, month.bounced, month.delivered + month.bounced),
        _line(gettext("Refused by policy"), week.refused, month.refused, month.sent + month.refused),
        _line(gettext("Complaints"), week.complained, month.complained, month.delivered),
        _line(gettext("People who replied"), week.replied, month.replied, month.delivered),
    ]


def _line(name: str, week: int, cases: int, of: int) -> _Line:
    cases_of = min(cases, of)
    rate = Rate(name, cases_of, of, cases_of / of if of else None, wilson(cases_of, of))
    return _Line(name, week, cases, rate)


async def _warm_up(unit: Unit, box: Mailbox, used: int) -> dict[str, Any]:
    if box.warm_up is None:
        return {"curve": None, "past": [], "plan": []}
    past, today = await warm_up_days(unit, box.id), unit.world.now().astimezone(UTC).date()
    past = [day for day in past if day.day >= box.warm_up.since]
    plan = warm_up_ahead(box.warm_up, today, _AHEAD)
    return {"curve": ramp_chart(_drawn(past, plan, used)), "past": list(reversed(past)), "plan": plan}


def _drawn(
    past: list[WarmUpDay], plan: list[tuple[date, int]], used: int
) -> list[tuple[str, int | None, int]]:
    """Days that were, today with what it used so far, and days to come."""
    (today, allowed_today), *coming = plan
    done = [(f"{day.day:%d.%m.}", day.sent, day.allowance) for day in past if day.day < today]
    ahead = [(f"{day:%d.%m.}", None, amount) for day, amount in coming]
    return [*done[-30:], (f"{today:%d.%m.}", used, allowed_today), *ahead]


async def _around(unit: Unit, actor: Actor, box: Mailbox) -> dict[str, Any]:
    """Who sends from it, its pools, whom it wrote to first, and what servers last said."""
    groups = await pools(unit)
    return {
        "pools": [pool for pool in groups if box.id in pool.mailbox_ids],
        "campaigns": _using(box, await campaigns(unit, actor), groups),
        "people": await people_of(unit, box.id),
        "answers": await last_answers(unit, box.id),
        "others": [each for each in await mailboxes(unit) if each.id != box.id and each.can_send],
        "members": [member for member in await all_members(unit) if member.active],
    }


def _using(box: Mailbox, found: Any, groups: list[Pool]) -> list[Campaign]:
    """Campaigns that are not over and name the mailbox, or a pool that holds it."""
    known = by_any_name(groups)
    using = []
    for each in found:
        pool = known.get(each.definition.pool) if each.definition.pool else None
        if each.state not in _OVER and (
            box.address in each.definition.mailboxes or (pool and box.id in pool.mailbox_ids)
        ):
            using.append(each)
    return using


def _form_of(settings: SenderSettings) -> dict[str, Any]:
    hours, ramp = settings.hours, settings.ramp
    return {
        "name": settings.display_name,
        "daily_limit": settings.daily_limit,
        "aliases": "\n".join(settings.aliases),
        "signature": settings.signature,
        "signature_html": settings.signature_html or "",
        "owner": str(settings.owner_id or ""),
        "any_time": hours is None,
        "days": sorted(hours.days) if hours else [1, 2, 3, 4, 5],
        "from": f"{hours.start:%H:%M}" if hours else "09:00",
        "to": ("24:00" if hours.end.second else f"{hours.end:%H:%M}") if hours else "17:00",
        "zone": (hours.zone if hours else "") or "",
        "warm_up": ramp is not None,
        "start": ramp.start if ramp else 10,
        "growth": ramp.growth if ramp else 5,
        "target": ramp.target if ramp else 60,
    }


def _typed(form: FormData) -> dict[str, Any]:
    """The form as it came, to be shown again when something in it is wrong."""
    words = {
        name: str(form.get(name, "")) for name in _form_of(SenderSettings(display_name="", daily_limit=1))
    }
    days = [int(str(day)) for day in form.getlist("days") if str(day) in set("1234567")]
    return words | {"days": days, "any_time": "any_time" in form, "warm_up": "warm_up" in form}


def _settings(typed: Mapping[str, Any]) -> SenderSettings:
    """Raises ``CadenzaError`` for what is no number, time or member."""
    return SenderSettings(
        display_name=typed["name"],
        daily_limit=_whole(typed, "daily_limit"),
        aliases=tuple(typed["aliases"].split()),
        signature=typed["signature"],
        signature_html=typed["signature_html"],
        hours=None
        if typed["any_time"]
        else hours_of(typed["days"], typed["from"], typed["to"], typed["zone"]),
        owner_id=_member(typed["owner"]),
        ramp=Ramp(*(_whole(typed, name) for name in ("start", "growth", "target")))
        if typed["warm_up"]
        else None,
    )


def _whole(typed: Mapping[str, Any], name: str) -> int:
    words = str(typed[name]).strip()
    if not words.isascii() or not words.isdecimal() or len(words) > 6:
        raise _refused(Problem("Give a whole number.", key=name))
    return int(words)


def _member(words: str) -> UUID | None:
    try:
        return UUID(words) if words else None
    except ValueError as wrong:
        raise _refused(Problem("There is no such active member.", key="owner")) from wrong


def _refused(problem: Problem) -> CadenzaError:
    return CadenzaError(
        "sender_invalid", "These settings cannot be used; nothing was changed.", fix="Correct what is marked.", problems=(problem,)
    )  # fmt: skip


@router.post("/senders/{mailbox_id}/settings")
async def save(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    typed = _typed(await request.form(max_fields=100))
    try:
        await change_sender(unit, actor, mailbox_id, _settings(typed))
    except CadenzaError as wrong:
        if wrong.kind is not Kind.INVALID:
            raise
        return await _page(request, unit, mailbox_id, wrong, typed)
    return see(f"/senders/{mailbox_id}", "saved")


@router.post("/senders/{mailbox_id}/lift-stop")
async def lift(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    """The form carries the rule that the person was shown."""
    form = await request.form(max_fields=10)
    await lift_stop(unit, actor_of(request), mailbox_id, str(form.get("seen", "")))
    return see(f"/senders/{mailbox_id}", "resumed")


@router.post("/senders/{mailbox_id}/hand-over")
async def give(request: Request, unit: PageUnit, mailbox_id: UUID) -> Response:
    form = await request.form(max_fields=10)
    try:
        to = UUID(str(form.get("to", "")))
    except ValueError as wrong:
        raise CadenzaError("hand_over_to", "Choose who goes on writing; nothing was changed.") from wrong
    await hand_over(unit, actor_of(request), mailbox_id, to)
    return see(f"/senders/{mailbox_id}", "handed")


def _said(request: Request) -> str:
    words = {
        "saved": gettext("Saved. It holds from the next message on."),
        "resumed": gettext("It may send again."),
        "handed": gettext("Handed over. Their next step comes from the other sender."),
    }
    return words.get(request.query_params.get("said", ""), "")
