"""One campaign from the mailboxes' log-in to the answer in its thread, over Postfix and Dovecot as companies run them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from cadenza.audience.service import import_contacts, load_recipients
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import Credentials, Envelope, FolderCursor, Outcome
from cadenza.channels.service import (
    ImapReader,
    NewMailbox,
    SmtpSession,
    add_mailbox,
    credentials,
    mailboxes,
    test_mailbox,
)
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine import sent_copies
from cadenza.engine.service import Dispatcher, file_copies, launch, status
from cadenza.identity.contracts import Actor
from cadenza.inbox.analysis import analyse
from cadenza.inbox.reader import read_once
from cadenza.inbox.service import answer, conversation, conversations
from tests.servers.certificates import Authority
from tests.servers.programs import MailOffice, mail_office, program
from tests.support.campaigns import SENDERS, TWO_STEPS, document, people

test_mailbox.__test__ = False  # type: ignore[attr-defined] - a door, whatever pytest thinks of its name

pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not (program("postfix") and program("dovecot")), reason="Postfix and Dovecot are not installed"
    ),
]

DAY = timedelta(days=1)
PASSWORD = "a_long_secret"
ANSWERS, UNKNOWN, AWAY, LEAVES, SILENT, ELSEWHERE = range(6)
_HERE = (
    ANSWERS,
    AWAY,
    LEAVES,
    SILENT,
)  # these have mailboxes at the same office; one lives elsewhere, one nowhere


def address_of(number: int) -> str:
    return f"p{number}@firm{number}.example"


@dataclass
class Loop:
    """The office, our installation, and what its people see."""

    office: MailOffice
    database: Database
    actor: Actor
    world: ManualClock

    async def connect_mailboxes(self) -> None:
        for address in SENDERS:
            secret = Credentials(address, PASSWORD)
            tested = await test_mailbox(address, self.office.smtp, self.office.imap, secret)
            assert tested.ok, tested.detail
            new = NewMailbox(
                address=address, smtp=self.office.smtp, imap=self.office.imap, user=address, daily_limit=999
            )
            async with self.database.unit(self.actor.workspace_id) as unit:
                await add_mailbox(unit, self.actor, new, PASSWORD)

    async def launch(self) -> tuple[UUID, ...]:
        async with self.database.unit(self.actor.workspace_id) as unit:
            report = await import_contacts(unit, self.actor, people(6), file="people.csv")
            assert (await apply(unit, self.actor, document(TWO_STEPS))).errors == ()
            await launch(unit, self.actor, "spring")
        return report.contact_ids

    async def send(self) -> None:
        dispatcher = Dispatcher(self.database, Settings())
        while await dispatcher.turn():
            await dispatcher.drain()

    async def inbox(self, address: str, messages: int) -> list[EmailMessage]:
        """What lies in somebody's inbox, once it is as much as this."""
        async with (
            ImapReader(self.office.imap, Credentials(address, PASSWORD)) as reader,
            asyncio.timeout(30),
        ):
            while True:
                found = [
                    m.raw async for batch in reader.fetch_new(FolderCursor("INBOX")) for m in batch.messages
                ]
                if len(found) >= messages:
                    return [message_from_bytes(raw, policy=default) for raw in found]  # type: ignore[misc]
                await asyncio.sleep(0.1)

    async def write(self, number: int, to: str, body: str, **headers: str) -> None:
        """A prospect's mail, as any server of the world hands it to ours."""
        mail = EmailMessage()
        mail["From"], mail["To"] = f"First{number} Last{number} <{address_of(number)}>", to
        mail["Message-ID"], mail["Date"] = (
            f"<{uuid4().hex}@theirs.example>",
            format_datetime(self.world.now()),
        )
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(body)
        content = mail.as_bytes(policy=default.clone(linesep="\r\n"))
        async with SmtpSession(self.office.smtp) as session:
            reply = await session.send(Envelope(uuid4(), address_of(number), to, content))
        assert reply.outcome is Outcome.ACCEPTED, reply

    async def read(self, messages: int) -> None:
        """Take in what comes until it is so much, and read it as the worker does."""
        async with self.database.unit(self.actor.workspace_id) as unit:
            found = await mailboxes(unit)
        boxes = [(box, await credentials(self.database, box.workspace_id, box.id)) for box in found]
        seen = 0
        async with asyncio.timeout(30):
            while True:
                for box, secret in boxes:
                    async with ImapReader(box.imap, secret) as reader:
                        seen += await read_once(self.database, box, reader)
                if seen >= messages:
                    break
                await asyncio.sleep(0.1)
        async with self.database.unit(self.actor.workspace_id) as unit:
            jobs = await unit.session.execute(
                text("select args from procrastinate_jobs where status = 'todo' order by id")
            )
            waiting = [arguments for (arguments,) in jobs]
        for arguments in waiting:
            await analyse(self.database, **arguments)

    async def standing(self, ids: tuple[UUID, ...]) -> dict[int, tuple[str, str | None]]:
        """State of each person's sequence, and why it ended."""
        async with self.database.unit(self.actor.workspace_id) as unit:
            rows = await unit.session.execute(text("select contact_id, state, ended_reason from enrolments"))
            return {ids.index(contact): (state, reason) for contact, state, reason in rows}

    def outside(self) -> int:
        """How many messages left this office, or are about to."""
        return len(list(self.office.outside.iterdir()))


@pytest.fixture
async def loop(
    database: Database, workspace: Actor, world: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Loop]:
    monkeypatch.setattr(sent_copies, "_SECOND_LOOK_SECONDS", 0.05)
    async with _office(tmp_path) as office:
        yield Loop(office, database, workspace, world)


@asynccontextmanager
async def _office(folder: Path) -> AsyncIterator[MailOffice]:
    accounts = dict.fromkeys([*SENDERS, *(address_of(number) for number in _HERE)], PASSWORD)
    accounts[f"postmaster@firm{UNKNOWN}.example"] = PASSWORD  # the company lives here, the person does not
    async with mail_office(folder, Authority(folder).files("localhost"), accounts) as office:
        yield office


async def test_a_campaign_goes_out_comes_back_and_is_answered(loop: Loop) -> None:
    await loop.connect_mailboxes()
    ids = await loop.launch()
    await loop.read(0)  # from here on everything in the mailboxes is news
    loop.world.set(loop.world.now().replace(hour=23, minute=58))
    await loop.send()

    first = {number: (await loop.inbox(address_of(number), 1))[0] for number in _HERE}
    assert [mail["Subject"] for mail in first.values()] == [f"Hello First{number}" for number in _HERE]
    assert {mail["From"].addresses[0].addr_spec for mail in first.values()} == set(SENDERS)

    await _come_back(loop, first)
    await loop.read(3)  # the unsubscribing is acted on and not stored
    while (await loop.standing(ids))[LEAVES][0] != "stopped":
        await loop.read(0)
    standing = await loop.standing(ids)
    assert standing[ANSWERS] == ("stopped", "reply")
    assert standing[UNKNOWN] == ("stopped", "bounce")
    assert standing[LEAVES] == ("stopped", "opt_out")
    assert standing[AWAY] == ("held", None)
    assert {standing[SILENT][0], standing[ELSEWHERE][0]} == {"active"}
    await _counted(loop, ids)

    await _answer(loop, first[ANSWERS])
    await _follow_up(loop, first)
    await _copies(loop)


async def _come_back(loop: Loop, first: dict[int, EmailMessage]) -> None:
    """One answers, one is away, one leaves; the bounce comes by itself."""

    def ours(number: int) -> str:
        return str(first[number]["From"].addresses[0].addr_spec)

    thread = {"In_Reply_To": first[ANSWERS]["Message-ID"], "References": first[ANSWERS]["Message-ID"]}
    words = "Thanks for your mail. Can we talk on Thursday at 10? What does it cost?"
    await loop.write(ANSWERS, ours(ANSWERS), words, Subject="Re: Hello First0", **thread)
    back = (loop.world.now() + 7 * DAY).date().isoformat()
    await loop.write(
        AWAY,
        ours(AWAY),
        f"I am out of the office and will be back on {back}.",
        Subject="Automatic reply: Hello First2",
        Auto_Submitted="auto-replied",
        In_Reply_To=first[AWAY]["Message-ID"],
    )
    asked = urlsplit(str(first[LEAVES]["List-Unsubscribe"]).strip("<>"))
    assert asked.scheme == "mailto"
    await loop.write(LEAVES, asked.path, "", Subject=unquote(asked.query.removeprefix("subject=")))


async def _counted(loop: Loop, ids: tuple[UUID, ...]) -> None:
    async with loop.database.unit(loop.actor.workspace_id) as unit:
        people_now = await load_recipients(unit, ids)
        counts = (await status(unit, loop.actor, "spring")).counts
    assert people_now[ids[LEAVES]].suppression is not None
    assert people_now[ids[ANSWERS]].suppression is None
    known = {name: counts.get(name) for name in ("sent", "replied", "bounced", "absent", "unsubscribed")}
    assert known == {"sent": 6, "replied": 1, "bounced": 1, "absent": 1, "unsubscribed": 1}


async def _answer(loop: Loop, first: EmailMessage) -> None:
    async with loop.database.unit(loop.actor.workspace_id) as unit:
        lines = (await conversations(unit, loop.actor)).items
        line = next(line for line in lines if line.intent == "meeting_request")
        assert [item.by for item in (await conversation(unit, loop.actor, line.id)).items] == ["us", "them"]
        await answer(unit, loop.actor, line.id, draft_id=uuid4(), text="Thursday at 10 suits me well.")
    await loop.send()
    _, answered = await loop.inbox(address_of(ANSWERS), 2)
    assert "Thursday at 10 suits me well." in str(answered.get_body().get_content())  # type: ignore[union-attr]
    assert answered["Subject"] == "Re: Hello First0"
    assert str(answered["In-Reply-To"]).endswith("@theirs.example>")
    assert str(first["Message-ID"]) in str(answered["References"])


async def _follow_up(loop: Loop, first: dict[int, EmailMessage]) -> None:
    """The second step reaches, in its thread, those who neither answered nor left; the absent one after the return."""
    for _ in range(4):
        loop.world.move(DAY)
        await loop.send()
    _, second = await loop.inbox(address_of(SILENT), 2)
    assert second["In-Reply-To"] == first[SILENT]["Message-ID"]
    async with asyncio.timeout(30):
        while loop.outside() < 2:
            await asyncio.sleep(0.1)
    assert len(await loop.inbox(address_of(AWAY), 1)) == 1
    for _ in range(8):
        loop.world.move(DAY)
        await loop.send()
    assert [
        len(await loop.inbox(address_of(n), wanted)) for n, wanted in ((AWAY, 2), (LEAVES, 1), (ANSWERS, 2))
    ] == [
        2,
        1,
        2,
    ]


async def _copies(loop: Loop) -> None:
    """Dovecot files nothing by itself, so every message of ours lies in Sent by our hand, once."""
    async with loop.database.unit(loop.actor.workspace_id) as unit:
        query = text("select message_id from touches where state = 'sent'")
        sent = sorted((await unit.session.scalars(query)).all())
    while await file_copies(loop.database):
        pass
    filed = []
    for address in SENDERS:
        async with ImapReader(loop.office.imap, Credentials(address, PASSWORD)) as reader:
            async for batch in reader.fetch_new(FolderCursor("Sent")):
                filed += [message_from_bytes(m.raw, policy=default)["Message-ID"] for m in batch.messages]
    assert sorted(map(str, filed)) == sent


async def test_postfix_relays_for_nobody_without_a_log_in(loop: Loop) -> None:
    stranger = Envelope(uuid4(), SENDERS[0], "somebody@elsewhere.example", b"Subject: x\r\n\r\nx\r\n")
    async with SmtpSession(loop.office.smtp) as session:
        assert (await session.send(stranger)).outcome is Outcome.REFUSED
    async with SmtpSession(loop.office.smtp, Credentials(SENDERS[0], PASSWORD)) as session:
        assert (await session.send(stranger)).outcome is Outcome.ACCEPTED
    wrong = await test_mailbox(
        SENDERS[0], loop.office.smtp, loop.office.imap, Credentials(SENDERS[0], "wrong")
    )
    assert not wrong.ok
    assert wrong.detail.count("refuses the log-in") == 2
