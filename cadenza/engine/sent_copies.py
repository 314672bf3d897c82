"""Copies in the Sent folder, for providers that file none themselves.

People look there, and a touch in doubt is looked up there. Whether a provider files copies is learned from the first
message that it took. A copy is searched for before it is filed, so doing it again after a crash adds none.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text, update

from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import (
    ImapReader,
    credentials,
    is_filed,
    lease_copies,
    mailbox,
    mailboxes,
    sent_folder,
    set_files_copies,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.logs import logger
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.models import TouchRow
from cadenza.engine.wire import envelope

_log = logger("sent_copies")
_ROUND_SECONDS = 10.0
_BATCH = 50
_BATCH_SECONDS = 120.0
_LEASE = timedelta(seconds=2 * _BATCH_SECONDS)  # ends after every batch that still works
_AT_ONCE = 4  # so that one slow server does not hold up the copies of all others
_SECOND_LOOK_SECONDS = 10.0  # some providers file a moment after they have answered

# Written out, and not as parameters, so that the partial index serves every plan.
_DUE = text("state = 'sent' and needs_copy")


async def file_sent_copies(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The worker's loop."""
    while True:
        if not await file_copies(database):
            await asyncio.sleep(_ROUND_SECONDS)


async def file_copies(database: Database) -> int:
    """One batch of every mailbox that has copies due; returns how many touches are settled. Uses the network."""
    async with database.installation() as session:
        ids = await repository.all_workspaces(session)
    boxes = [box for workspace_id in ids for box in await _with_work(database, workspace_id)]
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(box: Mailbox) -> int:
        async with places:
            return await _batch(database, box)

    return sum(await asyncio.gather(*(one(box) for box in boxes)))


async def _with_work(database: Database, workspace_id: UUID) -> list[Mailbox]:
    async with database.unit(workspace_id) as unit:
        due = select(TouchRow.mailbox_id).where(TouchRow.workspace_id == workspace_id, _DUE).distinct()
        ids = set(await unit.session.scalars(due))
        return [box for box in (await mailboxes(unit) if ids else []) if box.id in ids and box.is_connected]


async def _batch(database: Database, box: Mailbox) -> int:
    async with database.unit(box.workspace_id) as unit:
        if not await lease_copies(unit, box.id, _LEASE):
            return 0  # another worker is at it
    try:
        async with asyncio.timeout(_BATCH_SECONDS):
            return await _settle(database, box)
    except (CadenzaError, TimeoutError) as wrong:
        code = wrong.code if isinstance(wrong, CadenzaError) else "mail_server_slow"
        _log.warning("copies_postponed", mailbox=str(box.id), code=code)
        return 0
    except Exception:  # noqa: BLE001 - whatever this server says, the copies of the other mailboxes are filed (M11)
        _log.exception("copies_failed", mailbox=str(box.id))
        return 0
    finally:
        async with database.unit(box.workspace_id) as unit:
            await lease_copies(unit, box.id, timedelta())


async def _settle(database: Database, box: Mailbox) -> int:
    async with database.unit(box.workspace_id) as unit:
        box = await mailbox(unit, box.id)
        if box.files_copies:
            return await _none_needed(unit, box.id)
        touches = await _due(unit, box.id)
        copies = [_copy(unit, touch, box) for touch in touches]
    if not touches:
        return 0  # another worker was quicker
    secret = await credentials(database, box.workspace_id, box.id)
    async with ImapReader(box.imap, secret, seconds=30, patience=2) as reader:
        folder = await sent_folder(reader)
        if box.files_copies is None and await _learn(database, box, reader, folder, touches):
            return 0  # the next round lets go of them all
        for touch, content in zip(touches, copies, strict=True):
            if not await is_filed(reader, folder, touch.message_id, touch.id):
                await reader.append(folder, content)
            async with database.unit(box.workspace_id) as unit:
                await _filed(unit, touch.id)
    return len(touches)


async def _due(unit: Unit, mailbox_id: UUID) -> list[TouchRow]:
    wanted = select(TouchRow).where(
        TouchRow.workspace_id == unit.workspace_id, TouchRow.mailbox_id == mailbox_id
    )
    return list(await unit.session.scalars(wanted.where(_DUE).order_by(TouchRow.sent_at).limit(_BATCH)))


def _copy(unit: Unit, touch: TouchRow, box: Mailbox) -> bytes:
    """The message as it went out, but not tracked: who opens a Sent folder is not the recipient (M5)."""
    unit.session.expunge(touch)
    touch.track_opens = touch.track_clicks = False
    return envelope(unit, touch, box).content


async def _learn(
    database: Database, box: Mailbox, reader: ImapReader, folder: str, touches: Sequence[TouchRow]
) -> bool:
    """Whether the provider has filed the first message that it took; noted, so that it is asked once."""
    first = touches[0]
    found = await is_filed(reader, folder, first.message_id, first.id)
    if not found:
        await asyncio.sleep(_SECOND_LOOK_SECONDS)
        found = await is_filed(reader, folder, first.message_id, first.id)
    async with database.unit(box.workspace_id) as unit:
        await set_files_copies(unit, box.id, files_copies=found)
    _log.info("copies_learned", mailbox=str(box.id), files_copies=found)
    return found


async def _filed(unit: Unit, touch_id: UUID) -> None:
    await unit.session.execute(
        update(TouchRow)
        .where(TouchRow.workspace_id == unit.workspace_id, TouchRow.id == touch_id)
        .values(needs_copy=False)
    )


async def _none_needed(unit: Unit, mailbox_id: UUID) -> int:
    """The provider does it: what was marked before we knew."""
    done = await unit.session.execute(
        update(TouchRow)
        .where(TouchRow.workspace_id == unit.workspace_id, TouchRow.mailbox_id == mailbox_id, _DUE)
        .values(needs_copy=False)
        .returning(TouchRow.id)
    )
    return len(done.all())
