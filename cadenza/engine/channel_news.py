"""What providers and people tell of LinkedIn and the phone, as far as it concerns touches and sequences."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement

from cadenza.audience.contracts import Channel
from cadenza.audience.service import find_by_address
from cadenza.channels.contracts import ChannelAccount, Incoming, IncomingKind
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import News, TouchState
from cadenza.engine.explain import as_touch
from cadenza.engine.models import TouchRow
from cadenza.engine.record import event_of, sent_kinds
from cadenza.engine.responses import end_sequences
from cadenza.engine.sequence import go_on, take_over
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

# What each tells of a touch; a call that somebody took has arrived.
_EVENTS = {
    IncomingKind.ACCEPTED: (EventKind.ACCEPTED,),
    IncomingKind.REACTED: (EventKind.REACTED,),
    IncomingKind.VIEWED: (EventKind.OPENED,),
    IncomingKind.CONNECTED: (EventKind.DELIVERED, EventKind.CONNECTED),
    IncomingKind.CALL_BACK: (EventKind.DELIVERED, EventKind.CONNECTED),
    IncomingKind.MEETING: (EventKind.DELIVERED, EventKind.CONNECTED, EventKind.MEETING_AGREED),
    IncomingKind.NO_ANSWER: (EventKind.NO_ANSWER,),
    IncomingKind.REACHED_MACHINE: (EventKind.NO_ANSWER,),
    IncomingKind.WRONG_NUMBER: (EventKind.NO_ANSWER,),
}
_TELLS_NOTHING_DONE = frozenset({IncomingKind.NOT_DONE, IncomingKind.MISSED, IncomingKind.VOICEMAIL})


async def take_news(unit: Unit, account: ChannelAccount, told: Incoming) -> News:
    """Make events of it, and let the sequence follow. What somebody wrote or said is for the inbox."""
    row = await _touch(unit, account, told)
    contact_id = row.contact_id if row else await _contact(unit, account, told)
    if row is None:
        return News(None, contact_id)
    if told.kind is IncomingKind.NOT_DONE:
        await _not_done(unit, row, told)
    elif told.kind not in _TELLS_NOTHING_DONE:
        await _done(unit, row, told)
    await _follow(unit, row, told)
    return News(as_touch(row), contact_id)


async def _touch(unit: Unit, account: ChannelAccount, told: Incoming) -> TouchRow | None:
    """By its own id, by what the provider called it, else the last one to that person by this account."""
    of_account = TouchRow.channel_account_id == account.id
    found: Sequence[TouchRow] = ()
    if told.touch_id:
        found = await repository.touches(unit, TouchRow.id == told.touch_id)
    if not found and told.reference:
        found = await repository.touches(unit, of_account, TouchRow.reference == told.reference)
    if not found and told.person:
        found = await _to_person(unit, of_account, told)
    return found[-1] if found else None


async def _to_person(unit: Unit, of_account: ColumnElement[bool], told: Incoming) -> Sequence[TouchRow]:
    """An invitation is what an acceptance answers; else whatever came last."""
    profile = str(told.data.get("profile", ""))
    to_them = (TouchRow.person == told.person) | TouchRow.recipient.in_([told.person, profile])
    action = [TouchRow.action == "connect"] if told.kind is IncomingKind.ACCEPTED else []
    return await repository.touches(unit, of_account, to_them, *action)


async def _contact(unit: Unit, account: ChannelAccount, told: Incoming) -> UUID | None:
    """Somebody we know who was not written to by this account."""
    address = str(told.data.get("profile", "")) or told.person or ""
    kind = Channel.LINKEDIN if account.channel == "linkedin" else Channel.PHONE
    return await find_by_address(unit, kind, address) if address else None


async def _done(unit: Unit, row: TouchRow, told: Incoming) -> None:
    """A person did what they were asked for: from now on the sequence goes on."""
    if row.state != TouchState.WITH_PERSON.value:
        return
    update = {
        "id": row.id,
        "sent_at": told.at,
        "retry_at": None,
        "wire": {"stage": "work", "text": told.kind.value},
    }
    await repository.record(unit, [update], TouchState.SENT)
    await record_events(unit, [event_of(row, kind, _by(told)) for kind in sent_kinds(row.channel)])
    await go_on(unit, [row.enrolment_id] if row.enrolment_id else [])


async def _not_done(unit: Unit, row: TouchRow, told: Incoming) -> None:
    """By hand it was not done at all, so its fallback takes over; a call that was begun has only met nobody."""
    why = told.text or "it could not be done"
    if row.state != TouchState.WITH_PERSON.value:
        await record_events(unit, [event_of(row, EventKind.NO_ANSWER, {"why": why})])
        return
    update = {"id": row.id, "sent_at": None, "retry_at": None, "wire": {"stage": "work", "text": why[:1000]}}
    await repository.record(unit, [update], TouchState.DROPPED)
    if row.enrolment_id:
        await take_over(unit, {row.enrolment_id: why})


async def _follow(unit: Unit, row: TouchRow, told: Incoming) -> None:
    data = _by(told) | ({"note": told.text[:300]} if told.text else {})
    await record_events(unit, [event_of(row, kind, data) for kind in _EVENTS.get(told.kind, ())])
    if told.kind is IncomingKind.MEETING:
        await end_sequences(unit, row.contact_id, "meeting")


def _by(told: Incoming) -> dict[str, str]:
    return {"by": str(told.data["by"])} if told.data.get("by") else {}


def reply_event(news: News, message_id: UUID | None) -> NewEvent:
    """That they answered, by whatever channel."""
    touch = news.touch
    return NewEvent(
        kind=EventKind.REPLIED,
        origin="inbox",
        contact_id=news.contact_id,
        campaign_id=touch.campaign_id if touch else None,
        step=touch.step if touch else None,
        variant=touch.variant if touch else None,
        touch_id=touch.id if touch else None,
        message_id=message_id,
    )
