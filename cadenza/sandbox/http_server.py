"""Serves an application (ASGI) on loopback over HTTP/1.1, one request a connection: what providers' servers of the sandbox need."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from cadenza.core.logs import logger

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
_LARGEST_HEAD, _LARGEST_BODY = 64_000, 2_000_000
_SECONDS = 30

log = logger(__name__)


class HttpServer:
    """``start`` answers the port; ``cut`` is asked after each answer was made and may drop it, as a lost connection does."""

    def __init__(self, app: App, cut: Callable[[str, str], bool] = lambda _method, _path: False) -> None:
        self._app = app
        self._cut = cut
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        self._server = await asyncio.start_server(self._serve, host, port, limit=_LARGEST_HEAD)
        taken: int = self._server.sockets[0].getsockname()[1]
        return taken

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await self._one(reader, writer)
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            TimeoutError,
            ValueError,
        ):
            pass  # whoever asked is gone, or speaks no HTTP
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = [
            (name.strip().lower(), value.strip())
            for name, _, value in (line.partition(":") for line in lines)
        ]
        length = int(dict(headers).get("content-length", "0"))
        body = await reader.readexactly(min(length, _LARGEST_BODY))
        answer = await self._ask(method, target, headers, body)
        if not self._cut(method, urlsplit(target).path):
            writer.write(answer)
            await writer.drain()

    async def _ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
        parts = urlsplit(target)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(), "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0),
        }  # fmt: skip
        answer = _Answer()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._app(scope, receive, answer.take)
        except Exception:
            log.exception("sandbox_request_failed", method=method)
            answer = _Answer()
        return answer.wire()


class _Answer:
    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def wire(self) -> bytes:
        named = [(name, value) for name, value in self.headers if name.lower() != b"content-length"]
        lines = [
            f"HTTP/1.1 {self.status} Sandbox".encode(),
            *(name + b": " + value for name, value in named),
        ]
        end = [f"content-length: {len(self.body)}".encode(), b"connection: close", b"", b""]
        return b"\r\n".join([*lines, *end]) + self.body
