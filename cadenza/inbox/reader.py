"""Reading every mailbox: one task each, waiting by IDLE where the server offers it.

The place read so far is stored with the messages before it, so a crash or a cut connection loses and doubles none.
"""

import asyncio
from collections.abc import Collection
from functools import partial
from uuid import UUID

from sqlalchemy.exc import OperationalError

from cadenza.channels.contracts import Batch, Fetched, FolderCursor, Mailbox
from cadenza.channels.service import ImapReader, break_mailbox, credentials, cursor, mailboxes, save_cursor
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.faults import visit
from cadenza.core.logs import logger
from cadenza.core.resilience import outlive_the_database
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.identity.service import workspaces
from cadenza.inbox.intake import take_in
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import open_work_items

_log = logger("inbox")
_INBOX = "INBOX"
_WAIT_SECONDS = 240.0  # servers end an IDLE after half an hour, networks much earlier
_RETRY_SECONDS = 15.0
_LOOK_FOR_MAILBOXES_SECONDS = 5.0


async def read_mail_boxes(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The worker's loop: a task for every mailbox there is; new ones are found, removed ones end."""
    tasks: dict[UUID, asyncio.Task[None]] = {}
    try:
        while True:
            for box in await _all(database):
                if box.id not in tasks or tasks[box.id].done():
                    tasks[box.id] = asyncio.create_task(
                        outlive_the_database("mailbox", partial(_keep_reading, database, box))
                    )
            await asyncio.sleep(_LOOK_FOR_MAILBOXES_SECONDS)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _all(database: Database) -> list[Mailbox]:
    found: list[Mailbox] = []
    for workspace in await workspaces(database):
        async with database.unit(workspace.id) as unit:
            found += [box for box in await mailboxes(unit) if box.is_connected]
    return found


async def _keep_reading(database: Database, box: Mailbox) -> None:
    """Until the mailbox itself is the problem; what is only a bad moment is tried again."""
    while True:
        try:
            secret = await credentials(database, box.workspace_id, box.id)
            async with ImapReader(box.imap, secret) as reader:
                while True:
                    await read_once(database, box, reader)
                    await credentials(database, box.workspace_id, box.id)  # tells what was taken back
                    await reader.wait(_INBOX, _WAIT_SECONDS)
        except CadenzaError as wrong:
            _log.warning("mailbox_unread", mailbox=str(box.id), code=wrong.code)
            if wrong.kind is not Kind.TEMPORARY:
                await _report_broken(database, box, wrong)
                return
            await asyncio.sleep(_RETRY_SECONDS)


async def _report_broken(database: Database, box: Mailbox, wrong: CadenzaError) -> None:
    async with database.unit(box.workspace_id) as unit:
        await break_mailbox(unit, box.id, f"{box.address} cannot be read", wrong.message, wrong.fix)


async def read_once(database: Database, box: Mailbox, reader: ImapReader) -> int:
    """Take in everything new; returns how many messages were taken in."""
    place = await _place(database, box, reader)
    taken = 0
    async for batch in reader.fetch_new(place):
        taken += len(await _store(database, box, reader, batch))
    return taken


async def _place(database: Database, box: Mailbox, reader: ImapReader) -> FolderCursor:
    """Where reading goes on; a mailbox that was just added starts at its end, what was there before is not ours."""
    async with database.unit(box.workspace_id) as unit:
        known = await cursor(unit, box.id, _INBOX)
    if known is not None:
        return known
    start = await reader.end(_INBOX)
    async with database.unit(box.workspace_id) as unit:
        await save_cursor(unit, box.id, start)
    return start


async def _store(database: Database, box: Mailbox, reader: ImapReader, batch: Batch) -> list[int]:
    async with database.unit(box.workspace_id) as unit:
        own = {address for b in await mailboxes(unit) for address in (b.address, *b.aliases)}
        taken = [m.uid for m in batch.messages if await _take_or_set_aside(unit, box, m, own)]
        await save_cursor(unit, box.id, batch.cursor)
        visit("inbound.before_commit")
    visit("inbound.after_commit")
    await reader.mark_seen(batch.cursor.folder, taken)
    return taken


async def _take_or_set_aside(unit: Unit, box: Mailbox, message: Fetched, own: Collection[str]) -> bool:
    """One message that breaks us must not keep the others from being read: it is set aside and shown."""
    try:
        async with unit.session.begin_nested():
            return await take_in(unit, box, message, own) is not None
    except OperationalError:
        raise  # the database's trouble is not the message's
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the message is shown and the others are read
        _log.exception("message_set_aside", mailbox=str(box.id), uid=message.uid)
        item = NewWorkItem(
            kind=WorkKind.UNREADABLE_MESSAGE,
            key=f"unreadable/{box.id}/{message.uidvalidity}/{message.uid}",
            title=f"A message in {box.address} could not be read",
            detail="It is left unread in the mailbox. Open it there; the log tells what went wrong.",
            queue="operator",
            due_at=unit.world.now(),
        )
        await open_work_items(unit, [item])
        return False
