"""Companies: the list, and one with its people."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from cadenza.audience.contracts import Account, Contact
from cadenza.audience.models import AccountRow, ContactRow
from cadenza.audience.people import as_account, people_where
from cadenza.audience.places import plain_words
from cadenza.core.errors import not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize

_SHOWN_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class AccountLine:
    account: Account
    people: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of the list of companies, by name. ``page`` counts from 1."""

    lines: tuple[AccountLine, ...]
    page: int
    more: bool
    total: int


async def accounts(
    unit: Unit, actor: Actor, query: str = "", *, page: int = 1, size: int = 50
) -> AccountPage:
    """Companies by name; ``query`` is a part of the name, or the beginning of the domain."""
    authorize(actor, Action.READ)
    page, size = max(1, min(page, 10_000)), max(1, min(size, 500))
    mine = [AccountRow.workspace_id == unit.workspace_id]
    if words := query.strip()[:200]:
        name = func.strpos(AccountRow.name_key, plain_words(words) or words.casefold()) > 0
        mine.append(or_(name, func.starts_with(func.coalesce(AccountRow.domain, ""), words.casefold())))
    total = await unit.session.scalar(select(func.count()).select_from(AccountRow).where(*mine)) or 0
    people = (
        select(func.count())
        .where(
            ContactRow.workspace_id == AccountRow.workspace_id,
            ContactRow.account_id == AccountRow.id,
            ContactRow.gone_at.is_(None),
        )
        .correlate(AccountRow)
        .scalar_subquery()
    )
    rows = (
        select(AccountRow, people)
        .where(*mine)
        .order_by(AccountRow.name_key, AccountRow.id)
        .offset((page - 1) * size)
        .limit(size)
    )
    lines = tuple(AccountLine(as_account(row), count) for row, count in await unit.session.execute(rows))
    return AccountPage(lines, page, more=page * size < total, total=total)


async def account(unit: Unit, actor: Actor, account_id: UUID) -> tuple[Account, list[Contact]]:
    """A company and the people there, newest first. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.READ)
    row = await unit.session.get(AccountRow, (unit.workspace_id, account_id))
    if row is None:
        raise not_found("account", account_id)
    people = await people_where(unit, ContactRow.account_id == account_id, limit=_SHOWN_PEOPLE)
    return as_account(row), people
