import asyncio
import imaplib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flufl.bounce import scan_message

from cadenza.channels.contracts import Credentials, Envelope, Outcome, Server, Tls, WireReply
from cadenza.channels.service import Slots as Content
from cadenza.channels.service import SmtpSession, compile_message
from cadenza.core.clock import Anchor, ManualClock, WorldClock
from cadenza.core.errors import CadenzaError
from cadenza.sandbox.contracts import Person
from cadenza.sandbox.local_time import is_free
from cadenza.sandbox.mail_store import Folder
from cadenza.sandbox.people import people
from cadenza.sandbox.service import Sandbox, open_state
from cadenza.sandbox.world import DEMO, load_world
from tests.servers.scripted import serve

ANNA = "anna.berger@nordwerk.example"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def machine() -> ManualClock:
    return ManualClock(MONDAY)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@asynccontextmanager
async def living(home: Path, machine: ManualClock) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(open_state(home), WorldClock(machine, Anchor(MONDAY, MONDAY, 1.0)))
    await sandbox.start()
    stop = asyncio.Event()
    running = asyncio.create_task(sandbox.run(stop))
    try:
        yield sandbox
    finally:
        stop.set()
        await running
        await sandbox.stop()


def smtp(sandbox: Sandbox, password: str | None = None, user: str = ANNA) -> SmtpSession:
    server = Server("127.0.0.1", sandbox.state.smtp_port, Tls.NONE)
    return SmtpSession(server, Credentials(user, password or sandbox.state.passwords[user]))


def message(recipient: str, at: datetime = MONDAY, sender: str = ANNA, **changes: object) -> Envelope:
    touch = uuid4()
    given = {
        "touch_id": touch,
        "recipient": recipient,
        "recipient_name": None,
        "subject": "How does your firm plan its downtime?",
        "text": "Hello,\n\nis that a subject for you?\n\nAnna",
        "at": at,
        "unsubscribe_mail": f"mailto:{sender}?subject=unsubscribe%20abc",
    }
    content = Content(**{**given, **changes})  # type: ignore[arg-type]
    raw = compile_message(sender, "Anna Berger", html=content.html is not None).compose(content)
    return Envelope(touch, sender, recipient, raw)


async def send(sandbox: Sandbox, *envelopes: Envelope) -> list[WireReply]:
    async with smtp(sandbox) as session:
        return [reply async for reply in session.send_many(envelopes)]


async def pass_time(machine: ManualClock, span: timedelta) -> None:
    machine.move(span)
    await asyncio.sleep(0.5)


def inbox(sandbox: Sandbox, address: str = ANNA) -> Folder:
    return sandbox.store.account(address).folders["INBOX"]


def mails(folder: Folder) -> Iterator[EmailMessage]:
    for uid in folder.messages:
        parsed = message_from_bytes(folder.content(uid), policy=default)
        assert isinstance(parsed, EmailMessage)
        yield parsed


def own_words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture(scope="module")
def everybody() -> tuple[Person, ...]:
    return people(load_world(DEMO))


def alive(everybody: tuple[Person, ...]) -> list[Person]:
    return [p for p in everybody if not p.dead]


async def test_what_is_accepted_is_in_the_ledger_and_in_sent(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    async with living(home, machine) as sandbox:
        sent = [message(p.email) for p in alive(everybody)[:5]]
        replies = await send(sandbox, *sent)
        assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
        lines = [json.loads(line) for line in (home / "sandbox" / "ledger.jsonl").read_text().splitlines()]
        assert [line["recipient"] for line in lines] == [e.recipient for e in sent]
        assert [line["raw"].encode("latin-1") for line in lines] == [e.content for e in sent]
        folder = sandbox.store.account(ANNA).folders["Sent"]
        assert [folder.content(uid) for uid in folder.messages] == [e.content for e in sent]


@pytest.mark.parametrize(
    ("user", "password", "sender", "stage"),
    [
        (ANNA, "wrong", ANNA, "login"),
        ("nobody@nordwerk.example", "wrong", ANNA, "login"),
        (ANNA, None, "ben.carter@nordwerk.example", "mail"),
    ],
)
async def test_only_its_owner_sends_from_a_mailbox(
    home: Path, machine: ManualClock, user: str, password: str | None, sender: str, stage: str
) -> None:
    async with living(home, machine) as sandbox:
        async with smtp(sandbox, password, user) as session:
            reply = await session.send(message("a@b.example", sender=sender))
        assert (reply.outcome is Outcome.ACCEPTED, reply.stage) == (False, stage)
        assert sandbox.ledger.entries == []


async def test_without_a_log_in_nothing_is_taken(home: Path, machine: ManualClock) -> None:
    async with living(home, machine) as sandbox:
        async with SmtpSession(Server("127.0.0.1", sandbox.state.smtp_port, Tls.NONE)) as session:
            reply = await session.send(message("a@b.example"))
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, 530)


async def test_addresses_that_are_not_there_are_refused_or_come_back(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    dead = [p for p in everybody if p.dead]
    async with living(home, machine) as sandbox:
        replies = await send(sandbox, *(message(p.email) for p in dead), message(f"nobody@{dead[0].domain}"))
        refused = [p.email for p, r in zip(dead, replies, strict=False) if r.outcome is Outcome.REFUSED]
        assert replies[-1].outcome is Outcome.REFUSED
        assert {r.enhanced for r in replies if r.outcome is Outcome.REFUSED} == {"5.1.1"}
        assert 0 < len(refused) < len(dead)
        await pass_time(machine, timedelta(hours=1))
        notices = list(mails(inbox(sandbox)))
        assert [n.get_content_type() for n in notices] == ["multipart/report"] * (len(dead) - len(refused))
        found = set().union(*(scan_message(n) for n in notices))
        assert found == {p.email.encode() for p in dead if p.email not in refused}
        returned = message_from_bytes(inbox(sandbox).content(1)).as_string()
        assert "X-Cadenza-Touch" in returned


async def test_people_whom_a_user_brings_along_live_here_too(home: Path, machine: ManualClock) -> None:
    """Imported addresses outside the world's companies do not bounce; after a restart they are who they were."""
    guests = [f"mia.{n}@guests{n}.example" for n in range(60)]
    async with living(home, machine) as sandbox:
        replies = await send(sandbox, *(message(address) for address in guests))
        assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
        others = await send(sandbox, message("nobody@nordwerk.example"))
        assert others[0].outcome is Outcome.REFUSED  # our own provider knows its mailboxes
        waiting = {(at, r.key) for at, _, r in sandbox.prospects._due}
        await pass_time(machine, timedelta(days=20))
        received = list(mails(inbox(sandbox)))
    written = {m["From"].addresses[0].addr_spec for m in received}
    assert len(written) > 1
    assert written <= set(guests)
    async with living(home, machine) as again:
        assert {(at, r.key) for at, _, r in again.prospects._due} <= waiting
        assert len(list(mails(inbox(again)))) == len(received)


async def test_people_answer_in_their_language_in_working_hours_and_no_two_alike(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    async with living(home, machine) as sandbox:
        for step in range(3):
            at = MONDAY + timedelta(days=step * 4)
            text = f"Hello,\n\nthis is step {step} with words of its own.\n\nAnna"
            await send(sandbox, *(message(p.email, at=at, text=text) for p in alive(everybody)))
            await pass_time(machine, timedelta(days=4))
        await pass_time(machine, timedelta(days=30))
        received = list(mails(inbox(sandbox)))
    people_by = {p.email: p for p in everybody}
    replies = [m for m in received if m["Auto-Submitted"] is None and m["In-Reply-To"]]
    notes = [m for m in received if m["Auto-Submitted"] == "auto-replied" and m["In-Reply-To"]]
    assert len(replies) > 60
    assert len(notes) > 15
    bodies = Counter(own_words(m) for m in (*replies, *notes))
    assert max(bodies.values()) == 1
    words = " ".join(bodies)
    assert all(part in words for part in ("Grüße", "Cordialement", "Kind regards"))
    for reply in replies:
        person = people_by[reply["From"].addresses[0].addr_spec]
        local = parsedate_to_datetime(reply["Date"]).astimezone(ZoneInfo(person.timezone))
        assert 6 <= local.hour < 23
        assert not is_free(local.date(), person.country, with_holidays=True)
        assert reply["Subject"].lower().startswith(("re:", "aw:"))
    quoted = [m for m in replies if "How does your firm plan" in own_words(m) or "> Hello," in own_words(m)]
    assert len(quoted) > len(replies) / 2
    assert any(m.get_body(("html",)) for m in replies)
    stops = [m for m in received if str(m["Subject"]).startswith("unsubscribe")]
    assert all(m["To"] == ANNA for m in stops)


async def test_nobody_answers_after_saying_stop(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    async with living(home, machine) as sandbox:
        for _ in range(8):
            await send(sandbox, *(message(p.email) for p in alive(everybody)[:80]))
            await pass_time(machine, timedelta(days=9))
        minds = sandbox.prospects._minds.values()
        stopped = [mind for mind in minds if mind.stopped]
        assert len(stopped) > 3
        known = {response.key for mind in stopped for response in mind.receive(mind.letters[-1])}
    assert known == set()


async def test_a_restart_computes_the_same_and_repeats_nothing(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    async with living(home, machine) as sandbox:
        await send(sandbox, *(message(p.email) for p in alive(everybody)))
        await pass_time(machine, timedelta(hours=5))
        before = [inbox(sandbox).content(uid) for uid in inbox(sandbox).messages]
        waiting = {(at, r.key, r.intent) for at, _, r in sandbox.prospects._due}
        texts = dict(sandbox.prospects._texts)
        ports = (sandbox.state.smtp_port, sandbox.state.imap_port)
    assert before
    assert waiting
    async with living(home, machine) as again:
        assert (again.state.smtp_port, again.state.imap_port) == ports
        await asyncio.sleep(0.3)
        assert {(at, r.key, r.intent) for at, _, r in again.prospects._due} == waiting
        assert again.prospects._texts == texts
        assert [inbox(again).content(uid) for uid in inbox(again).messages] == before
        await pass_time(machine, timedelta(days=40))
        ids = [m["Message-ID"] for m in mails(inbox(again))]
    assert len(ids) == len(set(ids)) > len(before)


async def test_a_crash_between_ledger_and_sent_folder_is_healed(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    async with living(home, machine) as sandbox:
        envelope = message(alive(everybody)[0].email)
        sandbox.ledger.add(MONDAY.isoformat(), ANNA, [envelope.recipient], envelope.content)
        with (home / "sandbox" / "ledger.jsonl").open("a") as ledger:
            ledger.write('{"number": 2, "torn')
    for _ in range(2):
        async with living(home, machine) as again:
            assert [entry.number for entry in again.ledger.entries] == [1]
            sent = again.store.account(ANNA).folders["Sent"]
            assert [sent.content(uid) for uid in sent.messages] == [envelope.content]


async def test_conversations_go_on_for_a_turn_or_two_and_end(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    async with living(home, machine) as sandbox:
        await send(sandbox, *(message(p.email) for p in alive(everybody)))
        await pass_time(machine, timedelta(days=20))
        turns = []
        seen = 0
        for _ in range(4):
            new = list(mails(inbox(sandbox)))[seen:]
            seen += len(new)
            replies = [m for m in new if m["Auto-Submitted"] is None and m["In-Reply-To"]]
            turns.append(len(replies))
            answers = [
                message(
                    m["From"].addresses[0].addr_spec,
                    subject=str(m["Subject"]),
                    in_reply_to=str(m["Message-ID"]),
                    references=(str(m["In-Reply-To"]), str(m["Message-ID"])),
                )
                for m in replies
            ]
            await send(sandbox, *answers)
            await pass_time(machine, timedelta(days=8))
    assert turns[0] > turns[1] > 0
    assert turns[3] == 0


async def test_tracked_links_are_followed_on_this_machine_only(
    home: Path, machine: ManualClock, everybody: tuple[Person, ...]
) -> None:
    requests: list[tuple[str, str, str]] = []

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split()
        agent = next(line for line in head.split("\r\n") if line.startswith("User-Agent"))
        body = await reader.read(100) if method == "POST" else b""
        requests.append((method, target, body.decode() or agent))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with serve(page) as web, living(home, machine) as sandbox:
        base = f"http://127.0.0.1:{web.port}"
        for step in range(4):
            letters = [
                message(
                    p.email,
                    text=f"step {step}",
                    html=f'<p><a href="{base}/click/{p.number}">x</a> <a href="http://192.0.2.1/away">y</a>'
                    f'<img src="{base}/open/{p.number}"></p>',
                    unsubscribe_url=f"{base}/stop/{p.number}",
                )
                for p in alive(everybody)
            ]
            await send(sandbox, *letters)
            await pass_time(machine, timedelta(days=15))
            await asyncio.sleep(0.5)
    kinds = Counter((method, target.split("/")[1]) for method, target, _ in requests)
    assert kinds["GET", "open"] > 150
    assert kinds["GET", "click"] > 20
    assert kinds["POST", "stop"] > 0
    assert kinds["GET", "stop"] + kinds["HEAD", "stop"] > 0  # scanners follow that one too
    assert all(body == "List-Unsubscribe=One-Click" for method, _, body in requests if method == "POST")
    assert any("GoogleImageProxy" in agent for _, _, agent in requests)


async def test_mail_among_our_own_mailboxes_simply_arrives(home: Path, machine: ManualClock) -> None:
    async with living(home, machine) as sandbox:
        await send(sandbox, message("ben.carter@nordwerk.example"))
        assert len(inbox(sandbox, "ben.carter@nordwerk.example").messages) == 1


async def test_another_world_needs_another_home(home: Path, tmp_path: Path) -> None:
    open_state(home)
    other = tmp_path / "other.yaml"
    other.write_text(DEMO.read_text().replace("seed: 20260302", "seed: 5"))
    with pytest.raises(CadenzaError) as refused:
        open_state(home, other)
    assert refused.value.code == "world_differs"


async def test_an_ordinary_client_can_use_the_mailbox(home: Path, machine: ManualClock) -> None:
    async with living(home, machine) as sandbox:
        sandbox.store.deliver(ANNA, b"Subject: one\r\n\r\nbody\r\n")

        def session() -> tuple[object, ...]:
            with imaplib.IMAP4("127.0.0.1", sandbox.state.imap_port) as client:
                client.login(ANNA, sandbox.state.passwords[ANNA])
                listed = client.list()[1]
                client.append("Drafts", r"(\Draft)", imaplib.Time2Internaldate(0), b"Subject: two\r\n\r\n")
                drafts = client.status("Drafts", "(MESSAGES UIDNEXT)")[1]
                client.select("INBOX")
                found = client.search(None, "UNSEEN")[1]
                fetched = client.fetch("1", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY[TEXT])")[1]
                client.store("1", "+FLAGS", r"(\Deleted)")
                gone = client.expunge()[1]
                return listed, drafts, found, fetched, gone

        listed, drafts, found, fetched, gone = await asyncio.to_thread(session)
        assert len(listed) == 4  # type: ignore[arg-type]
        assert drafts == [b'"Drafts" (MESSAGES 1 UIDNEXT 2)']
        assert found == [b"1"]
        assert b"SUBJECT: one" in fetched[0][1]  # type: ignore[index]
        assert fetched[1][1] == b"body\r\n"  # type: ignore[index]
        assert gone == [b"1"]
        assert inbox(sandbox).messages == {}


@pytest.mark.parametrize(
    "line",
    [b"nonsense", b"a FETCH 1 FLAGS", b"a LOGIN x", b"a SELECT INBOX", b"a ((((", b"a APPEND INBOX {5}"],
)
async def test_clients_that_write_nonsense_get_an_answer(
    home: Path, machine: ManualClock, line: bytes
) -> None:
    async with living(home, machine) as sandbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.state.imap_port)
        writer.write(line + b"\r\n" + b"12345\r\na LOGOUT\r\n")
        async with asyncio.timeout(2):
            answer = await reader.read()
        assert b" BAD " in answer or b" NO " in answer
        writer.close()
