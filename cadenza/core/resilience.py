"""Loops that outlive the database: while it is away they wait, and go on when it is back."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from cadenza.core.connecting import CommitUncertainError
from cadenza.core.logs import logger

_log = logger("resilience")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_PATIENCE = 15.0  # seconds; within what a process has to end

LOSSES = DBAPIError, NoConnectionFree, CommitUncertainError, ConnectorException  # what `is_loss` tells apart

T = TypeVar("T")


async def outlive_the_database(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run ``loop``, and again after each loss of the database, a little later each time. Other errors pass through."""
    pause = _FIRST_PAUSE
    while True:
        began = asyncio.get_running_loop().time()
        try:
            return await loop()
        except LOSSES as lost:
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


async def until_known(work: Callable[[bool], Awaitable[T]], patience: float = _PATIENCE) -> T:
    """``work(False)``; if the database is lost meanwhile, ``work(True)`` until it answers, for ``patience`` seconds.

    What was lost may be the answer to COMMIT alone, so ``work(True)`` reads back first what is there and does the rest.
    Raises the loss when the patience is over, and at once what no standby confirmed: that is there and counts for nothing.
    """
    began, pause, again = asyncio.get_running_loop().time(), _FIRST_PAUSE / 10, False
    while True:
        try:
            return await work(again)
        except (DBAPIError, NoConnectionFree) as lost:
            if not is_loss(lost) or asyncio.get_running_loop().time() - began > patience:
                raise
        await asyncio.sleep(pause)
        pause, again = min(pause * 2, _FIRST_PAUSE), True


def _end_if_told() -> None:
    """A loop that was told to end, and lost the database while it cleared up, does not begin again."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def is_loss(error: Exception) -> bool:
    """Whether it passes by itself: the database is away, somebody holds what we need, or no connection is free."""
    if isinstance(error, CommitUncertainError | NoConnectionFree | OperationalError | InterfaceError):
        return True
    if isinstance(error, ConnectorException):  # the queue's word for whatever its connection met
        return isinstance(error.__cause__, psycopg.OperationalError | psycopg.InterfaceError)
    return isinstance(error, DBAPIError) and error.connection_invalidated
