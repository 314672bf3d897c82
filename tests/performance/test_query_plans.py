"""The hot queries read an index, not a table: planned by the database itself on 20,000 rows with fresh statistics."""

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from cadenza.audience.service import contacts
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.identity.contracts import Actor
from cadenza.inbox.contracts import Filters
from cadenza.inbox.service import conversations
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import counts_by_time, timeline
from tests.support.statements import heard

ROWS = 20_000
SOME = UUID(int=7)
_BY_TYPE = {
    "uuid": "gen_random_uuid()", "character varying": "'x'", "text": "'x'", "integer": "0", "bigint": "0", "boolean": "false",
    "jsonb": "'{}'", "timestamp with time zone": "%(now)s::timestamptz", "date": "%(now)s::date",
}  # fmt: skip
_ID = "lpad(to_hex(n), 32, '0')::uuid"
# Every table that grows: what its rows hold where it matters, n from 1 to 20,000.
_CONTENT = {
    "runs": {"id": _ID, "state": "case when n %% 2 = 0 then 'running' else 'paused' end"},
    "contacts": {"id": _ID, "search": "'name' || n || ' firm' || n %% 500"},
    "enrolments": {
        "id": _ID, "campaign_id": "lpad(to_hex(n %% 20 + 1), 32, '0')::uuid", "contact_id": _ID,
        "state": "case when n %% 10 = 0 then 'held' else 'active' end",
        "next_due_at": "%(now)s::timestamptz + (n - 200) * interval '1 minute'",
        "hold_until": "case when n %% 10 = 0 then %(now)s::timestamptz + (n - 200) * interval '1 minute' end",
    },
    "touches": {
        "id": _ID, "mailbox_id": "lpad(to_hex(n %% 3 + 1), 32, '0')::uuid", "contact_id": _ID, "enrolment_id": _ID, "campaign_id": "lpad(to_hex(n %% 20 + 1), 32, '0')::uuid",
        "account_id": "lpad(to_hex(n %% 500 + 1), 32, '0')::uuid", "message_id": "'<' || n || '@x.example>'",
        "state": "case when n %% 400 = 0 then 'deferred' when n %% 400 = 1 then 'claimed' when n %% 400 = 2 then 'sending' else 'sent' end",
        "lease_until": "case when n %% 400 in (1, 2) then %(now)s::timestamptz end",
        "retry_at": "case when n %% 400 = 0 then %(now)s::timestamptz - interval '1 minute' end",
        "claimed_at": "%(now)s::timestamptz - n * interval '1 minute'",
    },
    "conversations": {
        "id": _ID, "contact_id": _ID, "address": "'p' || n || '@x.example'", "state": "case when n %% 2 = 0 then 'open' else 'closed' end",
        "last_at": "%(now)s::timestamptz - n * interval '1 minute'",
    },
    "events": {
        "id": _ID, "kind": "(array['sent', 'delivered', 'opened', 'replied'])[n %% 4 + 1]",
        "at": "%(now)s::timestamptz - n * interval '1 second'", "contact_id": "lpad(to_hex(n %% 2000 + 1), 32, '0')::uuid",
        "touch_id": "lpad(to_hex(n %% 5000 + 1), 32, '0')::uuid", "campaign_id": "lpad(to_hex(n %% 200 + 1), 32, '0')::uuid",
    },
}  # fmt: skip
_COUNTS = {"runs": 20}


def _fill(connection: psycopg.Connection[Any], table: str, workspace: UUID, now: datetime) -> None:
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'public' and table_name = %s and is_nullable = 'NO' and column_default is null",
        [table],
    ).fetchall()
    values = (
        {name: _BY_TYPE[kind] for name, kind in rows} | _CONTENT[table] | {"workspace_id": "%(workspace)s"}
    )
    statement = f"insert into {table} ({', '.join(values)}) select {', '.join(values.values())} from generate_series(1, %(rows)s) n"
    parameters = {"workspace": workspace, "now": now, "rows": _COUNTS.get(table, ROWS)}
    connection.execute(statement, parameters)  # type: ignore[call-overload]
    connection.execute(f"analyze {table}")  # type: ignore[call-overload]


@pytest.fixture
def full(database_url: str, workspace: Actor, world: ManualClock) -> None:
    """Foreign keys are off while it is filled: the rows need no neighbours to be planned for."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for table in _CONTENT:
            _fill(connection, table, workspace.workspace_id, world.now())


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


Query = Callable[[Unit, Actor], Awaitable[Any]]
LATER = timedelta(minutes=1)
QUERIES: dict[str, tuple[str, str, Query]] = {
    "claim of what is due": ("enrolments", "ix_enrolments_due", lambda u, _: repository.lock_due(u, u.world.now(), limit=50, busy=[])),
    "retries": ("touches", "ix_touches_retry", lambda u, _: repository.lock_retries(u, 50, [])),
    "leases that are over": ("touches", "ix_touches_leased", lambda u, _: repository.release(u)),
    "doubts": ("touches", "ix_touches_leased", lambda u, _: repository.doubt_expired(u)),
    "holds that are over": ("enrolments", "ix_enrolments_hold", lambda u, _: repository.end_holds(u)),
    "caps of a person and a company": (
        "touches", "touches", lambda u, _: repository.recent_touches(u, [SOME], [SOME], u.world.now() - 7 * timedelta(days=1))
    ),
    "marking as sending": ("touches", "pk_touches", lambda u, _: repository.mark_sending(u, [SOME], uuid4())),
    "contacts": ("contacts", "ix_contacts_here", contacts),
    "inbox": ("conversations", "ix_conversations_list", lambda u, a: conversations(u, a, Filters())),
    "events of a campaign": ("events", "campaign_id", lambda u, _: timeline(u, campaign_id=SOME)),
    "events of a kind in a campaign": ("events", "campaign_id", lambda u, _: timeline(u, campaign_id=SOME, kinds=[EventKind.SENT], limit=12)),
    "sendings of a day": (
        "events", "campaign_id",
        lambda u, _: counts_by_time(u, SOME, EventKind.SENT, start=u.world.now() - 60 * LATER, end=u.world.now(), width=LATER),
    ),
    "events of a person": ("events", "contact_id", lambda u, _: timeline(u, contact_id=SOME)),
    "events of a touch": ("events", "touch_id", lambda u, _: timeline(u, touch_id=SOME)),
}  # fmt: skip


@pytest.mark.postgres
@pytest.mark.usefixtures("full")
async def test_hot_queries_read_their_index(database: Database, workspace: Actor) -> None:
    """All on one filled database: for each the index is named, and the table is never read as a whole.

    Counting all lines for the head of a list is no hot query; what fetches the lines is.
    """
    assert await _wrong(database, workspace, QUERIES) == {}


async def _wrong(
    database: Database, workspace: Actor, queries: dict[str, tuple[str, str, Query]]
) -> dict[str, Any]:
    """The queries that read a table as a whole or not by their index, with what they read."""
    wrong = {}
    for name, (table, index, query) in queries.items():
        async with database.unit(workspace.workspace_id) as unit:
            with heard(database) as sent:
                await query(unit, workspace)
            used = [
                plan
                for statement, parameters in sent
                if (plan := await _plan(unit, table, statement, parameters))
            ]
            await unit.session.rollback()
        read = [node for plan in used for node in nodes(plan)]
        whole = [
            n
            for n in read
            if n["Node Type"] == "Seq Scan" and str(n.get("Relation Name", "")).startswith(table)
        ]
        names = {str(n["Index Name"]) for n in read if "Index Name" in n}
        if not used or whole or not any(index in found for found in names):
            wrong[name] = (len(used), [n["Relation Name"] for n in whole], names)
    return wrong


async def _plan(unit: Unit, table: str, statement: str, parameters: Any) -> dict[str, Any] | None:
    """How the database would run a statement on the table; None for other statements and for counts of all."""
    lower = " ".join(statement.lower().split())
    if (
        f" {table}" not in lower
        or lower.startswith(("select count(", "explain"))
        or " count(*) as count_1 from" in lower
    ):
        return None
    connection = await unit.session.connection()
    answer = await connection.exec_driver_sql(f"explain (format json) {statement}", parameters)
    found = answer.scalar_one()
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan
