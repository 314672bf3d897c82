"""The database is restarted, locked and short of connections under work: faults 6 and 13 of the plan, in small."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from cadenza.app.benchmarks.crashes import Scene, restart_database, scene
from cadenza.app.composition import web_app
from cadenza.core.clock import MachineClock, monotonic
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.identity.service import create_workspace, log_in

_SOON = 10.0  # seconds after which everything is as before: the number of the plan
_SENT = "select count(*) from touches where state = 'sent'"


async def _seconds_until_more(stage: Scene) -> float:
    began, before = monotonic(), await stage.count(_SENT)
    while await stage.count(_SENT) == before and monotonic() - began < 3 * _SOON:
        await asyncio.sleep(0.1)
    return monotonic() - began


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_sending_goes_on_soon_after_each_restart_of_the_database_and_nothing_is_sent_twice() -> None:
    people = 400
    async with scene(people) as stage:
        await stage.start_worker()
        await _seconds_until_more(stage)
        took = []
        for _ in range(2):
            await restart_database(stage)
            if await stage.unsettled():
                took.append(await _seconds_until_more(stage))
        await stage.drain()
        _, broken = await stage.verdict(people)
    assert broken == ()
    assert all(seconds <= _SOON for seconds in took), took


@pytest.fixture
async def visitor(database_url: str, secrets: SecretBox) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in; two connections for all, and little patience with locks."""
    impatient = database_url + ("&" if "?" in database_url else "?") + "options=-c%20lock_timeout%3D300"
    database = Database(
        impatient, secrets=secrets, machine=MachineClock(), pool=2, max_overflow=0, pool_timeout=0.5
    )
    await create_workspace(
        database, "North", owner_email="ada@north.example", owner_name="Ada", password=_PASSWORD
    )
    token = await log_in(database, "ada@north.example", _PASSWORD, "192.0.2.1")
    transport = httpx.ASGITransport(web_app(database, Settings(sandbox=True)))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        client.cookies.set(SESSION_COOKIE, token)
        client.headers["accept"] = "text/html"
        yield client
    await database.close()


_PASSWORD = "a long enough password of ours"


async def test_pages_say_that_they_wait_while_a_table_is_held_and_are_as_before_afterwards(
    visitor: httpx.AsyncClient, database_url: str
) -> None:
    assert (await visitor.get("/campaigns")).status_code == 200
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("lock table campaigns in access exclusive mode")
        held = await asyncio.gather(*(visitor.get("/campaigns") for _ in range(6)))
        assert (await visitor.get("/senders")).status_code == 200, "others are not held up"
    assert {answer.status_code for answer in held} == {503}
    assert "Nothing of this request was kept" in held[0].text
    assert "canceling statement" not in held[0].text, "nothing of the inside"
    began = monotonic()
    after = await asyncio.gather(*(visitor.get("/campaigns") for _ in range(6)))
    assert {answer.status_code for answer in after} == {200}
    assert monotonic() - began < _SOON


async def test_an_empty_pool_is_waited_for_a_moment_and_then_told(
    visitor: httpx.AsyncClient, database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("set lock_timeout = 0")
        await other.execute("lock table sessions in access exclusive mode")
        answers = await asyncio.gather(*(visitor.get("/senders") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {503}
    assert (await visitor.get("/senders")).status_code == 200
