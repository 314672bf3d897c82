"""kill -9 at every outbound write point of a real worker process; then ledger and database must agree (M1)."""

import asyncio

import pytest

from cadenza.app.benchmarks.crashes import Scene, outbound_points, scene
from cadenza.core.faults import POINTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_PEOPLE = 120


@pytest.mark.must_not("M1")
async def test_nothing_is_sent_twice_or_lost_when_the_worker_dies_at_every_write_point() -> None:
    async with scene(_PEOPLE) as stage:
        died = {point: await stage.crash_at(point, 1) for point in outbound_points()}
        await stage.drain()
        figures, broken = await stage.verdict(_PEOPLE)
    assert broken == (), figures
    assert all(died.values()), died
    assert figures["in_doubt"] <= 4 * len(died)  # one a connection


def _answer_everybody(stage: Scene) -> None:
    for entry in stage.ledger.entries:
        head = entry.content.decode("latin-1").split("\r\n\r\n")[0]
        message_id = next(line for line in head.splitlines() if line.startswith("Message-ID:")).split()[1]
        answer = (
            f"From: {entry.recipient}\r\nTo: {entry.sender}\r\nSubject: Re: x\r\nIn-Reply-To: {message_id}\r\n"
            f"Message-ID: <answer{entry.number}@theirs.example>\r\n\r\nThank you, please call me. Number {entry.number}.\r\n"
        )
        stage.store.deliver(entry.sender, answer.encode())


async def test_no_reply_is_lost_or_doubled_when_the_reader_dies_before_or_after_its_commit() -> None:
    people = 4
    async with scene(people) as stage:
        await stage.drain()
        _answer_everybody(stage)
        died = [await stage.crash_at(point, 1) for point in POINTS if point.startswith("inbound.")]
        await stage.start_worker()
        for _ in range(100):
            if await stage.count("select count(*) from messages where analysis is not null") == people:
                break
            await asyncio.sleep(0.2)
        await stage.kill_worker()
        assert died == [True, True]
        assert await stage.count("select count(*) from messages") == people
        assert await stage.count("select count(*) from events where kind = 'replied'") == people
        assert (
            await stage.count("select count(distinct contact_id) from messages where analysis is not null")
            == people
        )
