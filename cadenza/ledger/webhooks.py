"""Webhooks: which addresses are told of which events, signed as standardwebhooks.com describes."""

import base64
import os
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.core.http import Egress
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import Delivery, DeliveryState, EventKind, Webhook
from cadenza.ledger.models import DeliveryRow, WebhookRow

MOST_WEBHOOKS = 20  # of a workspace


async def add_webhook(
    unit: Unit, actor: Actor, egress: Egress, *, url: str, kinds: Sequence[EventKind], note: str = ""
) -> tuple[Webhook, str]:
    """The webhook, and its secret (``whsec_...``), which is shown this once."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    _check(egress, url, kinds)
    here = select(func.count()).where(WebhookRow.workspace_id == unit.workspace_id)
    if (await unit.session.execute(here)).scalar_one() >= MOST_WEBHOOKS:
        raise CadenzaError(
            "too_many_webhooks",
            f"A workspace has at most {MOST_WEBHOOKS} webhooks.",
            Kind.TOO_MANY,
            fix="Remove one first.",
        )
    identity, secret = new_id(), "whsec_" + base64.b64encode(os.urandom(32)).decode()
    row = WebhookRow(
        workspace_id=unit.workspace_id,
        id=identity,
        url=url,
        note=note,
        kinds=sorted({kind.value for kind in kinds}),
        secret=unit.secrets.seal(secret, workspace_id=unit.workspace_id, place=secret_place(identity)),
        active=True,
        paused_because="",
        created_at=unit.machine.now(),
    )
    unit.session.add(row)
    await unit.session.flush()
    await audit(unit, actor, "webhook_added", str(identity), host=egress.read(url).hostname, kinds=row.kinds)
    return _webhook(row), secret


def _check(egress: Egress, url: str, kinds: Sequence[EventKind]) -> None:
    if not kinds:
        problem = Problem("name at least one kind of event", key="kinds")
        raise CadenzaError("webhook_invalid", "The webhook is not complete.", problems=(problem,))
    try:
        egress.read(url)
    except CadenzaError as wrong:
        raise CadenzaError(
            wrong.code, wrong.message, wrong.kind, wrong.fix, (Problem(wrong.message, key="url"),)
        ) from wrong


async def webhooks(unit: Unit, actor: Actor) -> list[Webhook]:
    """All of the workspace, oldest first."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    rows = await unit.session.scalars(
        select(WebhookRow).where(WebhookRow.workspace_id == unit.workspace_id).order_by(WebhookRow.id)
    )
    return [_webhook(row) for row in rows]


async def set_webhook_active(unit: Unit, actor: Actor, webhook_id: UUID, *, active: bool) -> Webhook:
    """Pause a webhook or let it go on. What happens while it is paused is not owed to it."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    row = await _row(unit, webhook_id)
    row.active, row.paused_because = active, "" if active else "paused by a member"
    await unit.session.flush()
    await audit(unit, actor, "webhook_resumed" if active else "webhook_paused", str(webhook_id))
    return _webhook(row)


async def remove_webhook(unit: Unit, actor: Actor, webhook_id: UUID) -> None:
    """Its log of deliveries goes with it."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    await _row(unit, webhook_id)
    await unit.session.execute(
        delete(WebhookRow).where(WebhookRow.workspace_id == unit.workspace_id, WebhookRow.id == webhook_id)
    )
    await audit(unit, actor, "webhook_removed", str(webhook_id))


async def try_webhook(unit: Unit, actor: Actor, webhook_id: UUID) -> UUID:
    """Owe it a message of the type ``test``, now; the id of that delivery."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    await _row(unit, webhook_id)
    identity, now = new_id(), unit.machine.now()
    await unit.session.execute(
        insert(DeliveryRow).values(
            workspace_id=unit.workspace_id,
            id=identity,
            webhook_id=webhook_id,
            state=DeliveryState.PENDING.value,
            attempts=0,
            due_at=now,
            created_at=now,
        )
    )
    return identity


async def deliveries(
    unit: Unit,
    actor: Actor,
    webhook_id: UUID,
    *,
    state: DeliveryState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """What was and is owed to a webhook, newest first, beginning after the one with the id ``after``."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    await _row(unit, webhook_id)
    mine = (DeliveryRow.workspace_id == unit.workspace_id) & (DeliveryRow.webhook_id == webhook_id)
    query = select(DeliveryRow).where(mine)
    if state:
        query = query.where(DeliveryRow.state == state.value)
    if after:
        place = select(DeliveryRow.created_at, DeliveryRow.id).where(mine, DeliveryRow.id == after)
        query = query.where(tuple_(DeliveryRow.created_at, DeliveryRow.id) < place.scalar_subquery())
    query = query.order_by(DeliveryRow.created_at.desc(), DeliveryRow.id.desc()).limit(limit)
    return [_delivery(row) for row in await unit.session.scalars(query)]


async def send_again(unit: Unit, actor: Actor, webhook_id: UUID, delivery_id: UUID) -> None:
    """Owe once more what was given up, or acknowledged and lost on the other side. The message keeps its id."""
    authorize(actor, Action.MANAGE_INTEGRATIONS)
    found = await unit.session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.workspace_id == unit.workspace_id,
            DeliveryRow.webhook_id == webhook_id,
            DeliveryRow.id == delivery_id,
        )
        .values(
            state=DeliveryState.PENDING.value,
            attempts=0,
            due_at=unit.machine.now(),
            lease_until=None,
            done_at=None,
        )
        .returning(DeliveryRow.id)
    )
    if found.scalar_one_or_none() is None:
        raise not_found("delivery", delivery_id)
    await audit(unit, actor, "delivery_repeated", str(delivery_id))


async def _row(unit: Unit, webhook_id: UUID) -> WebhookRow:
    query = select(WebhookRow).where(
        WebhookRow.workspace_id == unit.workspace_id, WebhookRow.id == webhook_id
    )
    found = (await unit.session.scalars(query)).one_or_none()
    if found is None:
        raise not_found("webhook", webhook_id)
    return found


def secret_place(webhook_id: UUID) -> str:
    """Where a webhook's sealed secret lives; it opens nowhere else."""
    return f"webhooks/{webhook_id}/secret"


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(
        row.id, row.url, row.note, tuple(EventKind(k) for k in row.kinds), row.active, row.paused_because, row.created_at
    )  # fmt: skip


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        row.id, row.webhook_id, row.event_id, DeliveryState(row.state), row.attempts, row.due_at, row.status, row.answer,
        row.created_at, row.done_at,
    )  # fmt: skip
