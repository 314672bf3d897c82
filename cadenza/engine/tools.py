"""What an assistant may ask about running campaigns: figures, why a touch was sent, what is planned, what leaves next."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cadenza.analytics.contracts import Rate
from cadenza.analytics.service import rates, totals_of
from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.campaigns.service import by_id, campaigns_after
from cadenza.engine.contracts import GateAnswer, OutboxState, TouchState
from cadenza.engine.service import explain, outbox, plan, status
from cadenza.identity.contracts import Action
from cadenza.identity.service import authorize
from cadenza.web.api import cursor, read_cursor
from cadenza.web.tools import Call, Does, Given, Limit, Outside, Part, Told, Toolbox, listed

TOOLS = Toolbox()


class CampaignsAsked(Given):
    state: CampaignState | None = None
    limit: Limit = 20
    after: Annotated[str | None, Field(max_length=64, description="``next`` of the part before")] = None


class OneCampaign(Given):
    campaign_id: UUID


class PlanAsked(OneCampaign):
    contact_id: UUID


class OneTouch(Given):
    touch_id: UUID


class OutboxAsked(Given):
    state: OutboxState = OutboxState.SOON
    mailbox_id: UUID | None = None
    limit: Limit = 20


class RateTold(Told):
    """A share with its 95 % interval; null where nothing was tried yet."""

    metric: str
    successes: int
    trials: int
    value: float | None
    interval: tuple[float, float] | None


class CampaignTold(Told):
    """Counts by metric, from events and nothing else; opens and clicks of machines are counted apart (machine_...)."""

    id: UUID
    name: Outside
    state: CampaignState
    version: int
    launched_at: datetime | None
    counts: dict[str, int]
    rates: list[RateTold]


class StepTold(Told):
    step: str
    variant: str
    counts: dict[str, int]


class CampaignWhole(CampaignTold):
    enrolled: int
    due: int
    next_due_at: datetime | None
    steps: list[StepTold]


class GateTold(Told):
    gate: str
    answer: GateAnswer
    why: Outside


class DecisionTold(Told):
    what: str
    taken: Outside
    reason: Outside
    policy: str


class TouchTold(Told):
    id: UUID
    contact_id: UUID
    campaign_id: UUID | None
    state: TouchState
    step: str | None
    variant: str | None
    sender: str
    recipient: Outside
    subject: Outside
    text: Outside
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    wire: Outside | None
    gates: list[GateTold]


class ExplanationTold(Told):
    touch: TouchTold
    decisions: list[DecisionTold]


class PlannedTold(Told):
    step: str
    channel: str
    variant: str | None
    at: datetime
    local_time: str
    why: Outside
    unless: str


class WaitingTold(Told):
    enrolment_id: UUID
    campaign_id: UUID
    contact_id: UUID
    step: str
    at: datetime
    why: Outside
    mailbox_id: UUID | None


@TOOLS.add(Does.READS, Action.READ, "Campaigns")
async def list_campaigns(call: Call, given: CampaignsAsked) -> Part[CampaignTold]:
    """Campaigns with their figures, newest first."""
    after = read_cursor(given.after) if given.after else None
    found = await campaigns_after(
        call.unit, call.actor, state=given.state, after=after, limit=given.limit + 1
    )
    shown = found[: given.limit]
    totals = await totals_of(call.unit, [each.id for each in shown])
    told = [CampaignTold.model_validate(_told(each, totals[each.id])) for each in shown]
    return Part(items=told, next=cursor(shown[-1].id) if len(found) > given.limit else None)


def _told(found: Campaign, counts: dict[str, int]) -> dict[str, object]:
    shown: list[Rate] = rates(counts)
    names = ("id", "name", "state", "version", "launched_at")
    return {name: getattr(found, name) for name in names} | {"counts": counts, "rates": shown}


@TOOLS.add(Does.READS, Action.READ, "One campaign")
async def read_campaign(call: Call, given: OneCampaign) -> CampaignWhole:
    """How one campaign stands: figures in all, by step and variant, and what is due."""
    authorize(call.actor, Action.READ)
    found = await by_id(call.unit, given.campaign_id)
    standing = await status(call.unit, call.actor, found.name)
    names = ("enrolled", "due", "next_due_at", "steps")
    return CampaignWhole.model_validate(
        _told(found, standing.counts) | {name: getattr(standing, name) for name in names}
    )


@TOOLS.add(Does.READS, Action.READ, "Explain a touch")
async def explain_touch(call: Call, given: OneTouch) -> ExplanationTold:
    """Why a message was sent, or not: every gate with its answer, every decision, the mail server's reply."""
    return ExplanationTold.model_validate(await explain(call.unit, call.actor, given.touch_id))


@TOOLS.add(Does.READS, Action.READ, "A contact's plan")
async def plan_contact(call: Call, given: PlanAsked) -> Part[PlannedTold]:
    """What one person would still get in one campaign, when and why."""
    authorize(call.actor, Action.READ)
    found = await by_id(call.unit, given.campaign_id)
    planned = await plan(call.unit, call.actor, contact_id=given.contact_id, campaign_name=found.name)
    return listed(planned, PlannedTold)


@TOOLS.add(Does.READS, Action.READ, "Outbox")
async def list_outbox(call: Call, given: OutboxAsked) -> Part[WaitingTold]:
    """What leaves within a day, or is kept back, the earliest first; at most 50."""
    found = await outbox(call.unit, call.actor, state=given.state, sender=given.mailbox_id, limit=given.limit)
    return listed(found.items, WaitingTold)
