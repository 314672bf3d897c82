"""A connection that nobody waits for any more is ended, not left half opened."""

import asyncio

from cadenza.core.connecting import Way, connection_arguments


async def test_who_stops_waiting_leaves_no_connection_behind(server_url: str) -> None:
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(Way(connection_arguments(server_url)).connect())
    await asyncio.sleep(0)
    (greeting,) = asyncio.all_tasks() - before - {waiting}
    await asyncio.sleep(0)  # it said its first word
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    connection = await greeting
    await asyncio.sleep(0)
    assert connection.closed
