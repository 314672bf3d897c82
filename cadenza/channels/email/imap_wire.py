"""One IMAP connection (RFC 3501): commands, their answers, and the grammar between.

Written here because in the asyncio libraries at hand a lost connection leaves the waiting command hanging until
its time-out, and a half-received FETCH is thrown away whole; here both are told at once and kept.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from cadenza.channels.contracts import Credentials, Server, Tls
from cadenza.channels.email import sasl
from cadenza.channels.email.wire import Wire, WireLostError, WireRefusedError, connect, deadline, tls_context

LARGEST_LITERAL = 64 * 1024 * 1024

_LITERAL = re.compile(rb"~?\{(\d+)\+?\}$")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+')
_ESCAPED = re.compile(rb"\\(.)")

Value = bytes | list["Value"]


@dataclass(frozen=True, slots=True)
class Literal:
    """Counted bytes, told apart from the text around them."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One untagged answer: the text of its lines and the literals between them."""

    parts: tuple[bytes | Literal, ...]

    @property
    def line(self) -> bytes:
        return self.parts[0] if isinstance(self.parts[0], bytes) else b""

    def values(self) -> list[Value]:
        """The parenthesised grammar as nested lists; quoted strings and literals without their marks."""
        stack: list[list[Value]] = [[]]
        for part in self.parts:
            if isinstance(part, Literal):
                stack[-1].append(part.content)
                continue
            for token in _TOKEN.findall(_LITERAL.sub(b"", part)):
                if token == b"(":
                    stack.append([])
                elif token == b")" and len(stack) > 1:
                    inner = stack.pop()
                    stack[-1].append(inner)
                else:
                    stack[-1].append(_ESCAPED.sub(rb"\1", token[1:-1]) if token[:1] == b'"' else token)
        return stack[0]


def quoted(text: str) -> bytes:
    """An IMAP quoted string. Raises ``WireRefusedError`` on what none can hold."""
    if not text.isascii() or any(c in text for c in "\r\n\0"):
        raise WireRefusedError("the text cannot stand in an IMAP command")
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii") + b'"'


class ImapConnection:
    """Logged in after ``open``. Every command has one deadline as a whole."""

    def __init__(self, server: Server, *, seconds: float, context: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.capabilities: frozenset[str] = frozenset()
        self._seconds = seconds
        self._context = context
        self._wire: Wire | None = None
        self._count = 0

    @property
    def live(self) -> bool:
        return self._wire is not None and self._wire.open

    async def open(self, credentials: Credentials) -> None:
        """Connect, TLS, log in. Raises ``WireLostError``; ``WireRefusedError`` only from the log-in."""
        async with deadline(self._seconds):
            self._wire = await connect(self.server, self._context)
            greeting = await self._wire.line()
        if not greeting.startswith((b"* OK", b"* PREAUTH")):
            raise WireLostError(greeting.decode("utf-8", "replace") or "no greeting")
        await self._learn_capabilities()
        if self.server.tls is Tls.STARTTLS:
            await self._starttls()
        await self._login(credentials)
        await self._learn_capabilities()

    async def _starttls(self) -> None:
        if "STARTTLS" not in self.capabilities:
            raise WireLostError("the server does not offer STARTTLS, and nothing is sent in clear")
        try:
            await self.run(b"STARTTLS")
        except WireRefusedError as refused:
            raise WireLostError(f"STARTTLS was refused: {refused}") from refused
        async with deadline(self._seconds):
            await self._live().start_tls(self._context or tls_context(), self.server.host)
        await self._learn_capabilities()

    async def _login(self, credentials: Credentials) -> None:
        if credentials.token:
            await self._show_token(credentials)
        elif "AUTH=PLAIN" in self.capabilities:
            await self.run(b"AUTHENTICATE PLAIN", sent=(sasl.plain(credentials) + b"\r\n",))
        elif "LOGINDISABLED" in self.capabilities:
            raise WireRefusedError("the server allows no log-in over this connection")
        else:
            await self.run(b"LOGIN " + quoted(credentials.user) + b" " + quoted(credentials.password))

    async def _show_token(self, credentials: Credentials) -> None:
        offered = [word.removeprefix("AUTH=") for word in self.capabilities if word.startswith("AUTH=")]
        mechanism = sasl.token_mechanism(offered)
        if mechanism is None:
            raise WireLostError("the server offers no log-in by token (AUTH=XOAUTH2 or OAUTHBEARER)")
        first = sasl.bearer(mechanism, credentials, self.server)
        # After a refusal the server first tells its reason, and wants that to be answered.
        sent = (first + b"\r\n", sasl.heard(mechanism) + b"\r\n")
        await self.run(f"AUTHENTICATE {mechanism}".encode(), sent=sent)

    async def _learn_capabilities(self) -> None:
        words: set[str] = set()
        for answer in await self.run(b"CAPABILITY"):
            if answer.line.upper().startswith(b"* CAPABILITY"):
                words.update(answer.line.decode("ascii", "replace").upper().split()[2:])
        self.capabilities = frozenset(words)

    async def run(
        self,
        command: bytes,
        *,
        sent: Sequence[bytes] = (),
        sink: Callable[[Answer], None] | None = None,
    ) -> list[Answer]:
        """The untagged answers of one command; ``sink`` gets each as it arrives, so that a cut loses none.

        ``sent`` goes out part by part, each when the server asks for it. The last answer is the tagged line. Raises
        ``WireRefusedError`` on NO and BAD, ``WireLostError`` on anything else that is not OK.
        """
        self._count += 1
        tag = b"c%d" % self._count
        answers: list[Answer] = []
        async with deadline(self._seconds):
            self._live().write(tag + b" " + command + b"\r\n")
            async for answer in self._answers_until(tag, sent):
                answers.append(answer)
                if sink is not None:
                    sink(answer)
        _, _, result = answers[-1].line.partition(b" ")
        if not result.upper().startswith(b"OK"):
            raise WireRefusedError(result.decode("utf-8", "replace"))
        return answers

    async def _answers_until(self, tag: bytes, sent: Sequence[bytes]) -> AsyncIterator[Answer]:
        """Every answer up to the tagged one, which is the last; what is to be sent is handed over when it is asked for."""
        waiting = iter(sent)
        while True:
            answer = await self._answer()
            if not answer.line.startswith(b"+"):
                yield answer
            elif (part := next(waiting, None)) is None:
                raise WireLostError("the server asks for more than the command has")
            else:
                self._live().write(part)
            if answer.line.startswith(tag + b" "):
                return

    async def idle(self, seconds: float) -> bool:
        """Wait for word of a new message (RFC 2177). True when it came. Raises ``WireLostError``."""
        self._count += 1
        tag = b"c%d" % self._count
        self._live().write(tag + b" IDLE\r\n")
        news = await self._news_within(seconds, tag)
        async with deadline(self._seconds):
            self._live().write(b"DONE\r\n")
            while not (answer := await self._answer()).line.startswith(tag):
                news = news or answer.line.upper().endswith(b" EXISTS")
        return news

    async def _news_within(self, seconds: float, tag: bytes) -> bool:
        """False after silence, the usual answer. A line leaves the buffer whole or not at all: none is lost half read."""
        try:
            async with asyncio.timeout(seconds):
                while not (answer := await self._answer()).line.upper().endswith((b" EXISTS", b" RECENT")):
                    if answer.line.startswith(tag):
                        raise WireLostError(answer.line.decode("utf-8", "replace"))
        except TimeoutError:
            return False
        return True

    async def _answer(self) -> Answer:
        wire = self._live()
        parts: list[bytes | Literal] = [await wire.line()]
        while (last := parts[-1]) and isinstance(last, bytes) and (found := _LITERAL.search(last)):
            size = int(found.group(1))
            if size > LARGEST_LITERAL:
                raise WireLostError(f"the server sends {size} bytes at once")
            parts += [Literal(await wire.exactly(size)), await wire.line()]
        return Answer(tuple(parts))

    def _live(self) -> Wire:
        if self._wire is None:
            raise WireLostError("not connected")
        return self._wire

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = None
