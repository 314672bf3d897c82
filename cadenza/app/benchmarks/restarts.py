"""Every process is replaced, one after another, ten times, while people read and mail goes out: nobody notices."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from cadenza.app.benchmarks.api import free_port, until_up
from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.crashes import Scene, people_lost, scene
from cadenza.app.benchmarks.scratch import CAMPAIGN, PASSWORD
from cadenza.app.starting import listener_on
from cadenza.core.clock import monotonic
from cadenza.core.supervisor import Child, supervise
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.identity.service import log_in

_ROUNDS = 10
_PEOPLE_A_ROUND = 150
_SLOWLY = 0.5
_CALM_SECONDS = 10.0
_EXIT_SECONDS = 30.0
_LONGEST_ROUND = 180.0
_KEPT, _FRESH = 12, 4  # readers with one connection for all their pages, and with one for each
_LONGEST_PAUSE = 2.0


@dataclass
class Readers:
    """People who read pages all the time. A request that was sent and got no whole answer of 200 is a failed one."""

    port: int
    cookie: str
    times: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    told: int = 0  # answers that said that their connection ends
    streams: int = 0  # live streams that ended as they should
    torn: int = 0  # and those that did not

    @asynccontextmanager
    async def reading(self, dice: random.Random) -> AsyncIterator[None]:
        readers = [
            *(self._read(random.Random(dice.random()), keep=number < _KEPT) for number in range(_KEPT + _FRESH)),
            self._watch(),
        ]  # fmt: skip
        tasks = [asyncio.create_task(each) for each in readers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, dice: random.Random, *, keep: bool) -> None:
        async with Connection(self.port) as connection:
            while True:
                await asyncio.sleep(dice.uniform(0, _LONGEST_PAUSE))
                began = monotonic()
                try:
                    head = await connection.get(dice.choice(_PAGES), self.cookie, keep=keep)
                except (OSError, asyncio.IncompleteReadError) as wrong:
                    self.failed[type(wrong).__name__] += 1
                    connection.close()
                    continue
                self.times.append(monotonic() - began)
                if not head.startswith(b"HTTP/1.1 200"):
                    self.failed[head[9:12].decode()] += 1
                if not keep or b"connection: close" in head.lower():
                    self.told += keep
                    connection.close()

    async def _watch(self) -> None:
        """The live page's stream: it may end at any time, but whole, and is asked for again."""
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(_request(f"/campaigns/{CAMPAIGN}/live/stream", self.cookie))
                body = await reader.read(-1)
                whole = body.startswith(b"HTTP/1.1 200") and body.endswith(b"0\r\n\r\n")
                self.streams += whole
                self.torn += not whole
            finally:
                writer.close()
            await asyncio.sleep(1)


_PAGES = ("/campaigns", "/contacts", "/senders", f"/campaigns/{CAMPAIGN}", "/healthz")


def _request(path: str, cookie: str, *, keep: bool = False) -> bytes:
    how = "keep-alive" if keep else "close"
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {SESSION_COOKIE}={cookie}\r\n"
        f"Accept: text/html\r\nConnection: {how}\r\n\r\n"
    ).encode()


class Connection:
    """One that is opened when it is needed, and anew where the server is seen to have ended it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._both: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._both is not None:
            self._both[1].close()
        self._both = None

    async def get(self, path: str, cookie: str, *, keep: bool) -> bytes:
        """The head of the answer; its body is read and thrown away."""
        if self._both is not None and self._both[0].at_eof():
            self.close()
        if self._both is None:
            self._both = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._both
        writer.write(_request(path, cookie, keep=keep))
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        return head


async def run(size: int = _ROUNDS) -> Result:
    """``restarts``: requests that failed while web and worker processes were replaced in ``size`` rounds."""
    people = size * _PEOPLE_A_ROUND
    async with scene(people, slowly=_SLOWLY) as stage:
        readers = Readers(
            free_port(), await log_in(stage.database, "bench@bench.example", PASSWORD, "127.0.0.1")
        )
        async with (
            supervised(stage, readers.port) as (children, renew),
            readers.reading(random.Random(20261123)),
        ):
            await asyncio.sleep(_CALM_SECONDS)
            calm, readers.times = _p95(readers.times), []
            rounds = [await one_round(children, renew) for _ in range(size)]
            sent_meanwhile = len(stage.ledger.entries)
        await stage.drain()
        figures, broken = await stage.verdict(people)
    busy, failed = _p95(readers.times), sum(readers.failed.values()) + readers.torn
    return Result(
        name="restarts",
        value=float(failed),
        unit="failed requests",
        baselines=(Baseline("95th percentile of answers in calm, ms", round(calm * 1000, 1), round(busy / calm, 2)),),
        detail={
            **figures, "rounds": size, "requests": len(readers.times), "failures": dict(readers.failed), "told": readers.told,
            "streams_ended_whole": readers.streams, "streams_torn": readers.torn, "sent_meanwhile": sent_meanwhile,
            "longest_exit_seconds": max(each.longest for each in rounds), "lost": people_lost(figures),
        },
        failed=(
            *broken,
            *((f"{failed} requests failed",) if failed else ()),
            *((f"{figures['in_doubt']} touches are in doubt",) if figures["in_doubt"] else ()),
            *(words for each in rounds for words in each.wrong),
        ),
    )  # fmt: skip


@dataclass
class Round:
    """How long each process took to end after its successor was there, and what went wrong with which."""

    longest: float
    wrong: tuple[str, ...]


@asynccontextmanager
async def supervised(stage: Scene, port: int) -> AsyncIterator[tuple[list[Child], asyncio.Event]]:
    """Two web processes and a worker, kept as `cadenza up` keeps them; the event has them renewed."""
    web = (Child(("web",), listener_on("127.0.0.1", port)) for _ in range(2))
    children = [*web, Child(("worker",))]
    environment = stage.environment(
        CADENZA_PORT=str(port),
        CADENZA_PUBLIC_URL=f"http://localhost:{port}",
        CADENZA_DISPATCH_CONNECTIONS="1",
    )
    stop, renew = asyncio.Event(), asyncio.Event()
    keeping = asyncio.create_task(supervise(children, environment, stop, renew))
    try:
        await until_up(f"http://127.0.0.1:{port}")
        yield children, renew
    finally:
        stop.set()
        await keeping
        for child in children:
            if child.listener is not None:
                child.listener.close()


async def one_round(children: list[Child], renew: asyncio.Event) -> Round:
    """Have all replaced, and look at how those who were there ended."""
    before = [child.process for child in children]
    endings = [asyncio.create_task(_ending(child)) for child in children]
    renew.set()
    try:
        async with asyncio.timeout(_LONGEST_ROUND):
            took = await asyncio.gather(*endings)
    except TimeoutError:
        return Round(_LONGEST_ROUND, ("not all were replaced",))
    codes = [process.returncode for process in before if process is not None]
    wrong = tuple(f"{c.name} ended with {code}" for c, code in zip(children, codes, strict=True) if code)
    late = tuple(
        f"{c.name} took {seconds} s to end"
        for c, seconds in zip(children, took, strict=True)
        if seconds > _EXIT_SECONDS
    )
    return Round(max(took), wrong + late)  # fmt: skip


async def _ending(child: Child) -> float:
    """Seconds from when the successor has the place to the end of who had it."""
    before = child.process
    while child.process is before:
        await asyncio.sleep(0.05)
    began = monotonic()
    if before is not None:
        with contextlib.suppress(ProcessLookupError):
            await before.wait()
    return round(monotonic() - began, 2)


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]
