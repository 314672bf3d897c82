"""Row security and rights, as migrations use them."""

from collections.abc import Sequence

from alembic import op


def make_role(name: str) -> None:
    """The application's role: cannot log in by itself, owns nothing; the connecting user may become it."""
    op.execute(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{name}') then "
        f"create role {name} nologin noinherit; end if; end $$"
    )
    op.execute(f"grant {name} to current_user")
    op.execute(f"grant usage on schema public to {name}")


def secure(tables: Sequence[str], role: str) -> None:
    """Only rows of the workspace that the transaction has entered are seen, written or removed."""
    for table in tables:
        op.execute(f"alter table {table} enable row level security")
        op.execute(
            f"create policy workspace on {table} to {role} "
            "using (workspace_id = nullif(current_setting('cadenza.workspace', true), '')::uuid)"
        )


def grant(role: str) -> None:
    op.execute(f"grant select, insert, update, delete on all tables in schema public to {role}")
    op.execute(f"grant usage, select on all sequences in schema public to {role}")
    op.execute(f"revoke all on alembic_version from {role}")
    op.execute(f"grant select on alembic_version to {role}")


def run_sql(script: str) -> None:
    """Several statements as one script; percent and colon signs mean themselves."""
    op.get_bind().connection.driver_connection.execute(script)  # type: ignore[union-attr]
