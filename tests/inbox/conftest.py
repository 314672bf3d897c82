from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from cadenza.identity.contracts import Actor
from tests.support.campaigns import SENDERS
from tests.support.inbox import read_mail
from tests.support.post import Post, post_office


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, SENDERS) as office:
        yield office


@pytest.fixture
def send(database: Database) -> Callable[[], Coroutine[Any, Any, None]]:
    """Let everything that is due leave."""

    async def drain() -> None:
        dispatcher = Dispatcher(database, Settings())
        while await dispatcher.turn():
            await dispatcher.drain()

    return drain


@pytest.fixture
def fetch(database: Database, workspace: Actor) -> Callable[[], Coroutine[Any, Any, int]]:
    """Read every mailbox once and analyse what was taken in, as the worker does."""

    async def read() -> int:
        return await read_mail(database, workspace)

    return read
