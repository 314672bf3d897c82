"""*Assisted*: a person does what the step asks for, from a work item, and says what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from cadenza.channels.accounts_store import account_row, as_account, store_incoming
from cadenza.channels.channel_base import AccountChannel
from cadenza.channels.contracts import (
    ChannelAccount,
    ChannelHealth,
    Errand,
    Incoming,
    IncomingKind,
    Outcome,
    WireReply,
)
from cadenza.channels.models import ErrandRow
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import finish_work_items, open_work_items

# What somebody may say afterwards, in the order of the page. "accepted" and "replied" are seen later, on LinkedIn itself.
OUTCOMES = {
    "linkedin": (IncomingKind.DONE, IncomingKind.NOT_DONE, IncomingKind.ACCEPTED, IncomingKind.REPLIED),
    "phone": (
        IncomingKind.CONNECTED, IncomingKind.NO_ANSWER, IncomingKind.REACHED_MACHINE, IncomingKind.CALL_BACK,
        IncomingKind.MEETING, IncomingKind.WRONG_NUMBER, IncomingKind.NOT_DONE,
    ),
}  # fmt: skip
_LATER = frozenset({IncomingKind.ACCEPTED, IncomingKind.REPLIED})
_PAGE = "/work"


@dataclass(frozen=True, slots=True)
class Job:
    """One errand for a person. ``outcome`` is what was said of it; None while it waits."""

    id: UUID
    account: ChannelAccount
    errand: Errand
    outcome: IncomingKind | None


class AssistedChannel(AccountChannel):
    """``send`` makes a work item; it can be in no doubt, because it is one row for one touch."""

    async def health(self) -> ChannelHealth:
        return ChannelHealth(ok=True, detail="People do it by hand.")

    async def send(self, errand: Errand) -> WireReply:
        if (still := await self._stands_still(errand)) is not None:
            return still
        async with self._database.unit(self.account.workspace_id) as unit:
            job = await _make(unit, self.account, errand)
        return WireReply(errand.touch_id, Outcome.ACCEPTED, "work", reference=str(job))

    async def find(self, errand: Errand) -> WireReply | None:
        async with self._database.unit(self.account.workspace_id) as unit:
            row = await _of_touch(unit, errand.touch_id)
        return None if row is None else WireReply(errand.touch_id, Outcome.ACCEPTED, "look_up", reference=str(row.id))  # fmt: skip

    async def fetch(self, since: datetime) -> Sequence[Incoming]:  # noqa: ARG002 - the protocol's
        """Nothing: what people say is stored at once."""
        return ()


async def _make(unit: Unit, account: ChannelAccount, errand: Errand) -> UUID:
    """The same job and the same work item however often one touch is sent."""
    if (known := await _of_touch(unit, errand.touch_id)) is not None:
        return known.id
    row = ErrandRow(
        workspace_id=unit.workspace_id, id=new_id(), account_id=account.id, touch_id=errand.touch_id, action=errand.action,
        recipient=errand.recipient, name=errand.name, subject=errand.subject, text=errand.text, script=errand.script,
        thread=errand.thread, zone=errand.zone, contact_id=errand.contact_id, at=errand.at, created_at=unit.machine.now(),
    )  # fmt: skip
    unit.session.add(row)
    await unit.session.flush()
    phone = account.channel == "phone"
    item = NewWorkItem(
        kind=WorkKind.CALL if phone else WorkKind.LINKEDIN, key=_key(row.id), title=_title(errand), queue="calls" if phone else "linkedin",
        due_at=errand.at, detail=errand.script or errand.text, contact_id=errand.contact_id, touch_id=errand.touch_id,
        owner_id=account.owner_id, address=f"{_PAGE}/{row.id}",
    )  # fmt: skip
    await open_work_items(unit, [item])
    return row.id


def _title(errand: Errand) -> str:
    who = errand.name or errand.recipient
    words = {
        "view_profile": f"Visit the profile of {who}",
        "connect": f"Ask {who} to connect",
        "message": f"Write to {who} on LinkedIn",
        "call": f"Call {who}",
    }
    return words.get(errand.action, f"{errand.action} {who}")


async def job_of(unit: Unit, actor: Actor, job_id: UUID) -> Job:
    """What a person is asked to do. Raises ``CadenzaError``: not allowed, not found."""
    authorize(actor, Action.READ)
    row = await _row(unit, job_id)
    account = as_account(await account_row(unit, row.account_id))
    return Job(row.id, account, _errand(row), IncomingKind(row.outcome) if row.outcome else None)


async def say_outcome(unit: Unit, actor: Actor, job_id: UUID, outcome: IncomingKind, note: str = "") -> Job:
    """What came of it; the first answer holds, and the work item is done.

    That somebody accepted or answered is seen later, so it may be added to what was done. Raises ``CadenzaError``: not
    allowed, not found, ``outcome_unknown``, ``outcome_said`` when another was said before.
    """
    authorize(actor, Action.ANSWER)
    row = await _row(unit, job_id)
    account = as_account(await account_row(unit, row.account_id))
    _check(account.channel, row.outcome, outcome)
    if row.outcome is None:
        row.outcome, row.outcome_at = outcome.value, unit.world.now()
        await unit.session.flush()
    key = f"work/{row.id}/{outcome.value}" if outcome in _LATER else f"work/{row.id}"
    told = Incoming(
        key=key, kind=outcome, at=unit.world.now(), reference=str(row.id), person=row.recipient, thread=row.thread, text=note,
        touch_id=row.touch_id, data={"by": str(actor.member_id) if actor.member_id else ""},
    )  # fmt: skip
    await store_incoming(unit, account.id, [told])
    await finish_work_items(unit, keys=_key(row.id), member_id=actor.member_id)
    return Job(row.id, account, _errand(row), IncomingKind(row.outcome))


async def withdraw_jobs(unit: Unit, touch_ids: Sequence[UUID]) -> None:
    """Nobody is asked for these any more; whoever has the page open is told that it was said already."""
    await unit.session.execute(
        update(ErrandRow)
        .where(
            ErrandRow.workspace_id == unit.workspace_id,
            ErrandRow.touch_id.in_(touch_ids),
            ErrandRow.outcome.is_(None),
        )
        .values(outcome=IncomingKind.NOT_DONE.value, outcome_at=unit.world.now())
    )


def _check(channel: str, said: str | None, outcome: IncomingKind) -> None:
    allowed = OUTCOMES[channel]
    if outcome not in allowed:
        raise CadenzaError(
            "outcome_unknown",
            f"{outcome.value} is no outcome of this.",
            fix=f"Say one of {', '.join(each.value for each in allowed)}.",
        )
    if said is not None and said != outcome.value and outcome not in _LATER:
        raise CadenzaError(
            "outcome_said",
            f"It was said already that this is {said}.",
            Kind.CONFLICT,
            fix="Note what is different at the person.",
        )


async def _row(unit: Unit, job_id: UUID) -> ErrandRow:
    """While nobody else changes it."""
    row = await unit.session.get(ErrandRow, (unit.workspace_id, job_id), with_for_update=True)
    if row is None:
        raise not_found("job", job_id)
    return row


async def _of_touch(unit: Unit, touch_id: UUID) -> ErrandRow | None:
    query = select(ErrandRow).where(
        ErrandRow.workspace_id == unit.workspace_id, ErrandRow.touch_id == touch_id
    )
    return (await unit.session.scalars(query)).one_or_none()


def _errand(row: ErrandRow) -> Errand:
    return Errand(
        touch_id=row.touch_id, action=row.action, recipient=row.recipient, at=row.at, name=row.name, subject=row.subject,
        text=row.text, script=row.script, thread=row.thread, zone=row.zone, contact_id=row.contact_id,
    )  # fmt: skip


def _key(job_id: UUID) -> str:
    return f"job/{job_id}/"
