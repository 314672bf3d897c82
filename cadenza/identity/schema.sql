-- A member's own rows are visible at sign-in, before a workspace is chosen; an API token finds its own row.
create policy own_membership on members for select to cadenza_app
  using (user_id = nullif(current_setting('cadenza.user', true), '')::uuid);
create policy own_token on api_tokens for select to cadenza_app
  using (token_hash = decode(nullif(current_setting('cadenza.token', true), ''), 'hex'));
