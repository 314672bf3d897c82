"""Which routes, jobs and loops there are: every room's part, put together."""
