"""The text of the first migration, made from the models: a module a room with a function a table.

What models cannot say, each room's ``schema.sql`` says to the migration itself. Only until the first release; then
migrations are added.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateIndexOp, CreateTableOp, MigrateOperation, UpgradeOps
from sqlalchemy import Table

from cadenza.core.database import Base
from cadenza.core.migrations.security import PACKAGE
from cadenza.core.migrations.service import all_models

FOLDER = Path(__file__).parent
_MOST_INDEXES = 5  # of one table that are made in the same function as the table
_POSTGRESQL = MigrationContext.configure(dialect_name="postgresql")
_FIRST = '''"""The first schema: the tables of every room, each after those that it points to; then their rules."""

from procrastinate.schema import SchemaManager

from cadenza.core.migrations.first import {modules}
from cadenza.core.migrations.security import grant, make_role, rules_of, run_sql

revision = "0001"
down_revision = None

TABLES = ({tables},)
RULES = ({rules},)


def upgrade() -> None:
    make_role()
    for table in TABLES:
        table()
    run_sql(SchemaManager.get_schema())
    grant()
    for room in RULES:
        run_sql(rules_of(room))
'''


def first_schema() -> dict[Path, str]:
    """What each file of the first migration says, before the formatter saw it; other files in ``first`` have to go."""
    order = all_models().sorted_tables
    rooms = _rooms()
    tables = defaultdict(list)
    for table in order:
        tables[rooms[table.name]].append(table)
    modules = {room: _tables(tables[room]) for room in tables}
    first = _FIRST.format(
        modules=", ".join(sorted(modules)),
        tables=", ".join(f"{rooms[table.name]}.{table.name}" for table in order),
        rules=", ".join(f'"{path.parent.name}"' for path in sorted(PACKAGE.glob("*/schema.sql"))),
    )
    return {
        FOLDER / "versions" / "0001_first_schema.py": first,
        FOLDER / "first" / "__init__.py": '"""The first schema, room by room."""\n',
    } | {FOLDER / "first" / f"{name}.py": text for name, text in modules.items()}


def _rooms() -> dict[str, str]:
    """Which room each table belongs to: the one whose models name it."""
    return {
        mapper.local_table.name: mapper.class_.__module__.split(".")[1]
        for mapper in Base.registry.mappers
        if isinstance(mapper.local_table, Table)
    }


def _tables(tables: list[Table]) -> str:
    body = "".join(_function(table) for table in sorted(tables, key=lambda table: table.name))
    imports = ["import sqlalchemy as sa", "from alembic import op"]
    if "postgresql." in body:
        imports.append("from sqlalchemy.dialects import postgresql")
    if "secure(" in body:
        imports.append("\nfrom cadenza.core.migrations.security import secure")
    return "\n".join(imports) + f"\n{body}"


def _function(table: Table) -> str:
    """The table, its indexes and, where it belongs to a workspace, its row security."""
    indexes = [
        CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    apart = len(indexes) > _MOST_INDEXES
    lines = _lines([CreateTableOp.from_table(table), *(() if apart else indexes)])
    if apart:
        lines.append(f"    _{table.name}_indexes()")
    if "workspace_id" in table.columns:
        lines.append(f'    secure("{table.name}")')
    made = _defined(table.name, lines)
    return made + (_defined(f"_{table.name}_indexes", _lines(indexes)) if apart else "")


def _lines(steps: Sequence[MigrateOperation]) -> list[str]:
    code = render_python_code(UpgradeOps(ops=list(steps)), migration_context=_POSTGRESQL)
    code = code.replace(", unique=False", "")  # what an index is unless told otherwise
    return [f"    {line.strip()}" for line in code.splitlines() if "# ###" not in line]


def _defined(name: str, lines: Sequence[str]) -> str:
    return f"\n\ndef {name}() -> None:\n" + "\n".join(lines) + "\n"
