-- A stop has no end: rows are added, never altered.
revoke update, delete, truncate on suppressions from cadenza_app;
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
