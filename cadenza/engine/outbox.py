"""What leaves in the next day, by sender, and a person's say over it: keep it back, let it go on, leave it out."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from cadenza.core.errors import CadenzaError, Problem
from cadenza.core.unit import Unit
from cadenza.engine import outbox_store, repository
from cadenza.engine.contracts import Outbox, OutboxItem, OutboxState, TouchState
from cadenza.engine.explain import as_touch
from cadenza.engine.models import EnrolmentRow, TouchRow
from cadenza.engine.record import event_of
from cadenza.engine.sequence import go_on
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

AHEAD = timedelta(hours=24)
MOST = 500  # people changed at once

# Each running campaign's part comes from its own end of the index, whatever sleeps behind it.
_DUE = """
    from runs r join campaigns c on c.workspace_id = r.workspace_id and c.id = r.id
    join enrolments e on e.workspace_id = r.workspace_id and e.campaign_id = r.id
    where r.workspace_id = :workspace and r.state = 'running'
"""
_SOON = "and e.state = 'active' and e.next_due_at <= :until"
_KEPT = "and e.state = 'held' and e.kept_back and e.next_due_at is not null"
_SENDER = {
    "any": "",
    "none": "and e.mailbox_id is null",
    "one": "and e.mailbox_id = :mailbox",
}
_ITEMS = """
    select e.id, e.campaign_id, c.name as campaign, e.contact_id, e.step, e.next_due_at, e.waiting_for, e.mailbox_id
    from runs r join campaigns c on c.workspace_id = r.workspace_id and c.id = r.id
    cross join lateral (
      select * from enrolments e where e.workspace_id = r.workspace_id and e.campaign_id = r.id {which} {sender}
      order by e.next_due_at limit :limit) e
    where r.workspace_id = :workspace and r.state = 'running'
    order by e.next_due_at, e.id limit :limit
"""
# Each part by its own index; of those that leave soon, there may be a hundred thousand.
_COUNTS = """
    select mailbox_id, sum(soon)::bigint as soon, sum(kept)::bigint as kept from (
      select e.mailbox_id, count(*) as soon, 0 as kept {due} {soon} group by e.mailbox_id
      union all
      select e.mailbox_id, 0, count(*) {due} {kept} group by e.mailbox_id) parts
    group by mailbox_id
"""


async def outbox(
    unit: Unit,
    actor: Actor,
    *,
    state: OutboxState = OutboxState.SOON,
    sender: UUID | None = None,
    unassigned: bool = False,
    limit: int = 200,
) -> Outbox:
    """Steps of running campaigns that leave within a day, or that a person keeps back; the earliest first.

    ``sender`` asks for one mailbox, ``unassigned`` for people who have none yet: theirs is chosen when it leaves.
    """
    authorize(actor, Action.READ)
    which = _SOON if state is OutboxState.SOON else _KEPT
    who = _SENDER["none" if unassigned else "one" if sender else "any"]
    values = {
        "workspace": unit.workspace_id,
        "until": unit.world.now() + AHEAD,
        "mailbox": sender,
        "limit": limit,
    }
    rows = await unit.session.execute(text(_ITEMS.format(which=which, sender=who)), values)
    items = tuple(
        OutboxItem(
            enrolment_id=row.id,
            campaign_id=row.campaign_id,
            campaign=row.campaign,
            contact_id=row.contact_id,
            step=row.step,
            at=row.next_due_at,
            why=row.waiting_for,
            mailbox_id=row.mailbox_id,
        )
        for row in rows
    )
    counts = list(await unit.session.execute(text(_COUNTS.format(due=_DUE, soon=_SOON, kept=_KEPT)), values))
    return Outbox(
        items,
        soon={row.mailbox_id: row.soon for row in counts if row.soon},
        kept={row.mailbox_id: row.kept for row in counts if row.kept},
        retries=tuple(
            as_touch(row)
            for row in await repository.shown_touches(
                unit, TouchRow.state == TouchState.DEFERRED.value, limit=limit
            )
        ),
    )


async def keep_back(unit: Unit, actor: Actor, enrolment_ids: Sequence[UUID]) -> int:
    """Nothing leaves to these people in these campaigns until somebody lets it. How many are kept back by this.

    What is on the wire already cannot be kept back and is not counted.
    """
    authorize(actor, Action.HOLD_TOUCHES)
    _check(enrolment_ids)
    rows = await outbox_store.keep_back(unit, enrolment_ids)
    await _tell(unit, actor, rows, EventKind.HELD, {"why": f"kept back by {actor.name or 'a person'}"})
    await audit(unit, actor, "touches_kept_back", "outbox", people=len(rows))
    return len(rows)


async def let_go(unit: Unit, actor: Actor, enrolment_ids: Sequence[UUID]) -> int:
    """What was kept back goes on; who is away stays on hold until they are back. How many were let go."""
    authorize(actor, Action.HOLD_TOUCHES)
    _check(enrolment_ids)
    rows = await outbox_store.let_go(unit, enrolment_ids)
    await _tell(unit, actor, rows, EventKind.RESUMED, {"why": f"let go by {actor.name or 'a person'}"})
    await audit(unit, actor, "touches_let_go", "outbox", people=len(rows))
    return len(rows)


async def leave_out(unit: Unit, actor: Actor, enrolment_ids: Sequence[UUID]) -> int:
    """These people do not get their next step; the sequence goes on with the one after it. How many were left out."""
    authorize(actor, Action.HOLD_TOUCHES)
    _check(enrolment_ids)
    rows = await outbox_store.lock_next(unit, enrolment_ids)
    await _tell(unit, actor, rows, EventKind.SKIPPED, {"why": f"left out by {actor.name or 'a person'}"})
    ids = [row.id for row in rows]
    await outbox_store.let_go(unit, ids)
    await go_on(unit, ids)
    await audit(unit, actor, "touches_left_out", "outbox", people=len(rows))
    return len(rows)


async def give_up(unit: Unit, actor: Actor, touch_ids: Sequence[UUID]) -> int:
    """Messages that a server put off are not tried again; their sequences go on without them. How many were given up."""
    authorize(actor, Action.HOLD_TOUCHES)
    _check(touch_ids)
    touches = await outbox_store.lock_deferred(unit, touch_ids)
    rows = [{"id": t.id, "sent_at": None, "retry_at": None, "wire": t.wire} for t in touches]
    await repository.record(unit, rows, TouchState.DROPPED)
    why = {"why": f"left out by {actor.name or 'a person'}"}
    await record_events(unit, [event_of(t, EventKind.SKIPPED, why) for t in touches])
    await go_on(unit, [t.enrolment_id for t in touches if t.enrolment_id])
    await audit(unit, actor, "retries_given_up", "outbox", touches=len(touches))
    return len(touches)


async def _tell(
    unit: Unit, actor: Actor, rows: Sequence[EnrolmentRow], kind: EventKind, data: dict[str, str]
) -> None:
    events = [
        NewEvent(
            kind=kind, origin=actor.origin.value, contact_id=row.contact_id, campaign_id=row.campaign_id, step=row.step,
            member_id=actor.member_id, data=dict(data),
        )
        for row in rows
    ]  # fmt: skip
    await record_events(unit, events)


def _check(enrolment_ids: Sequence[UUID]) -> None:
    if not 0 < len(enrolment_ids) <= MOST:
        problem = Problem(f"choose 1 to {MOST}", key="ids")
        raise CadenzaError("outbox_choice", "Choose whom it concerns.", problems=(problem,))
