"""Servers on loopback that do what a test tells them, and a proxy that cuts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from cadenza.channels.contracts import Server, Tls

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve(handler: Handler, *, tls: Tls = Tls.NONE) -> AsyncIterator[Server]:
    """The handler answers each connection; its connection is closed when it returns."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield Server("127.0.0.1", server.sockets[0].getsockname()[1], tls)
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def cutting(target: Server, limits: Iterator[int]) -> AsyncIterator[Server]:
    """A proxy whose nth connection is cut after the nth number of bytes from the server."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(target.host, target.port)
        up = asyncio.create_task(_copy(reader, up_writer))
        try:
            await _copy(up_reader, writer, next(limits, None))
        finally:
            up.cancel()
            up_writer.close()
            writer.transport.abort()
            await asyncio.gather(up, return_exceptions=True)

    async with serve(handler) as server:
        yield server


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None = None) -> None:
    left = limit
    while left is None or left > 0:
        data = await reader.read(65536 if left is None else min(left, 65536))
        if not data:
            return
        if left is not None:
            left -= len(data)
        writer.write(data)
        await writer.drain()
    await asyncio.sleep(0.01)  # let the last bytes arrive before the cut
