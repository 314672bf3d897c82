"""A provider that files no copies gets them filed; one that does is left alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import text

from cadenza.channels.contracts import Credentials, FolderCursor, Mailbox
from cadenza.channels.service import ImapReader, NewMailbox, add_mailbox, lease_copies, mailboxes
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine import content, sent_copies
from cadenza.engine.service import Dispatcher, file_copies
from cadenza.identity.contracts import Actor
from cadenza.sandbox.smtp_server import Provider
from tests.servers.certificates import Authority
from tests.servers.programs import dovecot, program
from tests.servers.scripted import cutting, serve
from tests.support.campaigns import TWO_STEPS, document, people, running
from tests.support.post import PASSWORD, Post, post_office

ANNA, BEN = SENDERS = ["anna@north.example", "ben@south.example"]
ONE_STEP = TWO_STEPS.split("\n- id: follow")[0]
_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_copies, "_SECOND_LOOK_SECONDS", 0.05)


@dataclass
class Scene:
    """Two mailboxes at a provider, with one message sent to each of six people."""

    database: Database
    actor: Actor
    post: Post

    async def boxes(self) -> dict[str, Mailbox]:
        async with self.database.unit(self.actor.workspace_id) as unit:
            return {box.address: box for box in await mailboxes(unit)}

    async def waiting(self) -> int:
        async with self.database.unit(self.actor.workspace_id) as unit:
            query = text("select count(*) from touches where state = 'sent' and needs_copy")
            return int((await unit.session.execute(query)).scalar_one())

    async def sent(self, address: str) -> list[bytes]:
        async with ImapReader(self.post.imap, Credentials(address, PASSWORD)) as reader:
            folder = (await reader.folders()).sent
            assert folder
            found = reader.fetch_new(FolderCursor(folder))
            return [message.raw async for batch in found for message in batch.messages]

    async def in_sent(self) -> list[bytes]:
        return sorted([raw for address in SENDERS for raw in await self.sent(address)])

    def taken(self) -> list[bytes]:
        return sorted(letter.content for letter in self.post.letters())


def _html(raw: bytes) -> str:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    page = mail.get_body(("html",))
    assert page
    return str(page.get_content())


async def _drain(database: Database, world: ManualClock) -> None:
    world.move(_DAY)
    dispatcher = Dispatcher(database, Settings())
    while await dispatcher.turn():
        await dispatcher.drain()


@pytest.fixture
async def scene(
    database: Database, workspace: Actor, tmp_path: Path, world: ManualClock
) -> AsyncIterator[Scene]:
    async with post_office(tmp_path, world, SENDERS) as post:
        await running(database, workspace, post, document(ONE_STEP), people(6))
        yield Scene(database, workspace, post)


@pytest.fixture
def keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider delivers, and files no copy."""
    monkeypatch.setattr(Provider, "file_sent", lambda *_: None)


async def test_a_provider_that_files_copies_is_noticed_and_left_alone(
    scene: Scene, world: ManualClock
) -> None:
    await _drain(scene.database, world)
    assert await scene.waiting() == 6
    for _ in range(2):
        await file_copies(scene.database)
    assert [box.files_copies for box in (await scene.boxes()).values()] == [True, True]
    assert await scene.waiting() == 0
    assert await scene.in_sent() == scene.taken()
    assert await file_copies(scene.database) == 0


@pytest.mark.usefixtures("keeps_nothing")
async def test_what_a_provider_does_not_file_is_filed_as_it_went_out(
    scene: Scene, world: ManualClock
) -> None:
    await _drain(scene.database, world)
    assert await scene.in_sent() == []
    assert await file_copies(scene.database) == 6
    assert [box.files_copies for box in (await scene.boxes()).values()] == [False, False]
    assert await scene.in_sent() == scene.taken()
    async with ImapReader(scene.post.imap, Credentials(ANNA, PASSWORD)) as reader:
        copies = await reader.fetch("Sent", range(1, 9))
    assert copies
    assert all(copy.seen for copy in copies)
    assert await file_copies(scene.database) == 0
    assert await scene.in_sent() == scene.taken()


@pytest.mark.usefixtures("keeps_nothing")
@pytest.mark.must_not("M5")
async def test_whoever_looks_into_the_sent_folder_is_not_counted_as_the_recipient(
    database: Database, workspace: Actor, tmp_path: Path, world: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "settings", lambda: Settings(public_url="https://go.north.example"))
    tracked = ONE_STEP.replace(
        'text: "One line."', "text: One line., html: '<p><a href=\"https://x.example/\">x</a></p>'"
    )
    async with post_office(tmp_path, world, SENDERS) as post:
        source = document(tracked, extra="tracking: {opens: true, clicks: true}")
        await running(database, workspace, post, source, people(2))
        await _drain(database, world)
        assert await file_copies(database) == 2
        scene = Scene(database, workspace, post)
        sent, filed = [_html(raw) for raw in scene.taken()], [_html(raw) for raw in await scene.in_sent()]
    places = [
        ("https://go.north.example/o/", True),
        ("https://go.north.example/c/", True),
        ("https://x.example/", False),
    ]
    for place, with_tracking in places:
        assert [place in page for page in sent] == [with_tracking] * 2
        assert [place in page for page in filed] == [not with_tracking] * 2


@pytest.mark.usefixtures("keeps_nothing")
async def test_filing_again_after_a_crash_adds_no_second_copy(
    scene: Scene, world: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _drain(scene.database, world)

    class KilledError(BaseException):
        """Between filing and noting."""

    async def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as killed:
        killed.setattr(sent_copies, "_filed", die)
        others = asyncio.all_tasks()
        with pytest.raises(KilledError):
            await file_copies(scene.database)
        if left := asyncio.all_tasks() - others:  # the other mailbox's batch is killed too, not let go on
            await asyncio.wait(left, timeout=10)
    before = await scene.in_sent()
    assert 1 <= len(before) <= 2
    assert await scene.waiting() == 6
    while await scene.waiting():
        await file_copies(scene.database)
    assert await scene.in_sent() == scene.taken()


@pytest.mark.usefixtures("keeps_nothing")
async def test_two_workers_file_one_copy(scene: Scene, world: ManualClock) -> None:
    await _drain(scene.database, world)
    await asyncio.gather(*(file_copies(scene.database) for _ in range(3)))
    while await scene.waiting():
        await file_copies(scene.database)
    assert await scene.in_sent() == scene.taken()


@pytest.mark.usefixtures("keeps_nothing")
async def test_a_lost_worker_s_mailbox_is_taken_over_when_its_lease_is_over(
    scene: Scene, world: ManualClock
) -> None:
    await _drain(scene.database, world)
    anna = (await scene.boxes())[ANNA]
    async with scene.database.unit(anna.workspace_id) as unit:
        assert await lease_copies(unit, anna.id, timedelta(seconds=0.4))
        assert not await lease_copies(unit, anna.id, timedelta(seconds=60))
    await file_copies(scene.database)
    assert await scene.sent(ANNA) == []
    assert len(await scene.sent(BEN)) == 3
    await asyncio.sleep(0.5)
    assert await file_copies(scene.database) == 3
    assert await scene.in_sent() == scene.taken()


@pytest.mark.usefixtures("keeps_nothing")
@pytest.mark.must_not("M11")
async def test_a_mailbox_that_breaks_off_keeps_nobody_else_waiting(scene: Scene, world: ManualClock) -> None:
    await _drain(scene.database, world)
    async with cutting(scene.post.imap, iter([0] * 50)) as broken:
        async with scene.database.unit(scene.actor.workspace_id) as unit:
            new = NewMailbox(address=ANNA, smtp=scene.post.smtp, imap=broken, user=ANNA, daily_limit=999)
            await add_mailbox(unit, scene.actor, new, PASSWORD)
        assert await file_copies(scene.database) == 3
        assert await scene.waiting() == 3
    assert len(await scene.sent(BEN)) == 3


@pytest.mark.usefixtures("keeps_nothing")
@pytest.mark.must_not("M11")
async def test_a_server_that_says_the_unheard_of_keeps_nobody_else_waiting(
    scene: Scene, world: ManualClock
) -> None:
    await _drain(scene.database, world)

    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK hi\r\n")
        while line := await reader.readline():
            tag, _, rest = line.partition(b" ")
            known = rest.startswith((b"LOGIN", b"CAPABILITY", b"LOGOUT"))
            writer.write(tag + (b" OK\r\n" if known else b" NO not today\r\n"))  # not even a list of folders

    async with serve(odd) as server:
        async with scene.database.unit(scene.actor.workspace_id) as unit:
            new = NewMailbox(address=ANNA, smtp=scene.post.smtp, imap=server, user=ANNA, daily_limit=999)
            await add_mailbox(unit, scene.actor, new, PASSWORD)
        assert await asyncio.wait_for(file_copies(scene.database), 100) == 3
    assert len(await scene.sent(BEN)) == 3


@pytest.mark.usefixtures("keeps_nothing")
async def test_a_changed_mailbox_is_asked_anew(scene: Scene, world: ManualClock) -> None:
    await _drain(scene.database, world)
    await file_copies(scene.database)
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        new = NewMailbox(address=ANNA, smtp=scene.post.smtp, imap=scene.post.imap, user=ANNA)
        assert (await add_mailbox(unit, scene.actor, new, PASSWORD)).files_copies is None


@pytest.mark.servers
@pytest.mark.skipif(not program("dovecot"), reason="Dovecot is not installed")
async def test_dovecot_gets_copies_and_a_sent_folder_where_there_was_none(
    scene: Scene, world: ManualClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("dovecot")
    certificate = Authority(tmp_path_factory.mktemp("authority")).files("localhost")
    async with dovecot(folder, certificate, password=PASSWORD, sent=False) as imap:
        async with scene.database.unit(scene.actor.workspace_id) as unit:
            for address in SENDERS:
                new = NewMailbox(
                    address=address, smtp=scene.post.smtp, imap=imap, user=address, daily_limit=999
                )
                await add_mailbox(unit, scene.actor, new, PASSWORD)
        await _drain(scene.database, world)
        assert await file_copies(scene.database) == 6
        scene.post.imap = imap
        assert await scene.in_sent() == scene.taken()
