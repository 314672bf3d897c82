"""A stop of many people that goes on in batches, beside a worker that sends: whom a batch has reached gets no more mail."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.audience import bulk, bulk_store
from cadenza.audience.bulk import Whom, change_many, run_change
from cadenza.audience.contracts import BulkKind
from cadenza.audience.segment_rules import EVERYBODY
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from cadenza.identity.contracts import Actor
from tests.support.campaigns import TWO_STEPS, document, people, running
from tests.support.post import Post

pytestmark = pytest.mark.postgres

COUNT, BATCH = 20, 5


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_store, "BATCH", BATCH)
    monkeypatch.setattr(bulk, "AT_ONCE", BATCH)


async def _drain(database: Database, settings: Settings) -> None:
    dispatcher = Dispatcher(database, settings)
    while await dispatcher.turn():
        await dispatcher.drain()


async def _stop_everybody(database: Database, actor: Actor) -> UUID:
    async with database.unit(actor.workspace_id) as unit:
        return (await change_many(unit, actor, BulkKind.STOP, Whom(EVERYBODY))).id


async def _one_batch(database: Database, actor: Actor, change_id: UUID) -> None:
    async with database.unit(actor.workspace_id) as unit:
        await bulk_store.step(unit, await bulk_store.change_row(unit, change_id, lock=True))


async def _stopped(database: Database, actor: Actor) -> set[str]:
    query = text("select value from suppressions where kind = 'address'")
    async with database.unit(actor.workspace_id) as unit:
        return set(await unit.session.scalars(query))


@pytest.mark.must_not("M3")
async def test_whom_a_batch_has_reached_gets_no_more_mail_and_the_others_do(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(TWO_STEPS), people(COUNT))
    stop = await _stop_everybody(database, workspace)
    for _ in range(2):
        await _one_batch(database, workspace, stop)
    stopped = await _stopped(database, workspace)
    assert len(stopped) == 2 * BATCH
    world.move(timedelta(days=1))
    await _drain(database, quick)
    written_to = {letter.recipient for letter in post.letters()}
    assert len(written_to) == COUNT - 2 * BATCH
    assert not written_to & stopped
    await run_change(database, workspace_id=str(workspace.workspace_id), change_id=str(stop))
    for _ in range(4):
        world.move(timedelta(days=1))
        await _drain(database, quick)
    assert len(post.letters()) == COUNT - 2 * BATCH, "nobody gets the second message"
