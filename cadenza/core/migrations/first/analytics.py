import sqlalchemy as sa
from alembic import op

from cadenza.core.migrations.security import secure


def counted_things() -> None:
    op.create_table(
        "counted_things",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(length=30), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("variant", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "campaign_id",
            "thing_id",
            "measure",
            "machine",
            "step",
            "variant",
            name=op.f("pk_counted_things"),
        ),
    )
    secure("counted_things")


def event_counts() -> None:
    op.create_table(
        "event_counts",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("variant", sa.String(length=64), nullable=False),
        sa.Column("measure", sa.String(length=30), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("things", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_event_counts")),
    )
    op.create_index("ix_event_counts_loose", "event_counts", ["workspace_id"], postgresql_where="not folded")
    op.create_index(
        op.f("ix_event_counts_workspace_id_campaign_id"), "event_counts", ["workspace_id", "campaign_id"]
    )
    secure("event_counts")
