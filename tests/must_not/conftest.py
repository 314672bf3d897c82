from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from tests.support.campaigns import SENDERS
from tests.support.post import Post, post_office


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, SENDERS) as office:
        yield office


@pytest.fixture
def quick() -> Settings:
    return Settings(dispatch_batch=50, lease_seconds=5)


@pytest.fixture
def send(database: Database, quick: Settings) -> Callable[[], Coroutine[Any, Any, None]]:
    """Let everything that is due leave."""

    async def drain() -> None:
        dispatcher = Dispatcher(database, quick)
        while await dispatcher.turn():
            await dispatcher.drain()

    return drain
