"""The sandbox's IMAP server for one test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from cadenza.channels.contracts import Credentials, Server, Tls
from cadenza.core.clock import ManualClock
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.mail_store import MailStore

ANNA = Credentials("anna@north.example", "a long secret")


@asynccontextmanager
async def imap_server(path: Path) -> AsyncIterator[tuple[Server, MailStore]]:
    store = MailStore(path, ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC)))
    server = ImapServer(store, {ANNA.user: ANNA.password})
    port = await server.start("127.0.0.1", 0)
    try:
        yield Server("127.0.0.1", port, Tls.NONE), store
    finally:
        await server.stop()
