"""Server-sent events: a part of a page, drawn again and sent whenever it has changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import StreamingResponse

from cadenza.core.clock import monotonic
from cadenza.core.errors import CadenzaError

SILENCE = 15.0  # seconds after which a comment is sent, so that proxies and we notice a dead line
LIFETIME = 300.0  # seconds after which the browser is asked to connect anew
RECONNECT = 1000  # milliseconds


def live(
    draw: Callable[[], Awaitable[str]], *, every: float = 1.0, lifetime: float = LIFETIME
) -> StreamingResponse:
    """Call ``draw`` every so many seconds and send what it gives as the event ``part``, if it is new.

    ``draw`` opens a unit of its own and checks the reader's rights each time, so that whoever is signed out or
    loses a role sees nothing more within one turn: a ``CadenzaError`` from it ends the stream.
    """
    return StreamingResponse(
        _frames(draw, every, lifetime),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _frames(draw: Callable[[], Awaitable[str]], every: float, lifetime: float) -> AsyncIterator[str]:
    start = spoken = monotonic()
    last: str | None = None
    yield f"retry: {RECONNECT}\n\n"
    while monotonic() - start < lifetime:
        try:
            part = await _undisturbed(draw)
        except CadenzaError:
            yield _event("over", "")
            return
        if part != last:
            last, spoken = part, monotonic()
            yield _event("part", part)
        elif monotonic() - spoken > SILENCE:
            spoken = monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(every)


_drawing: set[asyncio.Future[str]] = set()


async def _undisturbed(draw: Callable[[], Awaitable[str]]) -> str:
    """Let a drawing that has begun end, also when the reader leaves: a query that is cut off costs its connection."""
    task = asyncio.ensure_future(draw())
    _drawing.add(task)
    task.add_done_callback(_drawing.discard)
    return await asyncio.shield(task)


def _event(name: str, data: str) -> str:
    """One event; the lines of ``data`` may end in any way (WHATWG HTML, 9.2.5)."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
