import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cadenza.core.migrations.security import secure


def enrolments() -> None:
    op.create_table(
        "enrolments",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_for", sa.Text(), nullable=False),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_back", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=True),
        sa.Column("behind", sa.String(length=64), nullable=True),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ended_reason", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "campaign_id"],
            ["runs.workspace_id", "runs.id"],
            name=op.f("fk_enrolments_workspace_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("fk_enrolments_workspace_id_contact_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint(
            "workspace_id",
            "campaign_id",
            "contact_id",
            name=op.f("uq_enrolments_workspace_id_campaign_id_contact_id"),
        ),
    )
    op.create_index(
        "ix_enrolments_due",
        "enrolments",
        ["workspace_id", "campaign_id", "next_due_at"],
        postgresql_where="state = 'active' and next_due_at is not null",
        postgresql_include=["mailbox_id"],
    )
    op.create_index(
        "ix_enrolments_hold", "enrolments", ["workspace_id", "hold_until"], postgresql_where="state = 'held'"
    )
    op.create_index(
        op.f("ix_enrolments_workspace_id_contact_id"), "enrolments", ["workspace_id", "contact_id"]
    )
    secure("enrolments")


def runs() -> None:
    op.create_table(
        "runs",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "id"],
            ["campaigns.workspace_id", "campaigns.id"],
            name=op.f("fk_runs_workspace_id_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_runs")),
    )
    op.create_index("ix_runs_running", "runs", ["workspace_id", "id"], postgresql_where="state = 'running'")
    secure("runs")


def touches() -> None:
    op.create_table(
        "touches",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("enrolment_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("step", sa.String(length=64), nullable=True),
        sa.Column("variant", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=20), server_default="send", nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=True),
        sa.Column("channel_account_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("track_opens", sa.Boolean(), nullable=False),
        sa.Column("track_clicks", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.String(length=400), nullable=False),
        sa.Column("reference_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.Uuid(), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("looked_up", sa.Integer(), nullable=False),
        sa.Column("needs_copy", sa.Boolean(), nullable=True),
        sa.Column("wire", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("gates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(mailbox_id is null) <> (channel_account_id is null)", name=op.f("ck_touches_one_sender")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "channel_account_id"],
            ["channel_accounts.workspace_id", "channel_accounts.id"],
            name=op.f("fk_touches_workspace_id_channel_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("fk_touches_workspace_id_contact_id"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "mailbox_id"],
            ["mailboxes.workspace_id", "mailboxes.id"],
            name=op.f("fk_touches_workspace_id_mailbox_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_touches")),
        sa.UniqueConstraint("workspace_id", "message_id", name=op.f("uq_touches_workspace_id_message_id")),
    )
    _touches_indexes()
    secure("touches")


def _touches_indexes() -> None:
    op.create_index(
        "ix_touches_copies",
        "touches",
        ["workspace_id", "mailbox_id"],
        postgresql_where="state = 'sent' and needs_copy",
    )
    op.create_index(
        "ix_touches_doubt", "touches", ["workspace_id", "claimed_at"], postgresql_where="state = 'in_doubt'"
    )
    op.create_index(
        "ix_touches_leased",
        "touches",
        ["workspace_id", "lease_until"],
        postgresql_where="state in ('claimed', 'sending')",
    )
    op.create_index(
        "ix_touches_person",
        "touches",
        ["workspace_id", "channel_account_id", "person"],
        postgresql_where="person is not null",
    )
    op.create_index(
        "ix_touches_reference",
        "touches",
        ["workspace_id", "channel_account_id", "reference"],
        postgresql_where="reference is not null",
    )
    op.create_index(
        "ix_touches_retry", "touches", ["workspace_id", "retry_at"], postgresql_where="state = 'deferred'"
    )
    op.create_index(
        "ix_touches_trouble",
        "touches",
        ["workspace_id", "mailbox_id", "claimed_at"],
        postgresql_where="state in ('deferred', 'refused', 'failed', 'in_doubt')",
    )
    op.create_index(
        op.f("ix_touches_workspace_id_account_id_claimed_at"),
        "touches",
        ["workspace_id", "account_id", "claimed_at"],
    )
    op.create_index(
        op.f("ix_touches_workspace_id_contact_id_claimed_at"),
        "touches",
        ["workspace_id", "contact_id", "claimed_at"],
    )
    op.create_index(
        op.f("ix_touches_workspace_id_conversation_id"), "touches", ["workspace_id", "conversation_id"]
    )
    op.create_index(
        op.f("ix_touches_workspace_id_enrolment_id_step"), "touches", ["workspace_id", "enrolment_id", "step"]
    )
