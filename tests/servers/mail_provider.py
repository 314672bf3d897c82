"""A mail provider with OAuth on loopback: it asks people, gives tokens, and lets whoever shows one into its mailboxes.

The servers stand in front of the sandbox's, which know passwords only: a gate reads the log-in by token, and logs in behind it.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from cadenza.channels.contracts import Server
from tests.servers.openid_provider import Provider, serving
from tests.servers.scripted import serve
from tests.support.post import PASSWORD, Post

MARK = "canary"  # in every token, so that a test can look for them everywhere


@dataclass
class Token:
    """An access token: whose, and until when."""

    address: str
    ends: datetime


@dataclass
class MailProvider(Provider):
    """``address`` is who says yes. ``seconds`` is the life of an access token; ``rotating`` gives a new refresh token each time."""

    address: str = "anna@north.example"
    seconds: int = 3600
    rotating: bool = False
    granted: str | None = None  # the scopes that were left ticked; None: all
    without: str = ""  # something that the answer lacks
    failing: tuple[int, Any] | None = None  # what the token address answers instead
    away: int | None = None  # what every address answers, whoever asks
    access: dict[str, Token] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, form: dict[str, str]) -> tuple[int, Any]:
        if self.away is not None:
            return self.away, {}
        if path.endswith("/.well-known/openid-configuration"):
            status, told = super().answer(method, path, form)
            return status, {"revocation_endpoint": f"{self.issuer}/revoke"} | told
        if path.endswith("/revoke"):
            self.asked.append((method, path, form))
            self.take_back(form["token"])
            self.revoked.append(form["token"])
            return 200, {}
        if path.endswith("/token") and self.failing is not None:
            self.asked.append((method, path, form))
            return self.failing
        if form.get("grant_type") == "refresh_token":
            self.asked.append((method, path, form))
            return self._refreshed(form["refresh_token"])
        return super().answer(method, path, form)

    def _exchange(self, form: dict[str, str]) -> tuple[int, Any]:
        scope = self.codes.get(form.get("code", ""), {}).get("scope", "")
        status, told = super()._exchange(form)
        if status != 200:
            return status, told
        told |= self._tokens(self.address, self._new_refresh(self.address))
        told["scope"] = scope if self.granted is None else self.granted
        return 200, {name: value for name, value in told.items() if name != self.without}

    def id_token(self, asked: dict[str, str]) -> str:
        self.claims = {"email": self.address, "preferred_username": self.address} | self.claims
        self.claims |= {"email": self.address, "preferred_username": self.address}
        return super().id_token(asked)

    def _refreshed(self, token: str) -> tuple[int, Any]:
        if token not in self.refresh:
            return 400, {"error": "invalid_grant", "error_description": f"{token} was revoked"}
        address = self.refresh[token]
        if self.rotating:
            del self.refresh[token]
            return 200, self._tokens(address, self._new_refresh(address))
        return 200, self._tokens(address)

    def _new_refresh(self, address: str) -> str:
        token = f"refresh-{MARK}-{uuid4().hex}"
        self.refresh[token] = address
        self.made.append(token)
        return token

    def _tokens(self, address: str, refresh: str | None = None) -> dict[str, Any]:
        token = f"access-{MARK}-{uuid4().hex}"
        self.access[token] = Token(address, self.clock.now() + timedelta(seconds=self.seconds))
        self.made.append(token)
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.seconds}
        return told if refresh is None else told | {"refresh_token": refresh}

    def take_back(self, token: str = "") -> None:
        """The person removes us in their account; with a token, only what belongs to it."""
        address = self.refresh.get(token, "")
        self.refresh = {t: a for t, a in self.refresh.items() if token and a != address}
        self.access = {t: a for t, a in self.access.items() if token and a.address != address}

    def end_tokens(self) -> None:
        """Every access token ends before its time, as after a change of password."""
        self.access.clear()

    def lets_in(self, user: str, token: str) -> bool:
        found = self.access.get(token)
        return found is not None and found.address == user and found.ends > self.clock.now()

    @property
    def refreshes(self) -> int:
        return sum(form.get("grant_type") == "refresh_token" for _, _, form in self.asked)


def mail_provider(provider: MailProvider) -> Any:
    return serving(provider)


def read_login(mechanism: str, answer: bytes) -> tuple[str, str]:
    """User and token of a log-in in base64."""
    parts = base64.b64decode(answer).decode().split("\x01")
    if mechanism == "XOAUTH2":
        user = parts[0].removeprefix("user=")
    else:
        user = parts[0].removeprefix("n,a=").removesuffix(",").replace("=2C", ",").replace("=3D", "=")
    (shown,) = [part for part in parts if part.startswith("auth=Bearer ")]
    return user, shown.removeprefix("auth=Bearer ")


def _reason() -> bytes:
    return base64.b64encode(json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"}).encode())


def _plain(user: str) -> bytes:
    return base64.b64encode(f"\0{user}\0{PASSWORD}".encode())


Lets = Callable[[str, str], bool]


@asynccontextmanager
async def token_post(
    post: Post, lets_in: Lets, mechanism: str = "XOAUTH2"
) -> AsyncIterator[tuple[Server, Server]]:
    """SMTP and IMAP servers before those of ``post`` that know one way in: by token."""

    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _gate(reader, writer, post.smtp, _SmtpGate(lets_in, mechanism))

    async def imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _gate(reader, writer, post.imap, _ImapGate(lets_in, mechanism))

    async with serve(smtp) as sending, serve(imap) as reading:
        yield sending, reading


class _SmtpGate:
    def __init__(self, lets_in: Lets, mechanism: str) -> None:
        self._lets_in = lets_in
        self._mechanism = mechanism

    def back(self, line: bytes) -> bytes:
        return b"250-AUTH " + self._mechanism.encode() + b"\r\n" if line.startswith(b"250-AUTH ") else line

    async def asked(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """What the server behind is told instead; None when it is told nothing."""
        if not line.startswith(b"AUTH "):
            return line
        user, token = read_login(self._mechanism, line.split()[2])
        if self._lets_in(user, token):
            return b"AUTH PLAIN " + _plain(user) + b"\r\n"
        writer.write(b"334 " + _reason() + b"\r\n")
        assert (await reader.readline()).strip() == (b"" if self._mechanism == "XOAUTH2" else b"AQ==")
        writer.write(b"535 5.7.8 Username and token not accepted\r\n")
        return None


class _ImapGate:
    def __init__(self, lets_in: Lets, mechanism: str) -> None:
        self._lets_in = lets_in
        self._mechanism = mechanism

    def back(self, line: bytes) -> bytes:
        return line.replace(b"AUTH=PLAIN", b"AUTH=" + self._mechanism.encode())

    async def asked(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if not command.upper().startswith(b"AUTHENTICATE "):
            return line
        writer.write(b"+ \r\n")
        user, token = read_login(self._mechanism, (await reader.readline()).strip())
        if self._lets_in(user, token):
            return tag + b" AUTHENTICATE PLAIN " + _plain(user) + b"\r\n"
        writer.write(b"+ " + _reason() + b"\r\n")
        assert (await reader.readline()).strip() == (b"" if self._mechanism == "XOAUTH2" else b"AQ==")
        writer.write(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials\r\n")
        return None


async def _gate(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: Server, gate: Any
) -> None:
    inner_reader, inner_writer = await asyncio.open_connection(behind.host, behind.port)

    async def backwards() -> None:
        while line := await inner_reader.readline():
            writer.write(gate.back(line))
            await writer.drain()
        writer.close()

    going = asyncio.create_task(backwards())
    try:
        while line := await reader.readline():
            if (told := await gate.asked(line, reader, writer)) is not None:
                inner_writer.write(told)
                await inner_writer.drain()
    finally:
        going.cancel()
        inner_writer.close()
        await asyncio.gather(going, return_exceptions=True)
