"""Reading people: for the engine in batches, for pages one by one or as a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, text
from sqlalchemy import Row as SqlRow

from cadenza.audience import totals
from cadenza.audience.addresses import AddressError
from cadenza.audience.contracts import (
    Account,
    Channel,
    Contact,
    ContactPage,
    FieldKind,
    Recipient,
    Suppression,
    SuppressionKind,
    SuppressionReason,
)
from cadenza.audience.fields import kinds_of
from cadenza.audience.models import AccountRow, AddressRow, ContactRow
from cadenza.audience.places import clock_of, country_of_zone, spellings
from cadenza.audience.segment_query import SAME_ACCOUNT, clause, here
from cadenza.audience.segment_rules import EVERYBODY, Group
from cadenza.audience.suppression import normal_value, stops_of, values_to_ask
from cadenza.core.errors import not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize

# What stands for a company that nobody knows, so that a text which names it still reads well.
_YOUR_COMPANY = {
    "de": "Ihr Unternehmen", "fr": "votre entreprise", "es": "su empresa", "it": "la sua azienda", "nl": "uw bedrijf",
    "pt": "a sua empresa", "pl": "Państwa firma", "sv": "ert företag", "da": "jeres virksomhed",
}  # fmt: skip


_NO_WORD = "'%':*"  # empty to PostgreSQL, and an empty text query finds nothing
COUNTED = 250  # hits of a search that are counted exactly; more are only said to be more


@dataclass(slots=True)
class _Whole:
    """A contact with everything that belongs to it."""

    row: SqlRow[Any]
    account: Account | None
    addresses: list[dict[str, Any]] = field(default_factory=list)  # channel, value, dead; the main ones first
    stops: list[Suppression] = field(default_factory=list)

    def address(self, channel: Channel) -> str | None:
        """The main address of a channel that is not known to be dead."""
        alive = (a["value"] for a in self.addresses if a["channel"] == channel and not a["dead"])
        return next(alive, None)

    @property
    def timezone(self) -> str:
        return clock_of(self.row.timezone, self.row.country, self.account.country if self.account else None)

    @property
    def suppression(self) -> Suppression | None:
        """The earliest stop that holds. A bounce stops its address; the person only when no other is left."""
        reachable = self.address(Channel.EMAIL) is not None
        holds = (s for s in self.stops if not (reachable and _only_that_address(s)))
        return next(holds, None)


def _only_that_address(stop: Suppression) -> bool:
    return stop.kind is SuppressionKind.ADDRESS and stop.reason is SuppressionReason.BOUNCE


_ADDRESSES = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object(
                literal("channel"), AddressRow.channel, literal("value"), AddressRow.value,
                literal("dead"), AddressRow.dead_at.is_not(None), literal("main"), AddressRow.main,
            )
        )
    )
    .where(AddressRow.workspace_id == ContactRow.workspace_id, AddressRow.contact_id == ContactRow.id)
    .correlate(ContactRow)
    .scalar_subquery()
)  # fmt: skip
_PERSON = (
    "id", "account_id", "first_name", "last_name", "title", "website", "country", "language", "timezone", "custom",
    "created_at", "merged_into", "gone_at",
)  # fmt: skip
_COMPANY = tuple(each.name for each in fields(Account))  # as its columns are called
# Built once: putting it together takes longer than asking it. Plain columns: rows that watch for changes cost as much again.
_WHOLES: Select[Any] = select(
    *(getattr(ContactRow, name) for name in _PERSON),
    *(getattr(AccountRow, name).label(f"company_{name}") for name in _COMPANY),
    _ADDRESSES.label("ways"),
).outerjoin(AccountRow, SAME_ACCOUNT)


async def _wholes(unit: Unit, query: Select[Any]) -> list[_Whole]:
    """Two queries, however many contacts."""
    rows = await unit.session.execute(query)
    found = [
        _Whole(row, _company(row), sorted(row.ways or [], key=lambda a: (not a["main"], a["value"])))
        for row in rows
    ]
    asked = [values_to_ask(w.row.id, [(a["channel"], a["value"]) for a in w.addresses]) for w in found]
    by_value: dict[tuple[str, str], list[Suppression]] = {}
    for stop in await stops_of(unit, (value for values in asked for value in values)):
        by_value.setdefault((stop.kind, stop.value), []).append(stop)
    for whole, values in zip(found, asked, strict=True):
        _lay_stops(whole, [stop for value in values for stop in by_value.get(value, ())])
    return found


def _company(row: SqlRow[Any]) -> Account | None:
    if row.company_id is None:
        return None
    start = len(_PERSON)
    return Account(*row[start : start + len(_COMPANY)])


def _lay_stops(whole: _Whole, stops: Sequence[Suppression]) -> None:
    """The earliest first. An address that bounced is dead, also when that was before it was imported."""
    whole.stops = sorted(set(stops), key=lambda s: (s.at, s.kind.value, s.value, s.reason.value))
    bounced = {stop.value for stop in whole.stops if _only_that_address(stop)}
    for address in whole.addresses:
        address["dead"] = address["dead"] or address["value"] in bounced


async def load_recipients(unit: Unit, contact_ids: Sequence[UUID]) -> dict[UUID, Recipient]:
    """Everything the engine needs about these people, in two queries; unknown and removed ones are left out."""
    if not contact_ids:
        return {}
    query = _WHOLES.where(*here(unit), ContactRow.id.in_(set(contact_ids)))
    return {whole.row.id: _recipient(whole) for whole in await _wholes(unit, query)}


def _recipient(whole: _Whole) -> Recipient:
    row, email = whole.row, whole.address(Channel.EMAIL)
    return Recipient(
        contact_id=row.id,
        email=email,
        first_name=row.first_name,
        last_name=row.last_name,
        title=row.title,
        language=row.language,
        country=row.country or country_of_zone(whole.timezone),
        timezone=whole.timezone,
        account_id=row.account_id,
        facts={"contact": _contact_facts(row, email), "account": _account_facts(whole)},
        suppression=whole.suppression,
        linkedin=whole.address(Channel.LINKEDIN),
        phone=whole.address(Channel.PHONE),
    )


def _contact_facts(row: SqlRow[Any], email: str | None) -> dict[str, Any]:
    names = ("first_name", "last_name", "title", "language", "country", "custom")
    return {name: getattr(row, name) for name in names} | {"email": email}


def _account_facts(whole: _Whole) -> dict[str, Any]:
    """``name`` is never missing: the company's, else its domain, else neutral words in the person's language."""
    account = whole.account
    if account is None:
        return {"name": _YOUR_COMPANY.get(whole.row.language or "", "your company")}
    return {name: getattr(account, name) for name in ("name", "domain", "industry", "country")}


async def contact(unit: Unit, actor: Actor, contact_id: UUID) -> Contact:
    """One person with all addresses and stops; of one who was merged, whom they were merged into. One who was removed is
    still shown, because what happened to them is. Raises ``CadenzaError`` (not found).
    """
    return (await contact_with_recipient(unit, actor, contact_id))[0]


async def contact_with_recipient(
    unit: Unit, actor: Actor, contact_id: UUID
) -> tuple[Contact, Recipient | None]:
    """As ``contact``, and as the engine sees the same person; None for one who was removed."""
    authorize(actor, Action.READ)
    found = await _whole_of(unit, contact_id)
    if found and (into := found.row.merged_into):
        found = await _whole_of(unit, into)
    if not found:
        raise not_found("contact", contact_id)
    return _as_contact(found), None if found.row.gone_at else _recipient(found)


async def _whole_of(unit: Unit, contact_id: UUID) -> _Whole | None:
    """By a plain comparison: under row security one with a subquery would read all people instead of the index."""
    mine = (ContactRow.workspace_id == unit.workspace_id) & (ContactRow.id == contact_id)
    return next(iter(await _wholes(unit, _WHOLES.where(mine))), None)


async def people_where(unit: Unit, condition: ColumnElement[bool], *, limit: int) -> list[Contact]:
    """The people here that meet a condition, newest first; two queries."""
    query = _WHOLES.where(*here(unit), condition).order_by(ContactRow.id.desc()).limit(limit)
    return [_as_contact(whole) for whole in await _wholes(unit, query)]


async def contacts(
    unit: Unit,
    actor: Actor,
    query: str = "",
    *,
    rule: Group = EVERYBODY,
    page: int = 1,
    size: int = 50,
    after: UUID | None = None,
    custom: Mapping[str, FieldKind] | None = None,
) -> ContactPage:
    """The list of contacts that a filter lets through, newest first.

    With ``after`` it goes on behind this person, whatever was added meanwhile and however deep, and ``page`` is not asked.
    ``query`` holds beginnings of words of name, company and address; ``custom`` are the workspace's own fields, where the
    caller knows them already.
    """
    authorize(actor, Action.READ)
    page, size = max(1, min(page, 10_000)), max(1, min(size, 500))
    start, asked = 0 if after else (page - 1) * size, search_words(query)
    rows = _WHOLES.where(*here(unit)).order_by(ContactRow.id.desc())
    by_search = bool(asked) and not rule.rules and after is None
    if by_search:
        ids = await _search(unit, asked, start + size)
        total, rows = len(ids), rows.where(ContactRow.id.in_(ids[start : start + size]))
    else:
        fits = await chosen(unit, rule, query, custom)
        total = await totals.total(unit, rule, query, fits)
        # Which rows first, and only then what belongs to them: those that a page skips would be put together as well.
        which = select(ContactRow.id).where(*fits, *([ContactRow.id < after] if after else []))
        which = which.order_by(ContactRow.id.desc()).offset(start).limit(size + 1)
        rows = rows.where(ContactRow.id.in_(which))
    found = [_as_contact(whole) for whole in await _wholes(unit, rows)]
    at_least = by_search and total > max(start + size, COUNTED)
    more = start + size < total if by_search else len(found) > size
    return ContactPage(tuple(found[:size]), page, more=more, total=total - at_least, at_least=at_least)


async def chosen(
    unit: Unit, rule: Group, query: str = "", custom: Mapping[str, FieldKind] | None = None
) -> list[ColumnElement[bool]]:
    """The condition for the people of a filter and a search, as the list shows them.

    ``custom`` are the workspace's own fields, where the caller knows them already.
    """
    conditions = [*here(unit)]
    if rule.rules:
        conditions.append(clause(unit, rule, await kinds_of(unit) if custom is None else custom))
    if asked := search_words(query):
        found = text("contacts.id in (select search_contacts(to_tsquery('simple', :asked), 100000))")
        conditions.append(cast("ColumnElement[bool]", found.bindparams(asked=asked)))
    return conditions


def search_words(query: str) -> str:
    """What was typed as a text query of PostgreSQL: the beginnings of up to eight words, all of which must be there, each
    with or without its accents. Signs alone are no words: they find nobody, and nothing typed asks for nothing.
    """
    words = [word for word in query[:200].split() if any(c.isalnum() for c in word)]
    if not words:
        return _NO_WORD if query.strip() else ""
    return " & ".join(
        f"({' | '.join(map(_beginning, dict.fromkeys(spellings(word))))})" for word in words[:8]
    )


def _beginning(word: str) -> str:
    kept = "".join(c for c in word if c.isalnum() or c in "@.-_+")
    return f"'{kept}':*"


async def _search(unit: Unit, asked: str, wanted: int) -> list[UUID]:
    """The newest contacts that fit; one more than are wanted or counted, where there are so many."""
    most = max(wanted, COUNTED) + 1
    query = text("select search_contacts(to_tsquery('simple', :asked), :most)")
    return list((await unit.session.scalars(query, {"asked": asked, "most": most})).all())


def _as_contact(whole: _Whole) -> Contact:
    row = whole.row
    return Contact(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        title=row.title,
        language=row.language,
        country=row.country,
        timezone=whole.timezone,
        email=whole.address(Channel.EMAIL),
        phone_e164=whole.address(Channel.PHONE),
        linkedin_url=whole.address(Channel.LINKEDIN),
        website=row.website,
        account=whole.account,
        custom=row.custom,
        created_at=row.created_at,
        suppressions=tuple(whole.stops),
    )


def as_account(row: AccountRow) -> Account:
    return Account(row.id, row.name, row.domain, row.country, row.industry, row.custom)


async def suppressions_of(unit: Unit, contact_id: UUID) -> tuple[Suppression, ...]:
    """Every stop on a person, their addresses and domains, the earliest first."""
    query = _WHOLES.where(ContactRow.workspace_id == unit.workspace_id, ContactRow.id == contact_id)
    found = await _wholes(unit, query)
    return tuple(found[0].stops) if found else ()


async def find_by_address(unit: Unit, channel: Channel, value: str) -> UUID | None:
    """Whose address this is, in any spelling; of a shared telephone, whoever had it first."""
    return (await find_by_addresses(unit, channel, [value])).get(value)


async def find_by_addresses(unit: Unit, channel: Channel, values: Sequence[str]) -> Mapping[str, UUID]:
    """The contact of each address as given; unknown and unreadable ones are left out. One query."""
    normal = {value: found for value in values if (found := _readable(channel, value))}
    if not normal:
        return {}
    query = (
        select(AddressRow.value, AddressRow.contact_id)
        .where(
            AddressRow.workspace_id == unit.workspace_id,
            AddressRow.channel == channel.value,
            AddressRow.value.in_(set(normal.values())),
        )
        .order_by(AddressRow.id.desc())
    )
    owners: dict[str, UUID] = {row.value: row.contact_id for row in await unit.session.execute(query)}
    return {value: owners[found] for value, found in normal.items() if found in owners}


def _readable(channel: Channel, value: str) -> str | None:
    try:
        return normal_value(channel, value)
    except AddressError:
        return None
