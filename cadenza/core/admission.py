"""The log-in role of the application: owns nothing, and cannot become who does (ASVS 13.2.2).

Migrations run as the owner. The application connects as a role of its own that may only take on ``cadenza_app``, so
that not even RESET ROLE gives it more.
"""

from contextlib import closing

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from cadenza.core.connecting import APPLICATION_ROLE, connection_arguments
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind

_LOCK = 7311984202  # any constant; two processes must not make the same role at once


def admit(owner_url: str, application_url: str) -> None:
    """Make the log-in role that ``application_url`` names if it is missing, and let it act as the application.

    Raises ``database_login_refused`` with the statements to run when the owner may not make roles.
    """
    owner, wanted = conninfo_to_dict(owner_url), conninfo_to_dict(application_url)
    name = str(wanted.get("user") or "")
    if not name or name == owner.get("user"):
        return
    with closing(psycopg.connect(**connection_arguments(owner_url), autocommit=True)) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            _make(connection, name, str(wanted.get("password") or ""))
        except psycopg.errors.InsufficientPrivilege as refused:
            raise CadenzaError(
                "database_login_refused",
                f"The owner of the database may not make or admit the role {name}.",
                Kind.NOT_ALLOWED,
                fix=f"As an administrator: create role {name} login noinherit password '...'; "
                f"grant {APPLICATION_ROLE} to {name};",
            ) from refused


def _make(connection: psycopg.Connection[tuple[object, ...]], name: str, password: str) -> None:
    role = sql.Identifier(name)
    if connection.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
        hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
        given = sql.SQL(" password {}").format(hashed.decode()) if password else sql.SQL("")
        connection.execute(sql.SQL("create role {} login noinherit").format(role) + given)
    member = "select from pg_roles where rolname = %s and pg_has_role(oid, %s, 'member')"
    if connection.execute(member, [name, APPLICATION_ROLE]).fetchone() is None:
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(APPLICATION_ROLE), role))


_TOO_STRONG = text("""
    select rolsuper or rolcreaterole or rolbypassrls or exists (
        select from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
          and pg_has_role(r.oid, c.relowner, 'member'))
    from pg_roles r where rolname = session_user
""")


async def check_login(database: Database) -> None:
    """Raises ``database_login_too_strong`` when whoever we connect as owns tables or could come to."""
    async with database.installation() as session:
        too_strong = (await session.execute(_TOO_STRONG)).scalar_one()
    if too_strong:
        raise CadenzaError(
            "database_login_too_strong",
            "The application would connect as a role that owns its tables or could take them.",
            Kind.NOT_ALLOWED,
            fix="Name the owner in CADENZA_DATABASE_OWNER_URL and another role in CADENZA_DATABASE_URL; it is made if missing.",
        )
