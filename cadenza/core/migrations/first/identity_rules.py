RULES = """\
-- A member's own rows are visible at sign-in, before a workspace is chosen; an API token finds its own row.
create policy own_membership on members for select to cadenza_app
  using (user_id = nullif(current_setting('cadenza.user', true), '')::uuid);
create policy own_token on api_tokens for select to cadenza_app
  using (token_hash = decode(nullif(current_setting('cadenza.token', true), ''), 'hex'));

-- Who a session belongs to, with the role that counts now: asked by every request, so one question instead of four. Whoever
-- knows the hash of its token may know this much; everything else of the workspace stays closed.
create function session_of(hash bytea) returns table (
  session_id uuid, stage text, created_at timestamptz, used_at timestamptz, proved_at timestamptz, require_factor boolean,
  id uuid, workspace_id uuid, user_id uuid, email text, name text, role text, active boolean, timezone text, locale text,
  team_id uuid, territories jsonb, languages jsonb, industries jsonb, most_open integer, away_until timestamptz, has_factor boolean)
language sql stable security definer set search_path = public, pg_temp as $$
  select s.id, s.stage, s.created_at, s.used_at, s.proved_at, w.require_factor, m.id, s.current_workspace, s.user_id, u.email, u.name,
    m.role, m.active, u.timezone, u.locale, m.team_id, m.territories, m.languages, m.industries, m.most_open, m.away_until,
    exists (select from factors f where f.user_id = s.user_id)
  from sessions s
  join workspaces w on w.id = s.current_workspace
  join users u on u.id = s.user_id
  left join members m on m.workspace_id = s.current_workspace and m.user_id = s.user_id
  where s.token_hash = hash
$$;
revoke all on function session_of(bytea) from public;
grant execute on function session_of(bytea) to cadenza_app;

-- The audit trail: entries are added, never altered, and each workspace's entries form a chain of hashes. A link is made
-- by the owner's function when the transaction commits, so the application can neither forge one nor wait for another
-- writer longer than that moment, and locks nothing after the head of the chain.
revoke update, delete, truncate on audit_entries from cadenza_app;
revoke insert, update, delete, truncate on audit_links, audit_heads from cadenza_app;
create function audit_words(entry audit_entries) returns text
language sql stable set search_path = public, pg_temp as $$
  select jsonb_build_array(
    entry.workspace_id, entry.id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.member_id,
    entry.actor, entry.origin, entry.action, entry.subject, entry.request_id, entry.data)::text
$$;
create function link_audit_entry() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  head audit_heads;
  link bytea;
begin
  insert into audit_heads values (new.workspace_id, 0, '') on conflict do nothing;
  select * into head from audit_heads where workspace_id = new.workspace_id for update;
  link := sha256(head.hash || convert_to(audit_words(new), 'UTF8'));
  insert into audit_links values (new.workspace_id, head.number + 1, new.id, head.hash, link);
  update audit_heads set number = head.number + 1, hash = link where workspace_id = new.workspace_id;
  return null;
end $$;
revoke all on function link_audit_entry() from public;
create constraint trigger link after insert on audit_entries
  deferrable initially deferred for each row execute function link_audit_entry();
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete or truncate on audit_entries
  for each statement execute function refuse_audit_change();
create trigger append_only before update or delete or truncate on audit_links
  for each statement execute function refuse_audit_change();
-- Whoever holds an invitation finds its row before they belong to a workspace.
create policy own_invitation on invitations for select to cadenza_app
  using (token_hash = decode(nullif(current_setting('cadenza.token', true), ''), 'hex'));
"""
