"""What SMTP and IMAP share: a connection that never waits longer than it was told, and TLS that verifies."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import cast

from cadenza.channels.contracts import Server, Tls
from cadenza.channels.email.losses import why_lost
from cadenza.core.addresses import is_loopback
from cadenza.core.errors import CadenzaError

LONGEST_LINE = 64 * 1024


class WireLostError(Exception):
    """The connection ended, stayed silent past its deadline, or spoke no known protocol."""


class WireRefusedError(Exception):
    """The other side answered, and said no. ``code`` and ``enhanced`` as the server gave them."""

    def __init__(self, text: str, code: int | None = None, enhanced: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.enhanced = enhanced


@cache
def tls_context() -> ssl.SSLContext:
    """Made once: building it takes about 50 ms. Verifies chain and host name, TLS 1.2 and up."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def require_safe(server: Server) -> None:
    """Passwords and messages travel without TLS only inside this machine."""
    if server.tls is Tls.NONE and not is_loopback(server.host):
        raise CadenzaError(
            "tls_required",
            f"{server.host}:{server.port} would be used without TLS.",
            fix="Use starttls or implicit; none is for this machine only.",
        )


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """For a whole exchange, however many bytes trickle in. Too late reads as a lost connection."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise WireLostError("no answer in time") from late


class Wire(asyncio.Protocol):
    """Lines and counted bytes from one connection. One reader at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._lost: WireLostError | None = None
        self._reader: asyncio.Future[None] | None = None
        self._flusher: asyncio.Future[None] | None = None
        self._paused = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # So that a flush ends when all is handed on. Under TLS the loop pauses at "high" itself, not above it,
        # so that 0 would pause an empty buffer, and nothing would ever end that.
        self._transport.set_write_buffer_limits(high=1 if transport.get_extra_info("sslcontext") else 0)
        self._paused = False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        _wake(self._reader)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        _wake(self._flusher)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = WireLostError(why_lost(exc) if exc else "the server closed the connection")
        _wake(self._reader)
        _wake(self._flusher)

    # What clients call.

    @property
    def open(self) -> bool:
        return self._transport is not None and self._lost is None and not self._transport.is_closing()

    @property
    def local_host(self) -> str:
        name = self._transport.get_extra_info("sockname") if self._transport else None
        return str(name[0]) if name else "127.0.0.1"

    @property
    def unread(self) -> bool:
        return bool(self._buffer)

    def write(self, data: bytes) -> None:
        if self._lost or self._transport is None:
            raise self._lost or WireLostError("not connected")
        self._transport.write(data)

    async def flush(self) -> None:
        """Until everything written is with the kernel. Raises ``WireLostError``."""
        while self._paused and self._lost is None:
            self._flusher = asyncio.get_running_loop().create_future()
            await self._flusher
        if self._lost:
            raise self._lost

    async def line(self) -> bytes:
        """The next line without its end. Raises ``WireLostError``."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LONGEST_LINE:
                raise WireLostError("the server sent a line without end")
            await self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    async def exactly(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises ``WireLostError``."""
        while len(self._buffer) < count:
            await self._more()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def _more(self) -> None:
        if self._lost:
            raise self._lost
        self._reader = asyncio.get_running_loop().create_future()
        await self._reader

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Raises ``WireLostError`` when the handshake fails, and when bytes came before it (a forged answer)."""
        if self._transport is None or self.unread:
            raise WireLostError("the server sent text before the TLS handshake")
        loop = asyncio.get_running_loop()
        try:
            secure = await loop.start_tls(self._transport, self, context, server_hostname=host)
        except (OSError, ssl.SSLError) as failed:
            raise WireLostError(why_lost(failed)) from failed
        if secure is None:
            raise WireLostError("the server closed the connection during the TLS handshake")
        self.connection_made(secure)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def connect(server: Server, context: ssl.SSLContext | None = None) -> Wire:
    """Open a connection, with TLS at once where the server says so. Raises ``WireLostError`` and ``tls_required``."""
    require_safe(server)
    implicit = server.tls is Tls.IMPLICIT
    try:
        _, wire = await asyncio.get_running_loop().create_connection(
            Wire,
            server.host,
            server.port,
            ssl=(context or tls_context()) if implicit else None,
            server_hostname=server.host if implicit else None,
        )
    except (OSError, ssl.SSLError, UnicodeError) as failed:
        raise WireLostError(why_lost(failed)) from failed
    return wire
