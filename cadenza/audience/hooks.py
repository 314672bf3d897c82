"""What rooms above tell and are told: audience may not import them, so they register themselves when they are loaded."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from cadenza.core.unit import Unit

CampaignNames = Callable[[Unit], Awaitable[Mapping[UUID, str]]]
WhenMerged = Callable[[Unit, UUID, UUID], Awaitable[None]]

_campaign_names: list[CampaignNames] = []
_when_merged: list[WhenMerged] = []


def tell_campaign_names(source: CampaignNames) -> None:
    """Names of campaigns, newest first, for filters by membership. Who asks twice is asked once."""
    if source not in _campaign_names:
        _campaign_names.append(source)


def when_merged(handler: WhenMerged) -> None:
    """Be called as ``handler(unit, survivor, merged)`` in the unit that merges two contacts, to point rows of one's own
    at the survivor. What it raises undoes the merge.
    """
    if handler not in _when_merged:
        _when_merged.append(handler)


async def campaign_names(unit: Unit) -> dict[UUID, str]:
    return {key: name for source in _campaign_names for key, name in (await source(unit)).items()}


async def tell_merged(unit: Unit, survivor: UUID, merged: UUID) -> None:
    for handler in _when_merged:
        await handler(unit, survivor, merged)
