"""What a merge of two contacts means for conversations: those of both are the one's who remains."""

from uuid import UUID

from sqlalchemy import func, select, update

from cadenza.audience.service import when_merged
from cadenza.core.unit import Unit
from cadenza.inbox.models import ConversationRow, MessageRow


async def _merged(unit: Unit, survivor: UUID, merged: UUID) -> None:
    """Threads stay the threads they were (M10). New mail goes to the survivor's, or to the other one where there was none."""
    mine = ConversationRow.workspace_id == unit.workspace_id
    there = select(func.count()).where(mine, ConversationRow.address == str(survivor))
    if not await unit.session.scalar(there):
        taken = update(ConversationRow).where(mine, ConversationRow.address == str(merged))
        await unit.session.execute(taken.values(address=str(survivor)))
    moved = update(ConversationRow).where(mine, ConversationRow.contact_id == merged)
    await unit.session.execute(moved.values(contact_id=survivor))
    messages = update(MessageRow).where(
        MessageRow.workspace_id == unit.workspace_id, MessageRow.contact_id == merged
    )
    await unit.session.execute(messages.values(contact_id=survivor))


when_merged(_merged)
