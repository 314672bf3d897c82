"""The answer to COMMIT is lost: what is there is read back before anything else. Fault 7 of the plan, in small."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cadenza.app.benchmarks.lost_commits import run
from cadenza.core.clock import ManualClock
from cadenza.core.connecting import CommitUncertainError
from cadenza.core.database import Database
from cadenza.core.resilience import until_known
from cadenza.core.settings import Settings
from cadenza.engine.dispatcher import Dispatcher
from cadenza.identity.contracts import Actor
from tests.support.campaigns import ONE_STEP, SENDERS, document, people, running
from tests.support.post import post_office


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.must_not("M1")
async def test_whatever_commit_is_not_answered_nothing_is_sent_twice_or_lost_out_or_in() -> None:
    found = await run(size=12)
    assert found.failed == ()
    assert found.value == 0
    assert found.detail["people"] == found.detail["taken_by_relay"] > 0
    assert found.detail["answers"]["stored"] > 0


def _lost() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))


async def test_after_a_loss_it_is_told_to_look_first() -> None:
    calls: list[bool] = []

    async def work(again: bool) -> str:
        calls.append(again)
        if len(calls) < 3:
            raise _lost()
        return "written"

    assert await until_known(work) == "written"
    assert calls == [False, True, True]


async def test_patience_ends_and_what_no_standby_confirmed_is_not_repeated() -> None:
    async def away(_: bool) -> None:
        raise _lost()

    with pytest.raises(OperationalError):
        await asyncio.wait_for(until_known(away, 0.2), 5)
    calls: list[bool] = []

    async def unconfirmed(again: bool) -> None:
        calls.append(again)
        raise CommitUncertainError

    with pytest.raises(CommitUncertainError):
        await until_known(unconfirmed)
    assert calls == [False]


async def _states(database: Database, workspace_id: UUID) -> dict[str, int]:
    async with database.unit(workspace_id) as unit:
        rows = await unit.session.execute(text("select state, count(*) from touches group by state"))
        return {str(state): int(count) for state, count in rows}


async def test_a_worker_that_ends_gives_back_what_it_did_not_send(
    database: Database, workspace: Actor, tmp_path: Path, world: ManualClock
) -> None:
    async with post_office(tmp_path, world, SENDERS) as post:
        await running(database, workspace, post, document(ONE_STEP), people(6))
        world.move(timedelta(days=1))
        first = Dispatcher(database, Settings(lease_seconds=3600))
        await first.turn()
        running_worker = asyncio.create_task(first.run())
        await asyncio.sleep(0)
        running_worker.cancel()
        await asyncio.gather(running_worker, return_exceptions=True)
        assert set(await _states(database, workspace.workspace_id)) <= {"sent"}, (
            "nothing claimed, nothing in doubt"
        )
        second = Dispatcher(database, Settings())
        while await second.turn():
            await second.drain()
        assert len(post.touches()) == 6
        assert set(post.touches().values()) == {1}
