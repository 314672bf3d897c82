"""Ways to a server that somebody stands in: delayed, cut after so many bytes, or cut where a COMMIT is answered."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cadenza.app.benchmarks.scratch import loopback
from cadenza.channels.contracts import Server

_PIECE = 64 * 1024
Both = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Between = Callable[[Both, Both], Awaitable[None]]


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, limit: int | None = None) -> None:
    """Pass on what comes, ``limit`` bytes of it at most."""
    passed = 0
    while data := await source.read(_PIECE):
        if limit is not None and passed + len(data) > limit:
            sink.write(data[: limit - passed])
            return
        passed += len(data)
        sink.write(data)
        await sink.drain()


async def until_one_ends(*pumps: Awaitable[None]) -> None:
    """Whichever side ends, the other ends too."""
    tasks = [asyncio.ensure_future(each) for each in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _visitor(open_there: Callable[[], Awaitable[Both]], between: Between) -> Callable[..., Awaitable[None]]:
    async def visitor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: Both | None = None
        try:
            there = await open_there()
            await between((reader, writer), there)
        except OSError:
            return  # the server is away: whoever came sees the end of the connection
        finally:
            writer.close()
            if there is not None:
                there[1].close()

    return visitor


@asynccontextmanager
async def way(target: Server, between: Between) -> AsyncIterator[Server]:
    """A port of its own whose every connection is handed, with one to ``target``, to ``between``."""
    visitor = _visitor(lambda: asyncio.open_connection(target.host, target.port), between)
    server = await asyncio.start_server(visitor, "127.0.0.1", 0)
    try:
        yield loopback(int(server.sockets[0].getsockname()[1]))
    finally:
        server.close()


@asynccontextmanager
async def slow_way(target: Server, seconds: float) -> AsyncIterator[Server]:
    """Each piece that the server says arrives so much later, so that the sender waits for it."""

    async def later(here: Both, there: Both) -> None:
        async def answers() -> None:
            while data := await there[0].read(_PIECE):
                await asyncio.sleep(seconds)
                here[1].write(data)

        await until_one_ends(pump(here[0], there[1]), answers())

    async with way(target, later) as entrance:
        yield entrance


@dataclass
class CommitCuts:
    """Takes away the answer to a COMMIT, with this chance, so many times at most.

    Every other time the line is cut as soon as the server has been told, so that it may be the server that hears of it
    too late; else after it has answered.
    """

    most: int
    chance: float
    dice: random.Random
    count: int = field(default=0)

    async def between(self, here: Both, there: Both) -> None:
        cut = asyncio.Event()
        await until_one_ends(self._told(here, there, cut), self._answered(here, there, cut))

    async def _told(self, here: Both, there: Both, cut: asyncio.Event) -> None:
        while data := await here[0].read(_PIECE):
            chosen = data.endswith(_COMMIT) and self.count < self.most and self.dice.random() < self.chance
            if chosen:
                self.count += 1
                cut.set()
            there[1].write(data)
            await there[1].drain()
            if chosen and self.count % 2:
                return

    async def _answered(self, here: Both, there: Both, cut: asyncio.Event) -> None:
        while (data := await there[0].read(_PIECE)) and not cut.is_set():
            here[1].write(data)
            await here[1].drain()


_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # a simple query, as the driver ends a transaction


@asynccontextmanager
async def cutting_way(sockets: Path, folder: Path, cuts: CommitCuts) -> AsyncIterator[Path]:
    """A folder with a socket of PostgreSQL's name that leads to the one in ``sockets``."""
    name = ".s.PGSQL.5432"
    visitor = _visitor(lambda: asyncio.open_unix_connection(sockets / name), cuts.between)
    server = await asyncio.start_unix_server(visitor, folder / name)
    try:
        yield folder
    finally:
        server.close()
        with suppress(FileNotFoundError):
            (folder / name).unlink()
