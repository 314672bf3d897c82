"""People who are here twice: found by what they share, and merged without losing what happened to either.

An opt-out wins every conflict: whoever of the two was stopped, the person who remains is, on every address of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from uuid import UUID

from sqlalchemy import select, text

from cadenza.audience.contracts import Contact
from cadenza.audience.hooks import tell_merged
from cadenza.audience.models import ContactRow
from cadenza.audience.people import people_where
from cadenza.audience.places import plain_words
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.service import move_work_items

_MOST_GROUPS = 50
_ALIKE = 0.75  # of two first names: Ann and Anna are, Ann and Bob are not


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Two people who may be one, whoever was known first standing first, and what they share."""

    first: Contact
    second: Contact
    shared: str  # "phone" or "name"


# People at one company with one family name and one first letter, and people with one telephone. A group of many is
# a family or a switchboard, not one person, and is left out.
_GROUPS = text("""
    (select 'phone' as shared, array_agg(distinct a.contact_id) as people
     from addresses a join contacts c on c.workspace_id = a.workspace_id and c.id = a.contact_id and c.gone_at is null
     where a.workspace_id = :workspace and a.channel = 'phone'
     group by a.value having count(distinct a.contact_id) between 2 and 4 limit :most)
    union all
    (select 'name', array_agg(c.id) from contacts c
     where c.workspace_id = :workspace and c.gone_at is null and c.account_id is not null and c.last_name is not null
     group by c.account_id, translate(lower(c.last_name), 'äöüàáâãåèéêëìíîïòóôõùúûçñ', 'aouaaaaaeeeeiiiioooouuucn'),
              left(translate(lower(c.first_name), 'äöüàáâãåèéêëìíîïòóôõùúûçñ', 'aouaaaaaeeeeiiiioooouuucn'), 1)
     having count(*) between 2 and 4 limit :most)
""")


async def duplicates(unit: Unit, actor: Actor) -> list[Duplicates]:
    """Pairs who may be one person, those with one telephone first; three queries."""
    authorize(actor, Action.READ)
    given = {"workspace": unit.workspace_id, "most": _MOST_GROUPS}
    groups = [(row.shared, sorted(row.people)) for row in await unit.session.execute(_GROUPS, given)]
    ids = {identity for _, people in groups for identity in people}
    known = (
        {each.id: each for each in await people_where(unit, ContactRow.id.in_(ids), limit=1000)}
        if ids
        else {}
    )
    found: dict[tuple[UUID, UUID], Duplicates] = {}
    for shared, people in groups:
        for first, second in combinations([known[each] for each in people if each in known], 2):
            if _alike(first, second):
                found.setdefault((first.id, second.id), Duplicates(first, second, shared))
    return list(found.values())


def _alike(first: Contact, second: Contact) -> bool:
    """Whether the names may be one person's: a missing one, an initial or a short form is no difference."""
    if first.last_name and second.last_name and plain_words(first.last_name) != plain_words(second.last_name):
        return False
    one, other = (plain_words(each.first_name or "") for each in (first, second))
    short, long = sorted((one, other), key=len)
    return long.startswith(short) or SequenceMatcher(None, one, other).ratio() >= _ALIKE


_FILL = text("""
    update contacts s
    set account_id = coalesce(s.account_id, m.account_id), first_name = coalesce(s.first_name, m.first_name),
        last_name = coalesce(s.last_name, m.last_name), title = coalesce(s.title, m.title),
        website = coalesce(s.website, m.website), country = coalesce(s.country, m.country),
        language = coalesce(s.language, m.language), timezone = coalesce(s.timezone, m.timezone),
        custom = m.custom || s.custom, search = left(s.search || ' ' || m.search, 2000), updated_at = :now,
        created_at = least(s.created_at, m.created_at)
    from contacts m
    where s.workspace_id = :workspace and s.id = :survivor and m.workspace_id = :workspace and m.id = :merged
""")
_MOVE_ADDRESSES = text("""
    update addresses a
    set contact_id = :survivor,
        main = a.main and not exists (select from addresses s where s.workspace_id = :workspace and s.contact_id = :survivor
                                      and s.channel = a.channel)
    where a.workspace_id = :workspace and a.contact_id = :merged
      and not exists (select from addresses s where s.workspace_id = :workspace and s.contact_id = :survivor
                      and s.channel = a.channel and s.value = a.value)
""")
_DROP_ADDRESSES = text("delete from addresses where workspace_id = :workspace and contact_id = :merged")
# Every stop on either person holds for the one who remains, and for every address that is now theirs.
_STOPS = text("""
    insert into suppressions (workspace_id, id, kind, value, reason, source, at, contact_id)
    select distinct on (t.kind, t.value, s.reason)
           s.workspace_id, gen_random_uuid(), t.kind, t.value, s.reason, s.source, s.at, cast(:survivor as uuid)
    from suppressions s
    cross join lateral (select 'contact' as kind, cast(:survivor as text) as value
                        union all
                        select 'address', a.value from addresses a
                        where a.workspace_id = :workspace and a.contact_id = cast(:survivor as uuid)) t
    where s.workspace_id = :workspace and s.kind = 'contact'
      and s.value in (cast(:survivor as text), cast(:merged as text))
    order by t.kind, t.value, s.reason, s.at
    on conflict do nothing
""")
_MEMBERS = text("""
    insert into import_members (workspace_id, import_id, contact_id, position)
    select workspace_id, import_id, :survivor, position from import_members
    where workspace_id = :workspace and contact_id = :merged
    on conflict do nothing
""")
_GONE = text("""
    update contacts set gone_at = coalesce(gone_at, :now), merged_into = :survivor
    where workspace_id = :workspace and (id = :merged or merged_into = :merged)
""")


async def merge(unit: Unit, actor: Actor, survivor: UUID, merged: UUID) -> None:
    """Make two people one: what ``survivor`` has stays, what only ``merged`` has is taken over, history included.

    Raises ``CadenzaError`` when one of them is not there, or both are the same.
    """
    authorize(actor, Action.EDIT_CONTACTS)
    if survivor == merged:
        raise CadenzaError("merge_same", "That is the same person twice.", fix="Choose two.")
    await _lock(unit, survivor, merged)
    given = {"workspace": unit.workspace_id, "survivor": survivor, "merged": merged}
    await unit.session.execute(_FILL, given | {"now": unit.world.now()})
    await unit.session.execute(_MOVE_ADDRESSES, given)
    await unit.session.execute(_DROP_ADDRESSES, {"workspace": unit.workspace_id, "merged": merged})
    await unit.session.execute(_STOPS, given)
    await unit.session.execute(_MEMBERS, given)
    await unit.session.execute(_GONE, given | {"now": unit.machine.now()})
    await move_work_items(unit, merged, survivor)
    await tell_merged(unit, survivor, merged)
    await audit(unit, actor, "contacts_merged", str(survivor), merged=str(merged))


async def _lock(unit: Unit, *ids: UUID) -> None:
    """Both rows, in one order everywhere, so that two merges at once come one after the other."""
    query = (
        select(ContactRow.id)
        .where(
            ContactRow.workspace_id == unit.workspace_id, ContactRow.id.in_(ids), ContactRow.gone_at.is_(None)
        )
        .order_by(ContactRow.id)
        .with_for_update()
    )
    here = set((await unit.session.scalars(query)).all())
    for each in ids:
        if each not in here:
            raise not_found("contact", each)


async def known_as(unit: Unit, contact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Who was merged into these people: merged id to the one who remains. Events keep the id that they were written with."""
    query = select(ContactRow.id, ContactRow.merged_into).where(
        ContactRow.workspace_id == unit.workspace_id, ContactRow.merged_into.in_(contact_ids)
    )
    return {row.id: row.merged_into for row in await unit.session.execute(query)}
