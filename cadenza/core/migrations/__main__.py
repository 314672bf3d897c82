"""Makes the first migration anew from the models. Only until the first release; then migrations are added."""

import pprint
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

import cadenza
from cadenza.core.connecting import APPLICATION_ROLE
from cadenza.core.migrations.service import all_models, connected
from cadenza.core.postgres.server import EmbeddedServer

_HEAD = '''"""The first schema."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from cadenza.core.migrations.security import grant, make_role, run_sql, secure

revision = "0001"
down_revision = None

'''


def _tables(metadata: MetaData) -> str:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with (
            EmbeddedServer(Path(folder) / "database", {"fsync": "off"}) as server,
            connected(server.url) as connection,
        ):
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            migration = produce_migrations(context, metadata)
            assert migration.upgrade_ops is not None  # noqa: S101 - the API's type is wider than its answer
            return render_python_code(migration.upgrade_ops, migration_context=context)


def _script(metadata: MetaData) -> str:
    tables = [t.name for t in metadata.sorted_tables if "workspace_id" in t.columns]
    rooms = sorted(Path(cadenza.__path__[0]).glob("*/schema.sql"))
    statements = "".join(f"    run_sql({path.read_text()!r})\n" for path in rooms)
    return (
        f"{_HEAD}WORKSPACE_TABLES = {pprint.pformat(tables)}\n\n\n"
        "def upgrade() -> None:\n"
        f"    make_role({APPLICATION_ROLE!r})\n"
        f"    {_tables(metadata)}\n"
        "    run_sql(SchemaManager.get_schema())\n"
        f"    grant({APPLICATION_ROLE!r})\n"
        f"    secure(WORKSPACE_TABLES, {APPLICATION_ROLE!r})\n"
        f"{statements}"
    )


if __name__ == "__main__":
    path = Path(__file__).parent / "versions" / "0001_first_schema.py"
    path.write_text(_script(all_models()))
    for action in (["check", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([Path(sys.executable).parent / "ruff", *action, path], check=False)
