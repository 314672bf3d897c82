"""Reading a mailbox through 20 cut connections and a new UIDVALIDITY: no reply lost, none doubled."""

import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.scratch import (
    NOON,
    PASSWORD,
    loopback,
    running_campaign,
    scratch_database,
    sender_addresses,
)
from cadenza.app.benchmarks.ways import Both, pump, until_one_ends, way
from cadenza.channels.contracts import Credentials, FolderCursor, Mailbox, Server
from cadenza.channels.service import ImapReader, mailboxes, save_cursor
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.inbox.reader import read_once
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.mail_store import MailStore

_REPLIES = 200
_CUTS = 20


async def run() -> Result:
    """``mailbox-cuts``: 200 replies, each in the database once; seconds against the same without a cut."""
    dice, clock = random.Random(20261123), ManualClock(NOON)
    with tempfile.TemporaryDirectory(prefix="cadenza-mail-") as folder:
        store = MailStore(Path(folder), clock)
        server = ImapServer(store, dict.fromkeys(sender_addresses(_REPLIES), PASSWORD))
        port = await server.start("127.0.0.1", 0)
        try:
            calm, _ = await _measure(store, clock, loopback(port), iter(()))
            limits = iter([dice.randint(500, 60_000) for _ in range(_CUTS)])
            seconds, stored = await _measure(store, clock, loopback(port), limits, renumber=True)
        finally:
            await server.stop()
    wrong = tuple(f"{count} replies {what}" for what, count in _faults(stored).items() if count)
    return Result(
        name="mailbox-cuts",
        value=float(sum(_faults(stored).values())),
        unit="replies lost or doubled",
        baselines=(Baseline("seconds without cuts", round(calm, 2), round(seconds / calm, 2)),),
        detail={"replies": _REPLIES, "cuts": _CUTS, "uidvalidity_changes": 1, "seconds": round(seconds, 2)},
        failed=wrong,
    )


def _faults(stored: tuple[int, int, int]) -> dict[str, int]:
    messages, people, events = stored
    return {"lost": _REPLIES - people, "doubled": messages - people, "counted wrongly": abs(events - people)}


async def _measure(
    store: MailStore, clock: ManualClock, imap: Server, limits: Iterator[int], *, renumber: bool = False
) -> tuple[float, tuple[int, int, int]]:
    """Seconds to read everything; (messages, people who answered, replies counted)."""
    left = list(limits)
    async with scratch_database(clock) as database, _cut(imap, left) as entrance:
        actor = await running_campaign(database, _REPLIES, imap, entrance, user="user")
        (box,) = await _boxes(database, actor.workspace_id)
        folder = store.account(box.address).folders["INBOX"]
        await _from_here(
            database, box, folder.uidvalidity, folder.append(b"Subject: start\r\n\r\n", clock.now())
        )
        for number in range(_REPLIES):
            store.deliver(box.address, _reply(number, box.address, clock))
        began = time.perf_counter()
        await _read_until_done(database, box, entrance, left)
        if renumber:
            folder.uidvalidity += 1
            await _read_until_done(database, box, entrance, left)
        return time.perf_counter() - began, await _stored(database, actor.workspace_id)


async def _boxes(database: Database, workspace_id: UUID) -> list[Mailbox]:
    async with database.unit(workspace_id) as unit:
        return await mailboxes(unit)


async def _from_here(database: Database, box: Mailbox, uidvalidity: int, uid: int) -> None:
    async with database.unit(box.workspace_id) as unit:
        await save_cursor(unit, box.id, FolderCursor("INBOX", uidvalidity, uid))


def _reply(number: int, address: str, clock: ManualClock) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"First{number} Last{number} <p{number}@company{number // 3}.example>", address
    mail["Subject"], mail["Date"] = (
        "Re: your question",
        format_datetime(clock.now() + timedelta(seconds=number)),
    )
    mail["Message-ID"] = f"<reply{number}@company.example>"
    mail.set_content(
        f"Thank you, this is answer number {number}. " + "Let us talk about it. " * (number % 60)
    )
    return mail.as_bytes()


async def _read_until_done(database: Database, box: Mailbox, entrance: Server, left: list[int]) -> None:
    """As the worker does: after a loss it connects again and goes on from the stored place."""
    secret = Credentials(box.address, PASSWORD)
    while True:
        try:
            async with ImapReader(entrance, secret) as reader:
                taken = await read_once(database, box, reader)
                if not taken and not left:
                    return
        except CadenzaError as lost:
            if lost.kind is not Kind.TEMPORARY:
                raise


async def _stored(database: Database, workspace_id: UUID) -> tuple[int, int, int]:
    async with database.unit(workspace_id) as unit:
        query = text(
            "select (select count(*) from messages), (select count(distinct contact_id) from messages), "
            "(select count(*) from events where kind = 'replied')"
        )
        messages, people, events = (await unit.session.execute(query)).one()
        return messages, people, events


@asynccontextmanager
async def _cut(target: Server, limits: list[int]) -> AsyncIterator[Server]:
    """A way to the server whose connections break after as many bytes as the list says, one entry each."""

    async def between(here: Both, there: Both) -> None:
        limit = limits.pop(0) if limits else None
        await until_one_ends(pump(there[0], here[1], limit), pump(here[0], there[1]))

    async with way(target, between) as entrance:
        yield entrance
