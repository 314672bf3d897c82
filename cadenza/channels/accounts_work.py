"""What the `channels` commands do; apart from them, so that their `--help` loads nothing of it."""

from cadenza.channels.accounts import (
    AccountTest,
    NewAccount,
    accounts,
    connect_account,
    disconnect_account,
    test_account,
)
from cadenza.channels.contracts import ChannelAccount
from cadenza.core.database import Database
from cadenza.core.errors import not_found
from cadenza.core.http import Egress
from cadenza.core.settings import settings
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize, command_line


def _egress() -> Egress:
    return Egress(this_machine=settings().sandbox)


async def add_account(new: NewAccount, key: str, workspace: str | None, as_email: str | None) -> AccountTest:
    """Store the account if its provider lets us in; what it said in any case."""
    async with command_line(workspace, as_email) as (database, actor):
        return await connect_account(database, _egress(), actor, new, key, site=settings().public_url)


async def try_account(named: str, workspace: str | None, as_email: str | None) -> AccountTest:
    async with command_line(workspace, as_email) as (database, actor):
        authorize(actor, Action.MANAGE_SENDERS)  # before a name tells whether it is there
        return await test_account(database, _egress(), actor, (await _named(database, actor, named)).id)


async def all_accounts(workspace: str | None, as_email: str | None) -> list[ChannelAccount]:
    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        return await accounts(unit, actor)


async def remove_account(named: str, workspace: str | None, as_email: str | None) -> tuple[str, bool]:
    """Its address, and whether its provider could be told."""
    async with command_line(workspace, as_email) as (database, actor):
        authorize(actor, Action.MANAGE_SENDERS)
        found = await _named(database, actor, named)
        return found.address, await disconnect_account(database, _egress(), actor, found.id)


async def _named(database: Database, actor: Actor, named: str) -> ChannelAccount:
    async with database.unit(actor.workspace_id) as unit:
        found = [each for each in await accounts(unit, actor) if named in (str(each.id), each.address)]
    if not found:
        raise not_found("channel_account", named)
    return found[0]
