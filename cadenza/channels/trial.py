"""A message to oneself: the same way out as any other, to nobody but the workspace itself.

It takes one of the mailbox's day, is marked by a header so that no reader and no comparison counts it, and is told in the
audit trail. Nothing of it is kept, and it is never repeated.
"""

from dataclasses import dataclass
from uuid import UUID

from cadenza.channels import repository
from cadenza.channels.access import credentials
from cadenza.channels.contracts import Envelope, Mailbox, Outcome, WireReply
from cadenza.channels.email.mime import TRIAL_HEADER, Slots, compile_message
from cadenza.channels.email.smtp import SmtpSession, Timeouts
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.holding import installation
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, members

_TIMEOUTS = Timeouts(connect=10, command=10, body=20, dot=30)
_UNSUBSCRIBE = "mailto:{}?subject=trial"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent. The default says only what it is."""

    subject: str = "A message from Cadenza to yourself"
    text: str = "This mailbox sends. Nobody else was written to, and nothing of this is counted."
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. ``detail`` is the relay's own answer, or why there was none."""

    sender: str
    recipient: str
    ok: bool
    detail: str


async def allowed_recipients(unit: Unit, actor: Actor, box: Mailbox) -> list[str]:
    """Where a trial may go: the member's own address first, then the mailbox itself, then the workspace's other mailboxes."""
    own = [
        m.email for m in await members(unit, actor) if actor.member_id is not None and m.id == actor.member_id
    ]
    boxes = await repository.mailboxes(unit, None)
    return list(dict.fromkeys([*own, box.address, *(each.address for each in boxes if each.is_connected)]))


async def try_mailbox(
    database: Database,
    actor: Actor,
    mailbox_id: UUID,
    *,
    to: str | None = None,
    letter: Letter | None = None,
    needs: Action = Action.MANAGE_SENDERS,
) -> Trial:
    """Send one message to oneself and say what the relay answered. Uses the network, so call it without an open unit.

    ``needs`` is the right of whoever asks: managing senders, or editing the campaign whose text it is.

    Raises ``CadenzaError``: not allowed, not found, ``trial_to_others``, ``limit_reached``, ``sending_held``, and what
    ``credentials`` raises.
    """
    letter = letter or Letter()
    async with database.unit(actor.workspace_id) as unit:
        authorize(actor, needs)
        box, recipient = await _checked(unit, actor, mailbox_id, to)
    secret = await credentials(database, actor.workspace_id, box.id)
    async with database.installation() as session:
        if (await installation(session)).hold is not None:
            raise CadenzaError(
                "sending_held",
                "Sending is held for the whole installation.",
                Kind.CONFLICT,
                fix="Look under Health.",
            )
    async with database.unit(actor.workspace_id) as unit:
        await _count(unit, box)
        await audit(unit, actor, "trial_sent", box.address, to=recipient)
        envelope = _envelope(unit, box, recipient, letter)
    async with SmtpSession(
        box.smtp, secret if box.user else None, timeouts=_TIMEOUTS, helo=box.domain
    ) as session:
        reply = await session.send(envelope)
    return Trial(box.address, recipient, reply.outcome is Outcome.ACCEPTED, _words(reply))


async def _checked(unit: Unit, actor: Actor, mailbox_id: UUID, to: str | None) -> tuple[Mailbox, str]:
    row = await repository.mailbox_row(unit, mailbox_id)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    box = repository.as_mailbox(row)
    allowed = await allowed_recipients(unit, actor, box)
    recipient = (to or allowed[0]).lower()
    if recipient not in {address.lower() for address in allowed}:
        raise CadenzaError(
            "trial_to_others",
            f"A trial goes to yourself or to a mailbox of this workspace, not to {recipient[:320]}.",
            fix=f"Take one of {', '.join(allowed[:5])}.",
        )
    return box, recipient


async def _count(unit: Unit, box: Mailbox) -> None:
    """One of the mailbox's day, as for any message; the relay counts it too."""
    day, key = unit.world.now().date(), [("mailbox", str(box.id))]
    taken = await repository.lock_counters(unit, day, key)
    if taken.get(key[0], 0) >= box.allowance:
        raise CadenzaError(
            "limit_reached",
            f"{box.address} has sent what it may today ({box.allowance}).",
            Kind.CONFLICT,
            fix="Try it tomorrow, or raise its limit.",
        )
    await repository.add_to_counters(unit, day, [*key, ("domain", box.domain)], 1)


def _envelope(unit: Unit, box: Mailbox, recipient: str, letter: Letter) -> Envelope:
    identity = new_id()
    slots = Slots(
        touch_id=identity, recipient=recipient, recipient_name=None, subject=letter.subject, text=letter.text,
        html=letter.html, at=unit.world.now(), unsubscribe_mail=_UNSUBSCRIBE.format(box.address),
    )  # fmt: skip
    skeleton = compile_message(box.address, box.display_name, html=letter.html is not None, mark=TRIAL_HEADER)
    return Envelope(identity, box.address, recipient, skeleton.compose(slots))


def _words(reply: WireReply) -> str:
    said = " ".join(part for part in (str(reply.code or ""), reply.text) if part)
    if reply.outcome is Outcome.IN_DOUBT:
        return f"The relay's answer was lost ({said}): look for the message before you try again."
    return said or "The relay gave no answer."
