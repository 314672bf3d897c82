import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cadenza.channels.contracts import Credentials, Fetched, FolderCursor, Server, Tls
from cadenza.channels.email.fetching import read_pending
from cadenza.channels.email.folders import decoded, read_folders
from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.imap_wire import Answer, Literal
from cadenza.core.errors import CadenzaError, Kind
from cadenza.sandbox.mail_store import MailStore
from tests.servers.sandbox_imap import ANNA, imap_server
from tests.servers.scripted import cutting, serve

START = FolderCursor("INBOX")


def message(number: int, size: int = 200) -> bytes:
    head = f"Message-ID: <m{number}@x.example>\r\nX-Cadenza-Touch: {number:032x}\r\nSubject: {number}\r\n\r\n"
    return head.encode() + random.Random(number).randbytes(size // 2).hex().encode() + b"\r\n"


def reader(server: Server, seconds: float = 5, credentials: Credentials = ANNA) -> ImapReader:
    return ImapReader(server, credentials, seconds=seconds, pause=0.001)


async def everything(imap: ImapReader, cursor: FolderCursor = START, batch: int = 50) -> list[Fetched]:
    return [m async for part in imap.fetch_new(cursor, batch=batch) for m in part.messages]


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[tuple[Server, MailStore]]:
    async with imap_server(tmp_path) as started:
        yield started


async def test_fetches_each_message_once_and_goes_on_behind_the_cursor(
    mail: tuple[Server, MailStore],
) -> None:
    server, store = mail
    sent = [message(n) for n in range(12)]
    for content in sent[:10]:
        store.deliver(ANNA.user, content)
    async with reader(server) as imap:
        batches = [part async for part in imap.fetch_new(START, batch=4)]
        assert [m.raw for part in batches for m in part.messages] == sent[:10]
        assert [part.cursor.last_uid for part in batches] == [4, 8, 10]
        assert not any(m.seen for part in batches for m in part.messages)
        assert batches[0].messages[0].internal_date == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        for content in sent[10:]:
            store.deliver(ANNA.user, content)
        assert [m.raw for m in await everything(imap, batches[-1].cursor)] == sent[10:]
        assert await everything(imap, (await imap.end("INBOX"))) == []


async def test_reading_leaves_messages_unseen_until_they_are_marked(mail: tuple[Server, MailStore]) -> None:
    server, store = mail
    uids = [store.deliver(ANNA.user, message(n)) for n in range(3)]
    folder = store.account(ANNA.user).folders["INBOX"]
    async with reader(server) as imap:
        await everything(imap)
        assert [folder.messages[uid].flags for uid in uids] == [set(), set(), set()]
        await imap.mark_seen("INBOX", uids[:2])
    assert [folder.messages[uid].flags for uid in uids] == [{"\\Seen"}, {"\\Seen"}, set()]


async def test_sent_folder_is_found_searched_and_filled(mail: tuple[Server, MailStore]) -> None:
    server, _ = mail
    async with reader(server) as imap:
        folders = await imap.folders()
        assert (folders.sent, folders.drafts, folders.junk) == ("Sent", "Drafts", "Junk")
        uid = await imap.append("Sent", message(7))
        await imap.append("Sent", message(8))
        assert await imap.search("Sent", "Message-ID", "<m7@x.example>") == (uid,)
        assert await imap.search("Sent", "X-Cadenza-Touch", f"{7:032x}") == (uid,)
        assert await imap.search("Sent", "Message-ID", "<m9@x.example>") == ()
        assert [m.raw for m in await imap.fetch("Sent", [uid or 0])] == [message(7)]
        assert [m.seen for m in await imap.fetch("Sent", [1, 2])] == [True, True]


async def test_idle_tells_of_a_new_message_at_once_and_of_none_after_the_time(
    mail: tuple[Server, MailStore],
) -> None:
    server, store = mail
    async with reader(server) as imap:
        waiting = asyncio.create_task(imap.wait("INBOX", 5))
        await asyncio.sleep(0.05)
        store.deliver(ANNA.user, message(1))
        async with asyncio.timeout(1):
            assert await waiting
        assert not await imap.wait("INBOX", 0.05)
        assert len(await everything(imap)) == 1


async def test_a_new_uidvalidity_asks_the_caller_to_compare(mail: tuple[Server, MailStore]) -> None:
    server, store = mail
    for n in range(3):
        store.deliver(ANNA.user, message(n))
    async with reader(server) as imap:
        *_, last = [part async for part in imap.fetch_new(START)]
        assert not last.resync
        store.account(ANNA.user).folders["INBOX"].uidvalidity += 1
    async with reader(server) as imap:
        again = [part async for part in imap.fetch_new(last.cursor, batch=2)]
    assert all(part.resync for part in again)
    assert [m.raw for part in again for m in part.messages] == [message(n) for n in range(3)]
    assert again[-1].cursor.uidvalidity == last.cursor.uidvalidity + 1


@pytest.mark.parametrize("seed", range(4))
async def test_cuts_every_few_hundred_bytes_lose_and_double_nothing(
    mail: tuple[Server, MailStore], seed: int
) -> None:
    server, store = mail
    luck = random.Random(seed)
    sent = [message(n, size=luck.choice([50, 900, 6000])) for n in range(15)]
    for content in sent:
        store.deliver(ANNA.user, content)
    cuts = (luck.randint(300, 2500) for _ in itertools.count())
    counted = itertools.count(1)
    connections = 0

    def limits():  # type: ignore[no-untyped-def]  # noqa: ANN202
        nonlocal connections
        for cut in cuts:
            connections = next(counted)
            yield cut

    async with cutting(server, limits()) as proxy, reader(proxy) as imap:
        fetched = await everything(imap, batch=6)
    assert [m.raw for m in fetched] == sent
    assert connections > 5
    assert not any(m.flags for m in store.account(ANNA.user).folders["INBOX"].messages.values())


async def test_a_server_that_never_gets_further_is_given_up_as_temporary(
    mail: tuple[Server, MailStore],
) -> None:
    server, store = mail
    store.deliver(ANNA.user, message(1))
    async with cutting(server, itertools.repeat(60)) as proxy:
        with pytest.raises(CadenzaError) as failed:
            async with reader(proxy):
                pass
    assert (failed.value.code, failed.value.kind) == ("mail_server_unreachable", Kind.TEMPORARY)


async def test_a_silent_server_is_given_up_within_its_deadlines() -> None:
    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serve(silent) as server, asyncio.timeout(3):
        with pytest.raises(CadenzaError) as failed:
            async with reader(server, seconds=0.05):
                pass
    assert failed.value.code == "mail_server_unreachable"


async def test_a_refused_log_in_says_so_and_is_not_tried_again(mail: tuple[Server, MailStore]) -> None:
    server, _ = mail
    with pytest.raises(CadenzaError) as failed:
        async with reader(server, credentials=Credentials(ANNA.user, "wrong")):
            pass
    assert failed.value.code == "mail_login_refused"
    assert "wrong user or password" in failed.value.message


async def test_a_folder_that_is_gone_is_named(mail: tuple[Server, MailStore]) -> None:
    server, _ = mail
    async with reader(server) as imap:
        with pytest.raises(CadenzaError) as failed:
            await everything(imap, FolderCursor("Elsewhere", 1, 1))
    assert failed.value.code == "mail_folder_refused"
    assert "Elsewhere" in failed.value.message


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda imap: imap.folders(), "mail_folder_refused"),
        (lambda imap: imap.create("Sent"), "mail_folder_refused"),
        (lambda imap: imap.wait("INBOX", 5), "mail_server_unreachable"),
    ],
)
async def test_whatever_is_refused_is_an_error_with_a_code(
    act: Callable[[ImapReader], Awaitable[object]], code: str
) -> None:
    async def sulking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK hi\r\n")
        while line := await reader.readline():
            tag, _, command = line.partition(b" ")
            if command.startswith(b"CAPABILITY"):
                writer.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
            known = command.startswith((b"CAPABILITY", b"LOGIN", b"SELECT", b"LOGOUT"))
            writer.write(tag + (b" OK done\r\n" if known else b" NO not today\r\n"))

    async with serve(sulking) as server, reader(server) as imap:
        with pytest.raises(CadenzaError) as failed:
            await act(imap)
    assert failed.value.code == code


@pytest.mark.asvs("12.3.1")
async def test_stripped_starttls_gets_no_password() -> None:
    heard = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK hi\r\n")
        while line := await reader.readline():
            heard.extend(line)
            writer.write(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + line.split()[0] + b" OK done\r\n")

    async with serve(plain, tls=Tls.STARTTLS) as server:
        with pytest.raises(CadenzaError) as failed:
            async with reader(server):
                pass
    assert failed.value.code == "mail_server_unreachable"
    assert b"AUTH" not in heard.upper()
    assert b"LOGIN" not in heard.upper()


@pytest.mark.asvs("1.3.11")
@pytest.mark.parametrize("value", ["<a>\r\nc9 DELETE INBOX", 'a" SEEN', "ü@x.example"])
async def test_searched_text_stays_text(mail: tuple[Server, MailStore], value: str) -> None:
    server, store = mail
    store.deliver(ANNA.user, message(1))
    async with reader(server) as imap:
        assert await imap.search("INBOX", "Message-ID", value) == ()
        assert len(await everything(imap)) == 1


@pytest.mark.parametrize(
    ("lines", "sent", "drafts"),
    [
        (
            [r'* LIST (\HasNoChildren \Sent) "/" "[Gmail]/Gesendet"', r'* LIST (\Drafts) "/" x'],
            "[Gmail]/Gesendet",
            "x",
        ),
        ([r'* LIST () "." INBOX', r'* LIST () "." "INBOX.Sent Items"'], "INBOX.Sent Items", None),
        (
            [r'* LIST () "/" "Gesendete Objekte"', r'* LIST () "/" "Entw&APw-rfe"'],
            "Gesendete Objekte",
            "Entw&APw-rfe",
        ),
        ([r'* LIST (\Noselect) "/" Sent', r'* LIST () "/" "Envoy&AOk-s"'], "Envoy&AOk-s", None),
        ([r"* LIST () NIL INBOX"], None, None),
    ],
)
def test_folders_by_their_flags_else_by_their_names(
    lines: list[str], sent: str | None, drafts: str | None
) -> None:
    folders = read_folders([Answer((line.encode(),)) for line in lines])
    assert (folders.sent, folders.drafts) == (sent, drafts)


@pytest.mark.parametrize(
    ("name", "text"),
    [("Entw&APw-rfe", "Entwürfe"), ("A&-B", "A&B"), ("&broken", "&broken"), ("&AOk", "&AOk")],
)
def test_folder_names_outside_ascii(name: str, text: str) -> None:
    assert decoded(name) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b'" 2-Mar-2026 10:00:00 +0100"', datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
        (b'"31-Feb-2026 10:00:00 +0100"', None),
        (b'"02-Mar-2026 23:30:00 -0730"', datetime(2026, 3, 3, 7, 0, tzinfo=UTC)),
        (b'"gestern"', None),
    ],
)
def test_dates_of_delivery(text: bytes, moment: datetime | None) -> None:
    found = read_pending(
        Answer((b"* 1 FETCH (UID 5 FLAGS (\\Seen) INTERNALDATE " + text + b" RFC822.SIZE 9)",))
    )
    assert found is not None
    assert (found.uid, found.seen, found.size, found.internal_date) == (5, True, 9, moment)


def test_answers_with_literals_anywhere_are_read() -> None:
    answer = Answer((b"* 1 FETCH (BODY[] {3}", Literal(b')"('), b' FLAGS () X "a\\"b" UID 7)'))
    assert answer.values()[3] == [b"BODY[]", b')"(', b"FLAGS", [], b"X", b'a"b', b"UID", b"7"]


async def test_more_than_one_request_can_hold_is_fetched_in_several(mail: tuple[Server, MailStore]) -> None:
    server, store = mail
    sent = [message(n, size=30_000) for n in range(120)]
    for content in sent:
        store.deliver(ANNA.user, content)
    async with reader(server) as imap:
        assert [m.raw for m in await everything(imap, batch=100)] == sent
