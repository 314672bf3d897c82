"""Running campaigns and their touches through the API."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request
from pydantic import Field

from cadenza.campaigns.contracts import CampaignState
from cadenza.campaigns.service import by_id
from cadenza.core.unit import Unit
from cadenza.engine.contracts import DoubtDecision, Explanation, OutboxState, Status, TouchState
from cadenza.engine.doubts import decide
from cadenza.engine.explain import explain, plan, touches_in_doubt
from cadenza.engine.handing_over import hand_over
from cadenza.engine.lifecycle import launch, pause, pause_all, resume, status, stop, upcoming
from cadenza.engine.outbox import MOST, give_up, keep_back, leave_out, let_go, outbox
from cadenza.engine.readiness import readiness
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import ApiUnit, FieldProblem, Limit, Shape, api_router

router = api_router("engine")

Door = Callable[[Unit, Actor, str], Awaitable[Status]]
CampaignId = Annotated[UUID, Path(description="The campaign's id")]


class StepShape(Shape):
    step: str
    variant: str
    counts: dict[str, int]


class StatusShape(Shape):
    """As ``cadenza campaigns status --json``."""

    campaign: str
    version: int
    state: CampaignState
    enrolled: int
    due: int
    next_due_at: datetime | None
    counts: dict[str, int]
    steps: list[StepShape]


class ReadinessShape(Shape):
    """``people`` would be enrolled; ``stopped`` of them may not be written to and get nothing."""

    campaign: str
    version: int
    state: CampaignState
    people: int
    stopped: int
    problems: list[FieldProblem]


class UpcomingShape(Shape):
    enrolment_id: UUID
    campaign_id: UUID
    contact_id: UUID
    step: str
    at: datetime
    why: str


class GateShape(Shape):
    gate: str
    answer: str
    why: str


class OptionShape(Shape):
    option: str
    probability: float


class DecisionShape(Shape):
    what: str
    options: list[OptionShape]
    taken: str
    reason: str
    policy: str
    version: int


class TouchShape(Shape):
    id: UUID
    contact_id: UUID
    campaign_id: UUID | None
    conversation_id: UUID | None
    state: TouchState
    channel: str
    step: str | None
    variant: str | None
    sender: str
    recipient: str
    subject: str
    text: str
    message_id: str
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    wire: dict[str, Any] | None


class ExplanationShape(Shape):
    touch: TouchShape
    gates: list[GateShape]
    decisions: list[DecisionShape]


class PlannedShape(Shape):
    step: str
    channel: str
    variant: str | None
    at: datetime
    local_time: str
    why: str
    unless: str


class Heir(Shape):
    to: UUID


class HandedOver(Shape):
    sequences: int


class Said(Shape):
    decision: DoubtDecision


@router.get("/campaigns/{campaign_id}/status")
async def campaign_status(request: Request, unit: ApiUnit, campaign_id: CampaignId) -> StatusShape:
    """How it stands: counts by metric, by step and variant."""
    return await _through(request, unit, campaign_id, status)


@router.post("/campaigns/pause")
async def pause_campaigns(request: Request, unit: ApiUnit) -> list[StatusShape]:
    """Pause everything that runs, at once; how each of these stands."""
    return [StatusShape.model_validate(each) for each in await pause_all(unit, actor_of(request))]


@router.get("/campaigns/{campaign_id}/readiness")
async def campaign_readiness(request: Request, unit: ApiUnit, campaign_id: CampaignId) -> ReadinessShape:
    """What a launch would do now: how many people it enrols, and each thing that keeps it from starting."""
    actor = actor_of(request)
    authorize(actor, Action.READ)
    found = await readiness(unit, actor, (await by_id(unit, campaign_id)).name)
    return ReadinessShape.model_validate(found)


@router.post("/campaigns/{campaign_id}/launch")
async def launch_campaign(request: Request, unit: ApiUnit, campaign_id: CampaignId) -> StatusShape:
    """Enrol everybody of the audience and start."""
    return await _through(request, unit, campaign_id, launch)


@router.post("/campaigns/{campaign_id}/pause")
async def pause_campaign(request: Request, unit: ApiUnit, campaign_id: CampaignId) -> StatusShape:
    """Claim nothing more until it is resumed."""
    return await _through(request, unit, campaign_id, pause)


@router.post("/campaigns/{campaign_id}/resume")
async def resume_campaign(request: Request, unit: ApiUnit, campaign_id: CampaignId) -> StatusShape:
    """Go on where it was."""
    return await _through(request, unit, campaign_id, resume)


@router.post("/campaigns/{campaign_id}/stop")
async def stop_campaign(request: Request, unit: ApiUnit, campaign_id: CampaignId) -> StatusShape:
    """End it for everybody; final."""
    return await _through(request, unit, campaign_id, stop)


async def _through(request: Request, unit: Unit, campaign_id: UUID, door: Door) -> StatusShape:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    found = await by_id(unit, campaign_id)
    return StatusShape.model_validate(await door(unit, actor, found.name))


@router.get("/campaigns/{campaign_id}/upcoming")
async def upcoming_touches(
    request: Request, unit: ApiUnit, campaign_id: CampaignId, limit: Limit = 50
) -> list[UpcomingShape]:
    """What leaves next, earliest first."""
    found = await upcoming(unit, actor_of(request), campaign_id=campaign_id, limit=limit)
    return [UpcomingShape.model_validate(each) for each in found]


@router.get("/campaigns/{campaign_id}/plan")
async def planned_touches(
    request: Request, unit: ApiUnit, campaign_id: CampaignId, contact_id: Annotated[UUID, Query()]
) -> list[PlannedShape]:
    """What this person would get from now on, when and why."""
    actor = actor_of(request)
    authorize(actor, Action.READ)
    found = await by_id(unit, campaign_id)
    planned = await plan(unit, actor, contact_id=contact_id, campaign_name=found.name)
    return [PlannedShape.model_validate(each) for each in planned]


@router.get("/touches/in-doubt")
async def doubtful_touches(request: Request, unit: ApiUnit) -> list[TouchShape]:
    """Touches whose sending is uncertain after a crash; each waits for somebody's word."""
    return [TouchShape.model_validate(each) for each in await touches_in_doubt(unit, actor_of(request))]


@router.get("/touches/{touch_id}")
async def explain_touch(request: Request, unit: ApiUnit, touch_id: UUID) -> ExplanationShape:
    """Why a touch was sent, or not: every gate with its answer, every decision, the wire's reply."""
    actor = actor_of(request)
    authorize(actor, Action.READ)
    return _explanation(await explain(unit, actor, touch_id))


@router.post("/touches/{touch_id}/settle")
async def settle_touch(request: Request, unit: ApiUnit, touch_id: UUID, said: Said) -> ExplanationShape:
    """Say what became of a touch in doubt."""
    actor = actor_of(request)
    await decide(unit, actor, touch_id, said.decision)
    return _explanation(await explain(unit, actor, touch_id))


def _explanation(found: Explanation) -> ExplanationShape:
    return ExplanationShape(
        touch=TouchShape.model_validate(found.touch),
        gates=[GateShape(gate=g.gate, answer=g.answer.value, why=g.why) for g in found.touch.gates],
        decisions=[DecisionShape.model_validate(each) for each in found.decisions],
    )


class OutboxItemShape(Shape):
    enrolment_id: UUID
    campaign_id: UUID
    campaign: str
    contact_id: UUID
    step: str
    at: datetime
    why: str
    mailbox_id: UUID | None


class OutboxShape(Shape):
    items: list[OutboxItemShape]
    retries: list[TouchShape]


class Chosen(Shape):
    enrolment_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST)]


class ChosenTouches(Shape):
    touch_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST)]


class Done(Shape):
    done: int  # fewer than were chosen when some had left, or were so already


@router.get("/outbox")
async def read_outbox(
    request: Request,
    unit: ApiUnit,
    state: Annotated[OutboxState, Query()] = OutboxState.SOON,
    mailbox_id: Annotated[UUID | None, Query()] = None,
    limit: Limit = 200,
) -> OutboxShape:
    """What leaves within a day, or is kept back, the earliest first; and what servers put off."""
    found = await outbox(unit, actor_of(request), state=state, sender=mailbox_id, limit=limit)
    return OutboxShape.model_validate(found)


@router.post("/outbox/keep-back")
async def keep_back_touches(request: Request, unit: ApiUnit, chosen: Chosen) -> Done:
    """Nothing leaves to these people in these campaigns until somebody lets it."""
    return Done(done=await keep_back(unit, actor_of(request), chosen.enrolment_ids))


@router.post("/outbox/let-go")
async def let_go_touches(request: Request, unit: ApiUnit, chosen: Chosen) -> Done:
    """What was kept back goes on."""
    return Done(done=await let_go(unit, actor_of(request), chosen.enrolment_ids))


@router.post("/outbox/leave-out")
async def leave_out_touches(request: Request, unit: ApiUnit, chosen: Chosen) -> Done:
    """These people do not get their next step; the sequence goes on with the one after it."""
    return Done(done=await leave_out(unit, actor_of(request), chosen.enrolment_ids))


@router.post("/outbox/give-up")
async def give_up_retries(request: Request, unit: ApiUnit, chosen: ChosenTouches) -> Done:
    """Messages that a server put off are not tried again."""
    return Done(done=await give_up(unit, actor_of(request), chosen.touch_ids))


@router.post("/senders/{mailbox_id}/hand-over")
async def hand_over_people(
    request: Request,
    unit: ApiUnit,
    mailbox_id: Annotated[UUID, Path(description="The mailbox's id")],
    heir: Heir,
) -> HandedOver:
    """Let another sender go on writing to everybody whom this one wrote to first."""
    return HandedOver(sequences=await hand_over(unit, actor_of(request), mailbox_id, heir.to))
