RULES = """\
-- Facts are added, never altered.
revoke update, delete, truncate on events, decisions from cadenza_app;
create table events_default partition of events default;
-- Months are made ahead of time by the owner's function, which the application may call.
create function make_event_partitions(from_month date, months integer) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  month date;
  name text;
begin
  for offset_months in 0..least(months, 36) - 1 loop
    month := (date_trunc('month', from_month) + make_interval(months => offset_months))::date;
    name := 'events_' || to_char(month, 'YYYY_MM');
    if to_regclass(name) is null
       and not exists (select 1 from events_default where at >= month and at < month + interval '1 month') then
      execute format('create table %I partition of events for values from (%L) to (%L)',
                     name, month, month + interval '1 month');
    end if;
  end loop;
end $$;
revoke all on function make_event_partitions(date, integer) from public;
grant execute on function make_event_partitions(date, integer) to cadenza_app;
-- Which workspaces owe something to a webhook? Asked by the worker across workspaces; answers with ids only.
create function workspaces_with_deliveries(machine timestamptz) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select w.id from workspaces w
  where exists (
    select from deliveries d
    where d.workspace_id = w.id and d.state = 'pending' and d.due_at <= machine
      and (d.lease_until is null or d.lease_until < clock_timestamp()))
$$;
revoke all on function workspaces_with_deliveries(timestamptz) from public;
grant execute on function workspaces_with_deliveries(timestamptz) to cadenza_app;
"""
