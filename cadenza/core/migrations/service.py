"""Brings a database to the newest schema, and tells whether it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, text

import cadenza
from cadenza.core.connecting import APPLICATION_ROLE, connection_arguments
from cadenza.core.database import DRIVER, Base

_LOCK = 7311984201  # any constant; two processes must not migrate at once


def all_models() -> MetaData:
    """The tables of every room. Rooms are found, not named: core knows none of them."""
    for room in iter_modules(cadenza.__path__, "cadenza."):
        if room.ispkg and find_spec(f"{room.name}.models"):
            import_module(f"{room.name}.models")
    return Base.metadata


def _configuration(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(DRIVER, connect_args=connection_arguments(url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def migrate(url: str) -> None:
    """Apply what is missing. Safe to call from several processes: one works, the others wait."""
    with connected(url) as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        try:
            command.upgrade(_configuration(connection), "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()


def is_current(url: str) -> bool:
    """False also for an empty database, in which the application's role is not known yet."""
    with connected(url) as connection:
        if not connection.scalar(
            text("select count(*) from pg_roles where rolname = :n"), {"n": APPLICATION_ROLE}
        ):
            return False
        connection.execute(text(f"set role {APPLICATION_ROLE}"))
        now = MigrationContext.configure(connection).get_current_revision()
    return now == ScriptDirectory.from_config(_configuration()).get_current_head()
