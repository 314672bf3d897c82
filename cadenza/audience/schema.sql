-- A stop has no end: rows are added, never altered.
revoke update, delete, truncate on suppressions from cadenza_app;
-- The only way a stop goes: one that a member made for many people at once is taken back within a day. It names that one
-- change; opt-outs, complaints, bounces and stops made for one person have another source or reason and stay.
-- It goes batch by batch: given are the first and the last of its people. Whoever of them (or whom they turned out to be)
-- another such change stopped as well stays stopped, from now on for that one.
create function lift_bulk_stops(change text, first uuid, last uuid) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine bulk_changes;
  lifted integer;
begin
  select * into mine from bulk_changes b
  where b.workspace_id = nullif(current_setting('cadenza.workspace', true), '')::uuid and change = 'bulk ' || b.id
    and b.kind = 'stop' and b.state = 'undoing';
  with meant as (
    select i.contact_id as named, p.id as stands
    from bulk_items i
    join contacts c on c.workspace_id = i.workspace_id and c.id = i.contact_id
    cross join lateral (values (c.id), (c.merged_into)) p(id)
    where i.workspace_id = mine.workspace_id and i.change_id = mine.id and i.contact_id between first and last
      and p.id is not null
  ), others as (
    select m.stands, min(o.source) as source
    from meant m
    cross join lateral (
      select 'bulk ' || b.id as source from bulk_changes b
      where b.workspace_id = mine.workspace_id and b.kind = 'stop' and b.id <> mine.id and b.undone_at is null
        and b.at > mine.at - interval '24 hours'
        and exists (select from bulk_items i where i.workspace_id = b.workspace_id and i.change_id = b.id
                    and i.contact_id in (m.named, m.stands) and i.contact_id <= b.reached)
      limit 1) o
    group by m.stands
  ), handed_over as (
    update suppressions s set source = o.source from others o
    where s.workspace_id = mine.workspace_id and s.contact_id = o.stands and s.reason = 'manual' and s.source = change
  )
  delete from suppressions s
  using (select distinct stands from meant) m
  where s.workspace_id = mine.workspace_id and s.contact_id = m.stands and s.reason = 'manual' and s.source = change
    and m.stands not in (select stands from others);
  get diagnostics lifted = row_count;
  return lifted;
end $$;
revoke all on function lift_bulk_stops(text, uuid, uuid) from public;
grant execute on function lift_bulk_stops(text, uuid, uuid) to cadenza_app;
-- Whoever stops one person or address that a change to many had stopped means it for good: it is no longer lifted with that.
create function keep_stops(stopped text[], by text) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  kept integer;
begin
  update suppressions s set source = by
  where s.workspace_id = nullif(current_setting('cadenza.workspace', true), '')::uuid and s.value = any(stopped)
    and s.reason = 'manual' and s.source like 'bulk %' and by not like 'bulk %';
  get diagnostics kept = row_count;
  return kept;
end $$;
revoke all on function keep_stops(text[], text) from public;
grant execute on function keep_stops(text[], text) to cadenza_app;
-- In a young database the planner knows nothing of these tables and picks indexes that read a whole workspace for each
-- row of a large import. The application may refresh what it knows, which does something only while that is far off.
create function refresh_audience_statistics(imported bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select reltuples from pg_class where oid = 'contacts'::regclass) < imported then
    analyze contacts, addresses, accounts, import_members;
  end if;
end $$;
revoke all on function refresh_audience_statistics(bigint) from public;
grant execute on function refresh_audience_statistics(bigint) to cadenza_app;
-- The search box. Row security keeps a search in texts from using its index, because its operators might leak rows of
-- others through errors; so the owner's function looks, in the workspace of the transaction and nowhere else, and tells
-- ids only, the newest first. It is planned anew for each search: a rare word reads the index, a common one the newest rows.
create function search_contacts(asked tsquery, most integer) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query execute
    'select c.id from contacts c where c.workspace_id = $1 and c.gone_at is null and to_tsvector(''simple'', c.search) @@ $2
     order by c.id desc limit $3'
    using nullif(current_setting('cadenza.workspace', true), '')::uuid, asked, least(most, 100000);
end $$;
revoke all on function search_contacts(tsquery, integer) from public;
grant execute on function search_contacts(tsquery, integer) to cadenza_app;
