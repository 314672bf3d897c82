"""What an assistant may ask about the work that waits for people."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from cadenza.identity.contracts import Action
from cadenza.ledger.contracts import WorkKind
from cadenza.ledger.service import work_items
from cadenza.web.tools import Call, Does, Given, Limit, Outside, Part, Told, Toolbox, listed

TOOLS = Toolbox()


class WorkAsked(Given):
    kinds: list[WorkKind] = Field(default_factory=list, max_length=20, description="All kinds where empty")
    owner_id: UUID | None = None
    limit: Limit = 20


class WorkTold(Told):
    id: UUID
    kind: WorkKind
    title: Outside
    detail: Outside
    due_at: datetime
    contact_id: UUID | None
    touch_id: UUID | None
    conversation_id: UUID | None
    owner_id: UUID | None


@TOOLS.add(Does.READS, Action.READ, "Work items")
async def list_work(call: Call, given: WorkAsked) -> Part[WorkTold]:
    """What a person should do, the earliest due first; at most 50."""
    found = await work_items(
        call.unit, call.actor, kinds=given.kinds, owner_id=given.owner_id, limit=given.limit
    )
    return listed(found, WorkTold)
