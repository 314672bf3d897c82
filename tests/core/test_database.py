import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cadenza.core.database import Database
from cadenza.core.ids import new_id
from cadenza.core.migrations.making import FOLDER, first_schema
from cadenza.core.migrations.service import all_models, connected, is_current, migrate
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

pytestmark = pytest.mark.postgres


def test_models_and_migrations_are_equal(database_url: str) -> None:
    ours = all_models()
    with connected(database_url) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    kind != "table"
                    or (name in ours.tables and not str(name).startswith(("procrastinate", "alembic")))
                ),
            },
        )
        assert compare_metadata(context, ours) == []


def test_the_first_migration_is_what_models_and_rules_make_of_it() -> None:
    made = first_schema()
    assert {*(FOLDER / "first").glob("*.py")} == {path for path in made if path.parent.name == "first"}
    ruff = [
        Path(sys.executable).parent / "ruff",
        "format",
        "--stdin-filename",
        FOLDER / "first" / "any.py",
        "-",
    ]
    for path, source in made.items():
        formatted = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True).stdout
        assert path.read_text() == formatted, f"{path.name}: run python -m cadenza.core.migrations"


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    assert is_current(database_url)


@pytest.mark.asvs("8.4.1")
async def test_every_table_of_a_workspace_is_kept_apart_by_the_database(
    database: Database, workspace: Actor
) -> None:
    tables = [t.name for t in all_models().sorted_tables if "workspace_id" in t.columns]
    async with database.unit(workspace.workspace_id) as unit:
        await record_events(unit, [NewEvent(kind=EventKind.SENT, origin="test")])
        secured = {
            row[0]
            for row in await unit.session.execute(
                text("select relname from pg_class where relrowsecurity and relname = any(:names)"),
                {"names": tables},
            )
        }
    assert secured == set(tables)
    async with database.installation() as session:
        for table in tables:
            assert await session.scalar(text(f"select count(*) from {table}")) == 0
    async with database.unit(new_id()) as stranger:
        assert await stranger.session.scalar(text("select count(*) from events")) == 0
    async with database.unit(workspace.workspace_id) as unit:
        assert await unit.session.scalar(text("select count(*) from events")) == 1


@pytest.mark.asvs("8.4.1")
async def test_a_row_of_another_workspace_cannot_be_written(unit: Unit) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        await unit.session.execute(
            text(
                "insert into audit_entries (workspace_id, id, at, actor, origin, action, subject, data) "
                "values (gen_random_uuid(), gen_random_uuid(), now(), 'x', 'x', 'x', '', '{}')"
            )
        )


@pytest.mark.parametrize(
    "statement",
    [
        "drop table events",
        "update audit_entries set actor = 'x'",
        "delete from audit_entries",
        "update events set kind = 'x'",
        "delete from events",
        "alter table events disable row level security",
        "truncate events",
        "select * from events_default",
        "create table mine (x int)",
    ],
)
@pytest.mark.asvs("13.2.2")
async def test_the_application_owns_nothing_and_cannot_edit_what_happened(unit: Unit, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused:
        await unit.session.execute(text(statement))
    assert isinstance(refused.value.orig, InsufficientPrivilege) or "permission denied" in str(refused.value)


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(database: Database) -> None:
    """Also where nobody asked it: its closed socket tells."""
    async with database.installation() as session:
        before = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
    with psycopg.connect(database.url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", [before])
    async with database.installation() as session:
        assert (await session.execute(text("select pg_backend_pid()"))).scalar_one() != before
