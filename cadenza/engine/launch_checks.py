"""What keeps a campaign from being launched: nobody to write to, nobody to write, or hours that never meet."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Campaign
from cadenza.channels.contracts import Mailbox
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.unit import Unit
from cadenza.engine.fleet import senders_of
from cadenza.engine.schedule import MEETS_WITHIN, next_common_moment

_BATCH = 1000


async def check_ready(unit: Unit, found: Campaign, contact_ids: Sequence[UUID]) -> None:
    """Raises ``CadenzaError`` (conflict) naming each thing that is missing."""
    boxes = await senders_of(unit, found.definition)
    problems = [*_audience(found, contact_ids), *_senders(found, boxes)]
    if not problems:
        problems += await _hours(unit, found, boxes, contact_ids)
    if problems:
        words = " ".join(p.message for p in problems)
        raise CadenzaError(
            "campaign_not_ready",
            f"{found.name} cannot be launched. {words}",
            Kind.CONFLICT,
            problems=tuple(problems),
        )


def _audience(found: Campaign, contact_ids: Sequence[UUID]) -> list[Problem]:
    if contact_ids:
        return []
    words = f"Nobody from {found.definition.audience} is here. Import the file, or change the segment, first."
    return [Problem(words, key="audience")]


def _senders(found: Campaign, boxes: Sequence[Mailbox]) -> list[Problem]:
    """Each named mailbox must be there and work; of a pool it is enough that one does."""
    pool, known = found.definition.pool, {box.address: box for box in boxes}
    if pool:
        words = f"Nobody in the pool {pool} can send." if boxes else f"There is nobody in the pool {pool}."
        able = any(box.is_connected and box.stop is None for box in boxes)
        return [] if able else [Problem(words, key="senders")]
    missing = [
        Problem(f"There is no sender {address}. Add it with `cadenza senders add`.", key="senders")
        for address in found.definition.mailboxes
        if address not in known
    ]
    unable = [
        Problem(f"{box.address} cannot send: {box.why_not}", key="senders")
        for box in boxes
        if not box.is_connected or box.stop is not None
    ]
    return missing + unable


async def _hours(
    unit: Unit, found: Campaign, boxes: Sequence[Mailbox], contact_ids: Sequence[UUID]
) -> list[Problem]:
    """People whose window no sender's working hours meet: better told now than found waiting in a month."""
    if any(box.hours is None for box in boxes):
        return []
    places: Counter[tuple[str, str | None]] = Counter()
    for start in range(0, len(contact_ids), _BATCH):
        people = await load_recipients(unit, contact_ids[start : start + _BATCH])
        places.update((person.timezone, person.country) for person in people.values())
    hours = {box.hours for box in boxes if box.hours}
    window, now = found.definition.window, unit.world.now()
    alone = {
        zone: count
        for (zone, country), count in places.items()
        if not any(next_common_moment(now, window, zone, country, each, "launch") for each in hours)
    }
    if not alone:
        return []
    where = ", ".join(f"{count} in {zone}" for zone, count in sorted(alone.items())[:5])
    words = (
        f"For some people no sender is at work while they may be written to, within {MEETS_WITHIN.days} days: {where}. "
        "Widen a sender's working hours or the window, or add a sender with other hours."
    )
    return [Problem(words, key="senders")]
