"""Reading mail for tests, as the worker does it: every mailbox once, then the analysis of what was taken in."""

from sqlalchemy import text

from cadenza.channels.contracts import Credentials
from cadenza.channels.service import ImapReader, mailboxes
from cadenza.core.database import Database
from cadenza.identity.contracts import Actor
from cadenza.inbox.analysis import analyse
from cadenza.inbox.reader import read_once
from tests.support.post import PASSWORD


async def read_mail(database: Database, actor: Actor) -> int:
    """How many messages were taken in."""
    async with database.unit(actor.workspace_id) as unit:
        boxes = await mailboxes(unit)
    taken = 0
    for box in boxes:
        async with ImapReader(box.imap, Credentials(box.address, PASSWORD)) as reader:
            taken += await read_once(database, box, reader)
    await _analyse(database, actor)
    return taken


async def _analyse(database: Database, actor: Actor) -> None:
    async with database.unit(actor.workspace_id) as unit:
        jobs = list(
            await unit.session.execute(
                text("select args from procrastinate_jobs where status = 'todo' order by id")
            )
        )
    for (arguments,) in jobs:
        await analyse(database, **arguments)
