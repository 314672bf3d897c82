"""Fixtures that every test may use: one embedded server a run, one migrated template, copies and roll-backs."""

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.clock import ManualClock
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database, enter_workspace
from cadenza.core.migrations.service import migrate
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.unit import Unit
from cadenza.identity import passwords
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.models import WorkspaceRow

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
_Filled = TypeVar("_Filled")
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashing is slow on purpose, 0.15 s of processor time each, and the tests make thousands of members.

    Only the cost is another; what is about the cost itself asks for ``real_passwords``.
    """
    real = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    passwords._hasher = real


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as it costs in production."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server: the one that CADENZA_DATABASE_URL names, else an embedded one of this run."""
    if given := os.environ.get("CADENZA_DATABASE_URL"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="cadenza-test-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "database", _QUICK) as server:
            yield server.url


def _named(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _admin(url: str, statement: str) -> None:
    with psycopg.connect(_named(url, "postgres"), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a migrated, empty database; never written to."""
    name = f"template_{uuid4().hex}"
    _admin(server_url, f"create database {name}")
    migrate(_named(server_url, name))
    yield name
    _admin(server_url, f"drop database {name} with (force)")


@asynccontextmanager
async def beginning(
    server_url: str, template: str, secrets: SecretBox, fill: Callable[[Database], Awaitable[_Filled]]
) -> AsyncIterator[tuple[str, _Filled]]:
    """The name of a database to copy for each of many tests, filled once at ``START``, and what filling it told."""
    name = f"beginning_{uuid4().hex}"
    _admin(server_url, f"create database {name} template {template} strategy file_copy")
    clock = ManualClock(START)
    database = Database(_named(server_url, name), secrets=secrets, machine=clock, world=clock)
    try:
        told = await fill(database)
    finally:
        await database.close()
    yield name, told
    _admin(server_url, f"drop database {name} with (force)")


@pytest.fixture
def starting_point(template: str) -> str:
    """What this test's database is a copy of: an empty one, unless its folder says where its tests begin."""
    return template


@pytest.fixture(scope="session")
def used_databases(server_url: str) -> Iterator[list[str]]:
    """Databases that their tests are done with; the newest stays until another test is done.

    Dropping one while its last connections still end costs the server's 0.1 s between two looks at them.
    """
    names: list[str] = []
    yield names
    for name in names:
        _admin(server_url, f"drop database {name} with (force)")


@pytest.fixture
def database_url(server_url: str, starting_point: str, used_databases: list[str]) -> Iterator[str]:
    """A fresh migrated database of this test's own, for tests that commit."""
    name = f"test_{uuid4().hex}"
    _admin(server_url, f"create database {name} template {starting_point} strategy file_copy")
    yield _named(server_url, name)
    while used_databases:
        _admin(server_url, f"drop database {used_databases.pop()} with (force)")
    used_databases.append(name)


@pytest.fixture
def world() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def machine() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="session")
def secrets() -> SecretBox:
    return SecretBox({"test": bytes(range(32))})


@pytest.fixture
async def database(
    database_url: str, world: ManualClock, machine: ManualClock, secrets: SecretBox
) -> AsyncIterator[Database]:
    database = Database(database_url, secrets=secrets, machine=machine, world=world)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def shared_database(server_url: str, template: str, secrets: SecretBox) -> AsyncIterator[Database]:
    name = f"shared_{uuid4().hex}"
    _admin(server_url, f"create database {name} template {template} strategy file_copy")
    database = Database(_named(server_url, name), secrets=secrets)
    yield database
    await database.close()
    _admin(server_url, f"drop database {name} with (force)")


@pytest.fixture
async def unit(
    shared_database: Database, world: ManualClock, machine: ManualClock, secrets: SecretBox
) -> AsyncIterator[Unit]:
    """A unit in a workspace of its own; everything is rolled back at the end."""
    async with shared_database.engine.connect() as connection:
        outer = await connection.begin()
        session = AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        workspace = WorkspaceRow(name="Test", slug=f"test-{uuid4().hex}", created_at=machine.now())
        session.add(workspace)
        await session.flush()
        await enter_workspace(session, workspace.id)
        yield Unit(session, workspace.id, world, machine, secrets)
        await session.close()
        await outer.rollback()


@pytest.fixture
def owner(unit: Unit) -> Actor:
    return Actor(unit.workspace_id, Role.OWNER, Origin.PAGE, name="Test owner")


@pytest.fixture
async def workspace(database: Database) -> Actor:
    """A committed workspace in ``database``; its owner as an actor."""
    async with database.installation() as session:
        row = WorkspaceRow(name="Test", slug=f"test-{uuid4().hex}", created_at=database.machine.now())
        session.add(row)
        await session.flush()
    return Actor(row.id, Role.OWNER, Origin.PAGE, name="Test owner")
