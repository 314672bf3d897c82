"""Writing down what the relays said, and what follows from it for the sequence."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from cadenza.audience.service import mark_dead
from cadenza.channels.contracts import Outcome, WireReply
from cadenza.channels.service import break_mailbox
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import TouchState
from cadenza.engine.models import TouchRow
from cadenza.engine.schedule import share
from cadenza.engine.sequence import go_on, stop_enrolments, take_over
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

MAX_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(seconds=60)
_BEFORE_THE_MESSAGE = ("connect", "tls", "login", "account")
WORK = "work"  # the stage of what a person was asked to do
_DEAD = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")  # RFC 3463: no such mailbox, host or account


async def record(unit: Unit, replies: Sequence[WireReply], touches: Sequence[TouchRow]) -> None:
    """Record the relay's answer to each touch. Each ends sent, refused, deferred or in doubt; none stays open."""
    by_id = {reply.touch_id: reply for reply in replies}
    touches = [touch for touch in touches if touch.id in by_id]  # the others never went near the wire
    groups: dict[TouchState, list[TouchRow]] = defaultdict(list)
    for touch in touches:
        groups[_state(touch, by_id[touch.id])].append(touch)
    for state, members in groups.items():
        await repository.record(unit, [_update(unit, t, state, by_id[t.id]) for t in members], state)
    await record_events(
        unit,
        [e for state, members in groups.items() for t in members for e in _events(t, state, by_id[t.id])],
    )
    await go_on(unit, [t.enrolment_id for t in groups[TouchState.SENT] if t.enrolment_id])
    await _mark_broken_senders(unit, touches, by_id)
    await _refused(unit, groups[TouchState.REFUSED] + groups[TouchState.FAILED], by_id)


def _state(touch: TouchRow, reply: WireReply) -> TouchState:
    if reply.outcome is Outcome.ACCEPTED:
        return TouchState.WITH_PERSON if reply.stage == WORK else TouchState.SENT
    if reply.outcome is Outcome.IN_DOUBT:
        return TouchState.IN_DOUBT
    if reply.outcome is Outcome.REFUSED and reply.stage not in _BEFORE_THE_MESSAGE:
        return TouchState.REFUSED
    ours = reply.stage in _BEFORE_THE_MESSAGE  # the server did not even hear of this message
    return TouchState.FAILED if touch.attempts + 1 >= MAX_ATTEMPTS and not ours else TouchState.DEFERRED


def _update(unit: Unit, touch: TouchRow, state: TouchState, reply: WireReply) -> dict[str, Any]:
    wire = {"stage": reply.stage, "code": reply.code, "enhanced": reply.enhanced, "text": reply.text[:1000]}
    patience = max(back_off(touch.attempts + 1, str(touch.id)), timedelta(seconds=reply.retry_after or 0))
    retry = unit.machine.now() + patience if state is TouchState.DEFERRED else None
    return {
        "id": touch.id,
        "sent_at": unit.world.now() if state is TouchState.SENT else None,
        "retry_at": retry,
        "wire": wire,
        "reference": reply.reference[:200] if reply.reference and touch.channel_account_id else None,
        "person": reply.person[:200] if reply.person else None,
    }


def back_off(attempts: int, key: str) -> timedelta:
    """Doubling, with up to half as much again at random, so that a recovered relay is not hit by all at once."""
    doubled: int = 2 ** max(attempts - 1, 0)
    return _FIRST_PAUSE * doubled * (1 + share(f"{key}/{attempts}") / 2)


def _events(touch: TouchRow, state: TouchState, reply: WireReply) -> list[NewEvent]:
    kinds = {
        TouchState.SENT: sent_kinds(touch.channel),
        TouchState.WITH_PERSON: (EventKind.HANDED_OVER,),
        TouchState.DEFERRED: (EventKind.DEFERRED,),
        TouchState.REFUSED: (EventKind.REFUSED,),
        TouchState.FAILED: (EventKind.FAILED,),
        TouchState.IN_DOUBT: (EventKind.IN_DOUBT,),
    }[state]
    data = (
        {"stage": reply.stage, "code": reply.code, "enhanced": reply.enhanced, "text": reply.text[:300]}
        if state is not TouchState.SENT
        else {}
    )
    return [event_of(touch, kind, data) for kind in kinds]


def sent_kinds(channel: str) -> tuple[EventKind, ...]:
    """A call has arrived only once somebody took it, which is told later."""
    return (EventKind.SENT,) if channel == "phone" else (EventKind.SENT, EventKind.DELIVERED)


def event_of(touch: TouchRow, kind: EventKind, data: Mapping[str, Any] | None = None) -> NewEvent:
    return NewEvent(
        kind=kind,
        origin="engine",
        contact_id=touch.contact_id,
        campaign_id=touch.campaign_id,
        step=touch.step,
        variant=touch.variant,
        touch_id=touch.id,
        mailbox_id=touch.mailbox_id,
        data=dict(data or {}),
    )


async def _refused(unit: Unit, touches: Sequence[TouchRow], replies: Mapping[UUID, WireReply]) -> None:
    """A dead address ends the sequence and is never used again; a refusal of the sender stops the sender."""
    errands = {
        t.enrolment_id: replies[t.id].text or "refused"
        for t in touches
        if t.channel_account_id and t.enrolment_id
    }
    if errands:
        await take_over(unit, errands)
    for touch in touches:
        reply = replies[touch.id]
        if touch.channel_account_id is not None:
            continue
        if reply.stage == "rcpt" and (
            reply.enhanced in _DEAD or (reply.code == 550 and reply.enhanced is None)
        ):
            await mark_dead(
                unit,
                touch.recipient,
                source=f"refused by their server: {reply.code} {reply.enhanced or ''}".strip(),
            )
            await record_events(
                unit, [event_of(touch, EventKind.BOUNCED, {"type": "hard", "status": reply.enhanced})]
            )
            await stop_enrolments(unit, [touch.enrolment_id] if touch.enrolment_id else [], "bounce")
        elif reply.outcome is Outcome.REFUSED and (reply.enhanced or "").startswith("5.7"):
            await _sender_refused(unit, touch, reply)
        elif touch.enrolment_id:
            await go_on(unit, [touch.enrolment_id])


async def _mark_broken_senders(
    unit: Unit, touches: Sequence[TouchRow], replies: Mapping[UUID, WireReply]
) -> None:
    """A mailbox whose log-in or encryption is refused stops until a person mends it; its touches wait."""
    broken = {
        t.mailbox_id: t
        for t in touches
        if t.mailbox_id and replies[t.id].stage in ("tls", "login") and replies[t.id].code
    }
    for touch in broken.values():
        await _sender_refused(unit, touch, replies[touch.id], "refused the log-in")


async def _sender_refused(
    unit: Unit, touch: TouchRow, reply: WireReply, words: str = "refused by policy"
) -> None:
    why = f"{words}: {reply.code} {reply.enhanced or ''} {reply.text[:200]}"
    title = f"{touch.sender} may not send"
    assert touch.mailbox_id is not None  # noqa: S101 - only letters come here
    await break_mailbox(unit, touch.mailbox_id, title, why, touch_id=touch.id)
