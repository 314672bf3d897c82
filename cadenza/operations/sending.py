"""The hold on sending, as people see and end it. What sets it is in ``core.holding``."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core import holding
from cadenza.core.clock import WorldClock
from cadenza.core.database import Database, enter_workspace
from cadenza.core.holding import Hold, installation
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.engine.service import Comparison, compare_sent
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, workspaces

_LOOK_SECONDS = 5.0
_AGAIN = timedelta(minutes=1)  # for mailboxes that could not be asked


async def hold_of(database: Database) -> Hold | None:
    async with database.installation() as session:
        return (await installation(session)).hold


async def compare(database: Database) -> Comparison | None:
    """Compare the Sent folders with what is known here and note the result; None when nothing is held."""
    hold = await hold_of(database)
    if hold is None:
        return None
    # In the sandbox copies are dated in world time, so all of them are looked through.
    simulated = isinstance(database.world, WorldClock) and database.world.anchor is not None
    result = await compare_sent(database, None if simulated else hold.lost_from)
    await holding.note_compared(database, asdict(result))
    return result


async def compare_when_held(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The worker's loop: as soon as sending is held the Sent folders are compared; a person then lets it go on."""
    while True:
        hold = await hold_of(database)
        if hold and _is_due(hold, database):
            await compare(database)
        await asyncio.sleep(_LOOK_SECONDS)


def _is_due(hold: Hold, database: Database) -> bool:
    if hold.compared_at is None or hold.compared is None:
        return True
    return bool(hold.compared["unreachable"]) and database.machine.now() - hold.compared_at > _AGAIN


async def hold_sending(database: Database, actor: Actor) -> None:
    """By hand, in every workspace of the installation."""
    authorize(actor, Action.RELEASE_HOLD)
    await holding.hold(database)
    async with database.installation() as session:
        await _note(session, database, actor, "hold_sending", {})


async def release_sending(database: Database, actor: Actor, *, without_comparing: bool = False) -> None:
    """Sending goes on. Raises ``not_held`` and ``not_compared``; the audit trail of every workspace has who did it."""
    authorize(actor, Action.RELEASE_HOLD)
    async with database.installation() as session:
        hold = await holding.release(session, without_comparing=without_comparing)
        data = {
            "reason": hold.reason,
            "compared": hold.compared is not None,
            "without_comparing": without_comparing,
        }
        await _note(session, database, actor, "release_sending", data)
    database.hold = None


async def _note(
    session: AsyncSession, database: Database, actor: Actor, act: str, data: dict[str, Any]
) -> None:
    for workspace in await workspaces(database):
        await enter_workspace(session, workspace.id)
        unit = Unit(session, workspace.id, database.world, database.machine, database.secrets)
        same = actor if workspace.id == actor.workspace_id else _elsewhere(actor, workspace.id)
        await audit(unit, same, act, **data)


def _elsewhere(actor: Actor, workspace_id: UUID) -> Actor:
    """In another workspace's trail the member is a name, not an id of theirs."""
    return Actor(workspace_id, actor.role, actor.origin, None, actor.name)
