RULES = """\
-- The one row that says which installation this is. It is there from the first moment and never goes.
insert into installation (id, identity, timeline, synchronous)
values (1, gen_random_uuid(), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), false);
revoke insert, delete, truncate on installation from cadenza_app;
-- Asked in the statements that put touches on the wire: not while sending is held, and only on the line of history
-- that this installation knows, so that after a failover nothing leaves before the loss was looked at.
create function sending_allowed() returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
  select held_since is null and timeline = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) from installation
$$;
revoke all on function sending_allowed() from public;
grant execute on function sending_allowed() to cadenza_app;
"""
