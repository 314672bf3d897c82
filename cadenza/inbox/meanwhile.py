"""What happened in a conversation while somebody wrote an answer: it is told before anything is sent."""

from collections.abc import Sequence
from uuid import UUID

from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.identity.service import team_around
from cadenza.inbox.contracts import ConversationState, Meanwhile, Thread, ThreadItem
from cadenza.ledger.contracts import Event, EventKind
from cadenza.ledger.service import timeline

_LOOKED_AT = 100  # of the newest answers and closings of one person


async def came_between(
    unit: Unit, actor: Actor, thread: Thread, *, seen: UUID | None, although_closed: bool = False
) -> tuple[Meanwhile, ...]:
    """What came after the message ``seen`` (None asks for no messages), and the closing unless it is known; in order."""
    newer = thread.since(seen) if seen is not None else ()
    closed = thread.conversation.state is ConversationState.CLOSED and not although_closed
    if not newer and not closed:
        return ()
    events = await _told(unit, thread)
    team = await team_around(unit, actor, {each.member_id for each in events if each.member_id})
    names = {member.id: member.name for member in team.members}
    found = [_message(item, events, names) for item in newer]
    return (*found, _closing(events, names)) if closed else tuple(found)


async def _told(unit: Unit, thread: Thread) -> Sequence[Event]:
    """Who answered and closed, newest first."""
    contact, kinds = thread.conversation.contact_id, (EventKind.ANSWERED, EventKind.CLOSED)
    return await timeline(unit, contact_id=contact, kinds=kinds, limit=_LOOKED_AT) if contact else ()


def _message(item: ThreadItem, events: Sequence[Event], names: dict[UUID, str]) -> Meanwhile:
    if item.by == "them":
        return Meanwhile("them", item.name, item.came_at)
    told = next((each for each in events if each.touch_id == item.touch_id), None)
    return Meanwhile("us", names.get(told.member_id, "") if told and told.member_id else "", item.came_at)


def _closing(events: Sequence[Event], names: dict[UUID, str]) -> Meanwhile:
    told = next((each for each in events if each.kind is EventKind.CLOSED), None)
    if told is None:
        return Meanwhile("closed", "", None)
    return Meanwhile("closed", names.get(told.member_id, "") if told.member_id else "", told.at)


def check_seen(found: Sequence[Meanwhile]) -> None:
    """Raises ``CadenzaError`` (conflict), with a problem for each thing that the writer has not seen."""
    if found:
        raise CadenzaError(
            "conversation_moved",
            "This conversation has moved on since it was read; nothing was sent.",
            Kind.CONFLICT,
            fix="Read it again. If the answer still fits, send it as knowing the newest message, and the closing where it is closed.",
            problems=tuple(map(_problem, found)),
        )


def _problem(each: Meanwhile) -> Problem:
    who = each.who or "Cadenza"
    at = f"{each.at:%Y-%m-%d %H:%M} UTC" if each.at else ""
    if each.what == "closed":
        words = f"{who} closed it: {at}." if at else "It is closed."
        return Problem(words, key="although_closed", code="closed")
    return Problem(f"{who} wrote in between: {at}.", key="seen", code="newer_message")
