"""The audit trail cannot be changed, and a change past all rights shows."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.identity.contracts import INSTALLATION, Actor, AuditBreak
from cadenza.identity.service import audit, verify_chain

pytestmark = pytest.mark.postgres


@pytest.fixture
async def trail(database: Database, workspace: Actor) -> Actor:
    for number in range(1, 6):
        async with database.unit(workspace.workspace_id) as unit:
            await audit(unit, workspace, "act", f"thing {number}", size=number)
    return workspace


async def _verified(database: Database, actor: Actor) -> AuditBreak | None:
    async with database.unit(actor.workspace_id) as unit:
        return await verify_chain(unit)


def _as_owner(url: str, *statements: str) -> None:
    """What somebody with the owner's rights can do who knows how to switch the triggers off."""
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement).rowcount  # type: ignore[call-overload]


@pytest.mark.asvs("16.4.2", "16.4.3")
@pytest.mark.parametrize(
    ("statements", "number", "problem"),
    [
        (["update audit_entries set subject = 'thing 33' where subject = 'thing 3'"], 3, "altered"),
        (["update audit_entries set at = at - interval '1 hour' where subject = 'thing 1'"], 1, "altered"),
        (["update audit_entries set data = '{\"size\": 4.0}' where subject = 'thing 4'"], 4, "altered"),
        (["delete from audit_entries where subject = 'thing 2'"], 2, "removed"),
        (["delete from audit_entries where subject = 'thing 5'"], 5, "removed"),
        (
            [
                "delete from audit_entries where subject = 'thing 5'",
                "delete from audit_links where number = 5",
            ],
            5,
            "removed",
        ),
        (
            [
                "delete from audit_entries where subject = 'thing 3'",
                "delete from audit_links where number = 3",
                "update audit_links set number = number - 1 where number > 3",
            ],
            3,
            "moved",
        ),
        (
            [
                "update audit_links set number = -number where number in (2, 3)",
                "update audit_links set number = 5 + number where number < 0",
            ],
            2,
            "moved",
        ),
        (
            [
                "create table one as select * from audit_entries where subject = 'thing 1'",
                "update one set id = gen_random_uuid()",
                "insert into audit_entries select * from one",
            ],
            6,
            "slipped in",
        ),
    ],
)
async def test_a_change_by_the_owner_of_the_database_is_named(
    database: Database, trail: Actor, statements: list[str], number: int, problem: str
) -> None:
    assert await _verified(database, trail) is None
    _as_owner(database.url, *statements)
    found = await _verified(database, trail)
    assert found is not None
    assert (found.number, found.problem) == (number, problem)


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize("table", ["audit_entries", "audit_links"])
@pytest.mark.parametrize(
    "statement", ["update {} set workspace_id = workspace_id", "delete from {}", "truncate {}"]
)
async def test_even_the_owner_is_refused_by_a_trigger(
    database: Database, trail: Actor, table: str, statement: str
) -> None:
    with (
        psycopg.connect(database.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        connection.execute(statement.format(table))  # type: ignore[call-overload]
    assert await _verified(database, trail) is None


@pytest.mark.asvs("13.2.2", "16.4.2")
@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entries set actor = 'x'",
        "delete from audit_entries",
        "insert into audit_links values (gen_random_uuid(), 1, gen_random_uuid(), '', '')",
        "update audit_links set number = 7",
        "update audit_heads set number = 0",
        "delete from audit_heads",
        "alter table audit_entries disable trigger link",
        "set session_replication_role = replica",
    ],
)
async def test_the_application_can_neither_change_an_entry_nor_forge_a_link(
    unit: Unit, statement: str
) -> None:
    with pytest.raises(ProgrammingError) as refused:
        await unit.session.execute(text(statement))
    assert refused.value.orig.__class__.__name__ == "InsufficientPrivilege"


async def test_many_writers_at_once_make_one_chain(database: Database, workspace: Actor) -> None:
    async def write(number: int) -> None:
        async with database.unit(workspace.workspace_id) as unit:
            await audit(unit, workspace, "act", str(number))
            await audit(unit, workspace, "act again", str(number))

    await asyncio.gather(*(write(number) for number in range(24)))
    assert await _verified(database, workspace) is None
    async with database.unit(workspace.workspace_id) as unit:
        numbers = (await unit.session.scalars(text("select number from audit_links order by number"))).all()
    assert list(numbers) == list(range(1, 49))


async def test_what_was_rolled_back_leaves_no_gap(database: Database, trail: Actor) -> None:
    async with database.unit(trail.workspace_id) as unit:
        await audit(unit, trail, "act", "never")
        await unit.session.rollback()
    async with database.unit(trail.workspace_id) as unit:
        await audit(unit, trail, "act", "thing 6")
    assert await _verified(database, trail) is None


async def test_the_installation_and_each_workspace_have_chains_of_their_own(
    database: Database, trail: Actor
) -> None:
    async with database.unit(INSTALLATION) as unit:
        await audit(unit, trail, "act", "of no workspace")
        assert await unit.session.scalar(text("select count(*) from audit_entries")) == 1
    async with database.unit(INSTALLATION) as unit:
        assert await verify_chain(unit) is None
        assert await unit.session.scalar(text("select number from audit_heads")) == 1
    async with database.unit(trail.workspace_id) as unit:
        assert await unit.session.scalar(text("select number from audit_heads")) == 5
