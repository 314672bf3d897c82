"""The statements of the hot path, in plain SQL: what is claimed, marked, recorded and given back, each in one round trip."""

from sqlalchemy import text

# One probe of the index per running campaign, so that neither the paused nor the crowded ones hold up the others (M11).
DUE = text("""
    select e.id, e.campaign_id, e.contact_id, e.account_id, e.step, e.next_due_at, e.mailbox_id, r.version_id, e.behind, e.plan
    from runs r
    cross join lateral (
        select * from enrolments d
        where d.workspace_id = r.workspace_id and d.campaign_id = r.id and d.state = 'active' and d.next_due_at <= :now
          and (d.mailbox_id is null or d.mailbox_id <> all(:busy))
        order by d.next_due_at limit :each
        for update skip locked
    ) e
    where r.workspace_id = :workspace and r.state = 'running' and r.id <> all(:but)
    limit :limit
""")

# Two workers must not count the same person's or account's touches at the same moment.
LOCK_CAPS = text("""
    select pg_advisory_xact_lock(k) from (select distinct k from unnest(cast(:keys as bigint[])) k order by k) keys
""")

ADVANCE = text("""
    update enrolments e set next_due_at = null, waiting_for = '', mailbox_id = coalesce(r.mailbox, e.mailbox_id)
    from jsonb_to_recordset(cast(:rows as jsonb)) r(id uuid, mailbox uuid)
    where e.workspace_id = :workspace and e.id = r.id
""")

INSERT_TOUCHES = text("""
    insert into touches select * from jsonb_populate_recordset(null::touches, cast(:rows as jsonb))
    on conflict do nothing returning id
""")

# Both for a step that is due later and for the next one.
NEXT_STEP = text("""
    update enrolments e set step = coalesce(r.step, e.step), next_due_at = r.at, waiting_for = r.why,
      behind = case when r.step is null then e.behind else r.behind end,
      plan = case when r.step is null then e.plan else r.plan end
    from jsonb_to_recordset(cast(:rows as jsonb)) r(id uuid, step text, at timestamptz, why text, behind text, plan jsonb)
    where e.workspace_id = :workspace and e.id = r.id and e.state in ('active', 'held')
""")

# The lease is read again here, right before the wire: a worker that slept past it gets nothing back. Nor does anybody
# while sending is held.
MARK_SENDING = text("""
    update touches t set state = 'sending', attempts = attempts + 1
    where t.workspace_id = :workspace and t.id = any(:ids) and t.state = 'claimed' and t.worker = :worker
      and t.lease_until > clock_timestamp() and (select sending_allowed())
      and (t.enrolment_id is null or exists (
            select from enrolments e join runs r on r.workspace_id = e.workspace_id and r.id = e.campaign_id
            where e.workspace_id = t.workspace_id and e.id = t.enrolment_id
              and e.state = 'active' and r.state = 'running'))
    returning t.id
""")

UNMARK = text("""
    update touches t set state = 'claimed', attempts = attempts - 1
    where t.workspace_id = :workspace and t.id = any(:ids) and t.state = 'sending' and t.worker = :worker
""")

STILL_SENDING = text("""
    select id from touches
    where workspace_id = :workspace and id = any(:ids) and state = 'sending' and worker = :worker
    for update
""")

RECORD = text("""
    update touches t set state = :state, sent_at = r.sent_at, retry_at = r.retry_at, lease_until = null, wire = r.wire,
      reference = coalesce(r.reference, t.reference), person = coalesce(r.person, t.person)
    from jsonb_to_recordset(cast(:rows as jsonb)) r(id uuid, sent_at timestamptz, retry_at timestamptz, wire jsonb, reference text, person text)
    where t.workspace_id = :workspace and t.id = r.id and t.state = any(:origins)
""")

END = text("""
    update enrolments set state = :state, ended_reason = :reason, ended_at = :at, next_due_at = null, hold_until = null
    where workspace_id = :workspace and id = any(:ids) and state in ('active', 'held')
    returning id, contact_id, campaign_id
""")

WITHDRAW = text("""
    update touches set state = 'dropped'
    where workspace_id = :workspace and enrolment_id = any(:ids) and state = 'with_person'
    returning id
""")

# A claim that was never marked as sending was never on the wire: it vanishes and its step is due again.
# Given back: what dead workers claimed, and what a worker that ends claimed and did not send.
_OF_THE_DEAD = "t.lease_until < clock_timestamp()"
_OF_ONE = "t.worker = :worker and coalesce(t.mailbox_id, t.channel_account_id) <> all(:busy)"

_RELEASE = """
    with gone as (
        delete from touches t where t.workspace_id = :workspace and t.state = 'claimed' and t.enrolment_id is not null
          and {whose}
        returning t.enrolment_id, t.due_at, t.mailbox_id, t.channel_account_id, t.action, t.sender, t.claimed_at
    ), back as (
        update enrolments e set next_due_at = gone.due_at from gone
        where e.workspace_id = :workspace and e.id = gone.enrolment_id and e.next_due_at is null
    )
    select mailbox_id, channel_account_id, action, sender, cast(claimed_at at time zone 'UTC' as date) as day,
      count(*) as amount
    from gone group by 1, 2, 3, 4, 5
"""
RELEASE, RELEASE_OF_WORKER = (text(_RELEASE.format(whose=whose)) for whose in (_OF_THE_DEAD, _OF_ONE))

_RELEASE_ANSWERS = """
    update touches t set state = 'deferred', retry_at = :now, lease_until = null
    where t.workspace_id = :workspace and t.state = 'claimed' and t.enrolment_id is null and {whose}
"""
RELEASE_ANSWERS, RELEASE_ANSWERS_OF_WORKER = (
    text(_RELEASE_ANSWERS.format(whose=whose)) for whose in (_OF_THE_DEAD, _OF_ONE)
)

DOUBT = text("""
    update touches set state = 'in_doubt', lease_until = null
    where workspace_id = :workspace and state = 'sending' and lease_until < clock_timestamp()
    returning id, contact_id, campaign_id, step, variant, mailbox_id
""")

TAKE_RETRIES = text("""
    update touches set state = 'claimed', worker = :worker, lease_until = clock_timestamp() + :lease
    where workspace_id = :workspace and id = any(:ids) and state = 'deferred'
""")

POSTPONE = text("""
    update touches t set retry_at = r.at from jsonb_to_recordset(cast(:rows as jsonb)) r(id uuid, at timestamptz)
    where t.workspace_id = :workspace and t.id = r.id and t.state = 'deferred'
""")
