"""Pools: named sets of mailboxes that campaigns send from. Who is in a pool is read when a message is claimed."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from cadenza.campaigns.contracts import CampaignState, Definition
from cadenza.campaigns.service import campaigns, check_senders_by
from cadenza.channels.contracts import Pool
from cadenza.channels.models import MailboxRow, PoolMemberRow, PoolRow
from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

_LONGEST_NAME = 100
_MOST = 500
_OVER = frozenset({CampaignState.STOPPED, CampaignState.FINISHED})


async def pools(unit: Unit) -> list[Pool]:
    """All of the workspace by name, in one query."""
    members = (
        select(PoolMemberRow.pool_id, PoolMemberRow.mailbox_id)
        .where(PoolMemberRow.workspace_id == unit.workspace_id)
        .subquery()
    )
    query = (
        select(PoolRow, members.c.mailbox_id)
        .outerjoin(members, members.c.pool_id == PoolRow.id)
        .where(PoolRow.workspace_id == unit.workspace_id)
        .order_by(PoolRow.name)
    )
    inside: dict[UUID, set[UUID]] = {}
    rows: dict[UUID, PoolRow] = {}
    for row, mailbox_id in await unit.session.execute(query):
        rows[row.id] = row
        inside.setdefault(row.id, set()).update([mailbox_id] if mailbox_id else [])
    return [Pool(i, row.name, tuple(row.former), frozenset(inside[i])) for i, row in rows.items()]


def by_any_name(found: Collection[Pool]) -> Mapping[str, Pool]:
    """Each pool under its name and its former ones; a present name goes before a former one."""
    former = {name: pool for pool in found for name in pool.former}
    return former | {pool.name: pool for pool in found}


async def make_pool(unit: Unit, actor: Actor, name: str) -> Pool:
    authorize(actor, Action.MANAGE_SENDERS)
    name = await _free_name(unit, name, None)
    if len(await pools(unit)) >= _MOST:
        raise CadenzaError("pools_too_many", f"There may be {_MOST} pools at most.", fix="Remove one first.")
    row = PoolRow(
        workspace_id=unit.workspace_id, id=new_id(), name=name, former=[], created_at=unit.machine.now()
    )
    unit.session.add(row)
    await unit.session.flush()
    await audit(unit, actor, "pool_made", name)
    return Pool(row.id, name, (), frozenset())


async def rename_pool(unit: Unit, actor: Actor, pool_id: UUID, name: str) -> None:
    """Campaigns that name it as before go on with it: it answers to its former names too."""
    authorize(actor, Action.MANAGE_SENDERS)
    name = await _free_name(unit, name, pool_id)
    row = await _row(unit, pool_id)
    if name == row.name:
        return
    before, row.name = row.name, name
    row.former = [each for each in [*row.former, before] if each != name]
    await unit.session.flush()
    await audit(unit, actor, "pool_renamed", name, before=before)


async def remove_pool(unit: Unit, actor: Actor, pool_id: UUID) -> None:
    """Forget a pool that no campaign needs any more; its mailboxes stay. Raises ``CadenzaError`` (conflict) otherwise."""
    authorize(actor, Action.MANAGE_SENDERS)
    row = await _row(unit, pool_id)
    names = {row.name, *row.former}
    using = [
        each.name
        for each in await campaigns(unit, actor)
        if each.state not in _OVER and each.definition.pool in names
    ]
    if using:
        raise CadenzaError(
            "pool_in_use",
            f"{row.name} is the sender of {', '.join(sorted(using)[:5])}; it was kept.",
            Kind.CONFLICT,
            fix="Give those campaigns other senders first.",
        )
    await unit.session.delete(row)
    await unit.session.flush()
    await audit(unit, actor, "pool_removed", row.name)


async def fill_pool(unit: Unit, actor: Actor, pool_id: UUID, mailbox_ids: Sequence[UUID]) -> Pool:
    """Exactly these mailboxes are in it from now on; none empties it. Raises ``CadenzaError`` for one that is not there."""
    authorize(actor, Action.MANAGE_SENDERS)
    row, wanted = await _row(unit, pool_id), frozenset(mailbox_ids)
    known = select(MailboxRow.id).where(
        MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id.in_(wanted)
    )
    if missing := wanted - set(await unit.session.scalars(known)):
        raise not_found("mailbox", next(iter(missing)))
    mine = (PoolMemberRow.workspace_id == unit.workspace_id, PoolMemberRow.pool_id == pool_id)
    before = set(await unit.session.scalars(select(PoolMemberRow.mailbox_id).where(*mine)))
    await unit.session.execute(delete(PoolMemberRow).where(*mine, PoolMemberRow.mailbox_id.not_in(wanted)))
    rows = [
        {"workspace_id": unit.workspace_id, "id": new_id(), "pool_id": pool_id, "mailbox_id": each}
        for each in sorted(wanted - before)
    ]
    if rows:
        await unit.session.execute(insert(PoolMemberRow), rows)
    if wanted != before:
        await audit(
            unit,
            actor,
            "pool_filled",
            row.name,
            added=len(wanted - before),
            taken_out=len(before - wanted),
            mailboxes=len(wanted),
        )
    return Pool(pool_id, row.name, tuple(row.former), wanted)


async def pool_named(unit: Unit, name: str) -> Pool:
    """By its name or a former one. Raises ``CadenzaError`` (not found)."""
    found = by_any_name(await pools(unit)).get(name)
    if found is None:
        raise not_found("pool", name)
    return found


async def _row(unit: Unit, pool_id: UUID) -> PoolRow:
    query = select(PoolRow).where(PoolRow.workspace_id == unit.workspace_id, PoolRow.id == pool_id)
    row = (await unit.session.scalars(query.with_for_update())).one_or_none()
    if row is None:
        raise not_found("pool", pool_id)
    return row


async def _free_name(unit: Unit, name: str, mine: UUID | None) -> str:
    """The name, cleaned, while nobody else takes one."""
    name = " ".join(name.split())
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        problem = Problem(f"Give a name of 1 to {_LONGEST_NAME} characters.", key="name")
        raise CadenzaError(
            "pool_name_invalid", "This is no name for a pool; nothing was changed.", fix="Give it another name.", problems=(problem,)
        )  # fmt: skip
    await unit.session.execute(
        text("select pg_advisory_xact_lock(hashtextextended('pools' || :workspace, 0))"),
        {"workspace": str(unit.workspace_id)},
    )
    taken = by_any_name(await pools(unit)).get(name)
    if taken is not None and taken.id != mine:
        problem = Problem("Another pool has, or had, this name.", key="name", code="pool_exists")
        raise CadenzaError(
            "pool_exists", f"The pool {taken.name} has, or had, this name; nothing was changed.", Kind.CONFLICT, fix="Choose another name.", problems=(problem,)
        )  # fmt: skip
    return name


@check_senders_by
async def missing_senders(unit: Unit, definition: Definition) -> dict[str, str]:
    """What a campaign names as its senders and cannot send from: by place, in words."""
    if definition.pool:
        found = by_any_name(await pools(unit)).get(definition.pool)
        return {} if found and found.mailbox_ids else {"senders.pool": _missing_pool(definition.pool, found)}
    query = select(MailboxRow.address).where(
        MailboxRow.workspace_id == unit.workspace_id, MailboxRow.address.in_(definition.mailboxes)
    )
    known = set(await unit.session.scalars(query))
    return {address: _missing_sender(address) for address in definition.mailboxes if address not in known}


def _missing_pool(name: str, found: Pool | None) -> str:
    if found is None:
        return f"There is no pool {name!r}. Make it with `cadenza pools make`."
    return f"The pool {found.name} is empty. Put mailboxes into it."


def _missing_sender(address: str) -> str:
    return f"There is no sender {address}. Add it with `cadenza senders add`."
