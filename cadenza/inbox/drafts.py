"""Answers that are being written: one draft for each conversation and member, kept until it is sent."""

from uuid import UUID

from sqlalchemy import delete, insert, select

from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.engine.service import is_answered
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize
from cadenza.inbox import repository
from cadenza.inbox.contracts import Draft
from cadenza.inbox.models import DraftRow

LONGEST = 100_000  # characters, as of an answer


async def draft_of(unit: Unit, actor: Actor, conversation_id: UUID) -> Draft | None:
    """The member's own draft in this conversation."""
    authorize(actor, Action.READ)
    row = await unit.session.scalar(
        select(DraftRow)
        .where(
            DraftRow.workspace_id == unit.workspace_id,
            DraftRow.conversation_id == conversation_id,
            DraftRow.member_id == actor.member_id,
        )
        .execution_options(populate_existing=True)
    )
    return Draft(row.text, row.saved_at) if row else None


async def save_draft(unit: Unit, actor: Actor, conversation_id: UUID, *, draft_id: UUID, text: str) -> bool:
    """Keep what is written so far; without words the draft is gone. False, and nothing kept, once it was sent.

    Raises ``CadenzaError``: not found, too long.
    """
    authorize(actor, Action.ANSWER)
    if len(text) > LONGEST:
        raise CadenzaError(
            "draft_too_long",
            "An answer has 1 to 100,000 characters.",
            fix="What was saved before is kept. Shorten it.",
        )
    # A page saves its last words at the moment when it sends them: the sending ends first.
    if not await repository.hold(unit, conversation_id):
        raise not_found("conversation", conversation_id)
    if actor.member_id is None or await is_answered(unit, draft_id):
        return False
    await forget_draft(unit, conversation_id, actor.member_id)
    if text.strip():
        row = {"conversation_id": conversation_id, "member_id": actor.member_id, "text": text}
        here = {"workspace_id": unit.workspace_id, "id": new_id(), "saved_at": unit.world.now()}
        await unit.session.execute(insert(DraftRow).values(here | row))
    return True


async def forget_draft(unit: Unit, conversation_id: UUID, member_id: UUID | None) -> None:
    await unit.session.execute(
        delete(DraftRow).where(
            DraftRow.workspace_id == unit.workspace_id,
            DraftRow.conversation_id == conversation_id,
            DraftRow.member_id == member_id,
        )
    )
