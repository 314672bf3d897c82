"""The provider's submission server: takes mail of its own mailboxes, and answers 250 only once it is on disk."""

import asyncio
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from cadenza.core.clock import Clock
from cadenza.sandbox.mail_store import MailStore

_LARGEST = 30 * 1024 * 1024
_TORN = re.compile(r"[^\n]+\Z")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message for one recipient, as the ledger has it. ``at`` is world time in ISO 8601."""

    number: int
    at: str
    sender: str
    recipient: str
    raw: str  # one character a byte (Latin-1), so that nothing is altered

    @property
    def content(self) -> bytes:
        return self.raw.encode("latin-1")


class Ledger:
    """Append-only, flushed to disk line by line: what stands here was delivered, whatever happens to us next."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        if path.exists() and (torn := _TORN.search(path.read_text("utf-8"))):
            os.truncate(path, path.stat().st_size - len(torn.group().encode()))
        self.entries = self._read()

    def _read(self) -> list[Accepted]:
        if not self._path.exists():
            return []
        return [Accepted(**json.loads(line)) for line in self._path.read_text("utf-8").splitlines()]

    def add(self, at: str, sender: str, recipients: list[str], content: bytes) -> list[Accepted]:
        """Written and flushed when this returns."""
        raw = content.decode("latin-1")
        first = len(self.entries) + 1
        new = [Accepted(first + n, at, sender, recipient, raw) for n, recipient in enumerate(recipients)]
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(entry)) + "\n" for entry in new)
            file.flush()
            os.fsync(file.fileno())
        self.entries += new
        return new


class _Handler:
    """The answers that are ours to give; aiosmtpd speaks the protocol."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        user = getattr(session.auth_data, "login", b"").decode("utf-8", "replace")
        if address.lower() != user.lower():
            return f"550 5.7.60 {user} may not send as {address}"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (refusal := self._provider.refuses(address)) is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        number = self._provider.take(str(envelope.mail_from), list(envelope.rcpt_tos), content)
        return f"250 2.0.0 OK queued as {number}"


class Provider:
    """The mail provider of the sandbox. ``deliver`` is called with what was accepted, after it is on disk.

    ``refuse`` answers a recipient that does not exist with an SMTP refusal, or None.
    """

    def __init__(
        self,
        store: MailStore,
        ledger: Ledger,
        passwords: dict[str, str],
        world: Clock,
        *,
        refuse: Callable[[str], str | None],
        deliver: Callable[[Accepted], None],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._passwords = passwords
        self._world = world
        self._refuse = refuse
        self._deliver = deliver
        self._server: asyncio.Server | None = None

    def refuses(self, address: str) -> str | None:
        return self._refuse(address.lower())

    def take(self, sender: str, recipients: list[str], content: bytes) -> int:
        """To disk, into Sent as large providers do, and on its way."""
        new = self._ledger.add(self._world.now().isoformat(), sender, recipients, content)
        self.file_sent(new[0])
        for entry in new:
            self._deliver(entry)
        return new[0].number

    def file_sent(self, entry: Accepted) -> None:
        """A copy in the sender's Sent folder; once, also when it is asked for again after a crash."""
        sent = self._store.account(entry.sender).folders["Sent"]
        sent.append_once(f"ledger {entry.number}", entry.content, self._store.now(), ("\\Seen",))

    def recover(self) -> None:
        """After a crash between the ledger and the Sent folder."""
        for entry in self._ledger.entries:
            if entry.sender.lower() in self._passwords:
                self.file_sent(entry)

    async def start(self, host: str, port: int) -> int:
        """The port it listens on."""
        logging.getLogger("mail.log").setLevel(
            logging.ERROR
        )  # aiosmtpd warns at each log-in of its own old names
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def _protocol(self) -> SMTP:
        return SMTP(
            _Handler(self),
            hostname="sandbox.example",
            ident="Cadenza sandbox",
            data_size_limit=_LARGEST,
            authenticator=self._authenticate,
            auth_require_tls=False,  # loopback only
            auth_exclude_mechanism=["LOGIN"],
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and (
            self._passwords.get(data.login.decode("utf-8", "replace").lower())
            == data.password.decode("utf-8", "replace")
        )
        return AuthResult(success=known, handled=False, auth_data=data if known else None)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
