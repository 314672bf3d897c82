"""The benchmark of pages measures what it says: its population is there, every page answers, and nothing is refused."""

import asyncio

import psycopg

from cadenza.analytics.service import counts, wrong_counts
from cadenza.app.benchmarks import pages
from cadenza.app.benchmarks.population import Population, populate
from cadenza.app.benchmarks.scratch import KEYS, NOON, loopback
from cadenza.campaigns.service import campaign
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database


async def _populated(database_url: str) -> Population:
    return await populate(database_url, database_url, (loopback(9), loopback(9)), people=400, members=8)


async def test_what_is_filled_in_bulk_is_whole_and_every_page_of_the_mix_answers(
    database_url: str,
) -> None:
    found = await _populated(database_url)
    assert found.rows["contacts"] == 400
    assert found.rows["sessions"] == 8
    assert len(found.campaigns) == 50
    database = Database(database_url, secrets=KEYS, world=ManualClock(NOON))
    async with database.unit(found.actor.workspace_id) as unit:
        assert await wrong_counts(unit) == 0, "counts are kept also for what comes in bulk"
        running = await campaign(unit, found.actor, found.campaigns[0])
        assert (await counts(unit, running.id)).total["enrolled"] == 10
    await database.close()
    with psycopg.connect(database_url) as connection:
        strays = connection.execute("select count(*) from events_default").fetchone()
    assert strays == (0,), "each month has its partition, as in production"
    statements = await pages._count_queries(database_url, found)
    assert set(statements) == set(pages._MIX)
    assert all(statements.values())


async def test_visitors_count_times_and_say_which_answers_were_wrong(database_url: str) -> None:
    found = await _populated(database_url)
    answers = iter([b"HTTP/1.1 200 OK", b"HTTP/1.1 500 Broken"] * 500)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(next(answers) + b"\r\nContent-Length: 3\r\n\r\nabc")
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    seen = await pages._visit(found, port, {"today": ["/"]}, [1], 3, warm_up=0, think=0.5)
    server.close()
    times = seen["times"]["today"]
    wrong = seen["errors"]["today 500"]
    assert len(times) > 10
    assert abs(len(times) - 2 * wrong) <= 1
    assert max(times) < 2000
