"""A small SMTP client (RFC 5321) that pipelines (RFC 2920) and knows to which side a lost answer falls.

Until the final dot is given to the connection nothing was handed over, so the message may be tried again. From
then on a missing answer means doubt, and doubt is never resolved by sending again.
"""

import base64
import re
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cadenza.channels.contracts import Credentials, Envelope, Outcome, Server, Tls, WireReply
from cadenza.channels.email import sasl
from cadenza.channels.email.headers import ascii_address
from cadenza.channels.email.wire import (
    Wire,
    WireLostError,
    WireRefusedError,
    connect,
    deadline,
    tls_context,
)
from cadenza.core.addresses import is_loopback
from cadenza.core.errors import CadenzaError
from cadenza.core.faults import visit

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
_REPLY_LINE = re.compile(rb"(\d{3})([ -])?(.*)", re.DOTALL)
_LONGEST_REPLY = 256 * 1024
_TEXT = 500
_LOSSES_IN_A_ROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds that each stage may take as a whole, however many bytes trickle in. A half-open link is free in 120 s."""

    connect: float = 20
    command: float = 30
    body: float = 60
    dot: float = 100


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    text: str

    @property
    def enhanced(self) -> str | None:
        found = _ENHANCED.match(self.text)
        return found.group() if found else None

    def refusal(self) -> WireRefusedError:
        return WireRefusedError(self.text, self.code, self.enhanced)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no session: stage connect, tls or login, with the server's words."""

    stage: str
    text: str
    code: int | None = None
    enhanced: str | None = None


class SmtpSession:
    """Sends messages over one connection and reopens it when the server ended it.

    Entering never raises for what the server did: ``failure`` tells it, and ``send`` then answers DEFERRED.
    ``context`` replaces the system's trust store, ``helo`` the own address literal.
    """

    def __init__(
        self,
        server: Server,
        credentials: Credentials | None = None,
        *,
        timeouts: Timeouts | None = None,
        helo: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.server = server
        self.failure: Failure | None = None
        self._credentials = credentials
        self._timeouts = timeouts or Timeouts()
        self._helo = helo
        self._context = context
        self._wire: Wire | None = None
        self._features: dict[str, str] = {}
        self._losses = 0
        self._reset_due = False

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wire is not None and self._wire.open and error is None:
            with suppress(WireLostError):  # the server is free to leave without a word
                async with deadline(2):
                    await self._command(b"QUIT")
        self._drop()

    async def send_many(self, envelopes: Iterable[Envelope]) -> AsyncIterator[WireReply]:
        """One answer per envelope, in order, each as soon as it is known."""
        for envelope in envelopes:
            yield await self.send(envelope)

    async def send(self, envelope: Envelope) -> WireReply:
        """Hand over one message. Never raises: an address that cannot be written is a refusal too (M11)."""
        try:
            addresses = ascii_address(envelope.sender), ascii_address(envelope.recipient)
        except CadenzaError as wrong:
            return WireReply(envelope.touch_id, Outcome.REFUSED, "rcpt", text=str(wrong))
        if (self._wire is None or not self._wire.open) and self.failure is None:
            await self._open()
        if self.failure is not None:
            failed = self.failure
            return WireReply(
                envelope.touch_id, Outcome.DEFERRED, failed.stage, failed.code, failed.enhanced, failed.text
            )
        reply = await _Transfer(self._live(), self._timeouts, self._features, envelope, addresses).run(
            reset=self._reset_due
        )
        self._remember(reply)
        return reply

    def _live(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("the session is not open")
        return self._wire

    def _remember(self, reply: WireReply) -> None:
        """Give up on a server that cuts every connection, so that it holds nobody up (M11)."""
        self._reset_due = reply.outcome is not Outcome.ACCEPTED
        lost = reply.code in {421, None}
        self._losses = self._losses + 1 if lost else 0
        if lost or self._wire is None or not self._wire.open:
            self._drop()
        if self._losses >= _LOSSES_IN_A_ROW:
            self.failure = Failure("connect", f"the connection was lost {self._losses} times in a row")

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = None

    def hang_up(self) -> None:
        """For good. Whoever waits for an answer gets one: DEFERRED before the final dot, IN_DOUBT after it."""
        self._fail(Failure("connect", "we ended the connection"))

    # Opening: connect, tls, login.

    async def _open(self) -> None:
        await self._try_open()
        refused = self.failure is not None and self.failure.stage == "login" and self.failure.code is not None
        if refused and await self._renewed():
            self.failure = None
            await self._try_open()

    async def _renewed(self) -> bool:
        """A token may have ended before its time: with another one it is worth one more try."""
        if self._credentials is None or self._credentials.renew is None:
            return False
        try:
            self._credentials = await self._credentials.renew()
        except CadenzaError as none_left:
            self._fail(Failure("login", str(none_left)))
            return False
        return True

    async def _try_open(self) -> None:
        stage = "connect"
        self._reset_due = False
        try:
            async with deadline(self._timeouts.connect):
                self._wire = await connect(self.server, self._context)
                await self._expect(220)
                await self._hello()
            stage = "tls"
            if self.server.tls is Tls.STARTTLS:
                async with deadline(self._timeouts.connect):
                    await self._starttls()
            stage = "login"
            if self._credentials is not None:
                async with deadline(self._timeouts.command):
                    await self._login(self._credentials)
        except WireRefusedError as refused:
            self._fail(Failure(stage, str(refused), refused.code, refused.enhanced))
        except WireLostError as lost:
            self._fail(Failure(stage, str(lost)))
        except CadenzaError as unsafe:
            self._fail(Failure("tls", str(unsafe)))

    def _fail(self, failure: Failure) -> None:
        self.failure = failure
        self._drop()

    async def _command(self, line: bytes) -> Reply:
        self._live().write(line + b"\r\n")
        return await read_reply(self._live())

    async def _expect(self, *codes: int, line: bytes | None = None) -> Reply:
        reply = await (self._command(line) if line is not None else read_reply(self._live()))
        if reply.code not in codes:
            raise reply.refusal()
        return reply

    async def _hello(self) -> None:
        name = self._helo or f"[{'IPv6:' if ':' in (host := self._live().local_host) else ''}{host}]"
        reply = await self._command(b"EHLO " + name.encode("ascii", "replace"))
        if reply.code != 250:
            self._features = {}
            await self._expect(250, line=b"HELO " + name.encode("ascii", "replace"))
            return
        words = [line.upper().split(" ", 1) for line in reply.text.split("\n")[1:]]
        self._features = {word[0]: word[1] if len(word) > 1 else "" for word in words}

    async def _starttls(self) -> None:
        if "STARTTLS" not in self._features:
            raise WireLostError("the server does not offer STARTTLS, and nothing is sent in clear")
        await self._expect(220, line=b"STARTTLS")
        await self._live().start_tls(self._context or tls_context(), self.server.host)
        await self._hello()  # what was offered before TLS may have been forged

    async def _login(self, credentials: Credentials) -> None:
        if self.server.tls is Tls.NONE and not is_loopback(self.server.host):
            raise WireLostError("no password is sent without TLS")
        offered = self._features.get("AUTH", "").split()
        if credentials.token:
            await self._show_token(offered, credentials)
        elif "PLAIN" in offered:
            await self._expect(235, line=b"AUTH PLAIN " + sasl.plain(credentials))
        elif "LOGIN" in offered:
            await self._expect(334, line=b"AUTH LOGIN")
            await self._expect(334, line=base64.b64encode(credentials.user.encode()))
            await self._expect(235, line=base64.b64encode(credentials.password.encode()))
        else:
            raise WireLostError("the server offers no log-in that we know (AUTH PLAIN or LOGIN)")

    async def _show_token(self, offered: Sequence[str], credentials: Credentials) -> None:
        mechanism = sasl.token_mechanism(offered)
        if mechanism is None:
            raise WireLostError("the server offers no log-in by token (AUTH XOAUTH2 or OAUTHBEARER)")
        first = sasl.bearer(mechanism, credentials, self.server)
        reply = await self._expect(235, 334, line=f"AUTH {mechanism} ".encode() + first)
        if reply.code == 334:
            refusal = (await self._command(sasl.heard(mechanism))).refusal()
            why = sasl.reason(reply.text)
            raise WireRefusedError(
                f"{refusal} ({why})" if why else str(refusal), refusal.code, refusal.enhanced
            )


class _Transfer:
    """One message on its way: the commands, and what each answer means for it."""

    def __init__(
        self,
        wire: Wire,
        timeouts: Timeouts,
        features: dict[str, str],
        envelope: Envelope,
        addresses: tuple[str, str],
    ) -> None:
        self._wire = wire
        self._timeouts = timeouts
        self._pipelining = "PIPELINING" in features
        self._envelope = envelope
        mime = b" BODY=8BITMIME" if "8BITMIME" in features and not envelope.content.isascii() else b""
        self._commands = (
            ("mail", b"MAIL FROM:<" + addresses[0].encode("ascii") + b">" + mime + b"\r\n", 250),
            ("rcpt", b"RCPT TO:<" + addresses[1].encode("ascii") + b">\r\n", 250),
            ("data", b"DATA\r\n", 354),
        )
        self._stage = "mail"
        self._refusal: WireReply | None = None

    async def run(self, *, reset: bool) -> WireReply:
        before_dot = True
        try:
            await self._announce(reset=reset)
            if self._refusal is not None:
                return self._refusal
            async with deadline(self._timeouts.body):
                self._wire.write(dot_stuffed(self._envelope.content))
                await self._wire.flush()
            self._stage = "dot"
            before_dot = False
            return await self._finish()
        except WireLostError as lost:
            self._wire.close()
            if self._refusal is not None:
                return self._refusal
            outcome = Outcome.DEFERRED if before_dot else Outcome.IN_DOUBT
            return WireReply(self._envelope.touch_id, outcome, self._stage, text=str(lost))

    async def _finish(self) -> WireReply:
        async with deadline(self._timeouts.dot):
            self._wire.write(b".\r\n")
            await self._wire.flush()
            visit("wire.after_write")
            reply = await read_reply(self._wire)
        visit("wire.after_reply")
        return self._judged(reply, accepted=200 <= reply.code < 300)

    async def _announce(self, *, reset: bool) -> None:
        """MAIL, RCPT, DATA; in one write where the server allows. The first refusal is the one that counts."""
        if reset:
            async with deadline(self._timeouts.command):
                self._wire.write(b"RSET\r\n")
                await read_reply(self._wire)
        if self._pipelining:
            self._wire.write(b"".join(line for _, line, _ in self._commands))
        for stage, line, expected in self._commands:
            if self._refusal is not None and not self._pipelining:
                return
            self._stage = stage
            async with deadline(self._timeouts.command):
                if not self._pipelining:
                    self._wire.write(line)
                reply = await read_reply(self._wire)
            if self._refusal is None and not _fits(reply.code, expected):
                self._refusal = self._judged(reply, accepted=False)
            elif self._refusal is not None and reply.code == 354:
                self._wire.close()  # it waits for a message that has no recipient

    def _judged(self, reply: Reply, *, accepted: bool) -> WireReply:
        if accepted:
            outcome = Outcome.ACCEPTED
        elif 400 <= reply.code < 500:
            outcome = Outcome.DEFERRED
        elif reply.code >= 500:
            outcome = Outcome.REFUSED
        else:  # no answer that the protocol knows
            outcome = Outcome.IN_DOUBT if self._stage == "dot" else Outcome.DEFERRED
        text = reply.text.replace("\n", " ")[:_TEXT]
        return WireReply(self._envelope.touch_id, outcome, self._stage, reply.code, reply.enhanced, text)


def _fits(code: int, expected: int) -> bool:
    """RFC 5321, 4.3.2: MAIL and RCPT may be answered by any 25x."""
    return code == 354 if expected == 354 else 250 <= code < 260


def dot_stuffed(content: bytes) -> bytes:
    """RFC 5321, 4.5.2, and ending in a line end, ready for the final dot."""
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


async def read_reply(wire: Wire) -> Reply:
    """One reply of any number of lines, bounded. Raises ``WireLostError`` on what is no reply."""
    lines: list[str] = []
    size = 0
    while True:
        line = await wire.line()
        size += len(line)
        found = _REPLY_LINE.fullmatch(line)
        if found is None or size > _LONGEST_REPLY:
            raise WireLostError("the server's answer is not SMTP")
        lines.append(found.group(3).decode("utf-8", "replace"))
        if found.group(2) != b"-":
            return Reply(int(found.group(1)), "\n".join(lines))
