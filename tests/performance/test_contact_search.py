"""The search box over 100,000 people: by its index, bounded for common words, and deaf to other workspaces."""

from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from cadenza.audience.service import contacts
from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.models import WorkspaceRow

PEOPLE = 100_000
_PEOPLE = """
insert into contacts (workspace_id, id, first_name, last_name, custom, search, created_at, updated_at)
select %(workspace)s, lpad(to_hex(n), 32, '0')::uuid, 'Ann', 'Berg', '{}',
       'ann berg' || n || ' common works p' || n || '@firm' || n %% 5000 || '.example', now(), now()
from generate_series(1, %(people)s) n
"""


def _fill(url: str, workspace: UUID, people: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_PEOPLE, {"workspace": workspace, "people": people})
        connection.execute("vacuum analyze contacts")


@pytest.mark.slow
async def test_rare_and_common_words_are_found_in_a_hundred_thousand(
    database: Database, database_url: str, workspace: Actor
) -> None:
    _fill(database_url, workspace.workspace_id, PEOPLE)
    for words, total in (
        ("berg77777", 1),
        ("p5@firm5.example", 1),
        ("nobody", 0),
        ("common", 250),
        ("ann works", 250),
    ):
        async with database.unit(workspace.workspace_id) as unit:
            found = await contacts(unit, workspace, words)
        assert (found.total, found.at_least) == (total, total == 250)
        assert len(found.contacts) == min(total, 50)
        assert [c.id for c in found.contacts] == sorted((c.id for c in found.contacts), reverse=True)


async def test_a_rare_word_is_looked_up_in_the_index_and_the_table_is_not_read(
    database: Database, database_url: str, workspace: Actor
) -> None:
    _fill(database_url, workspace.workspace_id, 20_000)
    async with database.unit(workspace.workspace_id) as unit:
        before = await _scans(unit)
        assert (await contacts(unit, workspace, "berg777")).total == 11  # 777, 7770 to 7779
        index, table = (b - a for a, b in zip(before, await _scans(unit), strict=True))
    assert (index > 0, table) == (True, 0)


async def _scans(unit: Unit) -> tuple[int, int]:
    """How often this transaction read the index, and the table as a whole."""
    scans = "pg_stat_get_xact_numscans(cast(:name as regclass))"
    names = ("ix_contacts_search", "contacts")
    return tuple(
        [(await unit.session.execute(text(f"select {scans}"), {"name": n})).scalar_one() for n in names]
    )  # type: ignore[return-value]


async def _neighbour(database: Database) -> Actor:
    async with database.installation() as session:
        row = WorkspaceRow(name="Other", slug=f"other-{uuid4().hex}", created_at=database.machine.now())
        session.add(row)
        await session.flush()
    return Actor(row.id, Role.OWNER, Origin.PAGE)


@pytest.mark.asvs("8.4.1")
async def test_a_search_never_tells_of_another_workspace(
    database: Database, database_url: str, workspace: Actor
) -> None:
    """Through the door, and as whoever could run any statement as the application's role."""
    _fill(database_url, workspace.workspace_id, 50)
    other = await _neighbour(database)
    call = text("select count(*) from search_contacts(to_tsquery('simple', :asked), 100000)")
    async with database.unit(other.workspace_id) as unit:
        assert (await contacts(unit, other, "common")).total == 0
        for asked in ("'common':*", "!'nothing'", "'ann' | 'x'"):
            assert (await unit.session.execute(call, {"asked": asked})).scalar_one() == 0
    async with database.installation() as session:  # no workspace at all
        assert (await session.execute(call, {"asked": "'common'"})).scalar_one() == 0
        # A table of one's own that stands before the real one, or a function, changes nothing of what is asked.
        await session.execute(
            text("create temporary table contacts (workspace_id uuid, id uuid, search text)")
        )
        await session.execute(
            text("insert into contacts values (gen_random_uuid(), gen_random_uuid(), 'common')")
        )
        await session.execute(text("set local search_path = pg_temp, public"))
        assert (await session.execute(call, {"asked": "'common'"})).scalar_one() == 0
        await session.rollback()
    async with database.unit(workspace.workspace_id) as unit:
        assert (await unit.session.execute(call, {"asked": "'common'"})).scalar_one() == 50


async def test_what_is_typed_is_no_query_language(database: Database, workspace: Actor) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        for typed in ("'", "a' | 'b", "!x", "\\", "a & | b", "x:*", "()", "<->", "\0"):
            assert (await contacts(unit, workspace, typed)).total == 0
