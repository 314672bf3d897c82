from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cadenza.core.clock import ManualClock
from cadenza.core.settings import Settings
from tests.support.campaigns import SENDERS
from tests.support.post import Post, post_office


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, SENDERS) as office:
        yield office


@pytest.fixture
def quick() -> Settings:
    return Settings(dispatch_batch=50, lease_seconds=5)
