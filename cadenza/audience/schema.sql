-- A stop has no end: rows are added, never altered.
revoke update, delete, truncate on suppressions from cadenza_app;
