"""Errands in doubt: the provider is asked what became of them. Nothing is done again blindly."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from cadenza.audience.service import load_recipients
from cadenza.channels.contracts import AccountProvider, ChannelAccount, WireReply
from cadenza.channels.service import working_accounts
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.logs import logger
from cadenza.core.settings import settings
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import TouchState
from cadenza.engine.errand_lane import channel_of, errand_of
from cadenza.engine.models import TouchRow
from cadenza.engine.record import event_of
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import record_events

_log = logger("errand_doubts")
Found = list[tuple[TouchRow, WireReply | None]]


async def ask_providers(
    database: Database, workspace_id: UUID, touches: Sequence[TouchRow]
) -> tuple[dict[UUID, str | None], list[TouchRow]]:
    """Which of them were done, each with the provider's id; and those of which the provider shows nothing.

    Those of an account that cannot be asked now are in neither. What a person should have been asked to do by hand is settled
    here: the work item is there or it is not, and then it is made.
    """
    done: dict[UUID, str | None] = {}
    nothing: list[TouchRow] = []
    for account, found in await _ask_all(database, workspace_id, touches):
        if account.provider is AccountProvider.ASSISTED:
            async with database.unit(workspace_id) as unit:
                await _by_hand(unit, found)
            continue
        done |= {touch.id: reply.reference for touch, reply in found if reply is not None}
        nothing += [touch for touch, reply in found if reply is None]
    return done, nothing


async def _ask_all(
    database: Database, workspace_id: UUID, touches: Sequence[TouchRow]
) -> list[tuple[ChannelAccount, Found]]:
    mine: dict[UUID, list[TouchRow]] = defaultdict(list)
    for touch in touches:
        if touch.channel_account_id:
            mine[touch.channel_account_id].append(touch)
    if not mine:
        return []
    async with database.unit(workspace_id) as unit:
        accounts = [account for account in await working_accounts(unit) if account.id in mine]
    asked = [(account, await _ask(database, account, mine[account.id])) for account in accounts]
    return [(account, found) for account, found in asked if found is not None]


async def _ask(database: Database, account: ChannelAccount, touches: Sequence[TouchRow]) -> Found | None:
    async with database.unit(account.workspace_id) as unit:
        people = await load_recipients(unit, [touch.contact_id for touch in touches])
    try:
        channel = await channel_of(database, settings(), account.workspace_id, account.id)
        return [(touch, await channel.find(errand_of(touch, people))) for touch in touches]
    except CadenzaError as wrong:
        _log.warning("doubt_lookup_postponed", account=str(account.id), code=wrong.code)
        return None


async def _by_hand(unit: Unit, found: Found) -> None:
    asked = [(touch, reply) for touch, reply in found if reply is not None]
    rows = [
        {"id": touch.id, "sent_at": None, "retry_at": None, "wire": {"stage": "looked up"}, "reference": reply.reference}
        for touch, reply in asked
    ]  # fmt: skip
    await repository.record(unit, rows, TouchState.WITH_PERSON)
    again = [
        {"id": touch.id, "sent_at": None, "retry_at": unit.machine.now(), "wire": None}
        for touch, reply in found
        if reply is None
    ]
    await repository.record(unit, again, TouchState.DEFERRED)
    await record_events(unit, [event_of(touch, EventKind.HANDED_OVER) for touch, _ in asked])
