"""Taking in one message: a row first, then what follows from its kind, all in one transaction."""

import hashlib
import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

from cadenza.audience.service import read_unsubscribe_token, unsubscribe
from cadenza.channels.contracts import Fetched, Mailbox
from cadenza.core.ids import new_id
from cadenza.core.jobs import enqueue
from cadenza.core.unit import Unit
from cadenza.engine.service import end_sequences
from cadenza.inbox import repository
from cadenza.inbox.absences import take_absence
from cadenza.inbox.bounces import take_bounces
from cadenza.inbox.detection import Detection, Mail, detect, read_mail
from cadenza.inbox.matching import Match, match
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events
from cadenza.understanding.contracts import MailKind
from cadenza.understanding.service import extract

ANALYSE = "inbox.analyse"

_BY_MAIL = re.compile(r"^\s*(?:re:\s*)?unsubscribe\s+([A-Za-z0-9_-]{20,200})\s*$", re.IGNORECASE)
_IGNORED = {MailKind.OWN_COPY, MailKind.BULK}
_LARGEST_TEXT = 200_000


def fingerprint(mail: Mail) -> bytes:
    """The same for the same message, whichever of our mailboxes or UIDs brought it; not for a reused Message-ID."""
    parts = (
        mail.message_id or "",
        mail.from_address,
        mail.date.isoformat() if mail.date else "",
        mail.subject,
        mail.text,
        mail.html,
    )
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).digest()


async def take_in(unit: Unit, mailbox: Mailbox, fetched: Fetched, own: Collection[str]) -> UUID | None:
    """Store the message if it concerns us, and act on it. None when it does not, or when it is here already."""
    mail = read_mail(fetched.raw)
    detection = detect(mail, own, received_at=unit.world.now())
    if detection.kind in _IGNORED:
        return None
    if await _unsubscribed_by_mail(unit, mail):
        return None
    if detection.kind is MailKind.BOUNCE:
        found = None
    else:
        found = await match(unit, mail)
        if found is None:
            return None
    message_id = await _store(unit, mailbox, mail, detection, found)
    if message_id is not None:
        await _act(unit, mailbox, mail, detection, found, message_id)
    return message_id


async def _unsubscribed_by_mail(unit: Unit, mail: Mail) -> bool:
    """The ``mailto:`` of List-Unsubscribe: whoever holds the token may end what it names."""
    asked = _BY_MAIL.match(mail.subject)
    if asked is None:
        return False
    named = read_unsubscribe_token(unit.secrets, asked.group(1))
    if named is None or named[0] != unit.workspace_id:
        return False
    await unsubscribe(unit, named[1], source="List-Unsubscribe by mail")
    await end_sequences(unit, named[1], "opt_out")
    return True


async def _store(
    unit: Unit, mailbox: Mailbox, mail: Mail, detection: Detection, found: Match | None
) -> UUID | None:
    touch = found.touch if found else None
    row: dict[str, Any] = {
        "workspace_id": unit.workspace_id,
        "id": new_id(),
        "mailbox_id": mailbox.id,
        "contact_id": found.contact_id if found else None,
        "touch_id": touch.id if touch else None,
        "campaign_id": touch.campaign_id if touch else None,
        "fingerprint": fingerprint(mail),
        "message_id": (mail.message_id or "")[:998] or None,
        "reference_ids": list(mail.references)[-50:],
        "kind": detection.kind.value,
        "from_address": _clean(mail.from_address)[:998],
        "from_name": _clean(mail.from_name)[:998],
        "subject": _clean(mail.subject)[:10_000],
        "text": _clean(mail.text)[:_LARGEST_TEXT],
        "html": _clean(mail.html)[:_LARGEST_TEXT],
        "headers": {
            _clean(k): [_clean(v)[:2000] for v in vs[:20]] for k, vs in list(mail.headers.items())[:100]
        },
        "attachments": [_clean(name)[:200] for name in mail.attachments[:50]],
        "sent_at": mail.date,
        "received_at": unit.world.now(),
    }
    return await repository.insert_message(unit, row)


def _clean(text: str) -> str:
    """PostgreSQL's text holds neither NUL nor lone surrogates."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


async def _act(
    unit: Unit, mailbox: Mailbox, mail: Mail, detection: Detection, found: Match | None, message_id: UUID
) -> None:
    if detection.kind is MailKind.BOUNCE or found is None:
        await take_bounces(unit, mailbox, detection, message_id)
        return
    await _converse(unit, mailbox, mail, detection, found, message_id)
    kind = {
        MailKind.PERSON: EventKind.REPLIED,
        MailKind.OUT_OF_OFFICE: EventKind.ABSENT,
        MailKind.COMPLAINT: EventKind.COMPLAINED,
    }.get(detection.kind, EventKind.AUTO_REPLIED)
    await record_events(unit, [_event(kind, found, message_id, mailbox)])
    if found.contact_id is None:
        return
    if detection.kind is MailKind.PERSON:
        await end_sequences(unit, found.contact_id, "reply")
    elif detection.kind is MailKind.OUT_OF_OFFICE:
        await take_absence(unit, detection, found)
    elif detection.kind is MailKind.COMPLAINT:
        await unsubscribe(unit, found.contact_id, source="complaint report", complaint=True)
        await end_sequences(unit, found.contact_id, "complaint")


def _event(kind: EventKind, found: Match, message_id: UUID, mailbox: Mailbox) -> NewEvent:
    touch = found.touch
    return NewEvent(
        kind=kind,
        origin="inbox",
        contact_id=found.contact_id,
        campaign_id=touch.campaign_id if touch else None,
        step=touch.step if touch else None,
        variant=touch.variant if touch else None,
        touch_id=touch.id if touch else None,
        message_id=message_id,
        mailbox_id=mailbox.id,
    )


async def _converse(
    unit: Unit, mailbox: Mailbox, mail: Mail, detection: Detection, found: Match, message_id: UUID
) -> None:
    """Put it into the person's conversation; people's words are then read by a job of their own."""
    person = found.person
    name = " ".join(n for n in (person.first_name, person.last_name) if n) if person else ""
    conversation_id = await repository.upsert_conversation(
        unit,
        {
            "contact_id": found.contact_id,
            "address": str(found.contact_id) if found.contact_id else mail.from_address.lower(),
            "name": (name or mail.from_name or mail.from_address)[:300],
            "mailbox_id": mailbox.id,
            "channel": "email",
            "channel_account_id": None,
            "campaign_id": found.touch.campaign_id if found.touch else None,
            "subject": _clean(mail.subject)[:10_000],
            "snippet": " ".join(_clean(extract(mail.text or mail.html).text or mail.text).split())[:300],
            "kind": detection.kind.value,
            "last_at": unit.world.now(),
        },
        reopen=detection.kind is MailKind.PERSON,
    )
    await repository.set_conversation(unit, message_id, conversation_id)
    await enqueue(unit.session, ANALYSE, workspace_id=str(unit.workspace_id), message_id=str(message_id))
