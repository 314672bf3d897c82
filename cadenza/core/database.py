"""The database: one engine a process, transactions that belong to one workspace, and the base of all rows.

Every connection acts as ``cadenza_app``, which owns nothing and is subject to row security; the workspace is
set for the length of one transaction, so a query without one sees no rows.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from select import select
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, MetaData, Result, Select, TextClause, Uuid, inspect, text
from sqlalchemy import select as query
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cadenza.core.clock import Clock, MachineClock, WorldClock
from cadenza.core.connecting import APPLICATION_ROLE, Way, connection_arguments
from cadenza.core.crypto import SecretBox
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMES)


class Row(Base):
    """A row of a workspace. The workspace leads every key, so that tables can be sharded by it."""

    __abstract__ = True

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, sort_order=-1)


def plain(row: type[Base]) -> Select[Any]:
    """All columns of a table as plain values, to be read and not changed. Rows that watch for changes cost three times as
    much, which counts where a page shows fifty.
    """
    return query(*(each.class_attribute for each in inspect(row).column_attrs))


_CONNECTION_WAIT = 10.0  # seconds for one of the pool to be free
DRIVER = "postgresql+psycopg://"  # where to, the creator of connections knows


class Database:
    """Opens units of work. One per process; give it the clocks that its units shall have."""

    def __init__(
        self,
        url: str,
        *,
        secrets: SecretBox,
        machine: Clock | None = None,
        world: Clock | None = None,
        pool: int = 10,
        **engine: Any,
    ) -> None:
        self.url = url
        self.machine: Clock = machine or MachineClock()
        self.world: Clock = world or WorldClock(self.machine)
        self.secrets = secrets
        self.full = False  # the disk, as `core.room` last saw it: no new work is taken in
        self.hold: Any = None  # why sending is held, as `core.holding` last saw it
        arguments = connection_arguments(url, APPLICATION_ROLE) | {"prepare_threshold": 3}
        self.engine: AsyncEngine = create_async_engine(
            DRIVER,
            async_creator=Way(arguments).connect,
            pool_pre_ping=True,
            hide_parameters=True,  # a failed statement stands in the log, what was given to it does not (ASVS 16.2.5)
            pool_size=pool,
            **{"max_overflow": 2, "pool_timeout": _CONNECTION_WAIT} | engine,
        )
        _ping_when_in_doubt(self.engine.sync_engine)

    @asynccontextmanager
    async def unit(self, workspace_id: UUID) -> AsyncIterator[Unit]:
        """One transaction in one workspace; commits at the end, rolls back on an error."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            await enter_workspace(session, workspace_id)
            yield Unit(session, workspace_id, self.world, self.machine, self.secrets)

    @asynccontextmanager
    async def installation(self) -> AsyncIterator[AsyncSession]:
        """One transaction outside any workspace: only installation tables answer."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """Single statements outside any workspace, each committed at once: without the way there and back to begin and end."""
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()


def _ping_when_in_doubt(engine: Engine) -> None:
    """Before a connection is used again, ask whether it lives, but only if its socket has something to tell.

    A server that ended or was restarted has closed it, which can be seen without a way there and back.
    """
    dialect = engine.dialect
    ping = dialect.do_ping

    def ping_if_told(connection: Any) -> bool:
        waiting, _, _ = select([connection.driver_connection.fileno()], [], [], 0)
        return ping(connection) if waiting else True

    setattr(dialect, "do_ping", ping_if_told)  # noqa: B010 - SQLAlchemy has no other place for it


_ENTER = text("select set_config('cadenza.workspace', :workspace, true)")


async def enter_workspace(session: AsyncSession, workspace_id: UUID) -> None:
    await session.execute(_ENTER, {"workspace": str(workspace_id)})


async def bulk(
    session: AsyncSession, statement: TextClause, rows: Sequence[Mapping[str, Any]], **values: Any
) -> Result[Any]:
    """Many rows in one statement and one parameter, ``:rows``, to be read with ``jsonb_to_recordset`` or its like.

    A statement for each row costs ten times as much, and a list of a thousand VALUES is parsed anew each time.
    """
    return await session.execute(
        statement, {"rows": json.dumps(rows, default=str, ensure_ascii=False), **values}
    )
