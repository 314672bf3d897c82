"""What comes in by LinkedIn and phone: stored once whoever tells it, by webhook or when asked, and read by the rooms above."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from cadenza.channels.accounts import open_channel
from cadenza.channels.accounts_standing import let_wait, note_health
from cadenza.channels.accounts_store import (
    account_row,
    account_rows,
    as_account,
    as_incoming,
    change_account,
    mark_handled,
    store_incoming,
    waiting_rows,
)
from cadenza.channels.contracts import (
    AccountProvider,
    AccountState,
    ChannelAccount,
    ChannelHealth,
    Incoming,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Egress
from cadenza.core.logs import logger
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.identity.service import workspaces

_EVERY_SECONDS = 120.0  # an account that can tell us by itself is asked all the same: webhooks get lost
_EVERY_IN_SANDBOX = 3.0  # there a day may be a minute
_log = logger("channel_reading")


async def take_in(unit: Unit, of: ChannelAccount, told: Sequence[Incoming]) -> int:
    """Store what is not known yet; how much that was."""
    return await store_incoming(unit, of.id, told)


async def incoming_waiting(unit: Unit, limit: int = 200) -> list[tuple[UUID, ChannelAccount, Incoming]]:
    """What nobody has handled yet, in the order in which it was stored, each with its id and its account.

    The rows are this transaction's own until it ends: handle them, ``handled`` them, commit.
    """
    rows = await waiting_rows(unit, limit)
    by_id = {row.id: as_account(row) for row in await account_rows(unit)} if rows else {}
    return [(row.id, by_id[row.account_id], as_incoming(row)) for row in rows]


async def handled(unit: Unit, ids: Sequence[UUID]) -> None:
    """These have become events and messages, in this very transaction."""
    await mark_handled(unit, ids, unit.machine.now())


async def ask_account(database: Database, egress: Egress, workspace_id: UUID, account_id: UUID) -> int:
    """Ask one account's provider what happened since it was asked last; how much of it was new. Call it without an open unit.

    Raises ``CadenzaError``; a temporary one changes nothing but the wait that the provider asked for.
    """
    async with database.unit(workspace_id) as unit:
        of = as_account(await account_row(unit, account_id))
        now, world = unit.machine.now(), unit.world.now()
    if not of.is_connected or (of.wait_until is not None and of.wait_until > now):
        return 0
    channel = await open_channel(database, egress, workspace_id, account_id)
    try:
        told = await channel.fetch(of.fetched_at or world)
    except CadenzaError as wrong:
        if wrong.retry_after:
            async with database.unit(workspace_id) as unit:
                await let_wait(unit, account_id, wrong.retry_after)
        if wrong.kind is not Kind.TEMPORARY:
            await _look(database, egress, of)
        raise
    async with database.unit(workspace_id) as unit:
        new = await take_in(unit, of, told)
        await change_account(unit, account_id, fetched_at=world)
    return new


async def _look(database: Database, egress: Egress, of: ChannelAccount) -> None:
    """Whether it is the account itself that is the matter."""
    channel = await open_channel(database, egress, of.workspace_id, of.id)
    found = await channel.health()
    async with database.unit(of.workspace_id) as unit:
        await note_health(unit, of.id, of.name, found, by_person=False)


async def recheck(database: Database, egress: Egress, of: ChannelAccount, told: str, *, bad: bool) -> None:
    """A webhook said something of the account: a bad word stops it at once, and then the provider is asked what is true.

    Such webhooks carry no time, so their order says nothing; what the provider answers last is what holds.
    """
    if bad:
        found = ChannelHealth(ok=False, detail=f"The provider says {told}.", state=AccountState.BROKEN)
        async with database.unit(of.workspace_id) as unit:
            await note_health(unit, of.id, of.name, found, by_person=False)
    await _look(database, egress, of)


async def read_channels(database: Database, settings: Settings) -> None:
    """The worker's loop: asks every account in turn, and goes on whatever one of them does (M11)."""
    egress = Egress(this_machine=settings.sandbox)
    while True:
        for of in await _all(database):
            try:
                await ask_account(database, egress, of.workspace_id, of.id)
            except CadenzaError as wrong:
                _log.warning("account_unread", account=str(of.id), code=wrong.code)
        await asyncio.sleep(_EVERY_IN_SANDBOX if settings.sandbox else _EVERY_SECONDS)


async def _all(database: Database) -> list[ChannelAccount]:
    found: list[ChannelAccount] = []
    for workspace in await workspaces(database):
        async with database.unit(workspace.id) as unit:
            found += [
                as_account(row)
                for row in await account_rows(unit, retired=False)
                if row.provider != AccountProvider.ASSISTED.value
            ]
    return [each for each in found if each.is_connected]


def read_json(body: bytes) -> Mapping[str, object]:
    """The object in the body of a webhook. Raises ``CadenzaError`` for anything else."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as wrong:
        raise _unreadable() from wrong
    if not isinstance(told, dict):
        raise _unreadable()
    return told


def _unreadable() -> CadenzaError:
    return CadenzaError("hook_unreadable", "This is no message of the provider; nothing was kept.")
