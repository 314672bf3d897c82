import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


def installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=True),
        sa.Column("system", sa.String(length=60), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("timeline", sa.String(length=8), nullable=False),
        sa.Column("synchronous", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_reason", sa.String(length=20), nullable=True),
        sa.Column("held_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )


def world_clock() -> None:
    op.create_table(
        "world_clock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("machine", sa.DateTime(timezone=True), nullable=False),
        sa.Column("world", sa.DateTime(timezone=True), nullable=False),
        sa.Column("speed", sa.Float(), nullable=False),
        sa.Column("seen_world", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_world_clock_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_world_clock")),
    )
