"""Every implementation of the channels' protocol, each against the sandbox's own provider on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from cadenza.channels.accounts import NewAccount, connect_account, open_channel
from cadenza.channels.channel_mail import MailChannel
from cadenza.channels.contracts import AccountProvider, Channel, Errand, IncomingKind
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.database import Database
from cadenza.core.http import Egress
from cadenza.core.ids import new_id
from cadenza.identity.contracts import Actor
from cadenza.sandbox.linkedin_server import LinkedinServer
from cadenza.sandbox.phone_server import PhoneServer
from tests.support.post import PASSWORD, post_office

HERE = Egress(this_machine=True)
KEY, LINKEDIN_ID = "unipile-key-of-the-sandbox", "acc_sandbox"
SID, TOKEN = "AC" + "0" * 32, "twilio-token-of-the-sandbox"
JULIA = "https://www.linkedin.com/in/julia-example"
NUMBER, RINGS, THEIRS = "+493023125001", "+493023125002", "+493023125003"
ANNA, BEN = "anna@north.example", "ben@south.example"


@dataclass
class Rig:
    """``times``: how often the other side did it; ``react``: somebody answers; ``lose``: the next answer is lost after the act."""

    channel: Channel
    action: str
    recipient: str
    times: Callable[[], Awaitable[int]]
    react: Callable[[], Awaitable[IncomingKind]] | None = None
    lose: Callable[[], None] | None = None
    end: Callable[[], Awaitable[None]] | None = None  # the other side goes away
    lock_out: Callable[[], None] | None = None
    account_id: UUID | None = None

    def errand(self, database: Database, **more: str) -> Errand:
        values = {"text": "Hello Julia", "subject": "Hello", "script": "Say hello."} | more
        return Errand(
            touch_id=new_id(), action=self.action, recipient=self.recipient, at=database.world.now(), name="Julia Example", **values
        )  # fmt: skip


async def assisted(database: Database, actor: Actor, channel: str) -> Rig:
    address, action, recipient = (JULIA + "-2", "message", JULIA) if channel == "linkedin" else (NUMBER, "call", THEIRS)  # fmt: skip
    new = NewAccount(channel=channel, provider=AccountProvider.ASSISTED, name="Anna", address=address)
    tested = await connect_account(database, HERE, actor, new, "")
    assert tested.ok, tested
    account_id = UUID(tested.account)
    opened = await open_channel(database, HERE, actor.workspace_id, account_id)

    async def times() -> int:
        async with database.unit(actor.workspace_id) as unit:
            return int(await unit.session.scalar(text("select count(*) from work_items")) or 0)

    return Rig(opened, action, recipient, times, account_id=account_id)


@asynccontextmanager
async def unipile(database: Database, actor: Actor, folder: Path, action: str = "connect") -> AsyncIterator[tuple[Rig, LinkedinServer]]:  # fmt: skip
    server = LinkedinServer(folder, database.world, KEY, [LINKEDIN_ID])
    port = await server.start("127.0.0.1", 0)
    new = NewAccount(
        channel="linkedin", provider=AccountProvider.UNIPILE, name="Anna", address=JULIA + "-2", reference=LINKEDIN_ID,
        base_url=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    tested = await connect_account(database, HERE, actor, new, KEY)
    assert tested.ok, tested
    person = server.store.known("julia-example")
    if action == "message":
        server.store.accept(person)

    async def times() -> int:
        mine = [each for each in server.store.messages if each.ours]
        return len(server.store.invitations) if action == "connect" else len(mine)

    async def react() -> IncomingKind:
        if action == "connect":
            server.store.accept(person)
            return IncomingKind.ACCEPTED
        server.store.answer(person, "Tell me more")
        return IncomingKind.REPLIED

    def lose() -> None:
        server.cut.append("POST /api/v1/users/invite" if action == "connect" else "POST /api/v1/chats")

    account_id = UUID(tested.account)
    opened = await open_channel(database, HERE, actor.workspace_id, account_id)
    rig = Rig(
        opened, action, JULIA, times, react, lose, server.stop, lambda: setattr(server, "_key", "another"), account_id
    )  # fmt: skip
    try:
        yield rig, server
    finally:
        await server.stop()


@asynccontextmanager
async def twilio(database: Database, actor: Actor, folder: Path) -> AsyncIterator[tuple[Rig, PhoneServer]]:
    server = PhoneServer(folder, database.world, SID, TOKEN, NUMBER)
    port = await server.start("127.0.0.1", 0)
    new = NewAccount(
        channel="phone", provider=AccountProvider.TWILIO, name="Anna", address=NUMBER, reference=SID, rings=RINGS,
        base_url=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    tested = await connect_account(database, HERE, actor, new, TOKEN)
    assert tested.ok, tested

    async def times() -> int:
        return sum(call.direction == "outbound-dial" for call in server.store.calls.values())

    async def react() -> IncomingKind:
        call = next(call for call in server.store.calls.values() if call.direction == "outbound-dial")
        await server.end(call, "completed", 120, answered_by="human")
        return IncomingKind.CONNECTED

    def lose() -> None:
        server.cut.append(f"POST /2010-04-01/Accounts/{SID}/Calls.json")

    def lock_out() -> None:
        server.active = False

    account_id = UUID(tested.account)
    opened = await open_channel(database, HERE, actor.workspace_id, account_id)
    rig = Rig(opened, "call", THEIRS, times, react, lose, server.stop, lock_out, account_id)
    try:
        yield rig, server
    finally:
        await server.stop()


@asynccontextmanager
async def mail(database: Database, actor: Actor, folder: Path) -> AsyncIterator[Rig]:
    async with post_office(folder, database.world, [ANNA, BEN]) as post:
        new = NewMailbox(address=ANNA, smtp=post.smtp, imap=post.imap, user=ANNA)
        async with database.unit(actor.workspace_id) as unit:
            box = await add_mailbox(unit, actor, new, PASSWORD)

        async def times() -> int:
            return sum(entry.recipient == BEN for entry in post.letters())

        async def react() -> IncomingKind:
            letter = b"From: ben@south.example\r\nTo: anna@north.example\r\nSubject: Re: Hello\r\n\r\nTell me more\r\n"
            post.store.deliver(ANNA, letter)
            return IncomingKind.REPLIED

        yield Rig(MailChannel(database, box), "send", BEN, times, react)
