"""Whose message this is: by the thread's headers first, then by the address.

Thread headers alone never merge two people: a forwarded mail is answered by somebody else under the same ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cadenza.audience.contracts import Channel, Recipient
from cadenza.audience.service import find_by_address, load_recipients
from cadenza.core.unit import Unit
from cadenza.engine.contracts import Touch
from cadenza.engine.service import last_touch_to, touch_by_message_ids
from cadenza.inbox.detection import Mail


@dataclass(frozen=True, slots=True)
class Match:
    """``contact_id`` is None for a stranger who answers in somebody's thread."""

    touch: Touch | None
    contact_id: UUID | None
    person: Recipient | None = None


async def match(unit: Unit, mail: Mail) -> Match | None:
    """None when the message concerns nobody we write to."""
    touch = await touch_by_message_ids(unit, thread_ids(mail))
    contact_id = await find_by_address(unit, Channel.EMAIL, mail.from_address) if mail.from_address else None
    if contact_id is None and touch is not None:
        people = await load_recipients(unit, [touch.contact_id])
        if same_person(mail, touch, people.get(touch.contact_id)):
            contact_id = touch.contact_id
    if touch is not None and contact_id is not None and contact_id != touch.contact_id:
        touch = None  # a known person in another one's thread: their own story, not the other's answer
    if touch is None and contact_id is not None:
        touch = await last_touch_to(unit, contact_id)
    if touch is None and contact_id is None:
        return None
    person = (await load_recipients(unit, [contact_id])).get(contact_id) if contact_id else None
    return Match(touch, contact_id, person)


def thread_ids(mail: Mail) -> list[str]:
    """The Message-IDs it answers, the nearest last."""
    return [*mail.references, *([mail.in_reply_to] if mail.in_reply_to else [])]


def same_person(mail: Mail, touch: Touch, person: Recipient | None) -> bool:
    """An unknown address in a known thread is the same person when the name says so, or the mailbox name under another
    domain or tag (``anna.berg+work@``); a colleague's or a stranger's address is not.
    """
    if mail.from_address.lower() == touch.recipient.lower():
        return True
    theirs, ours = _mailbox_name(mail.from_address), _mailbox_name(touch.recipient)
    if theirs and theirs == ours:
        return True
    names = [n for n in (person.first_name, person.last_name) if n] if person else []
    return len(names) == 2 and all(name.casefold() in mail.from_name.casefold() for name in names)


def _mailbox_name(address: str) -> str:
    return address.partition("@")[0].partition("+")[0].casefold()


async def bounced_touch(unit: Unit, original_ids: Sequence[str], recipient: str | None) -> Touch | None:
    """The touch that a delivery notice speaks of: by the returned Message-ID, else the last one to that address."""
    touch = await touch_by_message_ids(unit, original_ids)
    if touch is None and recipient:
        contact_id = await find_by_address(unit, Channel.EMAIL, recipient)
        touch = await last_touch_to(unit, contact_id) if contact_id else None
    return touch
