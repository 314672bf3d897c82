"""What an assistant proposes and a person decides: an item on Today that leads to the page where it can be done."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.models import WorkItemRow
from cadenza.ledger.work import open_work_items

MOST_OPEN = 50  # proposals of a workspace: more would bury what people have to do
_QUEUE = "sales"


async def propose(unit: Unit, actor: Actor, *, title: str, detail: str, address: str) -> None:
    """Put it on Today, for the team. ``address`` is the path of the page where a person does it. Raises ``CadenzaError``."""
    authorize(actor, Action.EDIT_CONTACTS)
    open_ones = select(func.count()).where(
        WorkItemRow.workspace_id == unit.workspace_id,
        WorkItemRow.kind == WorkKind.PROPOSAL.value,
        WorkItemRow.done_at.is_(None),
    )
    if (await unit.session.scalar(open_ones) or 0) >= MOST_OPEN:
        raise CadenzaError(
            "too_many_proposals",
            f"{MOST_OPEN} proposals wait for somebody already.",
            Kind.TOO_MANY,
            fix="Nothing was added. Decide on some of them on Today first.",
        )
    item = NewWorkItem(
        kind=WorkKind.PROPOSAL, key=f"proposal/{new_id()}", title=title, detail=detail, queue=_QUEUE,
        due_at=unit.world.now() + timedelta(days=1), address=address,
    )  # fmt: skip
    await open_work_items(unit, [item])
    await audit(unit, actor, "proposed", title, address=address)


async def finish_proposal(unit: Unit, actor: Actor, item_id: UUID) -> None:
    """Somebody decided: it was done, or it will not be. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.EDIT_CONTACTS)
    done = (
        update(WorkItemRow)
        .where(
            WorkItemRow.workspace_id == unit.workspace_id,
            WorkItemRow.id == item_id,
            WorkItemRow.kind == WorkKind.PROPOSAL.value,
            WorkItemRow.done_at.is_(None),
        )
        .values(done_at=unit.machine.now(), done_by=actor.member_id)
        .returning(WorkItemRow.title)
    )
    title = (await unit.session.scalars(done)).one_or_none()
    if title is None:
        raise not_found("proposal", item_id)
    await audit(unit, actor, "proposal_decided", title)
