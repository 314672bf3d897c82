"""One person: a single line of time over all campaigns, what is planned, and every stop with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.audience.contracts import Contact, Recipient
from cadenza.audience.service import contact_with_recipient, known_as
from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.campaigns.service import campaigns_by_id
from cadenza.core.unit import Unit
from cadenza.engine.service import plans_of
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import timeline
from cadenza.web.formats import zone_of
from cadenza.web.service import PageUnit, allowed, gettext, reader_of, render

router = APIRouter(include_in_schema=False)

_CONVERSED = {EventKind.REPLIED, EventKind.ABSENT, EventKind.AUTO_REPLIED, EventKind.ANSWERED}


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A planned step, with the campaign that plans it."""

    campaign: str
    step: str
    at: datetime
    why: str
    unless: str


@router.get("/contacts/{contact_id}")
async def page(request: Request, unit: PageUnit, contact_id: UUID) -> Response:
    actor = actor_of(request)
    person, recipient = await contact_with_recipient(unit, actor, contact_id)
    contact_id = person.id  # of one who was merged, whom they were merged into
    happened = await timeline(unit, contact_id=contact_id, also=await known_as(unit, [contact_id]))
    known = await campaigns_by_id(unit, actor, {e.campaign_id for e in happened if e.campaign_id})
    local = unit.world.now().astimezone(zone_of(reader_of(request).timezone))
    return render(
        request,
        "engine/contact.html",
        contact=person,
        happened=list(reversed(happened)),
        plan=await _ahead(unit, recipient, known) if recipient else [],
        campaigns={i: each.name for i, each in known.items()},
        conversed=any(event.kind in _CONVERSED for event in happened),
        record=_record(person),
        may_suppress=allowed(authorize, actor, Action.SUPPRESS),
        now_words=local.strftime("%H:%M"),
        said={"stopped": gettext("Stopped. Nobody here writes to them again.")}.get(
            request.query_params.get("said", ""), ""
        ),
    )


async def _ahead(unit: Unit, person: Recipient, known: Mapping[UUID, Campaign]) -> list[_Ahead]:
    """What every running campaign that the person is in would still send, the earliest first."""
    running = {i: each for i, each in known.items() if each.state is CampaignState.RUNNING}
    plans = await plans_of(unit, person, running)
    found = [
        _Ahead(running[i].name, step.step, step.at, step.why, step.unless)
        for i, steps in plans.items()
        for step in steps
    ]
    return sorted(found, key=lambda step: step.at)


def _record(person: Contact) -> list[tuple[str, str]]:
    given = [
        (gettext("Address"), person.email),
        (gettext("Phone"), person.phone_e164),
        (gettext("LinkedIn"), person.linkedin_url),
        (gettext("Website"), person.website),
        (gettext("Company domain"), person.account.domain if person.account else None),
        (gettext("Industry"), person.account.industry if person.account else None),
        (gettext("Country"), person.country),
        (gettext("Language"), person.language),
        (gettext("Time zone"), person.timezone),
        *person.custom.items(),
        *(person.account.custom if person.account else {}).items(),
    ]
    return [(name, str(value)) for name, value in given if value not in (None, "")]
