RULES = """\
-- Which workspaces have something to dispatch? The one question that a worker asks across workspaces; it answers
-- with ids only. All times are given, because world time is not the server's.
create function workspaces_with_work(world timestamptz, machine timestamptz) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select w.id from workspaces w
  where (select sending_allowed()) and (exists (
      select from runs r cross join lateral (
        select from enrolments e
        where e.workspace_id = w.id and e.campaign_id = r.id and e.state = 'active' and e.next_due_at <= world limit 1) due
      where r.workspace_id = w.id and r.state = 'running')
     or exists (select from touches t where t.workspace_id = w.id and t.state = 'deferred' and t.retry_at <= machine)
     or exists (select from touches t where t.workspace_id = w.id and t.state in ('claimed', 'sending')
                  and t.lease_until < clock_timestamp())
     or exists (select from enrolments e where e.workspace_id = w.id and e.state = 'held' and not e.kept_back
                  and e.hold_until <= world))
$$;
revoke all on function workspaces_with_work(timestamptz, timestamptz) from public;
grant execute on function workspaces_with_work(timestamptz, timestamptz) to cadenza_app;
"""
