"""Every process is replaced while people read and mail goes out: fault 5 of the plan, in small."""

import asyncio
import random
import signal
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest

from cadenza.app.benchmarks.api import free_port
from cadenza.app.benchmarks.crashes import scene
from cadenza.app.benchmarks.restarts import Readers, one_round, supervised
from cadenza.app.benchmarks.scratch import PASSWORD
from cadenza.app.leaving import Door
from cadenza.core import supervisor
from cadenza.core.supervisor import Child, supervise
from cadenza.identity.service import log_in


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.must_not("M1")
async def test_nobody_notices_that_every_process_is_replaced_and_nothing_is_sent_twice_or_in_doubt() -> None:
    people = 60
    async with scene(people, slowly=0.2) as stage:
        cookie = await log_in(stage.database, "bench@bench.example", PASSWORD, "127.0.0.1")
        readers = Readers(free_port(), cookie)
        async with (
            supervised(stage, readers.port) as (children, renew),
            readers.reading(random.Random(7)),
        ):
            while not stage.ledger.entries:
                await asyncio.sleep(0.1)
            sent = len(stage.ledger.entries)
            found = await one_round(children, renew)
            assert len(stage.ledger.entries) > sent, "sending went on meanwhile"
        await stage.drain()
        figures, broken = await stage.verdict(people)
    assert found.wrong == ()
    assert found.longest < 30
    assert readers.failed == {}
    assert readers.torn == 0
    assert readers.streams > 0
    assert readers.told > 0, "connections that were in use were told to come anew"
    assert broken == ()
    assert figures["in_doubt"] == 0


@contextmanager
def _programs(*scripts: str) -> Iterator[Any]:
    """The first script's process is started first, and so on; each is told as ours are, by files and signals."""
    left = iter(scripts)
    original = asyncio.create_subprocess_exec

    async def start(program: str, *_: str, **options: Any) -> Any:
        return await original(program, "-c", next(left), **options)

    yield start


_STAYS = "import os, time\nready = os.environ.get('CADENZA_READY_FD')\nready and os.write(int(ready), b'1')\ntime.sleep(60)"
_BREAKS = "raise SystemExit(3)"


async def _until(true: Any) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to that")


async def test_who_is_there_stays_when_the_successor_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    child, stop, renew = Child(("worker",)), asyncio.Event(), asyncio.Event()
    with _programs(_STAYS, _BREAKS, _STAYS) as start:
        monkeypatch.setattr(supervisor.asyncio, "create_subprocess_exec", start)
        keeping = asyncio.create_task(supervise([child], {}, stop, renew))
        await _until(lambda: child.process is not None)
        first = child.process
        assert first is not None
        renew.set()
        await _until(lambda: not renew.is_set())
        await asyncio.sleep(1)
        assert child.process is first
        assert first.returncode is None
        renew.set()
        await _until(lambda: child.process is not first)
        await _until(lambda: first.returncode == -signal.SIGTERM)
        assert child.process is not None
        assert child.process.returncode is None
        stop.set()
        await asyncio.wait_for(keeping, 20)
        assert child.process.returncode == -signal.SIGINT


async def _answer(door: Door, path: str = "/", version: str = "1.1") -> list[MutableMapping[str, Any]]:
    said: list[MutableMapping[str, Any]] = []
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> MutableMapping[str, Any]:
        if message := next(asked, None):
            return message
        await asyncio.sleep(60)
        raise AssertionError("the reader stays")

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await door({"type": "http", "path": path, "http_version": version}, receive, send)
    return said


async def _page(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"page"})


async def _stream(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
    )
    await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
    assert (await receive())["type"] == "http.disconnect"


async def test_an_answer_ends_its_connection_once_the_process_is_leaving() -> None:
    door = Door(_page, alone=False)
    assert dict((await _answer(door))[0]["headers"]).get(b"connection") is None
    door.closing.set()
    assert dict((await _answer(door))[0]["headers"])[b"connection"] == b"close"
    assert dict((await _answer(door, version="2"))[0]["headers"]).get(b"connection") is None
    assert (await _answer(door, "/healthz"))[0]["status"] == 200, "its successor is behind the same address"


async def test_a_balancer_is_told_by_the_probe_where_nobody_takes_over() -> None:
    door = Door(_page, alone=True)
    assert (await _answer(door, "/healthz"))[0]["status"] == 200
    door.closing.set()
    assert (await _answer(door, "/healthz"))[0]["status"] == 503
    assert (await _answer(door))[0]["status"] == 200


async def test_a_live_stream_ends_whole_when_the_process_is_leaving() -> None:
    door = Door(_stream, alone=False)
    answering = asyncio.create_task(_answer(door))
    await asyncio.sleep(0.05)
    assert not answering.done()
    door.closing.set()
    said = await asyncio.wait_for(answering, 5)
    assert said[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
