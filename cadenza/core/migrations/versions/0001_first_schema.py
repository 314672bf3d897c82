"""The first schema: the tables of every room, each after those that it points to; then their rules."""

from procrastinate.schema import SchemaManager

from cadenza.core.migrations.first import (
    analytics,
    audience,
    campaigns,
    channels,
    core,
    engine,
    identity,
    inbox,
    ledger,
    operations,
    web,
)
from cadenza.core.migrations.security import grant, make_role, rules_of, run_sql

revision = "0001"
down_revision = None

TABLES = (
    audience.accounts,
    web.api_answers,
    web.api_pace,
    identity.audit_entries,
    identity.audit_heads,
    identity.audit_links,
    operations.backups,
    audience.bulk_changes,
    campaigns.campaigns,
    channels.channel_accounts,
    inbox.conversations,
    analytics.counted_things,
    audience.custom_fields,
    ledger.decisions,
    analytics.event_counts,
    ledger.events,
    operations.examination,
    audience.exports,
    audience.imports,
    core.installation,
    identity.invitations,
    identity.login_failures,
    channels.mailbox_consents,
    channels.mailboxes,
    channels.pools,
    operations.processes,
    audience.segments,
    channels.send_counters,
    operations.setup_links,
    identity.sign_on,
    audience.suppressions,
    identity.teams,
    identity.users,
    ledger.webhooks,
    ledger.work_items,
    identity.workspaces,
    core.world_clock,
    inbox.answer_drafts,
    audience.bulk_items,
    campaigns.campaign_edits,
    campaigns.campaign_versions,
    audience.contacts,
    ledger.deliveries,
    channels.errands,
    identity.factors,
    channels.folder_cursors,
    audience.import_chunks,
    audience.import_faults,
    channels.incoming,
    channels.mailbox_grants,
    identity.members,
    inbox.messages,
    identity.password_resets,
    channels.pool_members,
    identity.recovery_codes,
    engine.runs,
    channels.sender_health,
    identity.sessions,
    identity.sign_on_attempts,
    identity.sign_on_identities,
    channels.warm_up_days,
    audience.addresses,
    identity.api_tokens,
    engine.enrolments,
    audience.import_members,
    engine.touches,
)
RULES = (
    "analytics",
    "audience",
    "campaigns",
    "core",
    "engine",
    "identity",
    "ledger",
    "operations",
)


def upgrade() -> None:
    make_role()
    for table in TABLES:
        table()
    run_sql(SchemaManager.get_schema())
    grant()
    for room in RULES:
        run_sql(rules_of(room))
