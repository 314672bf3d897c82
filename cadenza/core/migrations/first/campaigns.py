import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cadenza.core.migrations.security import secure


def campaign_edits() -> None:
    op.create_table(
        "campaign_edits",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("tree", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window", sa.String(length=40), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "campaign_id"],
            ["campaigns.workspace_id", "campaigns.id"],
            name=op.f("fk_campaign_edits_workspace_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_campaign_edits")),
        sa.UniqueConstraint(
            "workspace_id",
            "campaign_id",
            "member_id",
            name=op.f("uq_campaign_edits_workspace_id_campaign_id_member_id"),
        ),
    )
    secure("campaign_edits")


def campaign_versions() -> None:
    op.create_table(
        "campaign_versions",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "campaign_id"],
            ["campaigns.workspace_id", "campaigns.id"],
            name=op.f("fk_campaign_versions_workspace_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_campaign_versions")),
        sa.UniqueConstraint(
            "workspace_id",
            "campaign_id",
            "number",
            name=op.f("uq_campaign_versions_workspace_id_campaign_id_number"),
        ),
    )
    secure("campaign_versions")


def campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_campaigns_workspace_id_name")),
    )
    op.create_index(op.f("ix_campaigns_workspace_id_created_at"), "campaigns", ["workspace_id", "created_at"])
    secure("campaigns")
