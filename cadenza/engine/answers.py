"""A message that a person wrote in a conversation: the same wire, the same promise, other gates."""

from uuid import UUID

from cadenza.audience.service import load_recipients
from cadenza.channels.service import mailbox, message_id, working_accounts
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
    identity = answer_id(answer.draft_id)
    shape = (
        await _message(unit, answer) if answer.channel_account_id else await _letter(unit, answer, identity)
    )
    made = await repository.insert_touches(unit, [_row(unit, answer, text, identity) | shape])
    return as_touch((await repository.touches(unit, TouchRow.id == identity))[0]), identity in made


async def is_answered(unit: Unit, draft_id: UUID) -> bool:
    """Whether this draft has become a message."""
    return bool(await repository.touches(unit, TouchRow.id == answer_id(draft_id)))


async def _letter(unit: Unit, answer: Answer, identity: UUID) -> dict[str, object]:
    if answer.mailbox_id is None:
        raise CadenzaError(
            "answer_no_mailbox", "Nobody has written to this person by e-mail yet, so there is no sender to answer from.",
            Kind.CONFLICT, fix="Call them, or put them into a campaign.",
        )  # fmt: skip
    box = await mailbox(unit, answer.mailbox_id)
    if not box.is_connected:
        raise _broken(box.address, box.state_reason)
    return {
        "channel": "email", "action": "send", "mailbox_id": box.id, "channel_account_id": None, "sender": box.address,
        "message_id": message_id(identity, box.address), "needs_copy": box.files_copies is not True,
    }  # fmt: skip


async def _message(unit: Unit, answer: Answer) -> dict[str, object]:
    accounts = await working_accounts(unit)
    account = next((each for each in accounts if each.id == answer.channel_account_id), None)
    if account is None or not account.can_send:
        name, reason = (account.name, account.state_reason) if account else ("The account", "disconnected")
        raise _broken(name, reason)
    return {
        "channel": account.channel, "action": "message", "mailbox_id": None, "channel_account_id": account.id,
        "sender": account.name, "message_id": f"{answer_id(answer.draft_id).hex}@{account.channel}", "needs_copy": False,
    }  # fmt: skip


def _broken(name: str, reason: str) -> CadenzaError:
    return CadenzaError(
        "sender_broken", f"{name} cannot send: {reason}", Kind.CONFLICT, fix="Mend the sender."
    )


def _row(unit: Unit, answer: Answer, text: str, identity: UUID) -> dict[str, object]:
    references = [*answer.references, *([answer.in_reply_to] if answer.in_reply_to else [])]
    return {
        "workspace_id": unit.workspace_id,
        "id": identity,
        "contact_id": answer.contact_id,
        "conversation_id": answer.conversation_id,
        "recipient": answer.recipient,
        "subject": answer.subject,
        "text": text,
        "track_opens": False,
        "track_clicks": False,
        "reference_ids": list(dict.fromkeys(references)),
        "state": TouchState.DEFERRED.value,  # due at once: the dispatcher claims it like any other try
        "retry_at": unit.machine.now(),
        "due_at": unit.world.now(),
        "claimed_at": unit.world.now(),
        "attempts": 0,
        "looked_up": 0,
        "gates": [{"gate": "person", "answer": "pass", "why": "a person wrote and sent it"}],
    }
