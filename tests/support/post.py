"""A real mail provider on loopback for tests: the sandbox's SMTP and IMAP servers, with their ledger."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cadenza.channels.contracts import Server, Tls
from cadenza.core.clock import Clock
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.smtp_server import Accepted, Ledger, Provider

PASSWORD = "post"
_TOUCH = re.compile(rb"^X-Cadenza-Touch: ([0-9a-f]{32})", re.MULTILINE)


@dataclass
class Post:
    """Where the servers are, and what they took."""

    smtp: Server
    imap: Server
    ledger: Ledger
    store: MailStore

    def touches(self) -> Counter[str]:
        """How often each touch was taken; more than once is the one thing that must never be."""
        return Counter(_TOUCH.search(entry.content).group(1).decode() for entry in self.ledger.entries)  # type: ignore[union-attr]

    def letters(self) -> list[Accepted]:
        return list(self.ledger.entries)


@asynccontextmanager
async def post_office(
    folder: Path,
    world: Clock,
    addresses: list[str],
    *,
    refuse: Callable[[str], str | None] = lambda _: None,
    port: int = 0,
    imap_port: int = 0,
) -> AsyncIterator[Post]:
    store, ledger = MailStore(folder / "mail", world), Ledger(folder / "ledger.jsonl")
    passwords = dict.fromkeys(addresses, PASSWORD)
    provider = Provider(store, ledger, passwords, world, refuse=refuse, deliver=lambda _: None)
    imap = ImapServer(store, passwords)
    ports = await provider.start("127.0.0.1", port), await imap.start("127.0.0.1", imap_port)
    smtp, reading = (Server("127.0.0.1", number, Tls.NONE) for number in ports)
    try:
        yield Post(smtp, reading, ledger, store)
    finally:
        await provider.stop()
        await imap.stop()
