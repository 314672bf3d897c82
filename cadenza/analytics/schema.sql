-- Figures are counts of events. They are kept beside the events by this trigger, in the same transaction and for
-- whoever inserts, so that reading one never means counting a million rows. What happens to a touch or a person once by
-- its nature (most of all events) is added up as it stands; what may come again counts when its thing is new.
create function count_new_events() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  with concerned as (
    select workspace_id, id, campaign_id, coalesce(step, '') as step, coalesce(variant, '') as variant, kind, machine,
           touch_id, contact_id, data
    from added where campaign_id is not null
  ), repeated as (
    insert into counted_things (workspace_id, campaign_id, thing_id, measure, machine, step, variant)
    select distinct c.workspace_id, c.campaign_id, m.thing_id, m.measure, c.machine, c.step, c.variant
    from concerned c cross join lateral measures_of(c.kind, c.id, c.touch_id, c.contact_id, c.data) m
    order by 1, 2, 3, 4, 5, 6, 7  -- one order for all, so that two transactions cannot wait for each other
    on conflict do nothing
    returning workspace_id, campaign_id, step, variant, measure, machine
  )
  insert into event_counts (workspace_id, id, campaign_id, step, variant, measure, machine, things)
  select workspace_id, gen_random_uuid(), campaign_id, step, variant, measure, machine, count(*)
  from (
    select * from repeated
    union all
    select workspace_id, campaign_id, step, variant, kind, machine from concerned
    where kind in ('enrolled', 'sent', 'delivered')
  ) measured
  group by workspace_id, campaign_id, step, variant, measure, machine;
  return null;
end $$;
-- What an event counts for, and which thing it is about; nothing for kinds that are no figure. A person's positive reply
-- and a touch's hard bounce are figures of their own.
create function measures_of(kind text, event_id uuid, touch_id uuid, contact_id uuid, data jsonb)
returns table (measure text, thing_id uuid)
language sql immutable as $$  -- without settings of its own, so that it is inlined
  select kind, coalesce(touch_id, contact_id, event_id)
  where kind in ('deferred', 'refused', 'failed', 'in_doubt', 'skipped', 'bounced', 'opened', 'clicked', 'replied',
                 'unsubscribed', 'complained', 'absent', 'auto_replied', 'accepted', 'connected')
  union all
  select 'positive_replies', contact_id
  where kind = 'analysed' and contact_id is not null
    and data->>'intent' in ('meeting_request', 'positive_interest', 'information_request')
  union all
  select 'hard_bounces', touch_id where kind = 'bounced' and touch_id is not null and data->>'type' = 'hard'
$$;
create trigger count_new_events after insert on events
  referencing new table as added for each statement execute function count_new_events();
-- Which workspaces have many parts to fold? Asked by the worker across workspaces; answers with ids only.
create function workspaces_with_loose_counts(at_least integer) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select w.id from workspaces w
  where (select count(*) from (
    select from event_counts c where c.workspace_id = w.id and not c.folded limit at_least) loose) >= at_least
$$;
revoke all on function workspaces_with_loose_counts(integer) from public;
grant execute on function workspaces_with_loose_counts(integer) to cadenza_app;
