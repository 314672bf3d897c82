"""What the `senders` commands do; apart from them, so that their `--help` loads nothing of it."""

from cadenza.channels.connecting import add_tested
from cadenza.channels.contracts import Mailbox, SenderTest
from cadenza.channels.service import (
    NewMailbox,
    Trial,
    mailboxes,
    test_stored_mailbox,
    try_mailbox,
)
from cadenza.core.database import Database
from cadenza.core.errors import not_found
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize, command_line


async def store_tested(
    new: NewMailbox, password: str, workspace: str | None, as_email: str | None
) -> SenderTest:
    """Store the mailbox if both log-ins work; what the test said in any case."""
    async with command_line(workspace, as_email) as (database, actor):
        return await add_tested(database, actor, new, password, replacing=True)


async def try_stored(address: str, workspace: str | None, as_email: str | None) -> SenderTest:
    """Log in at both servers of a stored mailbox, and note what came of it."""
    async with command_line(workspace, as_email) as (database, actor):
        authorize(actor, Action.MANAGE_SENDERS)  # before a name tells whether it is there
        return await test_stored_mailbox(database, actor, (await _named(database, actor, address)).id)


async def send_trial(address: str, to: str | None, workspace: str | None, as_email: str | None) -> Trial:
    """A message to oneself from this mailbox."""
    async with command_line(workspace, as_email) as (database, actor):
        authorize(actor, Action.MANAGE_SENDERS)
        return await try_mailbox(database, actor, (await _named(database, actor, address)).id, to=to)


async def _named(database: Database, actor: Actor, address: str) -> Mailbox:
    async with database.unit(actor.workspace_id) as unit:
        found = await mailboxes(unit, [address])
    if not found:
        raise not_found("mailbox", address)
    return found[0]


async def all_mailboxes(workspace: str | None, as_email: str | None) -> list[Mailbox]:
    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        authorize(actor, Action.READ)
        return await mailboxes(unit)
