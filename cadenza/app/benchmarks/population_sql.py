"""The statements that fill a workspace in bulk, in the order of their names; each takes the parameters of `population`."""

# Members with an open session each, as the log-in leaves them.
TEAM = """
with team as (
  select gen_random_uuid() as user_id, gen_random_uuid() as member_id, n, token
  from jsonb_array_elements_text(%(tokens)s::jsonb) with ordinality as t (token, n)
), users as (
  insert into users (id, email, name, password_hash, timezone, locale, created_at)
  select user_id, 'member' || n || '@bench.example', 'Member ' || n, 'none', 'Europe/Berlin', 'en', now() from team returning id
), joined as (
  insert into members (workspace_id, id, user_id, role, active, created_at)
  select %(workspace)s, member_id, user_id, (%(roles)s::text[])[n %% 4 + 1], true, now() from team
  where (select count(*) from users) = %(members)s returning user_id
)
insert into sessions (token_hash, id, user_id, current_workspace, stage, created_at, used_at, proved_at, source, agent)
select decode(token, 'hex'), gen_random_uuid(), user_id, %(workspace)s, 'open', now(), now(), now(), '127.0.0.1', 'Firefox'
from team where (select count(*) from joined) = %(members)s
"""

_PERSON = "md5('person' || n)::uuid"
_COMPANY = "md5('company' || n / 3)::uuid"

PEOPLE = (
    """
    insert into accounts (workspace_id, id, name, name_key, domain, country, custom, created_at)
    select %(workspace)s, md5('company' || n)::uuid, 'Company ' || n, 'company ' || n, 'company' || n || '.example', 'DE', '{}', now()
    from generate_series(0, %(people)s / 3) n
    """,
    f"""
    insert into contacts (workspace_id, id, account_id, first_name, last_name, title, country, timezone, custom, search,
      created_at, updated_at)
    select %(workspace)s, {_PERSON}, {_COMPANY}, 'First' || n, 'Last' || n, 'Head of ' || n %% 50, 'DE', 'Europe/Berlin',
      jsonb_build_object('plan', 'pro ' || n %% 7),
      'first' || n || ' last' || n || ' head of ' || n %% 50 || ' company ' || n / 3 || ' p' || n || '@company' || n / 3 || '.example',
      now() - n * interval '1 minute', now()
    from generate_series(0, %(people)s - 1) n
    """,
    f"""
    insert into addresses (workspace_id, id, contact_id, channel, value, main, created_at)
    select %(workspace)s, gen_random_uuid(), {_PERSON}, 'email', 'p' || n || '@company' || n / 3 || '.example', true, now()
    from generate_series(0, %(people)s - 1) n
    """,
    """
    insert into imports (workspace_id, id, at, file, digest, mapping, custom_fields, rows, created, updated, rejected, duplicates,
      state, encoding, reached, finished_at, trouble)
    select %(workspace)s, md5('list' || n)::uuid, now(), 'list' || n || '.csv', md5('list' || n), '{}', '{plan}',
      %(people)s / %(lists)s, %(people)s / %(lists)s, 0, 0, 0, 'done', 'utf-8', %(people)s / %(lists)s, now(), ''
    from generate_series(0, %(lists)s - 1) n
    """,
    f"""
    insert into import_members (workspace_id, import_id, contact_id, position)
    select %(workspace)s, md5('list' || n %% %(lists)s)::uuid, {_PERSON}, n / %(lists)s
    from generate_series(0, %(people)s - 1) n
    """,
    f"""
    insert into suppressions (workspace_id, id, kind, value, reason, source, at, contact_id)
    select %(workspace)s, gen_random_uuid(), 'contact', ({_PERSON})::text, 'opt_out', 'reply', %(noon)s, {_PERSON}
    from generate_series(0, %(people)s - 1, 50) n
    """,
)

# What each enrolment has come to: of a running campaign's people 55 of 100 have had the first message, of a past one's as
# many. `place` is the person's place in the list, `age` how long ago the first message left.
_LAUNCHED = """
  select c.id as campaign_id, m.contact_id, k.account_id, m.position as place, c.number,
         case when c.number < %(running)s then (m.position * 7919 %% 14000) * interval '1 minute'
              else (20 + c.number) * interval '1 day' + m.position * interval '1 minute' end as age
  from (select id, workspace_id, row_number() over (order by name) - 1 as number from campaigns where workspace_id = %(workspace)s) c
  join import_members m on m.workspace_id = c.workspace_id and m.import_id = md5('list' || c.number %% %(lists)s)::uuid
  join contacts k on k.workspace_id = m.workspace_id and k.id = m.contact_id
  where c.number < %(launched)s
"""
_TOUCHES = """
  select t.*, substr(t.id::text, 1, 1) as dice from touches t where t.workspace_id = %(workspace)s
"""
_EVENT = """
insert into events (workspace_id, at, id, recorded_at, kind, origin, contact_id, campaign_id, step, variant, touch_id, mailbox_id,
  machine, data)
"""


def _of_touches(kind: str, after: str, where: str, data: str = "'{}'", times: int = 1) -> str:
    return f"""
    {_EVENT}
    select workspace_id, sent_at + {after}, gen_random_uuid(), now(), '{kind}', 'bench', contact_id, campaign_id, step, variant, id,
      mailbox_id, false, {data}
    from ({_TOUCHES}) t, generate_series(1, {times}) n where state = 'sent' and {where}
    """


PAST = (
    """
    update campaigns c set launched_at = %(noon)s - (20 + n) * interval '1 day', state = case
      when n < %(running)s then 'running' when n < %(launched)s and n %% 2 = 0 then 'paused' else 'finished' end
    from (select id, row_number() over (order by name) - 1 as n from campaigns where workspace_id = %(workspace)s) o
    where c.id = o.id and c.workspace_id = %(workspace)s and n < %(launched)s
    """,
    """
    insert into runs (workspace_id, id, state, version_id)
    select workspace_id, id, state, version_id from campaigns where workspace_id = %(workspace)s and state <> 'draft'
    """,
    f"""
    insert into enrolments (workspace_id, id, campaign_id, contact_id, account_id, state, step, next_due_at, waiting_for, created_at)
    select %(workspace)s, gen_random_uuid(), campaign_id, contact_id, account_id,
      case when number >= %(running)s and place %% 20 < 11 then 'finished' else 'active' end,
      case when place %% 20 < 11 then 'follow' else 'intro' end,
      case when place %% 20 < 11 then %(noon)s + interval '1 day' + place * interval '1 minute'
           else %(noon)s + (place * %(running)s + number) * interval '50 milliseconds' end,
      case when place %% 20 < 11 then 'three days after intro' else '' end, %(noon)s - age - interval '1 day'
    from ({_LAUNCHED}) l
    """,
    """
    insert into touches (workspace_id, id, contact_id, account_id, enrolment_id, campaign_id, step, variant, channel, mailbox_id, sender,
      recipient, subject, text, track_opens, track_clicks, message_id, reference_ids, state, due_at, claimed_at, sent_at, attempts,
      looked_up, wire, gates)
    select e.workspace_id, e.id, e.contact_id, e.account_id, e.id, e.campaign_id, 'intro', case when n %% 2 = 0 then 'a' else 'b' end,
      'email', b.id, b.address, 'p@company.example', 'A question about your plant', repeat('We help teams such as yours. ', 20),
      true, true, '<' || e.id || '@out.example>', '[]', case when n %% 4000 = 0 then 'in_doubt' else 'sent' end, sent, sent, sent, 1, 0,
      '{"stage": "dot", "code": 250, "text": "2.0.0 queued"}', '[{"gate": "stops", "answer": "pass", "why": "no stop"}]'
    from (select *, created_at + interval '1 day' as sent, row_number() over () as n from enrolments
          where workspace_id = %(workspace)s and step = 'follow') e
    join (select *, row_number() over (order by address) as place, count(*) over () as boxes from mailboxes
          where workspace_id = %(workspace)s) b on b.place = e.n %% b.boxes + 1
    """,
    f"""
    {_EVENT}
    select workspace_id, created_at, gen_random_uuid(), now(), 'enrolled', 'engine', contact_id, campaign_id, null, null, null, null,
      false, '{{}}'
    from enrolments where workspace_id = %(workspace)s
    """,
    _of_touches("sent", "interval '0'", "true"),
    _of_touches("delivered", "interval '1 second'", "true"),
    _of_touches("opened", "n * interval '1 hour'", "dice in ('0', '1', '2', '3')", times=2),
    _of_touches("replied", "interval '5 hours'", "dice = 'a' and substr(id::text, 2, 1) < '8'"),
    _of_touches(
        "analysed", "interval '5 hours'", "dice = 'a' and substr(id::text, 2, 1) < '8'",
        """jsonb_build_object('intent', 'information_request')""",
    ),
    _of_touches("bounced", "interval '1 minute'", "dice = 'b' and substr(id::text, 2, 1) < '6'", """'{"type": "hard"}'"""),
    _of_touches("clicked", "interval '2 hours'", "dice = '0'"),
)  # fmt: skip

WORK = (
    """
    insert into conversations (workspace_id, id, contact_id, address, name, mailbox_id, campaign_id, subject, snippet, state, unread,
      assignee_id, kind, intent, interest, urgency, queue, needs_person, last_at)
    select workspace_id, gen_random_uuid(), contact_id, contact_id::text, 'First Last', mailbox_id, campaign_id,
      'Re: A question about your plant', 'this is of interest to us', case when n %% 3 = 0 then 'open' else 'closed' end, n %% 9 = 0,
      (select array_agg(id order by id) from members where workspace_id = %(workspace)s)[n %% 400 + 1],
      'person', (array['information_request', 'objection', 'meeting_request'])[n %% 3 + 1], 'medium', 'medium', 'sales', n %% 5 = 0, at
    from (select *, row_number() over (order by at) as n from (
      select distinct on (contact_id) e.* from events e where workspace_id = %(workspace)s and kind = 'replied') d) r
    """,
    """
    insert into messages (workspace_id, id, mailbox_id, conversation_id, contact_id, touch_id, campaign_id, fingerprint, message_id,
      reference_ids, kind, from_address, from_name, subject, text, html, headers, attachments, received_at, analysis)
    select c.workspace_id, gen_random_uuid(), c.mailbox_id, c.id, c.contact_id, t.id, c.campaign_id,
      sha256(uuid_send(c.id) || int4send(n)), '<' || c.id || n || '@company.example>', '[]', 'person', 'p@company.example', c.name,
      c.subject, %(text)s, '', '{}', '[]', c.last_at - (2 - n) * interval '1 hour', %(analysis)s
    from conversations c
    join touches t on t.workspace_id = c.workspace_id and t.contact_id = c.contact_id and t.campaign_id = c.campaign_id,
      generate_series(1, 2) n
    where c.workspace_id = %(workspace)s
    """,
    """
    update touches t set conversation_id = c.id from conversations c
    where c.workspace_id = %(workspace)s and t.workspace_id = c.workspace_id and t.contact_id = c.contact_id
      and t.campaign_id = c.campaign_id
    """,
    """
    insert into work_items (workspace_id, id, kind, key, title, detail, queue, due_at, contact_id, conversation_id, owner_id, created_at,
      address, done_at)
    select workspace_id, gen_random_uuid(), 'review_reply', 'bench ' || id, 'Read what First Last wrote', 'Not sure enough.', 'sales',
      %(noon)s + (n %% 96 - 48) * interval '1 hour', contact_id, id, assignee_id, now(),
      '', case when n %% 4 <> 0 then now() end
    from (select *, row_number() over (order by id) as n from conversations where workspace_id = %(workspace)s and state = 'open') c
    """,
)

WHERE = {
    "campaigns": "select name from campaigns where workspace_id = %(workspace)s and state = 'running' order by name",
    "contacts": "select id from contacts where workspace_id = %(workspace)s order by id limit 5000",
    "conversations": "select id from conversations where workspace_id = %(workspace)s and state = 'open' order by id limit 2000",
    "touches": "select id from touches where workspace_id = %(workspace)s order by id limit 5000",
}
