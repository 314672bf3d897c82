"""A person's say over who goes on writing: the people of a sender that will not come back get another one, and are told of nothing."""

from uuid import UUID

from sqlalchemy import func, select, update

from cadenza.channels.service import mailbox
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.engine.contracts import EnrolmentState
from cadenza.engine.ids import touch_id
from cadenza.engine.models import EnrolmentRow
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import Decision, Option
from cadenza.ledger.service import record_decisions

_GOING = (EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value)


async def people_of(unit: Unit, mailbox_id: UUID) -> int:
    """In how many running sequences this sender was the first to write."""
    query = select(func.count()).where(
        EnrolmentRow.workspace_id == unit.workspace_id,
        EnrolmentRow.mailbox_id == mailbox_id,
        EnrolmentRow.state.in_(_GOING),
    )
    return int(await unit.session.scalar(query) or 0)


async def hand_over(unit: Unit, actor: Actor, mailbox_id: UUID, to: UUID) -> int:
    """Everybody whom one sender wrote to first, and whose sequence goes on, gets another sender from their next step on.

    Never done by itself, because people notice who writes to them. What waits for another try still leaves by the old one.
    How many sequences were handed over. Raises ``CadenzaError`` (conflict) where the new sender cannot send.
    """
    authorize(actor, Action.MANAGE_SENDERS)
    before, after = await mailbox(unit, mailbox_id), await mailbox(unit, to)
    if before.id == after.id:
        raise CadenzaError("hand_over_same", "It is the same sender; nothing was changed.", fix="Choose another one.")  # fmt: skip
    if not after.can_send:
        raise CadenzaError(
            "sender_broken",
            f"{after.address} cannot send: {after.why_not}",
            Kind.CONFLICT,
            fix="Choose a sender that can send; nothing was changed.",
        )
    changed = update(EnrolmentRow).where(
        EnrolmentRow.workspace_id == unit.workspace_id,
        EnrolmentRow.mailbox_id == before.id,
        EnrolmentRow.state.in_(_GOING),
    )
    rows = list(await unit.session.scalars(changed.values(mailbox_id=after.id).returning(EnrolmentRow)))
    who = actor.name or "a person"
    await record_decisions(unit, [_decision(row, before.address, after.address, who) for row in rows])
    await audit(unit, actor, "sender_handed_over", before.address, to=after.address, sequences=len(rows))
    return len(rows)


def _decision(row: EnrolmentRow, before: str, after: str, who: str) -> Decision:
    """Stands at the next touch, where somebody will ask why another sender wrote it."""
    return Decision(
        what="sender",
        options=(Option(before, 0.0), Option(after, 1.0)),
        taken=after,
        reason=f"handed over from {before} by {who}",
        policy="hand_over",
        version=1,
        touch_id=touch_id(row.id, row.step),
        contact_id=row.contact_id,
    )
