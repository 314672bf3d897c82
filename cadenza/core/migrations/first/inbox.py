import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cadenza.core.migrations.security import secure


def answer_drafts() -> None:
    op.create_table(
        "answer_drafts",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "conversation_id"],
            ["conversations.workspace_id", "conversations.id"],
            name=op.f("fk_answer_drafts_workspace_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_answer_drafts")),
        sa.UniqueConstraint(
            "workspace_id",
            "conversation_id",
            "member_id",
            name=op.f("uq_answer_drafts_workspace_id_conversation_id_member_id"),
        ),
    )
    secure("answer_drafts")


def conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("channel", sa.String(length=10), server_default="email", nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=True),
        sa.Column("channel_account_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("snippet", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("unread", sa.Boolean(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("intent", sa.String(length=30), nullable=True),
        sa.Column("interest", sa.String(length=10), nullable=True),
        sa.Column("urgency", sa.String(length=10), nullable=True),
        sa.Column("queue", sa.String(length=20), nullable=True),
        sa.Column("needs_person", sa.Boolean(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("workspace_id", "address", name=op.f("uq_conversations_workspace_id_address")),
    )
    op.create_index("ix_conversations_list", "conversations", ["workspace_id", "state", "last_at"])
    op.create_index(
        op.f("ix_conversations_workspace_id_contact_id"), "conversations", ["workspace_id", "contact_id"]
    )
    secure("conversations")


def messages() -> None:
    op.create_table(
        "messages",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=10), server_default="email", nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=True),
        sa.Column("channel_account_id", sa.Uuid(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("touch_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=998), nullable=True),
        sa.Column("reference_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("from_address", sa.String(length=998), nullable=False),
        sa.Column("from_name", sa.String(length=998), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attachments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysis", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "channel_account_id"],
            ["channel_accounts.workspace_id", "channel_accounts.id"],
            name=op.f("fk_messages_workspace_id_channel_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "mailbox_id"],
            ["mailboxes.workspace_id", "mailboxes.id"],
            name=op.f("fk_messages_workspace_id_mailbox_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint("workspace_id", "fingerprint", name=op.f("uq_messages_workspace_id_fingerprint")),
    )
    op.create_index(op.f("ix_messages_workspace_id_contact_id"), "messages", ["workspace_id", "contact_id"])
    op.create_index(
        op.f("ix_messages_workspace_id_conversation_id_received_at"),
        "messages",
        ["workspace_id", "conversation_id", "received_at"],
    )
    op.create_index(op.f("ix_messages_workspace_id_message_id"), "messages", ["workspace_id", "message_id"])
    secure("messages")
