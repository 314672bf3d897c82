import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.jobs import enqueue, run_jobs

pytestmark = pytest.mark.postgres


async def _until(done: asyncio.Event, database: Database, jobs: dict[str, object]) -> None:
    worker = asyncio.create_task(run_jobs(database, jobs))  # type: ignore[arg-type]
    try:
        await asyncio.wait_for(done.wait(), 20)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_a_job_exists_if_and_when_its_transaction_commits(database: Database) -> None:
    seen: list[str] = []
    done = asyncio.Event()

    async def job(_: Database, *, word: str) -> None:
        seen.append(word)
        if word == "kept":
            done.set()

    async with database.unit(uuid4()) as unit:
        await enqueue(unit.session, "test.job", word="rolled back")
        await unit.session.rollback()
    async with database.unit(uuid4()) as unit:
        await enqueue(unit.session, "test.job", word="kept")
    await _until(done, database, {"test.job": job})
    assert seen == ["kept"]


async def test_a_temporary_error_is_tried_again_and_another_is_not(database: Database) -> None:
    calls: list[str] = []
    done = asyncio.Event()

    async def job(_: Database, *, word: str) -> None:
        calls.append(word)
        if word == "wrong":
            raise CadenzaError("wrong", "It will never work.")
        if calls.count("later") == 1:
            raise CadenzaError("later", "Not now.", Kind.TEMPORARY)
        done.set()

    async with database.unit(uuid4()) as unit:
        await enqueue(unit.session, "test.job", word="wrong")
        await enqueue(unit.session, "test.job", word="later")
    await _until(done, database, {"test.job": job})
    assert calls.count("later") == 2
    assert calls.count("wrong") == 1
    async with database.installation() as session:
        states = await session.execute(text("select args->>'word', status::text from procrastinate_jobs"))
        assert dict(list(states)) == {"wrong": "failed", "later": "succeeded"}
