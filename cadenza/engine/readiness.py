"""What a launch would do, told before it is asked for: how many people are enrolled, and what keeps it from starting."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.campaigns.service import audience_of, campaign
from cadenza.core.errors import CadenzaError, Problem
from cadenza.core.unit import Unit
from cadenza.engine.launch_checks import check_ready
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Readiness:
    """``people`` would be enrolled; ``stopped`` of them may not be written to and get nothing. Empty ``problems``: it starts."""

    campaign: str
    version: int
    state: CampaignState
    people: int
    stopped: int
    problems: tuple[Problem, ...]


async def readiness(unit: Unit, actor: Actor, name: str) -> Readiness:
    """The questions of a launch, asked of the version in force without launching. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.READ)
    found = await campaign(unit, actor, name)
    contact_ids = await audience_of(unit, found.definition)
    return Readiness(
        found.name,
        found.version,
        found.state,
        len(contact_ids),
        await _stopped(unit, contact_ids),
        await _problems(unit, found, contact_ids),
    )


async def _problems(unit: Unit, found: Campaign, contact_ids: Sequence[UUID]) -> tuple[Problem, ...]:
    try:
        await check_ready(unit, found, contact_ids)
    except CadenzaError as missing:
        return missing.problems
    return ()


async def _stopped(unit: Unit, contact_ids: Sequence[UUID]) -> int:
    stopped = 0
    for start in range(0, len(contact_ids), _BATCH):
        people = await load_recipients(unit, contact_ids[start : start + _BATCH])
        stopped += sum(person.suppression is not None for person in people.values())
    return stopped
