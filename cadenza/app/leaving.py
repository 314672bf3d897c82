"""How a web process ends while people use it: whoever comes is served, and told to come to another one.

First, for some seconds, it goes on as before, but each answer ends its connection and each live stream is closed, so that
browsers and proxies connect anew. Then it takes no more connections, ends the requests that it has, and is gone.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from granian._granian import SocketHolder
from granian.server.embed import Server

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BACKLOG = 1024
_WITHIN = 25.0  # seconds for everything; a supervisor kills after 30
_TELLING = 5.0  # how long connections that are in use are told
_TELLING_A_BALANCER = 10.0  # it asks every few seconds, and believes the second or third answer
_PROBE = "/healthz"


class Door:
    """Around the application: once ``closing`` is set, every answer says that the connection ends with it.

    ``alone``: nobody else serves this address, so the health probe answers 503 then and a balancer looks elsewhere.
    """

    def __init__(self, application: Application, *, alone: bool) -> None:
        self._application = application
        self._alone = alone
        self.closing = asyncio.Event()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif self._alone and self.closing.is_set() and scope["path"] == _PROBE:
            await _leaving(send)
        else:
            await _Visit(self.closing, receive, send, scope["http_version"]).through(self._application, scope)

    async def close(self) -> None:
        """Tell everybody, for as long as it takes until they have heard it."""
        self.closing.set()
        await asyncio.sleep(_TELLING_A_BALANCER if self._alone else _TELLING)


async def _leaving(send: Send) -> None:
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": head})
    await send({"type": "http.response.body", "body": b"ending"})


class _Visit:
    """One request. A live stream, which would never end by itself, is told that its reader went away."""

    def __init__(self, closing: asyncio.Event, receive: Receive, send: Send, version: str) -> None:
        self._closing = closing
        self._receive = receive
        self._send = send
        self._by_header = version.startswith("1")  # later versions say it by a frame of their own
        self._streams = asyncio.Event()
        self._asked = False  # the whole request has been heard: what follows can only be its end
        self._unfinished = False

    async def through(self, application: Application, scope: MutableMapping[str, Any]) -> None:
        await application(scope, self._hear, self._speak)
        if self._unfinished and self._streams.is_set():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _speak(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._unfinished = True
            headers = list(message.get("headers", ()))
            if any(name == b"content-type" and b"text/event-stream" in value for name, value in headers):
                self._streams.set()
            if self._closing.is_set() and self._by_header:
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
        elif message["type"] == "http.response.body":
            self._unfinished = message.get("more_body", False)
        await self._send(message)

    async def _hear(self) -> Message:
        if not self._asked:
            message = await self._receive()
            self._asked = not message.get("more_body", False)
            return message
        hearing = asyncio.ensure_future(self._receive())
        ending = asyncio.create_task(self._stream_closes())
        try:
            await asyncio.wait([hearing, ending], return_when=asyncio.FIRST_COMPLETED)
            return hearing.result() if hearing.done() else {"type": "http.disconnect"}
        finally:
            hearing.cancel()
            ending.cancel()

    async def _stream_closes(self) -> None:
        await self._streams.wait()
        await self._closing.wait()


class Pages(Server):
    """The server, on a socket that somebody else keeps open where the number of one is given."""

    def __init__(self, door: Door, *, listener: int | None, **options: Any) -> None:
        super().__init__(door, backlog=BACKLOG, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        if self._listener is None:
            super()._init_shared_socket()  # type: ignore[no-untyped-call]
        else:  # as it makes it itself from a number that it passes on to a process of its own
            number: Any = (self._listener, False, BACKLOG)
            self._shd = SocketHolder(*number)  # type: ignore[assignment]


async def serve_pages(server: Pages, door: Door, handing_over: asyncio.Event) -> None:
    """Until cancelled; then what is being answered is answered first, and if somebody takes over, people are told."""
    began, loop = 0.0, asyncio.get_running_loop()
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        began = loop.time()
        if handing_over.is_set():
            await door.close()
        door.closing.set()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait([serving], timeout=_WITHIN - (loop.time() - began))
        raise
