"""Touches in doubt: handed to a relay whose answer was lost. Looked up in the Sent folder, else shown to a person."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import (
    TOUCH_HEADER,
    ImapReader,
    credentials,
    give_back_actions,
    give_back_quota,
    mailbox,
    working_accounts,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.logs import logger
from cadenza.core.unit import Unit
from cadenza.engine import repository, states
from cadenza.engine.contracts import DoubtDecision, TouchState
from cadenza.engine.errand_doubts import ask_providers
from cadenza.engine.models import TouchRow
from cadenza.engine.record import event_of, sent_kinds
from cadenza.engine.senders import quotas
from cadenza.engine.sequence import go_on
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import EventKind, NewEvent, NewWorkItem, WorkKind
from cadenza.ledger.service import finish_work_items, open_work_items, record_events

_log = logger("doubts")
_TOLD_NOT_IN_FOLDER = (
    "The relay's answer was lost and the Sent folder does not hold it. Nothing is sent again until you say."
)
_TOLD_NOT_SHOWN = (
    "The provider's answer was lost and it shows nothing of this. Nothing is done again until you say."
)
_LOOKS = 2  # a copy may arrive in the folder a little later than the answer


async def rescue(unit: Unit) -> int:
    """Take back what a dead worker left: claims are due again, what was on the wire is in doubt."""
    released = await give_back(unit)
    rows = await repository.doubt_expired(unit)
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.IN_DOUBT, origin="engine", touch_id=row.id, contact_id=row.contact_id,
                campaign_id=row.campaign_id, step=row.step, variant=row.variant, mailbox_id=row.mailbox_id,
                data={"why": "the worker died before the relay's answer was recorded"},
            )
            for row in rows
        ],
    )  # fmt: skip
    return released + len(rows)


async def give_back(unit: Unit, worker: UUID | None = None, busy: Sequence[UUID] = ()) -> int:
    """Claims of the dead, or of this worker for mailboxes that are not busy, are due again; returns how many."""
    released, rows = 0, await repository.release(unit, worker, busy)
    known = await working_accounts(unit) if any(row.channel_account_id for row in rows) else []
    accounts = {account.id: account for account in known}
    for row in rows:
        if row.mailbox_id:
            await give_back_quota(unit, row.day, *quotas(row.mailbox_id, row.sender), amount=row.amount)
        else:
            account = accounts.get(row.channel_account_id)
            await give_back_actions(unit, row.day, account, row.action, row.amount) if account else None
        released += row.amount
    return released


async def settle(database: Database, workspace_id: UUID) -> int:
    """Look up every touch in doubt; returns how many were settled. Never sends."""
    async with database.unit(workspace_id) as unit:
        open_ones = await repository.touches(
            unit, TouchRow.state == TouchState.IN_DOUBT.value, TouchRow.looked_up < _LOOKS, limit=1000
        )
        boxes = {t.mailbox_id: await mailbox(unit, t.mailbox_id) for t in open_ones if t.mailbox_id}
    settled = await _settle_errands(database, workspace_id, open_ones)
    for mailbox_id, box in boxes.items():
        mine = [t for t in open_ones if t.mailbox_id == mailbox_id]
        found = await _look_up(database, workspace_id, box, mine)
        if found is None:
            continue
        async with database.unit(workspace_id) as unit:
            await mark_sent(unit, [t.id for t in mine if t.id in found], "found in the Sent folder")
            await _not_found(unit, [t for t in mine if t.id not in found])
        settled += len(found)
    return settled


async def _settle_errands(database: Database, workspace_id: UUID, touches: Sequence[TouchRow]) -> int:
    done, nothing = await ask_providers(database, workspace_id, touches)
    async with database.unit(workspace_id) as unit:
        await mark_sent(unit, list(done), "the provider shows it", done)
        await _not_found(unit, nothing)
    return len(done)


async def _look_up(
    database: Database, workspace_id: UUID, box: Mailbox, touches: Sequence[TouchRow]
) -> set[UUID] | None:
    """Which of them the Sent folder holds; None when the mailbox cannot be asked now."""
    try:
        secret = await credentials(database, workspace_id, box.id)
        async with ImapReader(box.imap, secret) as reader:
            folder = (await reader.folders()).sent
            if folder is None:
                return set()
            return {t.id for t in touches if await _is_in(reader, folder, t)}
    except CadenzaError as wrong:
        # A mailbox that cannot be asked now, or needs a person first, keeps no other's doubts from being settled.
        _log.warning("doubt_lookup_postponed", mailbox=str(box.id), code=wrong.code)
        return None


async def _is_in(reader: ImapReader, folder: str, touch: TouchRow) -> bool:
    """By Message-ID, and by our second header for providers that rewrite the first."""
    return bool(
        await reader.search(folder, "Message-ID", touch.message_id)
        or await reader.search(folder, TOUCH_HEADER, touch.id.hex)
    )


async def mark_sent(
    unit: Unit, touch_ids: Sequence[UUID], how: str, references: Mapping[UUID, str | None] | None = None
) -> None:
    """In doubt no more: it was sent. The sequence goes on. ``references`` are the providers' ids, where there are any."""
    if not touch_ids:
        return
    touches = await repository.touches(
        unit, TouchRow.id.in_(touch_ids), TouchRow.state == TouchState.IN_DOUBT.value
    )
    now = unit.world.now()
    known = references or {}
    rows = [
        {
            "id": t.id,
            "sent_at": now,
            "retry_at": None,
            "wire": {"stage": "looked up"},
            "reference": known.get(t.id),
        }
        for t in touches
    ]
    await repository.record(unit, rows, TouchState.SENT)
    kinds = {t.id: (EventKind.SETTLED, *sent_kinds(t.channel)) for t in touches}
    await record_events(unit, [event_of(t, kind, {"how": how}) for t in touches for kind in kinds[t.id]])
    await go_on(unit, [t.enrolment_id for t in touches if t.enrolment_id])
    await finish_work_items(unit, touch_ids=[t.id for t in touches])


async def _not_found(unit: Unit, touches: Sequence[TouchRow]) -> None:
    """After the last look a person is asked; nothing is sent again without them."""
    await repository.looked_up(unit, [t.id for t in touches])
    await open_work_items(
        unit,
        [
            NewWorkItem(
                kind=WorkKind.IN_DOUBT,
                key=f"doubt/{t.id}",
                title=f"Was “{t.subject or t.step}” sent?",
                detail=_TOLD_NOT_SHOWN if t.channel_account_id else _TOLD_NOT_IN_FOLDER,
                queue="sales",
                due_at=unit.world.now() + timedelta(hours=4),
                contact_id=t.contact_id,
                touch_id=t.id,
            )
            for t in touches
            if t.looked_up + 1 >= _LOOKS
        ],
    )


async def decide(unit: Unit, actor: Actor, touch_id: UUID, decision: DoubtDecision) -> None:
    """What a person says about a touch in doubt. Raises ``CadenzaError`` unless it is in doubt."""
    authorize(actor, Action.SETTLE_DOUBTS)
    found = await repository.touches(unit, TouchRow.id == touch_id)
    if not found:
        raise not_found("touch", touch_id)
    (touch,) = found
    if touch.state != TouchState.IN_DOUBT.value:
        raise CadenzaError("touch_not_in_doubt", f"This touch is {touch.state}, not in doubt.", Kind.CONFLICT)
    await audit(unit, actor, "settle_doubt", str(touch_id), decision=decision.value)
    await _apply(unit, touch, decision, actor)


async def _apply(unit: Unit, touch: TouchRow, decision: DoubtDecision, actor: Actor) -> None:
    if decision is DoubtDecision.LOOK_AGAIN:
        await repository.looked_up(unit, [touch.id], reset=True)
    elif decision is DoubtDecision.WAS_SENT:
        await mark_sent(unit, [touch.id], f"{actor.name or 'a person'} says it was sent")
    elif decision is DoubtDecision.SEND_AGAIN:
        states.check(TouchState(touch.state), TouchState.DEFERRED)
        row = {"id": touch.id, "sent_at": None, "retry_at": unit.machine.now(), "wire": None}
        await repository.record(unit, [row], TouchState.DEFERRED)
    else:
        row = {"id": touch.id, "sent_at": None, "retry_at": None, "wire": None}
        await repository.record(unit, [row], TouchState.DROPPED)
        await go_on(unit, [touch.enrolment_id] if touch.enrolment_id else [])
    await finish_work_items(unit, touch_ids=[touch.id], member_id=actor.member_id)
