"""What cannot be asked is not answered with yes: without an answer about stops, nothing is sent."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from cadenza.identity.contracts import Actor
from tests.support.campaigns import ONE_STEP, SENDERS, document, people, running
from tests.support.post import Post, post_office


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, SENDERS) as office:
        yield office


@contextmanager
def _away(url: str, table: str) -> Iterator[None]:
    """The table is not where the product looks for it, as after a broken restore."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"alter table {table} rename to elsewhere")  # type: ignore[call-overload]
    try:
        yield
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f"alter table elsewhere rename to {table}")  # type: ignore[call-overload]


async def _turns(database: Database, count: int) -> int:
    """How many turns failed, as the worker's loop would see them."""
    wrong, dispatcher = 0, Dispatcher(database, Settings(dispatch_batch=50, lease_seconds=5))
    for _ in range(count):
        try:
            await dispatcher.turn()
        except DBAPIError:
            wrong += 1
        await dispatcher.drain()
    return wrong


@pytest.mark.asvs("16.5.3")
@pytest.mark.parametrize("table", ["suppressions", "addresses", "send_counters"])
async def test_without_an_answer_about_stops_or_limits_nothing_is_sent(
    database: Database, database_url: str, workspace: Actor, post: Post, world: ManualClock, table: str
) -> None:
    await running(database, workspace, post, document(ONE_STEP), people(6))
    world.move(timedelta(days=1))
    with _away(database_url, table):
        assert await _turns(database, 3) == 3
        assert post.letters() == []
    assert await _turns(database, 3) == 0
    assert len(post.touches()) == 6
    assert set(post.touches().values()) == {1}
