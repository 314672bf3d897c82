"""Writes imported people: a handful of statements for each batch, whatever it holds."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import false, or_, select, text

from cadenza.audience.addresses import PRIVATE_DOMAINS, domain_of, website_domain
from cadenza.audience.contracts import Channel
from cadenza.audience.models import AccountRow, AddressRow, ContactRow
from cadenza.audience.places import plain_words, spellings
from cadenza.audience.rows import Person
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit

BATCH = 1000

_LOCK = "select pg_advisory_xact_lock(hashtextextended('audience import ' || :workspace, 0))"
_INSERT_ACCOUNTS = """
insert into accounts (workspace_id, id, name, name_key, domain, country, industry, custom, created_at)
select :workspace, r.id, r.name, r.name_key, r.domain, r.country, r.industry, '{}', :now
from jsonb_to_recordset(cast(:rows as jsonb))
  as r(id uuid, name text, name_key text, domain text, country text, industry text)
"""
_NAME_ACCOUNTS = """
update accounts a set name = r.name, name_key = r.name_key
from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text, name_key text)
where a.workspace_id = :workspace and a.id = r.id and a.name = a.domain
"""
_INSERT_CONTACTS = """
insert into contacts (workspace_id, id, account_id, first_name, last_name, title, website, country, language, timezone,
                      custom, search, created_at, updated_at)
select :workspace, r.id, r.account_id, r.first_name, r.last_name, r.title, r.website, r.country, r.language, r.timezone,
       r.custom, r.search, :now, :now
from jsonb_to_recordset(cast(:rows as jsonb))
  as r(id uuid, account_id uuid, first_name text, last_name text, title text, website text, country text, language text,
       timezone text, custom jsonb, search text)
"""
_TAKEN_OVER = ("account_id", "first_name", "last_name", "title", "website", "country", "language", "timezone")
# What the file says replaces what is stored; a row that repeats an earlier one of its file only fills what is empty.
_UPDATE_CONTACTS = f"""
update contacts c
set {", ".join(f"{n} = case when r.fills then coalesce(c.{n}, r.{n}) else coalesce(r.{n}, c.{n}) end" for n in _TAKEN_OVER)},
    custom = case when r.fills then r.custom || c.custom else c.custom || r.custom end, updated_at = :now, gone_at = null,
    search = case when position(r.search in c.search) > 0 then c.search else left(r.search || ' ' || c.search, 2000) end
from (select distinct on (id) *
      from jsonb_to_recordset(cast(:rows as jsonb))
        as r(id uuid, account_id uuid, first_name text, last_name text, title text, website text, country text,
             language text, timezone text, custom jsonb, search text, fills boolean)) r
where c.workspace_id = :workspace and c.id = r.id
"""  # noqa: S608 - names of our own columns
_INSERT_ADDRESSES = """
insert into addresses (workspace_id, id, contact_id, channel, value, main, created_at)
select :workspace, r.id, r.contact_id, r.channel, r.value,
       r.main and (r.new or not exists (select from addresses a where a.workspace_id = :workspace
                                        and a.contact_id = r.contact_id and a.channel = r.channel)), :now
from jsonb_to_recordset(cast(:rows as jsonb))
  as r(id uuid, contact_id uuid, channel text, value text, main boolean, new boolean)
on conflict do nothing
"""
_INSERT_MEMBERS = """
insert into import_members (workspace_id, import_id, contact_id, position)
select :workspace, :import, r.id, r.position
from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, position int)
on conflict do nothing
"""


@dataclass(slots=True)
class Known:
    """Whom a batch's addresses belong to already. Telephone numbers count together with the name."""

    addresses: dict[tuple[str, str], UUID] = field(default_factory=dict)
    phones: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def contact_of(self, person: Person) -> UUID | None:
        for channel, value in addresses_of(person):
            if channel is not Channel.PHONE and (found := self.addresses.get((channel, value))):
                return found
        if person.emails or person.linkedin_url or not person.phone_e164:
            return None
        return self.phones.get((person.phone_e164, _name(person.first_name, person.last_name)))


def addresses_of(person: Person) -> list[tuple[Channel, str]]:
    found = [(Channel.EMAIL, email) for email in person.emails]
    if person.linkedin_url:
        found.append((Channel.LINKEDIN, person.linkedin_url))
    if person.phone_e164:
        found.append((Channel.PHONE, person.phone_e164))
    return found


async def lock(unit: Unit) -> None:
    """One import at a time in a workspace, so that two files with the same person make one contact."""
    await unit.session.execute(text(_LOCK), {"workspace": str(unit.workspace_id)})


async def known(unit: Unit, people: Sequence[Person]) -> Known:
    """One query for the batch."""
    values: dict[Channel, set[str]] = {}
    for channel, value in (pair for person in people for pair in addresses_of(person)):
        values.setdefault(channel, set()).add(value)
    fits = [
        (AddressRow.channel == channel.value) & AddressRow.value.in_(mine) for channel, mine in values.items()
    ]
    join = (ContactRow.workspace_id == AddressRow.workspace_id) & (ContactRow.id == AddressRow.contact_id)
    query = (
        select(
            AddressRow.channel,
            AddressRow.value,
            AddressRow.contact_id,
            ContactRow.first_name,
            ContactRow.last_name,
        )
        .join(ContactRow, join)
        .where(AddressRow.workspace_id == unit.workspace_id, or_(false(), *fits))
    )
    found = Known()
    for row in await unit.session.execute(query):
        if row.channel == Channel.PHONE:
            found.phones[row.value, _name(row.first_name, row.last_name)] = row.contact_id
        else:
            found.addresses[row.channel, row.value] = row.contact_id
    return found


def _name(first: str | None, last: str | None) -> str:
    return f"{first or ''} {last or ''}".casefold()


async def store(
    unit: Unit, people: Sequence[Person], now: datetime, *, fills: Collection[int] = ()
) -> tuple[list[UUID], set[UUID]]:
    """Insert or update a batch; the contact of each person, and which of them are new.

    ``fills`` are rows that repeat an earlier one of their file: they only fill what is empty.
    """
    found = await known(unit, people)
    accounts = await _accounts(unit, people, now)
    ids, created, rows = [], set[UUID](), list[dict[str, Any]]()
    for person in people:
        contact_id = found.contact_of(person)
        if contact_id is None:
            contact_id = new_id()
            created.add(contact_id)
        ids.append(contact_id)
        account = accounts.get(_account_key(person))
        rows.append({**_contact(person, contact_id, account), "fills": person.row in fills})
    await _run(unit, _INSERT_CONTACTS, [row for row in rows if row["id"] in created], now=now)
    await _run(unit, _UPDATE_CONTACTS, [row for row in rows if row["id"] not in created], now=now)
    await _run(unit, _INSERT_ADDRESSES, list(_addresses(people, ids, created)), now=now)
    return ids, created


async def refresh_statistics(unit: Unit, imported: int) -> None:
    """Let the database plan for tables of this size, while it still takes them for empty."""
    await unit.session.execute(text("select refresh_audience_statistics(:imported)"), {"imported": imported})


async def remember(unit: Unit, import_id: UUID, ids: Sequence[UUID], start: int) -> None:
    rows = [{"id": contact_id, "position": start + n} for n, contact_id in enumerate(ids)]
    await _run(unit, _INSERT_MEMBERS, rows, **{"import": import_id})


async def _run(unit: Unit, statement: str, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
    if rows:
        encoded = json.dumps(rows, default=str)
        await unit.session.execute(
            text(statement), {"workspace": unit.workspace_id, "rows": encoded, **values}
        )


def search_text(words: Iterable[str | None]) -> str:
    """What the search box looks through: the words as they are, and as people type them without accents."""
    return " ".join(dict.fromkeys(spellings(" ".join(word for word in words if word))))


def _contact(person: Person, contact_id: UUID, account_id: UUID | None) -> dict[str, Any]:
    words = (
        person.first_name,
        person.last_name,
        person.company,
        *(w for e in person.emails for w in (e, *e.split("@"))),
    )
    plain = ("first_name", "last_name", "title", "website", "country", "language", "timezone", "custom")
    return {
        "id": contact_id,
        "account_id": account_id,
        "search": search_text(words),
        **{name: getattr(person, name) for name in plain},
    }


def _addresses(
    people: Sequence[Person], ids: Sequence[UUID], created: Collection[UUID]
) -> Iterable[dict[str, Any]]:
    for person, contact_id in zip(people, ids, strict=True):
        channels, new = set(), contact_id in created
        for channel, value in addresses_of(person):
            main = channel not in channels
            channels.add(channel)
            yield {
                "id": new_id(),
                "contact_id": contact_id,
                "channel": channel.value,
                "value": value,
                "main": main,
                "new": new,
            }


AccountKey = tuple[str | None, str]
"""Domain, and the name without case and accents."""


def _account_key(person: Person) -> AccountKey | None:
    domain = website_domain(person.website) if person.website else domain_of(person.email or "")
    name = _name_key(person.company or "")
    if not domain or domain in PRIVATE_DOMAINS:
        return (None, name) if name else None
    return domain, name


def _name_key(name: str) -> str:
    return (plain_words(name) or name.casefold())[:200]


async def _accounts(unit: Unit, people: Sequence[Person], now: datetime) -> dict[AccountKey | None, UUID]:
    """The account of each key: by domain, else by the name of one without a domain; what is missing is made."""
    wanted = _wanted_accounts(people)
    by_domain, by_name = await _stored_accounts(unit, wanted)
    found, new, named = dict[AccountKey | None, UUID](), list[dict[str, Any]](), list[dict[str, Any]]()
    for key, person in wanted.items():
        known_by, word = (by_domain, key[0]) if key[0] else (by_name, key[1])
        if word not in known_by:
            known_by[word] = new_id()
            new.append(_account(known_by[word], key[0], person))
        elif person.company:  # until now the domain may have stood for the name
            named.append(
                {"id": known_by[word], "name": person.company, "name_key": _name_key(person.company)}
            )
        found[key] = known_by[word]
    await _run(unit, _INSERT_ACCOUNTS, new, now=now)
    await _run(unit, _NAME_ACCOUNTS, named)
    return found


def _wanted_accounts(people: Sequence[Person]) -> dict[AccountKey, Person]:
    """Whoever names the company comes first, so that an account known by its domain gets the company's name."""
    wanted: dict[AccountKey, Person] = {}
    for person in sorted(people, key=lambda person: person.company is None):
        if key := _account_key(person):
            wanted.setdefault(key, person)
    return wanted


async def _stored_accounts(
    unit: Unit, wanted: Iterable[AccountKey]
) -> tuple[dict[str | None, UUID], dict[str | None, UUID]]:
    domains = {domain for domain, _ in wanted if domain}
    names = {name for _, name in wanted if name}
    query = select(AccountRow.id, AccountRow.domain, AccountRow.name_key).where(
        AccountRow.workspace_id == unit.workspace_id,
        AccountRow.domain.in_(domains) | (AccountRow.name_key.in_(names) & AccountRow.domain.is_(None)),
    )
    by_domain, by_name = dict[str | None, UUID](), dict[str | None, UUID]()
    for row in await unit.session.execute(query):
        (by_domain if row.domain else by_name)[row.domain or row.name_key] = row.id
    return by_domain, by_name


def _account(account_id: UUID, domain: str | None, person: Person) -> dict[str, Any]:
    name = (person.company or domain or "")[:200]
    own = {"country": person.country, "industry": person.industry}
    return {"id": account_id, "name": name, "name_key": _name_key(name), "domain": domain, **own}
