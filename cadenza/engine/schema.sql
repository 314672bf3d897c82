-- Which workspaces have something to dispatch? The one question that a worker asks across workspaces; it answers
-- with ids only. All times are given, because world time is not the server's.
create function workspaces_with_work(world timestamptz, machine timestamptz) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select w.id from workspaces w
  where exists (
      select from runs r cross join lateral (
        select from enrolments e
        where e.workspace_id = w.id and e.campaign_id = r.id and e.state = 'active' and e.next_due_at <= world limit 1) due
      where r.workspace_id = w.id and r.state = 'running')
     or exists (select from touches t where t.workspace_id = w.id and t.state = 'deferred' and t.retry_at <= machine)
     or exists (select from touches t where t.workspace_id = w.id and t.state in ('claimed', 'sending')
                  and t.lease_until < clock_timestamp())
     or exists (select from enrolments e where e.workspace_id = w.id and e.state = 'held' and e.hold_until <= world)
$$;
revoke all on function workspaces_with_work(timestamptz, timestamptz) from public;
grant execute on function workspaces_with_work(timestamptz, timestamptz) to cadenza_app;
-- One touch is marked as sending right before it goes on the wire, in a transaction of its own. The lease is read again
-- here: a worker that slept past it gets nothing back, and a stop that came since the claim wins. Row security holds: the
-- workspace is entered for the length of this statement.
create function mark_sending(workspace uuid, touch uuid, by_worker uuid) returns boolean
language plpgsql set search_path = public, pg_temp as $$
begin
  perform set_config('cadenza.workspace', workspace::text, true);
  update touches t set state = 'sending', attempts = attempts + 1
  where t.workspace_id = workspace and t.id = touch and t.state = 'claimed' and t.worker = by_worker
    and t.lease_until > clock_timestamp()
    and (t.enrolment_id is null or exists (
          select from enrolments e join runs r on r.workspace_id = e.workspace_id and r.id = e.campaign_id
          where e.workspace_id = workspace and e.id = t.enrolment_id and e.state = 'active' and r.state = 'running'));
  return found;
end $$;
revoke all on function mark_sending(uuid, uuid, uuid) from public;
grant execute on function mark_sending(uuid, uuid, uuid) to cadenza_app;
