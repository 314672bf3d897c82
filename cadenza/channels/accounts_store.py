"""Every query on accounts of LinkedIn and phone, and on what comes in by them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.channels.contracts import AccountProvider, AccountState, ChannelAccount, Incoming, IncomingKind
from cadenza.channels.models import ChannelAccountRow, IncomingRow
from cadenza.core.errors import not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit

_LONGEST_TEXT = 100_000


def as_account(row: ChannelAccountRow) -> ChannelAccount:
    return ChannelAccount(
        row.id, row.workspace_id, row.channel, AccountProvider(row.provider), row.name, row.address, AccountState(row.state),
        row.state_reason, row.base_url, row.reference, row.rings, row.owner_id, row.wait_until, row.fetched_at,
    )  # fmt: skip


async def account_row(unit: Unit, account_id: UUID) -> ChannelAccountRow:
    """Raises ``CadenzaError`` (not found)."""
    row = await unit.session.get(ChannelAccountRow, (unit.workspace_id, account_id), populate_existing=True)
    if row is None:
        raise not_found("channel_account", account_id)
    return row


async def account_rows(unit: Unit, *, retired: bool = True) -> Sequence[ChannelAccountRow]:
    """All accounts by channel and name."""
    query = select(ChannelAccountRow).where(ChannelAccountRow.workspace_id == unit.workspace_id)
    if not retired:
        query = query.where(ChannelAccountRow.state != AccountState.RETIRED.value)
    ordered = query.order_by(ChannelAccountRow.channel, ChannelAccountRow.name, ChannelAccountRow.id)
    return (await unit.session.scalars(ordered.execution_options(populate_existing=True))).all()


async def row_by_address(unit: Unit, channel: str, address: str) -> ChannelAccountRow | None:
    query = select(ChannelAccountRow).where(
        ChannelAccountRow.workspace_id == unit.workspace_id,
        ChannelAccountRow.channel == channel,
        ChannelAccountRow.address == address,
    )
    return (await unit.session.scalars(query)).one_or_none()


async def change_account(
    unit: Unit, account_id: UUID, *, unless: Collection[AccountState] = (), **values: Any
) -> bool:
    """Whether it was changed: not when it is in one of the states ``unless``, or retired."""
    kept = {*(state.value for state in unless), AccountState.RETIRED.value}
    changed = await unit.session.execute(
        update(ChannelAccountRow)
        .where(
            ChannelAccountRow.workspace_id == unit.workspace_id,
            ChannelAccountRow.id == account_id,
            ChannelAccountRow.state.not_in(kept),
        )
        .values(**values)
        .returning(ChannelAccountRow.id)
    )
    return changed.first() is not None


async def store_incoming(unit: Unit, account_id: UUID, told: Iterable[Incoming]) -> int:
    """Store what is not known yet, in one statement; how many that were. The same key is one, whoever tells it and when."""
    rows = {each.key[:300]: _incoming_row(unit, account_id, each) for each in told}
    if not rows:
        return 0
    adding = insert(IncomingRow).values(sorted(rows.values(), key=lambda row: str(row["key"])))
    done = await unit.session.execute(
        adding.on_conflict_do_nothing(index_elements=["workspace_id", "account_id", "key"]).returning(
            IncomingRow.id
        )
    )
    return len(done.all())


def _incoming_row(unit: Unit, account_id: UUID, told: Incoming) -> dict[str, Any]:
    return {
        "workspace_id": unit.workspace_id, "id": new_id(), "account_id": account_id, "key": told.key[:300],
        "kind": told.kind.value, "at": told.at, "reference": _short(told.reference, 200), "person": _short(told.person, 500),
        "thread": _short(told.thread, 200), "text": told.text.replace("\0", "")[:_LONGEST_TEXT], "touch_id": told.touch_id,
        "data": dict(told.data), "created_at": unit.machine.now(), "handled_at": None,
    }  # fmt: skip


def _short(text: str | None, most: int) -> str | None:
    return None if text is None else text[:most]


def as_incoming(row: IncomingRow) -> Incoming:
    return Incoming(
        row.key, IncomingKind(row.kind), row.at, row.reference, row.person, row.thread, row.text, row.touch_id, row.data
    )  # fmt: skip


async def waiting_rows(unit: Unit, limit: int) -> Sequence[IncomingRow]:
    """What nobody has handled yet, in the order in which it came; others' transactions do not get the same."""
    query = (
        select(IncomingRow)
        .where(IncomingRow.workspace_id == unit.workspace_id, IncomingRow.handled_at.is_(None))
        .order_by(IncomingRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await unit.session.scalars(query)).all()


async def mark_handled(unit: Unit, ids: Sequence[UUID], at: datetime) -> None:
    await unit.session.execute(
        update(IncomingRow)
        .where(IncomingRow.workspace_id == unit.workspace_id, IncomingRow.id.in_(ids))
        .values(handled_at=at)
    )
