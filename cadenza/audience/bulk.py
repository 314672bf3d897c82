"""One change to many people: stop writing, set a field, remove; each to be taken back for a day.

Who is meant is frozen first, with what stood there before; the change and its undo read that list. A batch of people is
changed within the request; more are changed by a job, batch by batch, which can be watched, cancelled and taken back. A
stop made here is lifted only by whoever may lift stops, with a reason that goes into the audit trail; an opt-out of the
person's own stands.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, literal, or_, select, text
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB

from cadenza.audience.bulk_store import BATCH, change_row, step
from cadenza.audience.contracts import BulkChange, BulkKind, BulkState, FieldKind
from cadenza.audience.field_values import normal_value
from cadenza.audience.fields import kinds_of
from cadenza.audience.models import BulkChangeRow, BulkItemRow, ContactRow
from cadenza.audience.people import chosen
from cadenza.audience.segment_rules import Group
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.jobs import enqueue
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, may

BULK_JOB = "audience.change_many"
UNDO_FOR = timedelta(hours=24)
MOST = 100_000
AT_ONCE = BATCH  # people that are changed within the request; more are a job
_ON_ITS_WAY = [state.value for state in (BulkState.WAITING, BulkState.RUNNING, BulkState.UNDOING)]
_LOCK = text("select pg_advisory_xact_lock(hashtextextended('change to many ' || :workspace, 0))")

NEEDS = {
    BulkKind.STOP: Action.SUPPRESS,
    BulkKind.SET_FIELD: Action.EDIT_CONTACTS,
    BulkKind.REMOVE: Action.IMPORT_CONTACTS,
}


@dataclass(frozen=True, slots=True)
class Whom:
    """These people, or, where no ids are given, everybody of a filter and a search."""

    rule: Group
    query: str = ""
    ids: tuple[UUID, ...] = ()


async def how_many(unit: Unit, actor: Actor, whom: Whom) -> int:
    """How many people are meant now."""
    authorize(actor, Action.READ)
    query = select(func.count()).select_from(ContactRow).where(*await _fits(unit, whom))
    return await unit.session.scalar(query) or 0


async def _fits(unit: Unit, whom: Whom) -> list[ColumnElement[bool]]:
    fits = await chosen(unit, whom.rule, whom.query)
    return [*fits, ContactRow.id.in_(whom.ids)] if whom.ids else fits


async def change_many(
    unit: Unit,
    actor: Actor,
    kind: BulkKind,
    whom: Whom,
    *,
    field: str = "",
    value: str = "",
    expected: int | None = None,
) -> BulkChange:
    """Do it to everybody meant: up to ``AT_ONCE`` people now, more by a job that this transaction queues.

    ``expected`` is how many people whoever asks believes to mean. Raises ``CadenzaError`` for nobody, too many, another
    number than was expected, a value that the field cannot hold, or a job while another one is on its way.
    """
    authorize(actor, NEEDS[kind])
    normal = await _field_value(unit, field, value) if kind is BulkKind.SET_FIELD else None
    await _forget_old(unit)
    row = await _frozen(unit, actor, kind, whom, field=field, value=normal, expected=expected)
    with unit.session.no_autoflush:  # the row is written once, with what became of it
        if row.people > AT_ONCE:
            await _queue(unit, row)
        else:
            while await step(unit, row, actor):
                pass
    await audit(
        unit, actor, f"bulk_{kind.value}", str(row.id), people=row.people, field=field, value=normal or ""
    )
    return _as_change(row)


async def _frozen(
    unit: Unit,
    actor: Actor,
    kind: BulkKind,
    whom: Whom,
    *,
    field: str,
    value: str | None,
    expected: int | None,
) -> BulkChangeRow:
    """The change with the list of those who are meant; nobody is changed yet."""
    row = BulkChangeRow(
        workspace_id=unit.workspace_id, id=new_id(), at=unit.machine.now(), member_id=actor.member_id, kind=kind.value,
        state=BulkState.WAITING.value, people=0, done=0, left_out=0, field=field or None, value=value,
    )  # fmt: skip
    unit.session.add(row)
    await unit.session.flush()
    row.people = await _freeze(unit, row, whom)
    if expected is not None and row.people != expected:
        raise CadenzaError(
            "people_changed",
            f"{row.people} people fit now, not {expected}.",
            Kind.CONFLICT,
            fix="Nothing was changed; look again who is meant.",
        )
    return row


async def _queue(unit: Unit, row: BulkChangeRow) -> None:
    """Have a worker do what is left. One of a workspace at a time: a second would wait behind the first for nobody's good."""
    await unit.session.execute(_LOCK, {"workspace": str(unit.workspace_id)})
    query = select(BulkChangeRow).where(
        BulkChangeRow.workspace_id == unit.workspace_id,
        BulkChangeRow.state.in_(_ON_ITS_WAY),
        BulkChangeRow.id != row.id,
    )
    if (other := await unit.session.scalar(query.limit(1))) is not None:
        raise CadenzaError(
            "change_running",
            f"A change to {other.people} people is still on its way.",
            Kind.CONFLICT,
            fix=f"Nothing was changed. Wait for it or cancel it at /contacts/changes/{other.id}; up to {AT_ONCE} people "
            "can be changed meanwhile.",
        )
    await enqueue(unit.session, BULK_JOB, workspace_id=str(unit.workspace_id), change_id=str(row.id))


async def run_change(database: Database, *, workspace_id: str, change_id: str) -> None:
    """Do, or take back, what is left of a change. Safe to run again, and beside another run: each batch is done once."""
    more = True
    while more:
        async with database.unit(UUID(workspace_id)) as unit:
            more = await step(unit, await change_row(unit, UUID(change_id), lock=True))


async def _field_value(unit: Unit, field: str, value: str) -> str:
    kinds = await kinds_of(unit)
    if field not in kinds:
        raise not_found("field", field[:60])
    normal = normal_value(kinds[field], value) if len(value) <= 2000 else None
    if not normal or "\0" in normal:
        message = f"{value[:80]!r} is no {FieldKind(kinds[field]).words}."
        raise CadenzaError("field_value", message, fix="Nothing was changed; correct the value.")
    return normal


async def _freeze(unit: Unit, row: BulkChangeRow, whom: Whom) -> int:
    """Write down who is meant, with the field's value before; how many they are."""
    before = (
        func.jsonb_strip_nulls(
            func.jsonb_build_object("value", func.jsonb_extract_path(ContactRow.custom, row.field or ""))
        )
        if row.field
        else sql_cast(literal("{}"), JSONB)
    )
    people = (
        select(literal(unit.workspace_id), literal(row.id), ContactRow.id, before)
        .where(*await _fits(unit, whom))
        .limit(MOST + 1)
    )
    columns = ["workspace_id", "change_id", "contact_id", "before"]
    statement = insert(BulkItemRow).from_select(columns, people)
    done: Any = await unit.session.execute(statement, execution_options={"preserve_rowcount": True})
    if done.rowcount == 0:
        raise CadenzaError("nobody_chosen", "Nobody fits.", fix="Nothing was changed; choose people first.")
    if done.rowcount > MOST:
        raise CadenzaError(
            "too_many_people",
            f"More than {MOST} people fit.",
            Kind.TOO_MANY,
            fix="Nothing was changed; narrow the filter.",
        )
    return int(done.rowcount)


async def changes(unit: Unit, actor: Actor) -> list[BulkChange]:
    """The changes that are on their way or can still be taken back, newest first."""
    authorize(actor, Action.READ)
    query = (
        select(BulkChangeRow)
        .where(
            BulkChangeRow.workspace_id == unit.workspace_id,
            BulkChangeRow.undone_at.is_(None),
            BulkChangeRow.at > unit.machine.now() - UNDO_FOR,
            or_(BulkChangeRow.done > 0, BulkChangeRow.state.in_(_ON_ITS_WAY)),
        )
        .order_by(BulkChangeRow.at.desc())
        .limit(10)
    )
    return [_as_change(row) for row in await unit.session.scalars(query)]


async def change(unit: Unit, actor: Actor, change_id: UUID) -> BulkChange:
    """Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.READ)
    return _as_change(await change_row(unit, change_id))


def may_undo(actor: Actor, change: BulkChange) -> bool:
    return may(actor.role, _undo_needs(change.kind))


def _undo_needs(kind: BulkKind) -> Action:
    return Action.LIFT_STOPS if kind is BulkKind.STOP else NEEDS[kind]


def may_cancel(actor: Actor, change: BulkChange) -> bool:
    return not change.over and may(actor.role, _cancel_needs(change.kind, change.state))


def _cancel_needs(kind: BulkKind, state: BulkState) -> Action:
    return _undo_needs(kind) if state is BulkState.UNDOING else NEEDS[kind]


async def cancel(unit: Unit, actor: Actor, change_id: UUID) -> BulkChange:
    """End a change, or its undo, after the batch that runs: the people so far stay as they are now, and it can be taken
    back. One that is over is left as it is. Raises ``CadenzaError``.
    """
    authorize(actor, Action.READ)
    row = await change_row(unit, change_id, lock=True)
    authorize(actor, _cancel_needs(BulkKind(row.kind), BulkState(row.state)))
    if row.state in _ON_ITS_WAY:
        row.state = BulkState.CANCELLED.value
        await audit(unit, actor, f"bulk_{row.kind}_cancelled", str(row.id), people=row.done)
    return _as_change(row)


async def undo(unit: Unit, actor: Actor, change_id: UUID, *, reason: str = "") -> BulkChange:
    """Take a change back, or as much of it as was done: by a job where it is of more than ``AT_ONCE`` people.

    Lifting stops needs the right to and a reason. Raises ``CadenzaError``.
    """
    authorize(actor, Action.READ)
    row = await change_row(unit, change_id, lock=True)
    kind = BulkKind(row.kind)
    authorize(actor, _undo_needs(kind))
    _check_undo(unit, row, reason.strip())
    row.state, row.left_out = BulkState.UNDOING.value, 0
    await audit(
        unit, actor, f"bulk_{row.kind}_undone", str(row.id), people=row.done, reason=reason.strip()[:500]
    )
    await unit.session.flush()
    if row.done > AT_ONCE:
        await _queue(unit, row)
    else:
        while await step(unit, row):
            pass
    return _as_change(row)


def _check_undo(unit: Unit, row: BulkChangeRow, reason: str) -> None:
    if row.state in _ON_ITS_WAY:
        fix = "Wait until it is over, or cancel it first."
        raise CadenzaError("change_running", "This is still on its way.", Kind.CONFLICT, fix=fix)
    if row.state == BulkState.UNDONE.value or row.at <= unit.machine.now() - UNDO_FOR:
        raise CadenzaError("undo_over", "This can no longer be taken back.", Kind.CONFLICT)
    if row.kind == BulkKind.STOP.value and not reason:
        raise CadenzaError(
            "reason_missing",
            "A stop is lifted only with a reason.",
            fix="Say why; it stands in the audit trail.",
        )


def _as_change(row: BulkChangeRow) -> BulkChange:
    return BulkChange(
        row.id, row.at, BulkKind(row.kind), BulkState(row.state), row.people, row.done, row.left_out, row.field, row.value,
        row.undone_at, row.at + UNDO_FOR,
    )  # fmt: skip


async def _forget_old(unit: Unit) -> None:
    """What stood there before is kept only as long as it can be taken back."""
    old = select(BulkChangeRow.id).where(
        BulkChangeRow.workspace_id == unit.workspace_id,
        BulkChangeRow.at <= unit.machine.now() - UNDO_FOR,
        BulkChangeRow.state.not_in(_ON_ITS_WAY),
    )
    mine = BulkItemRow.workspace_id == unit.workspace_id
    await unit.session.execute(delete(BulkItemRow).where(mine, BulkItemRow.change_id.in_(old)))
