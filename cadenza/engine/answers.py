"""A message that a person wrote in a conversation: the same wire, the same promise, other gates."""

from datetime import datetime
from uuid import UUID

from cadenza.audience.service import load_recipients
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import mailbox, message_id
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import Answer, Touch, TouchState
from cadenza.engine.explain import as_touch
from cadenza.engine.ids import answer_id
from cadenza.engine.models import TouchRow

_MAX_TEXT = 100_000


async def send_answer(unit: Unit, answer: Answer) -> tuple[Touch, bool]:
    """Put an answer on its way, and whether it is new: the same draft twice is one message. Raises ``CadenzaError`` after a stop."""
    text = answer.text.strip()
    if not text or len(text) > _MAX_TEXT:
        raise CadenzaError(
            "answer_empty", "An answer has 1 to 100,000 characters.", fix="Write something first."
        )
    people = await load_recipients(unit, [answer.contact_id])
    if answer.contact_id not in people:
        raise not_found("contact", answer.contact_id)
    if stop := people[answer.contact_id].suppression:
        raise CadenzaError(
            "contact_stopped",
            f"This person may not be written to: {stop.reason.words} on {stop.at:%Y-%m-%d}, {stop.source}.",
            Kind.CONFLICT,
        )
    box = await mailbox(unit, answer.mailbox_id)
    if not box.is_connected:
        raise CadenzaError(
            "sender_broken",
            f"{box.address} cannot send: {box.state_reason}",
            Kind.CONFLICT,
            fix="Mend the sender.",
        )
    identity = answer_id(answer.draft_id)
    made = await repository.insert_touches(
        unit, [_row(unit, answer, text, box, identity=identity, now=unit.world.now())]
    )
    return as_touch((await repository.touches(unit, TouchRow.id == identity))[0]), identity in made


async def is_answered(unit: Unit, draft_id: UUID) -> bool:
    """Whether this draft has become a message."""
    return bool(await repository.touches(unit, TouchRow.id == answer_id(draft_id)))


def _row(
    unit: Unit, answer: Answer, text: str, box: Mailbox, *, identity: object, now: datetime
) -> dict[str, object]:
    references = [*answer.references, *([answer.in_reply_to] if answer.in_reply_to else [])]
    return {
        "workspace_id": unit.workspace_id,
        "id": identity,
        "contact_id": answer.contact_id,
        "conversation_id": answer.conversation_id,
        "channel": "email",
        "mailbox_id": answer.mailbox_id,
        "sender": box.address,
        "recipient": answer.recipient,
        "subject": answer.subject,
        "text": text,
        "message_id": message_id(identity, box.address),  # type: ignore[arg-type]
        "track_opens": False,
        "track_clicks": False,
        "reference_ids": list(dict.fromkeys(references)),
        "state": TouchState.DEFERRED.value,  # due at once: the dispatcher claims it like any other try
        "retry_at": unit.machine.now(),
        "due_at": now,
        "claimed_at": now,
        "attempts": 0,
        "looked_up": 0,
        "needs_copy": box.files_copies is not True,
        "gates": [{"gate": "person", "answer": "pass", "why": "a person wrote and sent it"}],
    }
