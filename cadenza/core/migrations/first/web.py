import sqlalchemy as sa
from alembic import op

from cadenza.core.migrations.security import secure


def api_answers() -> None:
    op.create_table(
        "api_answers",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_api_answers")),
        sa.UniqueConstraint(
            "workspace_id", "owner", "key", name=op.f("uq_api_answers_workspace_id_owner_key")
        ),
    )
    op.create_index(
        op.f("ix_api_answers_workspace_id_created_at"), "api_answers", ["workspace_id", "created_at"]
    )
    secure("api_answers")


def api_pace() -> None:
    op.create_table(
        "api_pace",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_api_pace")),
        sa.UniqueConstraint(
            "workspace_id", "owner", "minute", name=op.f("uq_api_pace_workspace_id_owner_minute")
        ),
    )
    secure("api_pace")
