"""How a process connects to the database: one or several hosts, verified TLS, and a COMMIT that means what it says."""

import asyncio
from ssl import get_default_verify_paths
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from cadenza.core.addresses import is_loopback
from cadenza.core.errors import CadenzaError, Kind

APPLICATION_ROLE = "cadenza_app"
# Whoever holds a table for longer makes us say so and try again, instead of all connections waiting behind it.
_LOCK_WAIT = "-c lock_timeout=15s"

# A primary that vanished without a word is noticed within this time, so that a failover is followed.
_PATIENCE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
}


def connection_arguments(url: str, role: str | None = None) -> dict[str, Any]:
    """What psycopg is told. Several hosts mean: whichever takes writes. ``role`` is taken on from the first statement.

    Raises ``database_url_invalid``, and ``database_tls`` when a server on another machine would not be verified
    (ASVS 12.3.1).
    """
    try:
        given: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError as wrong:
        raise CadenzaError(
            "database_url_invalid", f"The database's address cannot be read: {str(wrong).strip()}",
            fix="Write it as postgresql://user:password@host/name.",
        ) from wrong  # fmt: skip
    hosts = [host for host in str(given.get("host") or "").split(",") if host]
    if len(hosts) > 1:
        given.setdefault("target_session_attrs", "read-write")
    if hosts and not all(host.startswith(("/", "@")) for host in hosts):
        given = _PATIENCE | given
    if not all(map(_is_here, hosts)):
        given |= _verified(given)
    ours = [_LOCK_WAIT] if role else []  # not for migrations; what the address says counts more
    options = [
        *ours,
        str(given.get("options") or ""),
        *([f"-c role={role}"] if role else []),
        "-c timezone=UTC",
    ]
    return given | {"options": " ".join(filter(None, options))}


def _is_here(host: str) -> bool:
    """A socket or this machine: nobody listens in between."""
    return host.startswith(("/", "@")) or is_loopback(host)


def _verified(given: dict[str, Any]) -> dict[str, Any]:
    mode = given.get("sslmode", "verify-full")
    if mode != "verify-full":
        raise CadenzaError(
            "database_tls", f"The database is on another machine and sslmode={mode} would not verify it.",
            fix="Leave sslmode out of CADENZA_DATABASE_URL, or set verify-full; name a private authority by sslrootcert.",
        )  # fmt: skip
    return {
        "sslmode": mode,
        "sslrootcert": given.get("sslrootcert") or get_default_verify_paths().cafile or "system",
    }


class CommitUncertainError(CadenzaError):
    """The primary has it, a standby perhaps not: after a failover it may be gone, so nothing may follow from it."""

    def __init__(self) -> None:
        super().__init__(
            "commit_uncertain", "The database could not tell whether this was kept on its standby.", Kind.TEMPORARY,
            fix="Look whether it is there before you repeat it.",
        )  # fmt: skip


class WatchfulConnection(psycopg.AsyncConnection[Any]):
    """A COMMIT whose wait for the synchronous standby was cancelled reports success with a mere warning; here it raises."""

    _unreplicated = False

    async def commit(self) -> None:
        self._unreplicated = False
        await super().commit()
        if self._unreplicated:
            raise CommitUncertainError

    def heard(self, notice: psycopg.errors.Diagnostic) -> None:
        # The function's name, because the text is in the language of the server.
        self._unreplicated |= notice.source_function == "SyncRepWaitForLSN"


class Way:
    """How the connections of one process come about.

    Several hosts may all take writes for a while: an old primary that returned after a failover takes them too, and lacks
    what happened since. The timeline tells them apart: it grows at each promotion, and a lower one is never used again.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        hosts = str(arguments.get("host") or "").split(",")
        ports = str(arguments.get("port") or "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        self._each = [arguments | {"host": h, "port": p} for h, p in zip(hosts, ports, strict=False)]
        self._highest = ""

    async def connect(self) -> WatchfulConnection:
        if len(self._each) == 1:
            return await _open(self._arguments)
        if self._highest:
            connection = await _open(self._arguments)
            if await self._is_newest(connection):
                return connection
            await connection.close()
        return await self._newest_of_all()

    async def _is_newest(self, connection: WatchfulConnection) -> bool:
        timeline = await _timeline(connection)
        self._highest = max(self._highest, timeline)
        return timeline == self._highest

    async def _newest_of_all(self) -> WatchfulConnection:
        """Ask every host; whichever takes writes on the newest line of history stays open."""
        answers = await asyncio.gather(*map(_open, self._each), return_exceptions=True)
        opened = [each for each in answers if isinstance(each, WatchfulConnection)]
        best: WatchfulConnection | None = None
        for connection in opened:
            if await self._is_newest(connection):
                best = connection
        for connection in opened:
            if connection is not best:
                await connection.close()
        if best is None:
            older = psycopg.OperationalError("only a server of an older line of history answers")
            raise next((each for each in answers if isinstance(each, BaseException)), older)
        return best


async def _open(arguments: dict[str, Any]) -> WatchfulConnection:
    """Whoever is cancelled leaves no greeting half said: the server keeps such a connection for a minute, and a database
    cannot be dropped for so long.
    """
    greeting = asyncio.create_task(WatchfulConnection.connect(**arguments))
    try:
        connection = await asyncio.shield(greeting)
    except asyncio.CancelledError:
        greeting.add_done_callback(_hang_up)
        raise
    connection.add_notice_handler(connection.heard)
    return connection


def _hang_up(greeting: asyncio.Task[WatchfulConnection]) -> None:
    if not greeting.cancelled() and greeting.exception() is None:
        greeting.result().pgconn.finish()


async def _timeline(connection: WatchfulConnection) -> str:
    cursor = await connection.execute("select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
    (timeline,) = await cursor.fetchone() or ("",)
    await connection.rollback()
    return str(timeline)
