import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cadenza.core.migrations.security import secure


def accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("industry", sa.String(length=200), nullable=True),
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_accounts")),
    )
    op.create_index(op.f("ix_accounts_workspace_id_name_key"), "accounts", ["workspace_id", "name_key"])
    op.create_index(
        "ux_accounts_domain",
        "accounts",
        ["workspace_id", "domain"],
        unique=True,
        postgresql_where=sa.text("domain is not null"),
    )
    secure("accounts")


def addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_source", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("fk_addresses_workspace_id_contact_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_addresses")),
        sa.UniqueConstraint(
            "workspace_id",
            "contact_id",
            "channel",
            "value",
            name=op.f("uq_addresses_workspace_id_contact_id_channel_value"),
        ),
    )
    op.create_index(
        "ix_addresses_phone",
        "addresses",
        ["workspace_id", "value"],
        postgresql_where=sa.text("channel = 'phone'"),
    )
    op.create_index(
        "ux_addresses_value",
        "addresses",
        ["workspace_id", "channel", "value"],
        unique=True,
        postgresql_where=sa.text("channel <> 'phone'"),
    )
    secure("addresses")


def bulk_changes() -> None:
    op.create_table(
        "bulk_changes",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_bulk_changes")),
    )
    op.create_index(op.f("ix_bulk_changes_workspace_id_at"), "bulk_changes", ["workspace_id", "at"])
    secure("bulk_changes")


def bulk_items() -> None:
    op.create_table(
        "bulk_items",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "change_id"],
            ["bulk_changes.workspace_id", "bulk_changes.id"],
            name=op.f("fk_bulk_items_workspace_id_change_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "change_id", "contact_id", name=op.f("pk_bulk_items")),
    )
    secure("bulk_items")


def contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=True),
        sa.Column("last_name", sa.String(length=100), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("language", sa.String(length=3), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("fk_contacts_workspace_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_contacts")),
    )
    op.create_index(
        "ix_contacts_here", "contacts", ["workspace_id", "id"], postgresql_where=sa.text("gone_at is null")
    )
    op.create_index(
        "ix_contacts_merged",
        "contacts",
        ["workspace_id", "merged_into"],
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_index(
        "ix_contacts_search",
        "contacts",
        [sa.literal_column("to_tsvector('simple', search)")],
        postgresql_using="gin",
    )
    op.create_index(op.f("ix_contacts_workspace_id_account_id"), "contacts", ["workspace_id", "account_id"])
    secure("contacts")


def custom_fields() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_custom_fields")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_custom_fields_workspace_id_name")),
    )
    secure("custom_fields")


def exports() -> None:
    op.create_table(
        "exports",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_exports")),
    )
    op.create_index(op.f("ix_exports_workspace_id_at"), "exports", ["workspace_id", "at"])
    secure("exports")


def import_chunks() -> None:
    op.create_table(
        "import_chunks",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "import_id"],
            ["imports.workspace_id", "imports.id"],
            name=op.f("fk_import_chunks_workspace_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "import_id", "number", name=op.f("pk_import_chunks")),
    )
    secure("import_chunks")


def import_faults() -> None:
    op.create_table(
        "import_faults",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "import_id"],
            ["imports.workspace_id", "imports.id"],
            name=op.f("fk_import_faults_workspace_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "import_id", "row", "place", name=op.f("pk_import_faults")),
    )
    secure("import_faults")


def import_members() -> None:
    op.create_table(
        "import_members",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("fk_import_members_workspace_id_contact_id"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "import_id"],
            ["imports.workspace_id", "imports.id"],
            name=op.f("fk_import_members_workspace_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "import_id", "contact_id", name=op.f("pk_import_members")),
    )
    secure("import_members")


def imports() -> None:
    op.create_table(
        "imports",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("custom_fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_workspace_id_at"), "imports", ["workspace_id", "at"])
    op.create_index(op.f("ix_imports_workspace_id_file_at"), "imports", ["workspace_id", "file", "at"])
    secure("imports")


def segments() -> None:
    op.create_table(
        "segments",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_segments")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_segments_workspace_id_name")),
    )
    secure("segments")


def suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "workspace_id",
            "kind",
            "value",
            "reason",
            name=op.f("uq_suppressions_workspace_id_kind_value_reason"),
        ),
    )
    op.create_index(
        op.f("ix_suppressions_workspace_id_contact_id"), "suppressions", ["workspace_id", "contact_id"]
    )
    secure("suppressions")
