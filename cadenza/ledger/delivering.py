"""Bringing to webhooks what is owed to them: at least once, tried again for three days, nothing dropped unseen.

Each message carries ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` as standardwebhooks.com has them. The
id stays the same for every try, so that a receiver can tell a repetition. Order is not promised.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text, update
from standardwebhooks import Webhook as Signer

from cadenza.core.database import Database, bulk
from cadenza.core.errors import CadenzaError
from cadenza.core.http import Egress, Purpose
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import DeliveryState
from cadenza.ledger.models import WebhookRow
from cadenza.ledger.webhooks import secret_place

# After a failure: the next try. The sum is a little over three days; then a person has to look.
PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
_IDLE_SECONDS = 1.0
_BATCH = 50
_AT_ONCE = 8
_SECONDS = 15.0
_GONE = 410

_CLAIM = text("""
    with due as (
      select d.id from deliveries d join webhooks w on w.workspace_id = d.workspace_id and w.id = d.webhook_id
      where d.workspace_id = :workspace and d.state = 'pending' and d.due_at <= :now
        and (d.lease_until is null or d.lease_until < clock_timestamp())
      order by d.due_at limit :batch for update of d skip locked)
    update deliveries d set attempts = attempts + 1, lease_until = clock_timestamp() + interval '60 seconds'
    from due, webhooks w
    where d.workspace_id = :workspace and d.id = due.id and w.workspace_id = d.workspace_id and w.id = d.webhook_id
    returning d.id, d.webhook_id, d.attempts, w.url, w.secret, d.event_id, d.event_at, (
      select to_jsonb(e) - 'workspace_id' - 'recorded_at' from events e
      where e.workspace_id = d.workspace_id and e.at = d.event_at and e.id = d.event_id) as event
""")
_RECORD = text("""
    update deliveries d set state = r.state, status = r.status, answer = r.answer, due_at = coalesce(r.due_at, d.due_at),
      lease_until = null, done_at = r.done_at
    from jsonb_to_recordset(cast(:rows as jsonb))
      as r (id uuid, state text, status integer, answer text, due_at timestamptz, done_at timestamptz)
    where d.workspace_id = :workspace and d.id = r.id
""")


@dataclass(frozen=True, slots=True)
class _Message:
    """One signed message, ready to leave."""

    id: UUID
    webhook_id: UUID
    attempt: int
    url: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What came back: the status (None when nobody answered) and the beginning of the answer or of the trouble."""

    status: int | None
    words: str

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def deliver(database: Database, settings: Settings) -> None:
    """The worker's loop."""
    egress = Egress(this_machine=settings.sandbox)
    while True:
        if not await deliver_due(database, egress):
            await asyncio.sleep(_IDLE_SECONDS)


async def deliver_due(database: Database, egress: Egress) -> int:
    """One round over all workspaces; how many messages were tried."""
    async with database.installation() as session:
        owing = await session.scalars(
            text("select workspaces_with_deliveries(:now)"), {"now": database.machine.now()}
        )
        ids = list(owing)
    return sum([await _workspace(database, workspace_id, egress) for workspace_id in ids])


async def _workspace(database: Database, workspace_id: UUID, egress: Egress) -> int:
    async with database.unit(workspace_id) as unit:
        messages = await _claim(unit)
    gate = asyncio.Semaphore(_AT_ONCE)
    said = await asyncio.gather(*(_send(egress, gate, message) for message in messages))
    async with database.unit(workspace_id) as unit:
        await _record(unit, list(zip(messages, said, strict=True)))
    return len(messages)


async def _claim(unit: Unit) -> list[_Message]:
    now = unit.machine.now()
    rows = await unit.session.execute(_CLAIM, {"workspace": unit.workspace_id, "now": now, "batch": _BATCH})
    return [_message(unit, row, now) for row in rows]


def _message(unit: Unit, row: Row[Any], now: datetime) -> _Message:
    identity = f"msg_{row.id.hex}"
    body = json.dumps(_payload(row, now), ensure_ascii=False, default=str)
    secret = unit.secrets.open(row.secret, workspace_id=unit.workspace_id, place=secret_place(row.webhook_id))
    headers = {
        "content-type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(secret).sign(identity, now, body),
    }
    return _Message(row.id, row.webhook_id, row.attempts, row.url, headers, body)


def _payload(row: Row[Any], now: datetime) -> dict[str, Any]:
    if row.event is None:
        return {"type": "test", "timestamp": now.isoformat(), "data": {}}
    return {"type": row.event["kind"], "timestamp": row.event["at"], "data": row.event}


async def _send(egress: Egress, gate: asyncio.Semaphore, message: _Message) -> _Said:
    async with gate:
        try:
            answer = await egress.request(
                Purpose.WEBHOOK, "POST", message.url, headers=message.headers, content=message.body.encode(), seconds=_SECONDS
            )  # fmt: skip
        except CadenzaError as wrong:
            return _Said(None, str(wrong)[:500])
        return _Said(answer.status, answer.body[:500].decode("utf-8", "replace").replace("\0", ""))


async def _record(unit: Unit, results: Sequence[tuple[_Message, _Said]]) -> None:
    rows = [_outcome(unit, message, said) for message, said in results]
    if rows:
        await bulk(unit.session, _RECORD, rows, workspace=unit.workspace_id)
    gone = {message.webhook_id for message, said in results if said.status == _GONE}
    if gone:
        await unit.session.execute(
            update(WebhookRow)
            .where(WebhookRow.workspace_id == unit.workspace_id, WebhookRow.id.in_(gone))
            .values(active=False, paused_because="The receiver answered 410: it wants no more.")
        )


def _outcome(unit: Unit, message: _Message, said: _Said) -> dict[str, Any]:
    now = unit.machine.now()
    row = {"id": message.id, "status": said.status, "answer": said.words, "due_at": None, "done_at": None}
    if said.acknowledged:
        return row | {"state": DeliveryState.ACKNOWLEDGED.value, "done_at": now}
    if said.status == _GONE or message.attempt > len(PAUSES):
        return row | {"state": DeliveryState.GIVEN_UP.value, "done_at": now}
    return row | {"state": DeliveryState.PENDING.value, "due_at": now + PAUSES[message.attempt - 1]}
