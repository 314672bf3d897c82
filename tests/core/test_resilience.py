import asyncio

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from cadenza.core.resilience import outlive_the_database


async def test_a_loop_goes_on_after_the_database_was_away_and_a_bug_ends_it() -> None:
    runs = 0

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OperationalError("select 1", {}, Exception("the database system is shutting down"))
        raise ProgrammingError("select x", {}, Exception("no such column"))

    with pytest.raises(ProgrammingError):
        await outlive_the_database("test", loop)
    assert runs == 2


async def test_a_loop_that_is_told_to_end_while_the_database_is_away_ends() -> None:
    began = asyncio.Event()

    async def loop() -> None:
        try:
            began.set()
            await asyncio.sleep(60)
        finally:
            raise OperationalError("delete from processes", {}, Exception("the server is gone"))

    task = asyncio.create_task(outlive_the_database("test", loop))
    await began.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert task in done
    assert task.cancelled()
