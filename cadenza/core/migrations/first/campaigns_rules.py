RULES = """\
-- A version is what was agreed at one time: rows are added, never altered.
revoke update, delete, truncate on campaign_versions from cadenza_app;
"""
