"""Who gets a conversation: the member who fits its writer best, by the one choice that all routing uses."""

from uuid import UUID

from sqlalchemy import func, select

from cadenza.audience.service import load_recipients
from cadenza.core.unit import Unit
from cadenza.identity.service import Assignment, Question, counts_as_load
from cadenza.inbox import repository
from cadenza.inbox.models import ConversationRow
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import assign, record_events


@counts_as_load
async def open_conversations_of_members(unit: Unit) -> dict[UUID, int]:
    query = (
        select(ConversationRow.assignee_id, func.count())
        .where(
            ConversationRow.workspace_id == unit.workspace_id,
            ConversationRow.state == "open",
            ConversationRow.assignee_id.is_not(None),
        )
        .group_by(ConversationRow.assignee_id)
    )
    return {member: count for member, count in await unit.session.execute(query) if member}


async def route(unit: Unit, conversation_id: UUID, *, language: str | None = None) -> UUID | None:
    """Gives a conversation that nobody has to whoever fits; whose it is now, if anybody's."""
    found = await repository.conversation(unit, conversation_id)
    if found is None or found.assignee_id is not None:
        return found.assignee_id if found else None
    chosen = await choose_for(unit, found.contact_id, language=language)
    if chosen.member is None:
        return None
    await repository.update_conversation(unit, conversation_id, assignee_id=chosen.member.id)
    event = NewEvent(
        kind=EventKind.ASSIGNED, origin="inbox", contact_id=found.contact_id, campaign_id=found.campaign_id,
        data={"assignee_id": str(chosen.member.id), "reason": chosen.reason},
    )  # fmt: skip
    await record_events(unit, [event])
    return chosen.member.id


async def choose_for(unit: Unit, contact_id: UUID | None, *, language: str | None = None) -> Assignment:
    """Asks for somebody who fits this person: their country, the language they write, their company's industry."""
    people = await load_recipients(unit, [contact_id]) if contact_id else {}
    person = people.get(contact_id) if contact_id else None
    industry = (person.facts.get("account") or {}).get("industry") if person else None
    question = Question(
        country=(person.country or "") if person else "",
        language=language or (person.language if person else None) or "",
        industry=industry or "",
    )
    return await assign(unit, question, contact_id=contact_id)
