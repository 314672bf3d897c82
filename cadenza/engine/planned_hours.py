"""A plan as the senders' own working hours leave it."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID
from zoneinfo import ZoneInfo

from cadenza.audience.contracts import Recipient
from cadenza.campaigns.contracts import Campaign
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import mailbox
from cadenza.core.unit import Unit
from cadenza.engine.contracts import PlannedTouch
from cadenza.engine.fleet import senders_of
from cadenza.engine.ids import enrolment_id
from cadenza.engine.schedule import MEETS_WITHIN, next_common_moment
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_inside


async def at_work(
    unit: Unit,
    found: Campaign,
    planned: Sequence[PlannedTouch],
    person: Recipient,
    mailbox_id: UUID | None,
    senders: Sequence[Mailbox] | None = None,
) -> list[PlannedTouch]:
    """Each planned touch, later where nobody who could send it is at work then; the reason says so."""
    boxes = await _boxes(unit, found, mailbox_id, senders)
    hours = {box.hours for box in boxes if box.hours}
    if not hours or any(box.hours is None for box in boxes):
        return list(planned)
    return [_shifted(found, each, person, hours) if each.channel == "email" else each for each in planned]


async def _boxes(
    unit: Unit, found: Campaign, mailbox_id: UUID | None, senders: Sequence[Mailbox] | None
) -> Sequence[Mailbox]:
    """Whoever could send it: the person's own sender, else any of the campaign's."""
    if mailbox_id:
        own = next((box for box in senders or () if box.id == mailbox_id), None)
        return [own or await mailbox(unit, mailbox_id)]
    return senders if senders is not None else await senders_of(unit, found.definition)


def _shifted(found: Campaign, touch: PlannedTouch, person: Recipient, hours: set[Window]) -> PlannedTouch:
    window = found.definition.window
    key = f"{enrolment_id(found.id, person.contact_id)}/{touch.step}"
    meetings = [
        next_common_moment(touch.at, window, person.timezone, person.country, each, key) for each in hours
    ]
    met = [moment for moment in meetings if moment]
    if not met:
        why = f"the sender's working hours do not meet this person's within {MEETS_WITHIN.days} days"
        return replace(touch, why=why)
    if any(is_inside(each, touch.at, each.zone or "UTC", None) for each in hours):
        return touch
    at = min(met)
    local = at.astimezone(ZoneInfo(window.zone or person.timezone)).isoformat(timespec="minutes")
    return replace(touch, at=at, local_time=local, why=f"{touch.why}; then within the sender's working hours")
