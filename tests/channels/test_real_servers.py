"""One set of promises for SMTP and one for IMAP, kept with our own servers and with those of the world outside."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP

from cadenza.channels.contracts import Credentials, Envelope, FolderCursor, Outcome, Server, Tls
from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.smtp import SmtpSession
from cadenza.core.errors import CadenzaError
from tests.servers.certificates import Authority
from tests.servers.programs import ANNA, dovecot, postfix, program, smtp_sink
from tests.servers.sandbox_imap import imap_server

BODY = b"Subject: x\r\n\r\n.first\r\n..\r\n.\r\nlast \xc3\xa9\r\n"

needs_postfix = [
    pytest.mark.servers,
    pytest.mark.skipif(not program("postfix"), reason="Postfix is not installed"),
]
needs_dovecot = [
    pytest.mark.servers,
    pytest.mark.skipif(not program("dovecot"), reason="Dovecot is not installed"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def envelope(recipient: str = "ada@x.example", content: bytes = BODY) -> Envelope:
    return Envelope(uuid4(), "anna@north.example", recipient, content)


# SMTP.

Taken = Callable[[], list[bytes]]


class Taker:
    """aiosmtpd with the same manners as the Postfix beside it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_RCPT(self, _s: object, _n: object, envelope: object, address: str, _o: object) -> str:  # noqa: N802
        known = {"unknown@x.example": "550 5.1.1 no such user", "later@x.example": "450 4.2.0 greylisted"}
        if address in known:
            return known[address]
        envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return "250 2.1.5 ok"

    async def handle_DATA(self, _s: object, _n: object, envelope: object) -> str:  # noqa: N802
        self.taken.append(envelope.content)  # type: ignore[attr-defined]
        return "250 2.0.0 ok"


@pytest.fixture(scope="module", params=["aiosmtpd", pytest.param("postfix", marks=needs_postfix)])
async def relay(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> AsyncIterator[tuple[Server, Taken]]:
    async with AsyncExitStack() as stack:
        if request.param == "aiosmtpd":
            taker = Taker()
            certified = authority.server("localhost")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = lambda: SMTP(taker, data_size_limit=200_000, tls_context=certified, hostname="x")  # noqa: E731
                server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
            stack.callback(server.close)
            yield Server("127.0.0.1", server.sockets[0].getsockname()[1], Tls.NONE), lambda: taker.taken
        else:
            folder = tmp_path_factory.mktemp("relay")
            sink, dump = await stack.enter_async_context(smtp_sink(folder))
            started = await stack.enter_async_context(postfix(folder, sink, authority.files("localhost")))
            yield started, lambda: [path.read_bytes() for path in dump.iterdir()]


async def eventually(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.05)


async def test_messages_arrive_as_they_were(relay: tuple[Server, Taken]) -> None:
    server, taken = relay
    marks = [uuid4().hex.encode() for _ in range(30)]
    envelopes = [envelope(content=b"X-Mark: " + mark + b"\r\n" + BODY) for mark in marks]
    async with SmtpSession(server) as session:
        assert session.failure is None
        replies = [reply async for reply in session.send_many(envelopes)]
    assert {(r.outcome, r.stage) for r in replies} == {(Outcome.ACCEPTED, "dot")}
    assert [r.touch_id for r in replies] == [e.touch_id for e in envelopes]
    await eventually(lambda: all(any(mark in one for one in taken()) for mark in marks))
    for mark in marks:
        (arrived,) = [one for one in taken() if mark in one]
        text = arrived.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
        assert b".first\n..\n.\nlast \xc3\xa9" in text


async def test_refusals_fit_their_message(relay: tuple[Server, Taken]) -> None:
    server, _ = relay
    recipients = ["unknown@x.example", "ada@x.example", "later@x.example", "bob@x.example"]
    async with SmtpSession(server) as session:
        replies = [reply async for reply in session.send_many(map(envelope, recipients))]
    told = [(r.outcome, r.stage, r.code, r.enhanced) for r in replies]
    assert told[0] == (Outcome.REFUSED, "rcpt", 550, "5.1.1")
    assert told[1][:2] == told[3][:2] == (Outcome.ACCEPTED, "dot")
    assert told[2] == (Outcome.DEFERRED, "rcpt", 450, "4.2.0")


async def test_a_message_that_is_too_large_is_refused_for_good(relay: tuple[Server, Taken]) -> None:
    server, _ = relay
    async with SmtpSession(server) as session:
        large = await session.send(
            envelope(content=b"Subject: x\r\n\r\n" + b"a long line of text\r\n" * 15_000)
        )
        small = await session.send(envelope())
    assert (large.outcome, large.code) == (Outcome.REFUSED, 552)
    assert small.outcome is Outcome.ACCEPTED


async def test_starttls_is_verified(relay: tuple[Server, Taken], authority: Authority) -> None:
    server, _ = relay
    trusted = Server("localhost", server.port, Tls.STARTTLS)
    async with SmtpSession(trusted, context=authority.client()) as session:
        assert (await session.send(envelope())).outcome is Outcome.ACCEPTED
    async with SmtpSession(trusted) as session:  # the system knows nothing of this authority
        reply = await session.send(envelope())
    assert (reply.outcome, reply.stage) == (Outcome.DEFERRED, "tls")


# IMAP.


@pytest.fixture(params=["sandbox", pytest.param("dovecot", marks=needs_dovecot)])
async def mailbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> AsyncIterator[tuple[Server, Credentials]]:
    folder = tmp_path_factory.mktemp("mailbox")
    if request.param == "sandbox":
        async with imap_server(folder) as (server, _):
            yield server, ANNA
    else:
        async with dovecot(folder, authority.files("localhost")) as server:
            yield server, Credentials(ANNA.user, ANNA.password.replace(" ", "_"))


def mail(number: int, size: int = 10) -> bytes:
    return (
        f"Message-ID: <m{number}@x.example>\r\nX-Cadenza-Touch: {number:032x}\r\n\r\n".encode()
        + b"z" * size
        + b"\r\n"
    )


async def test_a_mailbox_is_read_once_and_left_unseen(mailbox: tuple[Server, Credentials]) -> None:
    server, secret = mailbox
    async with ImapReader(server, secret) as imap:
        start = await imap.end("INBOX")
        for number in range(7):
            await imap.append("INBOX", mail(number, 3000 * number), seen=False)
        parts = [part async for part in imap.fetch_new(start, batch=3)]
        assert [m.raw for part in parts for m in part.messages] == [mail(n, 3000 * n) for n in range(7)]
        assert [len(part.messages) for part in parts] == [3, 3, 1]
        assert not any(m.seen for part in parts for m in part.messages)
        assert all(m.internal_date for part in parts for m in part.messages)
        await imap.mark_seen("INBOX", [parts[0].messages[0].uid])
        again = [m async for part in imap.fetch_new(start) for m in part.messages]
        assert [m.seen for m in again] == [True, *[False] * 6]
        assert [part async for part in imap.fetch_new(parts[-1].cursor)] == []


async def test_large_messages_come_in_pieces(mailbox: tuple[Server, Credentials]) -> None:
    server, secret = mailbox
    async with ImapReader(server, secret) as imap:
        await imap.append("INBOX", mail(1, 100_000))
        imap._request = 700
        messages = [m async for part in imap.fetch_new(FolderCursor("INBOX")) for m in part.messages]
    assert [m.raw for m in messages] == [mail(1, 100_000)]


async def test_sent_mail_is_found_by_message_id_and_touch(mailbox: tuple[Server, Credentials]) -> None:
    server, secret = mailbox
    async with ImapReader(server, secret) as imap:
        folders = await imap.folders()
        assert (folders.sent, folders.drafts) == ("Sent", "Drafts")
        uids = [await imap.append("Sent", mail(number)) for number in range(3)]
        assert all(uids)
        assert await imap.search("Sent", "Message-ID", "<m1@x.example>") == (uids[1],)
        assert await imap.search("Sent", "X-Cadenza-Touch", f"{2:032x}") == (uids[2],)
        assert await imap.search("Sent", "Message-ID", "<m9@x.example>") == ()


async def test_waiting_ends_with_a_new_message(mailbox: tuple[Server, Credentials]) -> None:
    server, secret = mailbox
    async with ImapReader(server, secret) as imap, ImapReader(server, secret) as other:
        waiting = asyncio.create_task(imap.wait("INBOX", 15))
        await asyncio.sleep(0.3)
        await other.append("INBOX", mail(1), seen=False)
        async with asyncio.timeout(10):
            assert await waiting
        assert [m.raw async for part in imap.fetch_new(FolderCursor("INBOX")) for m in part.messages] == [
            mail(1)
        ]
        assert not await imap.wait("INBOX", 0.2)


async def test_a_wrong_password_is_told_apart_from_a_dead_server(mailbox: tuple[Server, Credentials]) -> None:
    server, _ = mailbox
    with pytest.raises(CadenzaError) as refused:
        async with ImapReader(server, Credentials(ANNA.user, "wrong")):
            pass
    assert refused.value.code == "mail_login_refused"


@pytest.mark.servers
@pytest.mark.skipif(not program("dovecot"), reason="Dovecot is not installed")
async def test_imap_starttls_is_verified(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> None:
    async with dovecot(tmp_path_factory.mktemp("tls"), authority.files("localhost")) as server:
        secret = Credentials(ANNA.user, ANNA.password.replace(" ", "_"))
        trusted = Server("localhost", server.port, Tls.STARTTLS)
        async with ImapReader(trusted, secret, context=authority.client()) as imap:
            assert await imap.folders()
        with pytest.raises(CadenzaError) as refused:
            async with ImapReader(trusted, secret, patience=1):
                pass
        assert refused.value.code == "mail_server_unreachable"
