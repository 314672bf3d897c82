"""Loops that outlive the database: while it is away they wait, and go on when it is back."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from cadenza.core.connecting import CommitUncertainError
from cadenza.core.logs import logger

_log = logger("resilience")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


async def outlive_the_database(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run ``loop``, and again after each loss of the database, a little later each time. Other errors pass through."""
    pause = _FIRST_PAUSE
    while True:
        began = asyncio.get_running_loop().time()
        try:
            return await loop()
        except (DBAPIError, NoConnectionFree, CommitUncertainError) as lost:
            if not is_loss(lost):
                raise
            _end_if_told()
            if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            _log.warning(
                "database_away",
                loop=name,
                again_in_seconds=pause,
                why=str(getattr(lost, "orig", lost)).strip()[:200],
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _end_if_told() -> None:
    """A loop that was told to end, and lost the database while it cleared up, does not begin again."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def is_loss(error: Exception) -> bool:
    """Whether it passes by itself: the database is away, somebody holds what we need, or no connection is free."""
    if isinstance(error, CommitUncertainError | NoConnectionFree | OperationalError | InterfaceError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
