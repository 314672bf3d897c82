"""Two contacts who are one person: found, merged, nothing lost, and an opt-out wins every conflict (M15's part here)."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from cadenza.audience.contracts import Channel, SuppressionKind, SuppressionReason
from cadenza.audience.duplicates import duplicates, merge
from cadenza.audience.service import (
    contact,
    contacts,
    contacts_of_file,
    find_by_address,
    import_contacts,
    load_recipients,
    suppress,
    unsubscribe,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.engine.history import load_history
from cadenza.engine.service import touches_of_contact
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.inbox.service import conversation_of_contact
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events, work_items
from tests.support.statements import heard, questions
from tests.web.seed import seed

FILE = b"""email,first_name,last_name,title,company,phone,country,plan
anna@acme.example,Anna,Miller,,Acme,+49 30 901820,,pro
a.miller@acme.example,A.,Miller,Head of IT,Acme,,DE,
bob@acme.example,Bob,Miller,,Acme,,,
ann@other.example,Ann,Muller,,Other,+49 30 901820,,basic
"""


@pytest.fixture
async def people(unit: Unit, owner: Actor) -> tuple[UUID, ...]:
    return (await import_contacts(unit, owner, FILE, file="people.csv")).contact_ids


async def test_people_who_share_a_telephone_or_a_name_at_a_company_are_found(
    database: Database, workspace: Actor
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        anna, a, _, _ = (await import_contacts(unit, workspace, FILE, file="people.csv")).contact_ids
        with heard(database) as sent:
            found = await duplicates(unit, workspace)
        assert len(questions(sent)) == 3
    assert [(pair.first.id, pair.second.id, pair.shared) for pair in found] == [(anna, a, "name")]


async def test_one_person_remains_with_all_that_both_had(
    unit: Unit, owner: Actor, people: tuple[UUID, ...]
) -> None:
    anna, a, *_ = people
    await merge(unit, owner, anna, a)
    found = await contact(unit, owner, anna)
    assert (found.first_name, found.title, found.country, found.email, found.custom) == (
        "Anna", "Head of IT", "DE", "anna@acme.example", {"plan": "pro"},
    )  # fmt: skip
    assert await find_by_address(unit, Channel.EMAIL, "a.miller@acme.example") == anna
    assert (await contact(unit, owner, a)).id == anna  # old links lead to who remains
    assert (await contacts(unit, owner)).total == 3
    assert [c.id for c in (await contacts(unit, owner, "a.miller")).contacts] == [anna]
    assert set(await load_recipients(unit, await contacts_of_file(unit, "people.csv"))) == set(people) - {a}
    for pair in ((anna, anna), (anna, a), (a, anna), (anna, uuid4())):
        with pytest.raises(CadenzaError):
            await merge(unit, owner, *pair)
    reader = Actor(unit.workspace_id, Role.READ_ONLY, Origin.PAGE)
    with pytest.raises(CadenzaError, match="may not"):
        await merge(unit, reader, anna, people[2])


@pytest.mark.parametrize("stopped", [0, 1])
async def test_an_opt_out_of_either_wins_on_every_address_of_both(
    unit: Unit, owner: Actor, people: tuple[UUID, ...], stopped: int
) -> None:
    anna, a, bob, _ = people
    await unsubscribe(unit, people[stopped], "their own word")
    await merge(unit, owner, anna, a)
    assert (await load_recipients(unit, [anna]))[anna].suppression is not None
    stops = (await contact(unit, owner, anna)).suppressions
    assert {s.value for s in stops if s.reason is SuppressionReason.OPT_OUT} == {
        str(anna), "anna@acme.example", "a.miller@acme.example", "+4930901820",
    }  # fmt: skip
    await merge(unit, owner, bob, anna)  # and through a chain of merges
    assert (await load_recipients(unit, [bob]))[bob].suppression is not None
    assert (await contact(unit, owner, a)).id == bob


async def test_a_stop_by_an_old_link_stops_who_remains(
    unit: Unit, owner: Actor, people: tuple[UUID, ...]
) -> None:
    anna, a, *_ = people
    await merge(unit, owner, anna, a)
    assert await unsubscribe(unit, a, "the link of a letter from before")
    assert (await load_recipients(unit, [anna]))[anna].suppression is not None


async def test_a_stop_on_an_address_moves_with_it(unit: Unit, owner: Actor, people: tuple[UUID, ...]) -> None:
    anna, a, *_ = people
    await suppress(unit, SuppressionKind.ADDRESS, "a.miller@acme.example", SuppressionReason.OPT_OUT, "x")
    await merge(unit, owner, anna, a)
    assert (await load_recipients(unit, [anna]))[anna].suppression is not None


async def test_what_happened_to_either_is_the_history_of_who_remains(
    unit: Unit, owner: Actor, people: tuple[UUID, ...]
) -> None:
    anna, a, *_ = people
    campaign = uuid4()
    await record_events(
        unit,
        [
            NewEvent(kind=EventKind.REPLIED, origin="inbox", contact_id=each, campaign_id=campaign)
            for each in (anna, a)
        ],
    )
    await merge(unit, owner, anna, a)
    assert len((await load_history(unit, [anna]))[anna].events) == 2


async def test_touches_enrolments_conversations_and_work_move(database: Database) -> None:
    seeded = await seed(database)
    actor, (kept, _, gone, *_) = seeded.actor, seeded.contacts
    async with database.unit(actor.workspace_id) as unit:
        before = [len(await touches_of_contact(unit, each)) for each in (kept, gone)]
        assert before == [1, 1]
        await merge(unit, actor, kept, gone)
    async with database.unit(actor.workspace_id) as unit:
        assert len(await touches_of_contact(unit, kept)) == 2
        assert await touches_of_contact(unit, gone) == []
        states = await unit.session.execute(
            text("select contact_id, state, ended_reason from enrolments where contact_id in (:kept, :gone)"),
            {"kept": kept, "gone": gone},
        )
        assert {(row.contact_id, row.state, row.ended_reason) for row in states} == {
            (kept, "active", None), (gone, "stopped", "merged"),
        }  # fmt: skip
        theirs = await unit.session.scalar(
            text("select count(*) from conversations where contact_id = :gone"), {"gone": gone}
        )
        assert theirs == 0
        thread = await conversation_of_contact(unit, actor, kept)
        assert thread is not None
        assert thread.conversation.id == seeded.conversation
        assert gone not in {item.contact_id for item in await work_items(unit, actor)}


async def test_two_merges_at_once_come_one_after_the_other(database: Database, workspace: Actor) -> None:
    import asyncio  # noqa: PLC0415

    async with database.unit(workspace.workspace_id) as unit:
        anna, a, *_ = (await import_contacts(unit, workspace, FILE, file="people.csv")).contact_ids

    async def one(survivor: UUID, merged: UUID) -> bool:
        try:
            async with database.unit(workspace.workspace_id) as unit:
                await merge(unit, workspace, survivor, merged)
        except CadenzaError:
            return False
        return True

    assert sorted(await asyncio.gather(one(anna, a), one(a, anna))) == [False, True]
    async with database.unit(workspace.workspace_id) as unit:
        assert (await contacts(unit, workspace)).total == 3
