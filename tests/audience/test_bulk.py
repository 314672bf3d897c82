"""One change to many people, and taking it back: a statement each, a day, and stops that stay stops."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.audience.bulk import MOST, Whom, change_many, changes, may_undo, undo
from cadenza.audience.contracts import BulkKind, FieldKind
from cadenza.audience.segment_rules import EVERYBODY, read_address
from cadenza.audience.service import (
    contact,
    contacts,
    import_contacts,
    load_recipients,
    set_field,
    unsubscribe,
)
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from tests.support.statements import heard, questions

FILE = b"email,first_name,country,plan\n" + b"".join(
    b"p%d@x.example,P%d,%s,%s\n" % (n, n, b"DE" if n % 2 else b"FR", b"pro" if n < 4 else b"")
    for n in range(20)
)
GERMANS = read_address("all", ["country|is|DE"], {})


@pytest.fixture
async def people(unit: Unit, owner: Actor) -> tuple[UUID, ...]:
    return (await import_contacts(unit, owner, FILE, file="people.csv")).contact_ids


async def _stopped(unit: Unit, people: tuple[UUID, ...]) -> set[int]:
    found = await load_recipients(unit, people)
    return {n for n, each in enumerate(people) if each in found and found[each].suppression}


async def test_stops_hold_and_are_lifted_only_with_the_right_and_a_reason(
    unit: Unit, people: tuple[UUID, ...]
) -> None:
    rep, manager = (Actor(unit.workspace_id, role, Origin.PAGE) for role in (Role.REP, Role.MANAGER))
    await unsubscribe(unit, people[1], "their own word, before")
    done = await change_many(unit, rep, BulkKind.STOP, Whom(GERMANS))
    assert done.people == 10
    await unsubscribe(unit, people[3], "their own word, after")
    assert await _stopped(unit, people) == {n for n in range(20) if n % 2}
    assert (may_undo(rep, done), may_undo(manager, done)) == (False, True)
    with pytest.raises(CadenzaError, match="may not lift"):
        await undo(unit, rep, done.id, reason="because")
    with pytest.raises(CadenzaError, match="only with a reason"):
        await undo(unit, manager, done.id, reason=" ")
    await undo(unit, manager, done.id, reason="The wrong list")
    assert await _stopped(unit, people) == {1, 3}  # what people asked for themselves stands
    told = await unit.session.scalar(
        text("select data->>'reason' from audit_entries where action = 'bulk_stop_undone'")
    )
    assert told == "The wrong list"
    with pytest.raises(CadenzaError, match="no longer"):
        await undo(unit, manager, done.id, reason="again")


async def test_a_field_is_set_and_put_back_where_nobody_changed_it_since(
    unit: Unit, owner: Actor, people: tuple[UUID, ...]
) -> None:
    done = await change_many(unit, owner, BulkKind.SET_FIELD, Whom(EVERYBODY), field="plan", value="team")
    assert {(await contact(unit, owner, each)).custom["plan"] for each in people} == {"team"}
    one = await change_many(
        unit, owner, BulkKind.SET_FIELD, Whom(EVERYBODY, ids=(people[0],)), field="plan", value="solo"
    )
    assert one.people == 1
    await undo(unit, owner, done.id)
    plans = [(await contact(unit, owner, each)).custom.get("plan") for each in people]
    assert plans == ["solo", "pro", "pro", "pro", *[None] * 16]
    await set_field(unit, owner, "seats", kind=FieldKind.NUMBER, shown=True)
    for field, value in (("seats", "many"), ("seats", ""), ("nothing", "x")):
        with pytest.raises(CadenzaError):
            await change_many(unit, owner, BulkKind.SET_FIELD, Whom(EVERYBODY), field=field, value=value)


async def test_removed_people_leave_lists_and_campaigns_and_come_back(
    unit: Unit, owner: Actor, people: tuple[UUID, ...]
) -> None:
    done = await change_many(unit, owner, BulkKind.REMOVE, Whom(GERMANS, "p1"))
    assert done.people == 6  # p1 and p11 to p19, the odd ones
    assert (await contacts(unit, owner)).total == 14
    assert (await contacts(unit, owner, "p11")).total == 0
    assert people[11] not in await load_recipients(unit, people)
    assert (await contact(unit, owner, people[11])).first_name == "P11"  # what happened is still to be read
    await undo(unit, owner, done.id)
    assert (await contacts(unit, owner)).total == 20
    again = await change_many(unit, owner, BulkKind.REMOVE, Whom(EVERYBODY, ids=(people[11],)))
    await import_contacts(unit, owner, FILE, file="people.csv")
    assert (await contacts(unit, owner)).total == 20  # who is imported again is here again
    assert again.people == 1


async def test_a_change_is_a_few_statements_however_many_people(database: Database, workspace: Actor) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        await import_contacts(unit, workspace, FILE, file="people.csv")
        asked = {}
        for kind, more in (
            (BulkKind.SET_FIELD, {"field": "plan", "value": "x"}),
            (BulkKind.STOP, {}),
            (BulkKind.REMOVE, {}),
        ):
            with heard(database) as sent:
                await change_many(unit, workspace, kind, Whom(EVERYBODY), **more)
            asked[kind] = len([each for each in questions(sent) if "audit" not in each])
        assert max(asked.values()) <= 7, asked
    assert MOST == 100_000


async def test_a_change_can_be_taken_back_for_a_day_and_only_here(
    database: Database, workspace: Actor, machine: ManualClock
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        await import_contacts(unit, workspace, FILE, file="people.csv")
        done = await change_many(unit, workspace, BulkKind.STOP, Whom(EVERYBODY))
        with pytest.raises(CadenzaError, match="Nobody fits"):
            await change_many(unit, workspace, BulkKind.REMOVE, Whom(EVERYBODY, "nobody"))
    async with (
        database.installation() as session
    ):  # the function lifts nothing outside the workspace that was entered
        given = {"source": f"bulk {done.id}", "first": UUID(int=0), "last": UUID(int=2**128 - 1)}
        lifted = await session.scalar(text("select lift_bulk_stops(:source, :first, :last)"), given)
        assert lifted == 0
    machine.move(timedelta(hours=25))
    async with database.unit(workspace.workspace_id) as unit:
        assert await changes(unit, workspace) == []
        with pytest.raises(CadenzaError, match="no longer"):
            await undo(unit, workspace, done.id, reason="too late")
        await change_many(unit, workspace, BulkKind.SET_FIELD, Whom(EVERYBODY), field="plan", value="x")
        kept = await unit.session.scalar(
            text("select count(*) from bulk_items where change_id = :id"), {"id": done.id}
        )
        assert kept == 0  # what stood there before is forgotten with the right to take it back
