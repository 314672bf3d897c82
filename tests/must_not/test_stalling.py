"""M11: a server that never answers, people nobody can write to, paused senders and campaigns hold up nobody else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.audience.service import import_contacts
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import MailboxState, Server
from cadenza.channels.service import NewMailbox, add_mailbox, mailboxes, set_state
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher, launch, pause
from cadenza.identity.contracts import Actor
from tests.servers.scripted import serve
from tests.support.campaigns import document
from tests.support.post import PASSWORD, Post, post_office

pytestmark = pytest.mark.must_not("M11")

DAY = timedelta(days=1)
HEALTHY = [f"s{n}@healthy.example" for n in range(4)]
CROWD = "crowd@paused.example"


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, [*HEALTHY, CROWD]) as office:
        yield office


@pytest.fixture
async def tarpit() -> AsyncIterator[Server]:
    """Takes the connection and then says nothing, for ever."""

    async def silence(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serve(silence) as server:
        yield server


def people(name: str, count: int) -> bytes:
    rows = [f"{name}{n}@{name}.example,First,Last,{name},DE,Europe/Berlin" for n in range(count)]
    return "\n".join(["email,first_name,last_name,company,country,timezone", *rows]).encode()


async def campaign(
    database: Database,
    actor: Actor,
    post: Post,
    name: str,
    sender: str,
    count: int,
    *,
    smtp: Server | None = None,
) -> tuple[UUID, ...]:
    """A launched campaign with a mailbox and people of its own."""
    new = NewMailbox(address=sender, smtp=smtp or post.smtp, imap=post.imap, user="" if smtp else sender)
    async with database.unit(actor.workspace_id) as unit:
        await add_mailbox(unit, actor, new, PASSWORD)
        await unit.session.execute(text("update mailboxes set daily_limit = 9999"))
        report = await import_contacts(unit, actor, people(name, count), file="people.csv")
        applied = await apply(unit, actor, document(name=name, senders=[sender]))
        assert applied.errors == ()
        await launch(unit, actor, name)
    return report.contact_ids


async def turns(dispatcher: Dispatcher, count: int, *, but: UUID | None = None) -> None:
    """That many turns; each time the lanes end, save that of ``but``, which never does."""
    for _ in range(count):
        await dispatcher.turn()
        await asyncio.gather(*(task for box, task in dispatcher._lanes.items() if box != but))


def by_campaign(post: Post) -> Counter[str]:
    return Counter(letter.recipient.partition("@")[2].partition(".")[0] for letter in post.letters())


async def test_a_server_that_never_answers_holds_up_only_its_own_mailbox(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, tarpit: Server
) -> None:
    """The crowd behind the tarpit is larger than a batch, was there first, and must not fill each batch anew."""
    await campaign(database, workspace, post, "stuck", "stuck@tarpit.example", 200, smtp=tarpit)
    world.move(timedelta(hours=1))
    for number, sender in enumerate(HEALTHY):
        await campaign(database, workspace, post, f"healthy{number}", sender, 10)
    async with database.unit(workspace.workspace_id) as unit:
        stuck = next(m.id for m in await mailboxes(unit) if m.address == "stuck@tarpit.example")
    world.move(DAY)
    dispatcher = Dispatcher(database, quick)
    try:
        await turns(dispatcher, 4, but=stuck)
        assert by_campaign(post) == {f"healthy{n}": 10 for n in range(4)}
    finally:
        for task in dispatcher._lanes.values():
            task.cancel()
        await dispatcher.drain()


@pytest.mark.parametrize("what", ["sender", "campaign"])
async def test_a_paused_sender_or_campaign_with_a_crowd_waiting_holds_up_nobody_else(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, what: str
) -> None:
    await campaign(database, workspace, post, "crowd", CROWD, 200)
    for number, sender in enumerate(HEALTHY):
        await campaign(database, workspace, post, f"healthy{number}", sender, 10)
    async with database.unit(workspace.workspace_id) as unit:
        if what == "sender":
            box = next(m for m in await mailboxes(unit) if m.address == CROWD)
            await set_state(unit, box.id, MailboxState.PAUSED, "on holiday")
        else:
            await pause(unit, workspace, "crowd")
    world.move(DAY)
    await turns(Dispatcher(database, quick), 2 if what == "campaign" else 6)
    assert by_campaign(post) == {f"healthy{n}": 10 for n in range(4)}


POISON = {
    "name of control characters": ("contacts", "first_name", "A\r\nBcc: all@victim.example\x00\x1b[2J\u202e"),
    "longest name": ("contacts", "first_name", "x" * 100),
    "address with a line break": ("addresses", "value", "p3@firm.example\r\nRCPT TO:<victim@x.example>"),
    "address outside ASCII": ("addresses", "value", "jörg@firm.example"),
    "no address at all": ("addresses", "value", "nonsense"),
    "zone that does not exist": ("contacts", "timezone", "Mars/Olympus"),
    "country that does not exist": ("contacts", "country", "XX"),
    "language that does not exist": ("contacts", "language", "tlh"),
}


@pytest.mark.parametrize("what", POISON)
async def test_a_person_nobody_can_write_to_holds_up_nobody_else(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, what: str
) -> None:
    """Whatever stands in the row of one person: the others of the same chunk get their mail in two turns."""
    table, column, value = POISON[what]
    ids = await campaign(database, workspace, post, "firm", "s0@healthy.example", 10)
    place = "id" if table == "contacts" else "contact_id"
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(
            text(f"update {table} set {column} = :value where {place} = :id"),
            {"value": value.replace("\0", ""), "id": ids[3]},
        )
    world.move(DAY)
    await turns(Dispatcher(database, quick), 2)
    got = {letter.recipient for letter in post.letters()}
    assert {f"firm{n}@firm.example" for n in range(10) if n != 3} <= got
    assert got <= {f"firm{n}@firm.example" for n in range(10)}
    assert not any(b"\nBcc:" in letter.content for letter in post.letters())
