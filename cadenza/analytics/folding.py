"""Makes many parts of a count one, so that a campaign's figures stay a few rows."""

import asyncio

from cadenza.analytics import repository
from cadenza.core.database import Database
from cadenza.core.settings import Settings

_MANY = 500  # parts of a workspace that are worth a fold
_SECONDS = 5.0


async def keep_counts(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The loop of every worker."""
    while True:
        await fold_counts(database)
        await asyncio.sleep(_SECONDS)


async def fold_counts(database: Database, at_least: int = _MANY) -> None:
    """One round over the workspaces that have so many parts."""
    async with database.installation() as session:
        ids = await repository.with_many_parts(session, at_least)
    for workspace_id in ids:
        async with database.unit(workspace_id) as unit:
            await repository.fold(unit)
