"""Trying a deferred touch again: the same message under the same id, through what may have changed meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Definition
from cadenza.campaigns.service import version
from cadenza.channels.contracts import ChannelAccount, Mailbox, MailboxState
from cadenza.channels.service import working_accounts
from cadenza.core.clock import machine_span
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import EnrolmentState, TouchState
from cadenza.engine.fleet import Fleet
from cadenza.engine.models import EnrolmentRow, RunRow, TouchRow
from cadenza.engine.record import event_of
from cadenza.engine.schedule import MEETS_WITHIN, next_common_moment, next_moment
from cadenza.engine.sequence import take_over
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import record_events
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_inside

_WHILE_PAUSED = timedelta(minutes=1)


async def claim_retries(
    unit: Unit, *, worker: UUID, limit: int, lease: timedelta, fleet: Fleet
) -> list[UUID]:
    """Claim deferred touches whose back-off is over and which may still go out now; the others wait or are dropped."""
    rows = await repository.lock_retries(unit, limit, sorted(fleet.busy))
    if not rows:
        return []
    people = await load_recipients(unit, [row.contact_id for row in rows])
    going = {
        e.id
        for e in await repository.enrolments(
            unit,
            EnrolmentRow.id.in_([row.enrolment_id for row in rows if row.enrolment_id]),
            EnrolmentRow.state == EnrolmentState.ACTIVE.value,
        )
    }
    runs = {
        run.id: run
        for run in await repository.runs(unit, RunRow.id.in_([r.campaign_id for r in rows if r.campaign_id]))
    }
    definitions = {run.id: await version(unit, run.version_id) for run in runs.values()}
    accounts = await _accounts(unit, rows)
    ready, later, dropped = [], [], []
    failed: dict[UUID, str] = {}
    for row in rows:
        if _is_over(row, people.get(row.contact_id), going):
            dropped.append(row)
        elif why := _out_of_order(row, accounts, runs, definitions):
            failed[row.id] = why
        elif moment := _not_before(unit, row, people[row.contact_id], (runs, definitions, fleet)):
            later.append({"id": row.id, "at": moment})
        else:
            ready.append(row.id)
    await repository.take_retries(unit, ready, worker, lease)
    await repository.postpone(unit, later)
    await _drop(unit, dropped)
    await _fall_back(unit, [row for row in rows if row.id in failed], failed)
    return ready


async def _accounts(unit: Unit, rows: Sequence[TouchRow]) -> dict[UUID, ChannelAccount]:
    if not any(row.channel_account_id for row in rows):
        return {}
    return {account.id: account for account in await working_accounts(unit)}


def _out_of_order(
    row: TouchRow,
    accounts: Mapping[UUID, ChannelAccount],
    runs: Mapping[UUID, RunRow],
    definitions: Mapping[UUID, Definition],
) -> str:
    """Why its account cannot do it, where the step has a fallback that can; nothing was handed over, so nothing is done twice."""
    if row.channel_account_id is None or row.campaign_id is None or row.campaign_id not in runs:
        return ""
    step = next((each for each in definitions[row.campaign_id].steps if each.id == row.step), None)
    account = accounts.get(row.channel_account_id)
    if step is None or step.fallback is None or (account is not None and account.can_send):
        return ""
    return (
        f"{account.name}: {account.state_reason or account.state.value}"
        if account
        else "its account is disconnected"
    )


async def _fall_back(unit: Unit, rows: Sequence[TouchRow], why: Mapping[UUID, str]) -> None:
    if rows:
        await _record_dropped(unit, rows)
        await take_over(unit, {row.enrolment_id: why[row.id] for row in rows if row.enrolment_id})


def _is_over(row: TouchRow, person: Recipient | None, going: set[UUID]) -> bool:
    """A stop, or the end of the sequence, ends the tries as well."""
    stopped = person is None or person.suppression is not None
    return stopped or (row.enrolment_id is not None and row.enrolment_id not in going)


def _not_before(
    unit: Unit,
    row: TouchRow,
    person: Recipient,
    known: tuple[Mapping[UUID, RunRow], Mapping[UUID, Definition], Fleet],
) -> datetime | None:
    """Machine time before which it must not be tried; None for now. An answer that a person wrote has no window."""
    runs, definitions, fleet = known
    if row.campaign_id is None or row.enrolment_id is None:
        return None
    sender = fleet.by_id.get(row.mailbox_id) if row.mailbox_id else None
    if row.campaign_id not in runs or runs[row.campaign_id].state != "running" or not _may_send(sender):
        return unit.machine.now() + _WHILE_PAUSED
    moment = _moment(unit, row, person, definitions[row.campaign_id].window, sender)
    return unit.machine.now() + machine_span(unit.world, moment - unit.world.now()) if moment else None


def _may_send(sender: Mailbox | None) -> bool:
    """A mailbox whose log-in was refused is tried all the same: so it is found when it works again."""
    return sender is None or sender.can_send or sender.state is MailboxState.BROKEN


def _moment(
    unit: Unit, row: TouchRow, person: Recipient, window: Window, sender: Mailbox | None
) -> datetime | None:
    """World time of the next try, inside the person's window and the sender's working hours; None for now."""
    now, hours, key = unit.world.now(), sender.hours if sender else None, str(row.id)
    inside = is_inside(window, now, person.timezone, person.country)
    if inside and (hours is None or is_inside(hours, now, hours.zone or "UTC", None)):
        return None
    if hours is None:
        return next_moment(now, window, person.timezone, person.country, key)
    found = next_common_moment(now, window, person.timezone, person.country, hours, key)
    return found or now + MEETS_WITHIN


async def _drop(unit: Unit, rows: Sequence[TouchRow]) -> None:
    await _record_dropped(unit, rows)
    await record_events(
        unit, [event_of(row, EventKind.SKIPPED, {"why": "a stop came before the next try"}) for row in rows]
    )


async def _record_dropped(unit: Unit, rows: Sequence[TouchRow]) -> None:
    updates = [{"id": row.id, "sent_at": None, "retry_at": None, "wire": row.wire} for row in rows]
    await repository.record(unit, updates, TouchState.DROPPED)
