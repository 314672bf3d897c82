"""How a process connects to the database: one or several hosts, verified TLS, and a COMMIT that means what it says."""

from ipaddress import ip_address
from ssl import get_default_verify_paths
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from cadenza.core.errors import CadenzaError, Kind

APPLICATION_ROLE = "cadenza_app"

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
    options = [str(given.get("options") or ""), *([f"-c role={role}"] if role else []), "-c timezone=UTC"]
    return given | {"options": " ".join(filter(None, options))}


def _is_here(host: str) -> bool:
    """A socket or this machine: nobody listens in between."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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


async def connect(arguments: dict[str, Any]) -> WatchfulConnection:
    connection: WatchfulConnection = await WatchfulConnection.connect(**arguments)
    connection.add_notice_handler(connection.heard)
    return connection
