RULES = """\
-- What waits, over all workspaces and in one look; numbers and times only, nothing of anybody's data.
create function work_waiting(world timestamptz, machine timestamptz)
returns table (oldest_due timestamptz, due bigint, expired bigint, doubts bigint, mailboxes bigint, broken bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  with late as (
    select e.next_due_at from runs r join enrolments e on e.workspace_id = r.workspace_id and e.campaign_id = r.id
    where r.state = 'running' and e.state = 'active' and e.next_due_at <= world)
  select (select min(next_due_at) from late), (select count(*) from late),
         (select count(*) from touches where state in ('claimed', 'sending') and lease_until < clock_timestamp() - interval '2 minutes'),
         (select count(*) from touches where state = 'in_doubt'),
         (select count(*) from mailboxes), (select count(*) from mailboxes where state = 'broken')
$$;
revoke all on function work_waiting(timestamptz, timestamptz) from public;
grant execute on function work_waiting(timestamptz, timestamptz) to cadenza_app;
-- How hard the server works: the longest wait of a commit for its standby, and how many of its connections are in use.
create function server_strain() returns table (commit_waits double precision, connections bigint, allowed integer)
language sql security definer set search_path = public, pg_temp as $$
  select coalesce(max(extract(epoch from clock_timestamp() - state_change)) filter (where wait_event = 'SyncRep'), 0),
         count(*), current_setting('max_connections')::int
  from pg_stat_activity where backend_type = 'client backend'
$$;
revoke all on function server_strain() from public;
grant execute on function server_strain() to cadenza_app;
"""
