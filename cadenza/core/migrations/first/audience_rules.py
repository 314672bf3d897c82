RULES = """\
-- A stop has no end: rows are added, never altered.
revoke update, delete, truncate on suppressions from cadenza_app;
-- The only way a stop goes: one that a member made for many people at once is taken back within a day. It names that one
-- change; opt-outs, complaints, bounces and stops made for one person have another source or reason and stay.
create function lift_bulk_stops(change text) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  lifted integer;
begin
  delete from suppressions s
  using bulk_changes b
  where b.workspace_id = nullif(current_setting('cadenza.workspace', true), '')::uuid and change = 'bulk ' || b.id
    and b.kind = 'stop' and b.undone_at is null
    and s.workspace_id = b.workspace_id and s.reason = 'manual' and s.source = change;
  get diagnostics lifted = row_count;
  return lifted;
end $$;
revoke all on function lift_bulk_stops(text) from public;
grant execute on function lift_bulk_stops(text) to cadenza_app;
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
"""
