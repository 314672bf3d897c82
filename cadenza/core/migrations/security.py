"""Row security and rights, as migrations use them."""

from pathlib import Path

from alembic import op

from cadenza.core.connecting import APPLICATION_ROLE

PACKAGE = Path(__file__).resolve().parents[2]


def make_role() -> None:
    """The application's role: cannot log in by itself, owns nothing; the connecting user may become it."""
    op.execute(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{APPLICATION_ROLE}') then "
        f"create role {APPLICATION_ROLE} nologin noinherit; end if; end $$"
    )
    op.execute(f"grant {APPLICATION_ROLE} to current_user")
    op.execute(f"grant usage on schema public to {APPLICATION_ROLE}")


def secure(table: str) -> None:
    """Only rows of the workspace that the transaction has entered are seen, written or removed."""
    op.execute(f"alter table {table} enable row level security")
    op.execute(
        f"create policy workspace on {table} to {APPLICATION_ROLE} "
        "using (workspace_id = nullif(current_setting('cadenza.workspace', true), '')::uuid)"
    )


def grant() -> None:
    op.execute(f"grant select, insert, update, delete on all tables in schema public to {APPLICATION_ROLE}")
    op.execute(f"grant usage, select on all sequences in schema public to {APPLICATION_ROLE}")
    op.execute(f"revoke all on alembic_version from {APPLICATION_ROLE}")
    op.execute(f"grant select on alembic_version to {APPLICATION_ROLE}")


def rules_of(room: str) -> str:
    """What the models of a room cannot say, as the room wrote it: rights, functions, triggers."""
    return (PACKAGE / room / "schema.sql").read_text()


def run_sql(script: str) -> None:
    """Several statements as one script; percent and colon signs mean themselves."""
    op.get_bind().connection.driver_connection.execute(script)  # type: ignore[union-attr]
