import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from cadenza.channels.contracts import Credentials, Envelope, Outcome, Server, Tls
from cadenza.channels.email.smtp import SmtpSession, Timeouts, dot_stuffed
from tests.servers.certificates import Authority
from tests.servers.scripted import Handler, serve

QUICK = Timeouts(connect=0.5, command=0.5, body=0.5, dot=0.5)
BODY = b"Subject: x\r\n\r\nhello\r\n.hidden\r\n"
LOGIN = Credentials("anna", "a long secret")


def envelope(recipient: str = "ada@example.com", content: bytes = BODY) -> Envelope:
    return Envelope(uuid4(), "anna@north.example", recipient, content)


class Script:
    """A mail server that says what it is told at each stage and remembers what it heard."""

    def __init__(self, answers: dict[str, str] | None = None, *, features: str = "PIPELINING") -> None:
        self.answers = {
            "greeting": "220 hi", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go",
            "dot": "250 2.0.0 queued", "RSET": "250 ok", "QUIT": "221 bye", "AUTH": "235 ok", **(answers or {}),
        }  # fmt: skip
        self.features = features.split()
        self.heard = bytearray()
        self.messages: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if not await self.say(writer, "greeting"):
            return
        while line := await reader.readline():
            self.heard += line
            verb = line.split()[0].decode().upper()
            if verb == "EHLO":
                shown = ["250-me", *(f"250-{f.replace('_', ' ')}" for f in self.features), "250 OK"]
                writer.write("\r\n".join(shown).encode() + b"\r\n")
            elif not await self.say(writer, verb):
                return
            if verb == "DATA" and self.answers["DATA"].startswith("354"):
                self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
                if not await self.say(writer, "dot"):
                    return

    async def say(self, writer: asyncio.StreamWriter, stage: str) -> bool:
        answer = self.answers[stage]
        if answer == "cut":
            writer.transport.abort()
            return False
        if answer == "silence":
            await asyncio.sleep(60)
        if answer == "tarpit":
            while True:
                writer.write(b"2")
                await asyncio.sleep(0.1)
        writer.write(answer.encode() + b"\r\n")
        return not answer.startswith("421")


@pytest.mark.parametrize("features", ["PIPELINING", ""])
@pytest.mark.parametrize(
    ("stage", "answer", "outcome", "where", "code", "enhanced"),
    [
        ("dot", "250 2.0.0 queued", Outcome.ACCEPTED, "dot", 250, "2.0.0"),
        ("greeting", "421 busy", Outcome.DEFERRED, "connect", 421, None),
        ("greeting", "554 go away", Outcome.DEFERRED, "connect", 554, None),
        ("greeting", "cut", Outcome.DEFERRED, "connect", None, None),
        ("greeting", "tarpit", Outcome.DEFERRED, "connect", None, None),
        ("greeting", "silence", Outcome.DEFERRED, "connect", None, None),
        ("MAIL", "451 4.7.1 slow down", Outcome.DEFERRED, "mail", 451, "4.7.1"),
        ("MAIL", "550 5.7.1 not you", Outcome.REFUSED, "mail", 550, "5.7.1"),
        ("MAIL", "cut", Outcome.DEFERRED, "mail", None, None),
        ("MAIL", "tarpit", Outcome.DEFERRED, "mail", None, None),
        ("RCPT", "450 4.2.0 greylisted", Outcome.DEFERRED, "rcpt", 450, "4.2.0"),
        ("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 really", Outcome.REFUSED, "rcpt", 550, "5.1.1"),
        ("RCPT", "421 closing", Outcome.DEFERRED, "rcpt", 421, None),
        ("DATA", "452 4.3.1 full", Outcome.DEFERRED, "data", 452, "4.3.1"),
        ("DATA", "cut", Outcome.DEFERRED, "data", None, None),
        ("DATA", "what?", Outcome.DEFERRED, "data", None, None),
        ("dot", "451 4.3.0 later", Outcome.DEFERRED, "dot", 451, "4.3.0"),
        ("dot", "554 5.7.1 spam", Outcome.REFUSED, "dot", 554, "5.7.1"),
        ("dot", "cut", Outcome.IN_DOUBT, "dot", None, None),
        ("dot", "silence", Outcome.IN_DOUBT, "dot", None, None),
        ("dot", "tarpit", Outcome.IN_DOUBT, "dot", None, None),
        ("dot", "garbage", Outcome.IN_DOUBT, "dot", None, None),
        ("dot", "354 go on", Outcome.IN_DOUBT, "dot", 354, None),
    ],
)
async def test_what_each_answer_means(
    *,
    stage: str,
    answer: str,
    outcome: Outcome,
    where: str,
    code: int | None,
    enhanced: str | None,
    features: str,
) -> None:
    script = Script({stage: answer}, features=features)
    async with serve(script) as server, SmtpSession(server, timeouts=QUICK) as session:
        sent = envelope()
        reply = await session.send(sent)
    assert (reply.outcome, reply.stage, reply.code, reply.enhanced) == (outcome, where, code, enhanced)
    assert reply.touch_id == sent.touch_id
    if outcome is Outcome.ACCEPTED:
        assert script.messages == [dot_stuffed(BODY) + b".\r\n"]


async def test_cut_in_the_middle_of_the_message_is_no_doubt() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250 me\r\n")
        for answer in (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            await reader.readline()
            writer.write(answer)
        await reader.readexactly(1000)
        writer.transport.abort()

    async with serve(handler) as server, SmtpSession(server, timeouts=QUICK) as session:
        reply = await session.send(envelope(content=b"Subject: x\r\n\r\n" + b"long line\r\n" * 1_000_000))
    assert (reply.outcome, reply.stage) == (Outcome.DEFERRED, "data")


async def test_a_refused_message_does_not_touch_its_neighbours() -> None:
    class Picky(Script):
        async def say(self, writer: asyncio.StreamWriter, stage: str) -> bool:
            if stage == "MAIL":
                self.bad = False
            if stage == "RCPT":
                self.bad = b"bad@" in bytes(self.heard).splitlines()[-1]
            refused = {"RCPT": "550 5.1.1 no", "DATA": "503 5.5.1 no recipient"}
            self.answers["DATA"] = refused["DATA"] if self.bad else "354 go"
            self.answers["RCPT"] = refused["RCPT"] if self.bad else "250 ok"
            return await super().say(writer, stage)

        bad = False

    script = Picky()
    recipients = ["one@x.example", "bad@x.example", "two@x.example", "bad@y.example", "three@x.example"]
    async with serve(script) as server, SmtpSession(server, timeouts=QUICK) as session:
        outcomes = [reply.outcome async for reply in session.send_many(map(envelope, recipients))]
    accepted, refused = Outcome.ACCEPTED, Outcome.REFUSED
    assert outcomes == [accepted, refused, accepted, refused, accepted]
    assert len(script.messages) == 3
    assert script.connections == 1
    assert script.heard.count(b"RSET") == 2


async def test_a_server_that_waits_for_a_message_without_recipient_gets_none() -> None:
    script = Script({"RCPT": "550 5.1.1 no"})  # and 354 after it, as RFC 2920 warns
    async with serve(script) as server, SmtpSession(server, timeouts=QUICK) as session:
        replies = [reply async for reply in session.send_many([envelope(), envelope()])]
    assert [reply.outcome for reply in replies] == [Outcome.REFUSED] * 2
    assert script.messages == []


async def test_a_server_that_ends_connections_is_opened_again() -> None:
    class Tired(Script):
        async def say(self, writer: asyncio.StreamWriter, stage: str) -> bool:
            said = await super().say(writer, stage)
            if stage == "dot":
                writer.close()
            return said and stage != "dot"

    script = Tired()
    async with serve(script) as server, SmtpSession(server, timeouts=QUICK) as session:
        outcomes = []
        for _ in range(4):
            outcomes.append((await session.send(envelope())).outcome)
            await asyncio.sleep(0.02)
    assert outcomes == [Outcome.ACCEPTED] * 4
    assert script.connections == 4


@pytest.mark.must_not("M11")
async def test_a_server_that_cuts_or_hangs_every_time_holds_nobody_up() -> None:
    async with serve(Script({"MAIL": "silence"})) as server, SmtpSession(server, timeouts=QUICK) as session:
        async with asyncio.timeout(3):  # three time-outs of half a second, then none
            replies = [reply async for reply in session.send_many(envelope() for _ in range(200))]
    assert {reply.outcome for reply in replies} == {Outcome.DEFERRED}


async def test_a_thousand_lines_of_reply_are_one_reply() -> None:
    answer = "\r\n".join(["250-2.0.0 and another line"] * 999 + ["250 2.0.0 done"])
    async with serve(Script({"dot": answer})) as server, SmtpSession(server, timeouts=QUICK) as session:
        replies = [reply async for reply in session.send_many([envelope(), envelope()])]
    assert [reply.outcome for reply in replies] == [Outcome.ACCEPTED] * 2
    assert all(len(reply.text) <= 500 for reply in replies)


async def test_a_reply_without_end_is_cut_off() -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"220-more\r\n" * 1000)
            await writer.drain()

    async with serve(endless) as server, SmtpSession(server, timeouts=QUICK) as session:
        assert session.failure is not None
        assert session.failure.stage == "connect"


@pytest.mark.parametrize("features", ["AUTH_PLAIN_LOGIN", "AUTH_LOGIN"])
async def test_a_refused_log_in_is_no_refusal_of_the_message(features: str) -> None:
    answers = {"AUTH": "535 5.7.8 wrong password"}
    async with (
        serve(Script(answers, features=features)) as server,
        SmtpSession(server, LOGIN, timeouts=QUICK) as session,
    ):
        reply = await session.send(envelope())
    assert (reply.outcome, reply.stage, reply.code) == (Outcome.DEFERRED, "login", 535)


@pytest.mark.parametrize(
    "bad", ["ada@x.example>\r\nRCPT TO:<all@x.example", "ada@x.example\nDATA", "no address"]
)
@pytest.mark.asvs("1.3.11")
async def test_no_line_break_reaches_the_envelope(bad: str) -> None:
    script = Script()
    async with serve(script) as server, SmtpSession(server, timeouts=QUICK) as session:
        replies = [reply async for reply in session.send_many([envelope(bad), envelope()])]
    assert [reply.outcome for reply in replies] == [Outcome.REFUSED, Outcome.ACCEPTED]
    assert script.heard.count(b"RCPT") == 1
    assert b"all@" not in script.heard


# TLS: nothing in clear, nobody else's certificate.


def wrapped(handler: Handler, context: ssl.SSLContext) -> Callable[..., Awaitable[None]]:
    async def outer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250-me\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go\r\n")
        await writer.start_tls(context)
        await handler(reader, writer)

    return outer


class AfterTls(Script):
    async def say(self, writer: asyncio.StreamWriter, stage: str) -> bool:
        return True if stage == "greeting" else await super().say(writer, stage)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


async def test_starttls_with_a_certificate_that_verifies(authority: Authority) -> None:
    script = AfterTls(features="PIPELINING AUTH_PLAIN")
    async with serve(wrapped(script, authority.server("localhost")), tls=Tls.STARTTLS) as server:
        named = Server("localhost", server.port, Tls.STARTTLS)
        async with SmtpSession(named, LOGIN, timeouts=QUICK, context=authority.client()) as session:
            sent = [envelope(content=BODY + b"line\r\n" * (10 ** (n % 5))) for n in range(30)]
            replies = [reply async for reply in session.send_many(sent)]
    assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
    assert script.messages == [dot_stuffed(one.content) + b".\r\n" for one in sent]
    assert script.connections == 1
    assert b"AUTH PLAIN" in script.heard


@pytest.mark.asvs("12.3.1", "12.3.2")
@pytest.mark.parametrize("wrong", ["name", "expired", "stranger"])
async def test_a_wrong_certificate_gets_no_byte(authority: Authority, wrong: str, tmp_path: Path) -> None:
    contexts = {
        "name": lambda: authority.server("elsewhere.example"),
        "expired": lambda: authority.server("localhost", days=-1),
        "stranger": lambda: Authority(tmp_path).server("localhost"),
    }
    script = AfterTls(features="AUTH_PLAIN")
    async with serve(wrapped(script, contexts[wrong]()), tls=Tls.STARTTLS) as server:
        named = Server("localhost", server.port, Tls.STARTTLS)
        async with SmtpSession(named, LOGIN, timeouts=QUICK, context=authority.client()) as session:
            reply = await session.send(envelope())
    assert (reply.outcome, reply.stage) == (Outcome.DEFERRED, "tls")
    assert not script.heard


@pytest.mark.asvs("12.3.1")
async def test_stripped_starttls_sends_neither_password_nor_message_in_clear() -> None:
    script = Script(features="AUTH_PLAIN PIPELINING")
    async with (
        serve(script, tls=Tls.STARTTLS) as server,
        SmtpSession(server, LOGIN, timeouts=QUICK) as session,
    ):
        reply = await session.send(envelope())
    assert (reply.outcome, reply.stage) == (Outcome.DEFERRED, "tls")
    assert script.heard.split()[0] == b"EHLO"
    assert b"AUTH" not in script.heard
    assert b"MAIL" not in script.heard
    assert not script.messages


async def test_text_slipped_in_before_the_handshake_is_refused() -> None:
    async def forger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250-me\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go\r\n235 forged\r\n")
        await reader.read()

    async with (
        serve(forger, tls=Tls.STARTTLS) as server,
        SmtpSession(server, LOGIN, timeouts=QUICK) as session,
    ):
        assert session.failure is not None
        assert session.failure.stage == "tls"


async def test_without_tls_only_to_this_machine() -> None:
    async with SmtpSession(Server("mail.example.com", 25, Tls.NONE), timeouts=QUICK) as session:
        assert session.failure is not None
        assert "TLS" in session.failure.text


@pytest.mark.parametrize(
    ("answers", "points"),
    [
        ({}, ["wire.after_write", "wire.after_reply"]),
        ({"dot": "550 no"}, ["wire.after_write", "wire.after_reply"]),
        ({"dot": "cut"}, ["wire.after_write"]),
        ({"RCPT": "550 no", "DATA": "503 no"}, []),
    ],
)
async def test_crash_points_stand_behind_the_dot_and_behind_its_answer(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], points: list[str]
) -> None:
    visited: list[str] = []
    monkeypatch.setattr("cadenza.channels.email.smtp.visit", visited.append)
    async with serve(Script(answers)) as server, SmtpSession(server, timeouts=QUICK) as session:
        await session.send(envelope())
    assert visited == points
