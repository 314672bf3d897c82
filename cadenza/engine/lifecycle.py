"""Launching, pausing, resuming and stopping a campaign, and how it stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cadenza.analytics.service import counts
from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.campaigns.service import audience_of, campaign, campaigns, set_state
from cadenza.channels.service import by_hand
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.engine import progress_store, repository
from cadenza.engine.contracts import EnrolmentState, Status, StepCounts, UpcomingTouch
from cadenza.engine.ending import end
from cadenza.engine.ids import enrolment_id
from cadenza.engine.launch_checks import check_ready
from cadenza.engine.models import EnrolmentRow
from cadenza.engine.planning import Ahead, Planner, planner_of
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

_BATCH = 1000


async def launch(unit: Unit, actor: Actor, name: str) -> Status:
    """Enrol everybody of the audience and start. Raises ``CadenzaError`` naming each thing that is missing."""
    authorize(actor, Action.RUN_CAMPAIGNS)
    found = await _alone(unit, actor, name)
    _must_be(found, CampaignState.DRAFT, "launched")
    contact_ids = await audience_of(unit, found.definition)
    await check_ready(unit, found, contact_ids)
    await by_hand(unit, found.definition.channels)
    await repository.set_run(unit, found.id, state=CampaignState.RUNNING.value, version_id=found.version_id)
    for start in range(0, len(contact_ids), _BATCH):
        await _enrol(unit, found, contact_ids[start : start + _BATCH])
    return await _change(unit, actor, found, CampaignState.RUNNING, EventKind.LAUNCHED)


async def _alone(unit: Unit, actor: Actor, name: str) -> Campaign:
    """The campaign as it stands once nobody else is changing it: two launches at once are one."""
    before = await campaign(unit, actor, name)
    await repository.lock_caps(unit, [before.id])
    return await campaign(unit, actor, name)


def _must_be(found: Campaign, state: CampaignState, done: str) -> None:
    if found.state is not state:
        raise CadenzaError(
            "campaign_state",
            f"{found.name} is {found.state.value}; only a {state.value} campaign can be {done}.",
            Kind.CONFLICT,
        )


async def _enrol(unit: Unit, found: Campaign, contact_ids: Sequence[UUID]) -> None:
    recipients = await load_recipients(unit, contact_ids)
    planner = await planner_of(unit, found.definition.steps[:1])
    made = await repository.enrol(
        unit, [_enrolment(unit, found, recipients[c], planner) for c in contact_ids if c in recipients]
    )
    events = [
        NewEvent(kind=EventKind.ENROLLED, origin="engine", contact_id=contact, campaign_id=found.id)
        for contact in made
    ]
    await record_events(unit, events)


def _enrolment(unit: Unit, found: Campaign, person: Recipient, planner: Planner) -> dict[str, Any]:
    now, identity = unit.world.now(), enrolment_id(found.id, person.contact_id)
    first = planner.row(Ahead(identity, found.definition, found.definition.steps[0], person, now))
    return {
        "workspace_id": unit.workspace_id,
        "id": identity,
        "campaign_id": found.id,
        "contact_id": person.contact_id,
        "account_id": person.account_id,
        "state": EnrolmentState.ACTIVE.value,
        "step": first["step"],
        "next_due_at": first["at"],
        "waiting_for": "",
        "plan": first["plan"],
        "created_at": now,
    }


async def pause(unit: Unit, actor: Actor, name: str) -> Status:
    """Nothing is claimed from now on; what is on the wire already arrives."""
    authorize(actor, Action.RUN_CAMPAIGNS)
    found = await _alone(unit, actor, name)
    _must_be(found, CampaignState.RUNNING, "paused")
    return await _change(unit, actor, found, CampaignState.PAUSED, EventKind.PAUSED)


async def pause_all(unit: Unit, actor: Actor) -> list[Status]:
    """Everything that runs, in one transaction: nothing leaves from now on."""
    authorize(actor, Action.RUN_CAMPAIGNS)
    running = [each.name for each in await campaigns(unit, actor) if each.state is CampaignState.RUNNING]
    return [await pause(unit, actor, name) for name in running]


async def resume(unit: Unit, actor: Actor, name: str) -> Status:
    """Go on where it was; what is past its grace is timed anew."""
    authorize(actor, Action.RUN_CAMPAIGNS)
    found = await _alone(unit, actor, name)
    _must_be(found, CampaignState.PAUSED, "resumed")
    return await _change(unit, actor, found, CampaignState.RUNNING, EventKind.RESUMED)


async def stop(unit: Unit, actor: Actor, name: str) -> Status:
    """Final: everybody who has not ended yet is stopped."""
    authorize(actor, Action.RUN_CAMPAIGNS)
    found = await _alone(unit, actor, name)
    if found.state not in (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.DRAFT):
        raise CadenzaError("campaign_state", f"{found.name} is {found.state.value} already.", Kind.CONFLICT)
    if found.state is not CampaignState.DRAFT:
        active = await repository.enrolments(
            unit, EnrolmentRow.campaign_id == found.id, EnrolmentRow.state.in_(["active", "held"])
        )
        await end(unit, [row.id for row in active], EnrolmentState.STOPPED, "campaign_stopped")
    return await _change(unit, actor, found, CampaignState.STOPPED, EventKind.CAMPAIGN_STOPPED)


async def _change(unit: Unit, actor: Actor, found: Campaign, state: CampaignState, kind: EventKind) -> Status:
    await set_state(unit, found.id, state)
    if found.state is not CampaignState.DRAFT or state is CampaignState.RUNNING:
        await repository.set_run(unit, found.id, state=state.value, version_id=found.version_id)
    await record_events(
        unit,
        [NewEvent(kind=kind, origin=actor.origin.value, campaign_id=found.id, member_id=actor.member_id)],
    )
    await audit(unit, actor, kind.value, found.name)
    return await status(unit, actor, found.name)


async def follow_version(unit: Unit, found: Campaign) -> None:
    """A new version of a running campaign takes over in one transaction (M13)."""
    if found.state in (CampaignState.RUNNING, CampaignState.PAUSED):
        await by_hand(unit, found.definition.channels)
        await repository.set_run(unit, found.id, state=found.state.value, version_id=found.version_id)


async def finish_done(unit: Unit) -> list[UUID]:
    """Campaigns whose people have all ended are finished."""
    done = await repository.campaigns_without_active(unit)
    for campaign_id, version_id in done:
        await repository.set_run(unit, campaign_id, state=CampaignState.FINISHED.value, version_id=version_id)
        await set_state(unit, campaign_id, CampaignState.FINISHED)
        await record_events(
            unit, [NewEvent(kind=EventKind.FINISHED, origin="engine", campaign_id=campaign_id)]
        )
    return [campaign_id for campaign_id, _ in done]


async def status(unit: Unit, actor: Actor, name: str) -> Status:
    """How a campaign stands: five queries, whatever its size."""
    return await status_of(unit, await campaign(unit, actor, name))


async def status_of(unit: Unit, found: Campaign) -> Status:
    """As ``status``, for who has loaded the campaign already."""
    states = await progress_store.state_counts(unit, found.id)
    due, next_due_at, waiting = await progress_store.due_counts(unit, found.id)
    figures = await counts(unit, found.id)
    return Status(
        campaign=found.name,
        version=found.version,
        state=found.state,
        enrolled=sum(states.values()),
        due=due,
        next_due_at=next_due_at,
        counts=figures.total,
        steps=tuple(StepCounts(step, variant, c) for (step, variant), c in figures.steps.items()),
        active=states.get(EnrolmentState.ACTIVE.value, 0),
        held=states.get(EnrolmentState.HELD.value, 0),
        waiting=waiting,
    )


async def next_sendings(unit: Unit, actor: Actor, campaign_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of these campaigns sends next, in world time; those that run and have something planned."""
    authorize(actor, Action.READ)
    return await progress_store.next_sendings(unit, campaign_ids)


async def planned_today(
    unit: Unit, found: Campaign, *, start: datetime, end: datetime, width: timedelta
) -> tuple[dict[int, int], datetime | None]:
    """How many steps leave until ``end`` by spans since ``start``, and when the last of them does; nothing unless it runs."""
    if found.state is not CampaignState.RUNNING:
        return {}, None
    return await progress_store.planned_by_time(unit, found.id, start=start, end=end, width=width)


async def anything_planned(unit: Unit, actor: Actor) -> bool:
    """Whether any running campaign has a step to send."""
    authorize(actor, Action.READ)
    return await progress_store.anything_planned(unit)


async def upcoming(
    unit: Unit, actor: Actor, *, campaign_id: UUID | None = None, limit: int = 20
) -> list[UpcomingTouch]:
    """What leaves next, earliest first; pencil."""
    authorize(actor, Action.READ)
    rows = await progress_store.upcoming(unit, campaign_id, limit)
    return [
        UpcomingTouch(row.id, row.campaign_id, row.contact_id, row.step, row.next_due_at, row.waiting_for)
        for row in rows
        if row.next_due_at
    ]
