"""After a restore, a clone or a failover: what the Sent folders hold that this database does not know counts as sent.

Compared by touch id (Message-ID, or our second header), because a restored database derives the same ids again; and by
recipient, for providers that rewrite the one and drop the other. Nothing is ever sent from here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from uuid import UUID

from sqlalchemy import text, update

from cadenza.audience.contracts import Channel
from cadenza.audience.service import find_by_addresses
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import TOUCH_HEADER, TRIAL_HEADER, ImapReader, credentials, mailboxes
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.logs import logger
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import EnrolmentState, TouchState
from cadenza.engine.doubts import mark_sent
from cadenza.engine.ids import touch_id
from cadenza.engine.models import EnrolmentRow, TouchRow

_log = logger("reconciling")
_HOW = "found in the Sent folder after a restore"
_AT_ONCE = 500
_LOCK = text("select pg_advisory_xact_lock(hashtextextended('reconcile ' || cast(:workspace as text), 0))")
_WAITING = (TouchState.CLAIMED.value, TouchState.SENDING.value, TouchState.DEFERRED.value)
_GOING = (EnrolmentState.ACTIVE.value, EnrolmentState.HELD.value)


@dataclass(frozen=True, slots=True)
class SentCopy:
    """One message of a Sent folder. ``touch_id`` is None where the provider left neither of our marks."""

    touch_id: UUID | None
    message_id: str
    recipient: str
    subject: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``copies`` looked at, ``counted`` as sent that were not known here, and the mailboxes that could not be asked."""

    copies: int
    counted: int
    unreachable: tuple[str, ...]


async def compare_sent(database: Database, since: datetime | None) -> Comparison:
    """Look through the Sent folder of every mailbox, from ``since`` (machine time; None: all of it)."""
    async with database.installation() as session:
        workspaces = await repository.all_workspaces(session)
    copies = counted = 0
    unreachable: list[str] = []
    for workspace_id in workspaces:
        async with database.unit(workspace_id) as unit:
            boxes = await mailboxes(unit)
        for box in boxes:
            found = await _copies(database, box, since)
            if found is None:
                unreachable.append(box.address)
                continue
            copies += len(found)
            async with database.unit(workspace_id) as unit:
                counted += await count_as_sent(unit, box, found, since)
    return Comparison(copies, counted, tuple(unreachable))


async def _copies(database: Database, box: Mailbox, since: datetime | None) -> list[SentCopy] | None:
    """None when the mailbox cannot be asked now."""
    try:
        secret = await credentials(database, box.workspace_id, box.id)
        async with ImapReader(box.imap, secret) as reader:
            folder = (await reader.folders()).sent
            if folder is None:
                return []
            return [
                copy
                async for batch in reader.newer(folder, since)
                for message in batch
                for copy in read_copy(message.raw, message.internal_date)
            ]
    except CadenzaError as wrong:
        _log.warning("comparison_postponed", mailbox=str(box.id), code=wrong.code)
        return None


def read_copy(raw: bytes, at: datetime | None) -> list[SentCopy]:
    """One for each recipient; none of a message to oneself."""
    mail = BytesParser(policy=compat32).parsebytes(raw, headersonly=True)
    if TRIAL_HEADER in mail:
        return []
    message_id = str(mail.get("Message-ID", "")).strip()
    identity = _touch_of(mail, message_id)
    recipients = getaddresses([str(value) for value in mail.get_all("To", [])])
    subject = str(mail.get("Subject", ""))
    return [SentCopy(identity, message_id, address, subject, at) for _, address in recipients if address]


def _touch_of(mail: Message, message_id: str) -> UUID | None:
    for candidate in (str(mail.get(TOUCH_HEADER, "")).strip(), message_id.strip("<>").partition("@")[0]):
        try:
            return UUID(hex=candidate)
        except ValueError:
            continue
    return None


async def count_as_sent(unit: Unit, box: Mailbox, copies: Sequence[SentCopy], since: datetime | None) -> int:
    """Make what these copies show known here; how many touches that were."""
    await unit.session.execute(_LOCK, {"workspace": str(unit.workspace_id)})
    by_touch = {copy.touch_id: copy for copy in copies if copy.touch_id}
    counted = await _settle_waiting(unit, list(by_touch))
    people = await find_by_addresses(unit, Channel.EMAIL, [copy.recipient for copy in copies])
    known = {
        t.id for t in await repository.touches(unit, TouchRow.id.in_(by_touch), limit=len(by_touch) or 1)
    }
    while fresh := await _next_touches(unit, set(people.values()), by_touch, known):
        await _insert(unit, box, fresh)
        known |= {touch for touch, _, _ in fresh}
        counted += len(fresh)
    return counted + await _by_recipient(unit, box, copies, people, known, since)


async def _settle_waiting(unit: Unit, ids: Sequence[UUID]) -> int:
    """Touches that wait here, or are in doubt, though they went out."""
    await unit.session.execute(
        update(TouchRow)
        .where(TouchRow.workspace_id == unit.workspace_id, TouchRow.id.in_(ids), TouchRow.state.in_(_WAITING))
        .values(state=TouchState.IN_DOUBT.value, lease_until=None, retry_at=None)
    )
    doubtful = await repository.touches(
        unit, TouchRow.id.in_(ids), TouchRow.state == TouchState.IN_DOUBT.value, limit=len(ids) or 1
    )
    await _settle(unit, [t.id for t in doubtful])
    return len(doubtful)


async def _settle(unit: Unit, ids: Sequence[UUID]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        await mark_sent(unit, ids[start : start + _AT_ONCE], _HOW)


async def _next_touches(
    unit: Unit, people: Iterable[UUID], by_touch: dict[UUID, SentCopy], known: set[UUID]
) -> list[tuple[UUID, EnrolmentRow, SentCopy]]:
    """The next steps of these people whose touches are among the copies, and not here."""
    found = []
    for enrolment in await _going(unit, people):
        identity = touch_id(enrolment.id, enrolment.step)
        if identity in by_touch and identity not in known:
            found.append((identity, enrolment, by_touch[identity]))
    return found


async def _going(unit: Unit, people: Iterable[UUID]) -> list[EnrolmentRow]:
    rows = await repository.enrolments(
        unit, EnrolmentRow.contact_id.in_(set(people)), EnrolmentRow.state.in_(_GOING)
    )
    for row in rows:
        await unit.session.refresh(row)  # the plain statements around here go past the session
    return rows


async def _insert(unit: Unit, box: Mailbox, found: Sequence[tuple[UUID, EnrolmentRow, SentCopy]]) -> None:
    """As touches in doubt of which the doubt is settled at once, so that events and the next step follow as ever."""
    rows = [_row(unit, box, *each) for each in found]
    await repository.insert_touches(unit, rows)
    await repository.advance(unit, [{"id": row["enrolment_id"], "mailbox": box.id} for row in rows])
    await _settle(unit, [identity for identity, _, _ in found])


def _row(
    unit: Unit, box: Mailbox, identity: UUID, enrolment: EnrolmentRow, copy: SentCopy
) -> dict[str, object]:
    now = unit.world.now()
    return {
        "workspace_id": unit.workspace_id, "id": identity, "contact_id": enrolment.contact_id,
        "account_id": enrolment.account_id, "enrolment_id": enrolment.id, "campaign_id": enrolment.campaign_id,
        "step": enrolment.step, "channel": "email", "action": "send", "mailbox_id": box.id, "sender": box.address,
        "recipient": copy.recipient, "subject": copy.subject, "text": "", "track_opens": False, "track_clicks": False,
        "message_id": copy.message_id or f"<{identity.hex}@{box.domain}>", "reference_ids": [],
        "state": TouchState.IN_DOUBT.value, "due_at": enrolment.next_due_at or now, "claimed_at": now,
        "attempts": 1, "looked_up": 0, "needs_copy": False, "gates": [],
    }  # fmt: skip


async def _by_recipient(
    unit: Unit, box: Mailbox, copies: Sequence[SentCopy], people: Mapping[str, UUID], known: set[UUID],
    since: datetime | None,
) -> int:  # fmt: skip
    """People who got more mail than we know of had their next step: better once too few than twice."""
    unmarked: dict[UUID, list[SentCopy]] = defaultdict(list)
    for copy in copies:
        if copy.touch_id not in known and copy.recipient in people:
            unmarked[people[copy.recipient]].append(copy)
    told = await _told_otherwise(unit, box, unmarked, known, since)
    owed = {person: found[-1] for person, found in unmarked.items() if len(found) > told.get(person, 0)}
    fresh = [
        (touch_id(row.id, row.step), row, owed[row.contact_id])
        for row in await _going(unit, owed)
        if row.next_due_at is not None and row.mailbox_id in (None, box.id)
    ]
    if fresh:
        await _insert(unit, box, fresh)
    return len(fresh)


async def _told_otherwise(
    unit: Unit, box: Mailbox, people: Iterable[UUID], known: set[UUID], since: datetime | None
) -> dict[UUID, int]:
    """How many of each one's copies are touches that we know as sent, under marks that the provider changed."""
    about = [
        TouchRow.contact_id.in_(set(people)), TouchRow.mailbox_id == box.id, TouchRow.id.not_in(known),
        TouchRow.state == TouchState.SENT.value,
    ]  # fmt: skip
    if since is not None:
        about.append(TouchRow.sent_at >= since)
    counts: dict[UUID, int] = defaultdict(int)
    for touch in await repository.touches(unit, *about, limit=100_000):
        counts[touch.contact_id] += 1
    return counts
