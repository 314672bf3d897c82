"""The application's log-in role, and what connecting means: ASVS 13.2.2 and 12.3."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, InvalidAuthorizationSpecification
from sqlalchemy import text

from cadenza.core.admission import admit, check_login
from cadenza.core.connecting import CommitUncertainError, connection_arguments
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.installation import Access, bring_up
from cadenza.core.postgres.server import EmbeddedServer


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="cadenza-admission-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "database", {"fsync": "off"}) as running:
            bring_up(Access(running.url, running.application_url))
            yield running


@pytest.fixture
async def application(server: EmbeddedServer, secrets: SecretBox) -> AsyncIterator[Database]:
    database = Database(server.application_url, secrets=secrets)
    yield database
    await database.close()


@pytest.mark.asvs("13.2.2")
@pytest.mark.parametrize("before", ["", "reset role", "set role none", "set session authorization default"])
@pytest.mark.parametrize(
    "statement",
    [
        "drop table events",
        "update audit_entries set actor = 'x'",
        "delete from audit_entries",
        "truncate audit_entries",
        "alter table contacts disable row level security",
        "create table mine (x int)",
        "create role mine",
        "set role cadenza",
        "set session authorization cadenza",
        "grant cadenza to cadenza_login",
        "insert into installation (id, identity, timeline, synchronous) values (2, gen_random_uuid(), '', false)",
    ],
)
def test_the_login_owns_nothing_and_cannot_become_the_owner(
    server: EmbeddedServer, before: str, statement: str
) -> None:
    arguments = connection_arguments(server.application_url, "cadenza_app")
    with psycopg.connect(**arguments, autocommit=True) as connection:
        if before:
            connection.execute(before)  # type: ignore[call-overload]
        with pytest.raises((InsufficientPrivilege, InvalidAuthorizationSpecification)):
            connection.execute(statement)  # type: ignore[call-overload]


@pytest.mark.asvs("13.2.2")
async def test_a_login_that_owns_tables_is_refused(
    server: EmbeddedServer, application: Database, secrets: SecretBox
) -> None:
    await check_login(application)
    owner = Database(server.url, secrets=secrets)
    with pytest.raises(CadenzaError, match="owns its tables") as refused:
        await check_login(owner)
    assert refused.value.code == "database_login_too_strong"
    await owner.close()


def test_a_missing_login_is_made_and_admitted_once(server: EmbeddedServer) -> None:
    url = server.url.replace("://cadenza:", "://somebody_else:")
    admit(server.url, url)
    admit(server.url, url)
    with psycopg.connect(**connection_arguments(url, "cadenza_app")) as connection:
        assert connection.execute("select current_user, session_user").fetchone() == (
            "cadenza_app",
            "somebody_else",
        )


def test_an_owner_who_may_make_no_roles_is_told_what_to_run(server: EmbeddedServer) -> None:
    with psycopg.connect(**connection_arguments(server.url), autocommit=True) as connection:
        connection.execute("create role weak login password 'weak'")
    weak = server.url.replace(server.url.split("@", maxsplit=1)[0], "postgresql://weak:weak")
    with pytest.raises(CadenzaError, match="may not make or admit") as refused:
        admit(weak, weak.replace("weak:weak", "other:other"))
    assert "create role other login noinherit" in refused.value.fix


@pytest.mark.asvs("12.3.1", "12.3.2")
@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example.com/cadenza", "verify-full"),
        ("postgresql://u:p@192.0.2.7/cadenza", "verify-full"),
        ("postgresql://u:p@127.0.0.1,db.example.com/cadenza", "verify-full"),
        ("postgresql://u:p@127.0.0.1:5433/cadenza", None),
        ("postgresql://u:p@[::1]/cadenza", None),
        ("postgresql://u:p@localhost/cadenza", None),
        ("postgresql://u:p@/cadenza?host=/tmp", None),
    ],
)
def test_a_database_elsewhere_is_verified(url: str, mode: str | None) -> None:
    assert connection_arguments(url).get("sslmode") == mode


@pytest.mark.asvs("12.3.1", "12.3.2")
@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_no_setting_turns_verification_off(mode: str) -> None:
    with pytest.raises(CadenzaError, match="would not verify") as refused:
        connection_arguments(f"postgresql://u:p@db.example.com/cadenza?sslmode={mode}")
    assert refused.value.code == "database_tls"


def test_several_hosts_mean_the_one_that_writes() -> None:
    several = connection_arguments("postgresql://u:p@127.0.0.1:1,127.0.0.1:2/cadenza")
    assert several["target_session_attrs"] == "read-write"
    assert (several["host"], several["port"]) == ("127.0.0.1,127.0.0.1", "1,2")
    assert "target_session_attrs" not in connection_arguments("postgresql://u:p@127.0.0.1/cadenza")


def test_an_address_that_cannot_be_read_is_told_in_words() -> None:
    with pytest.raises(CadenzaError, match="cannot be read"):
        connection_arguments("postgresql://u:p@127.0.0.1/cadenza?nonsense=1")


async def test_a_commit_whose_standby_was_not_waited_for_counts_as_none(
    server: EmbeddedServer, application: Database
) -> None:
    with psycopg.connect(**connection_arguments(server.url), autocommit=True) as admin:
        admin.execute("alter system set synchronous_standby_names = 'nobody'")
        admin.execute("select pg_reload_conf()")
        try:
            work = asyncio.create_task(_write(application))
            await _cancel_the_wait(admin)
            with pytest.raises(CommitUncertainError):
                await asyncio.wait_for(work, 10)
        finally:
            admin.execute("alter system reset synchronous_standby_names")
            admin.execute("select pg_reload_conf()")
    await asyncio.wait_for(_write(application), 10)


async def _write(database: Database) -> None:
    async with database.installation() as session:
        await session.execute(text("update installation set seen_at = now()"))


async def _cancel_the_wait(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    for _ in range(200):
        await asyncio.sleep(0.05)
        if admin.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"
        ).fetchone():
            return
    raise AssertionError("nobody waited for the standby")
