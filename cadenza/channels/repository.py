"""Every query on the tables of channels."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row as SqlRow
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.channels.contracts import FolderCursor, Mailbox, MailboxState, Server, Tls
from cadenza.channels.kept_values import read_hours, read_stop, read_warm_up
from cadenza.channels.models import FolderCursorRow, MailboxGrantRow, MailboxRow, SendCounterRow
from cadenza.core.database import plain
from cadenza.core.errors import not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit

_LEASE_COPIES = text("""
    update mailboxes set copies_lease_until = clock_timestamp() + :span
    where workspace_id = :workspace and id = :id
      and (copies_lease_until is null or copies_lease_until < clock_timestamp() or :span <= interval '0')
    returning id
""")


_MAILBOXES = plain(MailboxRow)


def as_mailbox(row: MailboxRow | SqlRow[Any]) -> Mailbox:
    return Mailbox(
        row.id,
        row.workspace_id,
        row.address,
        row.display_name,
        Server(row.smtp_host, row.smtp_port, Tls(row.smtp_tls)),
        Server(row.imap_host, row.imap_port, Tls(row.imap_tls)),
        row.user_name,
        MailboxState(row.state),
        row.state_reason,
        row.daily_limit,
        tuple(row.aliases),
        row.files_copies,
        signature=row.signature,
        signature_html=row.signature_html,
        hours=read_hours(row.hours) if row.hours else None,
        owner_id=row.owner_id,
        warm_up=read_warm_up(row.warm_up) if row.warm_up else None,
        stop=read_stop(row.stop) if row.stop else None,
        judged_from=row.judged_from,
    )


async def mailbox_row(unit: Unit, mailbox_id: UUID) -> MailboxRow | None:
    return await unit.session.get(MailboxRow, (unit.workspace_id, mailbox_id))


async def locked_row(unit: Unit, mailbox_id: UUID) -> MailboxRow | None:
    """The row as it is now, while nobody else changes it."""
    query = select(MailboxRow).where(
        MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id == mailbox_id
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await unit.session.scalars(locked)).one_or_none()


async def mailbox(unit: Unit, mailbox_id: UUID) -> Mailbox:
    """Raises ``CadenzaError`` (not found)."""
    mine = (MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id == mailbox_id)
    row = (await unit.session.execute(_MAILBOXES.where(*mine))).one_or_none()
    if row is None:
        raise not_found("mailbox", mailbox_id)
    return as_mailbox(row)


async def row_by_address(unit: Unit, address: str) -> MailboxRow | None:
    return await unit.session.scalar(
        select(MailboxRow).where(MailboxRow.workspace_id == unit.workspace_id, MailboxRow.address == address)
    )


async def grant_of(unit: Unit, mailbox_id: UUID) -> MailboxGrantRow | None:
    return await unit.session.scalar(
        select(MailboxGrantRow)
        .where(MailboxGrantRow.workspace_id == unit.workspace_id, MailboxGrantRow.mailbox_id == mailbox_id)
        .execution_options(populate_existing=True)
    )


async def mailboxes(unit: Unit, addresses: Collection[str] | None) -> list[Mailbox]:
    wanted = _MAILBOXES.where(MailboxRow.workspace_id == unit.workspace_id)
    if addresses is not None:
        wanted = wanted.where(MailboxRow.address.in_(addresses))
    return [as_mailbox(row) for row in await unit.session.execute(wanted.order_by(MailboxRow.address))]


async def set_state(unit: Unit, mailbox_id: UUID, state: MailboxState, reason: str) -> None:
    await unit.session.execute(
        update(MailboxRow)
        .where(MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id == mailbox_id)
        .values(state=state.value, state_reason=reason[:500])
    )


async def set_files_copies(unit: Unit, mailbox_id: UUID, files_copies: bool) -> None:
    await unit.session.execute(
        update(MailboxRow)
        .where(MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id == mailbox_id)
        .values(files_copies=files_copies)
    )


async def lease_copies(unit: Unit, mailbox_id: UUID, span: timedelta) -> bool:
    leased = await unit.session.execute(
        _LEASE_COPIES, {"workspace": unit.workspace_id, "id": mailbox_id, "span": span}
    )
    return leased.first() is not None


async def cursor(unit: Unit, mailbox_id: UUID, folder: str) -> FolderCursor | None:
    row = await unit.session.scalar(
        select(FolderCursorRow).where(
            FolderCursorRow.workspace_id == unit.workspace_id,
            FolderCursorRow.mailbox_id == mailbox_id,
            FolderCursorRow.folder == folder,
        )
    )
    return FolderCursor(row.folder, row.uidvalidity, row.last_uid) if row else None


async def save_cursor(unit: Unit, mailbox_id: UUID, cursor: FolderCursor) -> None:
    values = {
        "uidvalidity": cursor.uidvalidity,
        "last_uid": cursor.last_uid,
        "updated_at": unit.machine.now(),
    }
    await unit.session.execute(
        insert(FolderCursorRow)
        .values(
            workspace_id=unit.workspace_id,
            id=new_id(),
            mailbox_id=mailbox_id,
            folder=cursor.folder,
            **values,
        )
        .on_conflict_do_update(index_elements=["workspace_id", "mailbox_id", "folder"], set_=values)
        .execution_options(populate_existing=True)
    )


async def lock_counters(
    unit: Unit, day: date, keys: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], int]:
    """What was taken of each so far; nobody else of this workspace takes any until this transaction ends.

    One lock for all counters of a workspace: with a lock each, two workers could wait for one another.
    """
    await unit.session.execute(
        text("select pg_advisory_xact_lock(hashtextextended('send_counters' || :workspace, 0))"),
        {"workspace": str(unit.workspace_id)},
    )
    found = await unit.session.execute(
        select(SendCounterRow.scope, SendCounterRow.key, SendCounterRow.amount).where(
            SendCounterRow.workspace_id == unit.workspace_id,
            SendCounterRow.day == day,
            SendCounterRow.key.in_([key for _, key in keys]),
        )
    )
    return {(scope, key): amount for scope, key, amount in found}


async def add_to_counters(unit: Unit, day: date, keys: Sequence[tuple[str, str]], amount: int) -> None:
    rows = [
        {
            "workspace_id": unit.workspace_id,
            "id": new_id(),
            "day": day,
            "scope": scope,
            "key": key,
            "amount": amount,
        }
        for scope, key in sorted(keys)
    ]
    adding = insert(SendCounterRow).values(rows)
    await unit.session.execute(
        adding.on_conflict_do_update(
            index_elements=["workspace_id", "day", "scope", "key"],
            set_={"amount": SendCounterRow.amount + adding.excluded.amount},
        )
    )


async def amounts(unit: Unit, day: date, scope: str, keys: Collection[str]) -> dict[str, int]:
    found = await unit.session.execute(
        select(SendCounterRow.key, SendCounterRow.amount).where(
            SendCounterRow.workspace_id == unit.workspace_id,
            SendCounterRow.day == day,
            SendCounterRow.scope == scope,
            SendCounterRow.key.in_(keys),
        )
    )
    return {key: amount for key, amount in found}
