"""One text of a campaign, as one person would read it, sent to oneself."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cadenza.campaigns.contracts import Campaign, PreviewedStep
from cadenza.campaigns.service import campaign, preview
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import Letter, Trial, sender_facts, try_mailbox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.unit import Unit
from cadenza.engine.fleet import senders_of
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize


@dataclass(frozen=True, slots=True)
class Text:
    """Which text, for whom. An empty ``step`` or ``variant`` is the first."""

    campaign: str
    contact_id: UUID
    step: str = ""
    variant: str = ""


async def try_text(database: Database, actor: Actor, text: Text, *, to: str | None = None) -> Trial:
    """Send it from the first of the campaign's mailboxes that can. Uses the network, so call it without an open unit.

    The person whose data fills it is not written to, and the message holds no link that could stop them. Raises
    ``CadenzaError`` as ``try_mailbox`` does.
    """
    async with database.unit(actor.workspace_id) as unit:
        authorize(actor, Action.EDIT_CAMPAIGNS)
        box, letter = await _letter(unit, actor, text)
    return await try_mailbox(database, actor, box.id, to=to, letter=letter, needs=Action.EDIT_CAMPAIGNS)


async def _letter(unit: Unit, actor: Actor, text: Text) -> tuple[Mailbox, Letter]:
    found = await campaign(unit, actor, text.campaign)
    box = next((each for each in await senders_of(unit, found.definition) if each.is_connected), None)
    if box is None:
        raise CadenzaError(
            "no_sender",
            f"None of the mailboxes of {found.name} can send.",
            Kind.CONFLICT,
            fix="Look under Senders.",
        )
    shown = await preview(unit, actor, found.name, text.contact_id, sender_facts(box))
    chosen = _chosen(found, shown, text)
    rendered = chosen.rendered
    return box, Letter(rendered.subject or _thread(found, shown, chosen.step), rendered.text, rendered.html)


def _chosen(found: Campaign, shown: Sequence[PreviewedStep], text: Text) -> PreviewedStep:
    step = text.step or found.definition.steps[0].id
    fitting = [
        each
        for each in shown
        if each.channel == "email" and each.step == step and text.variant in ("", each.variant)
    ]
    if not fitting:
        raise not_found("text", f"{step} {text.variant}".strip())
    return fitting[0]


def _thread(found: Campaign, shown: Sequence[PreviewedStep], step: str) -> str:
    """The subject of the message that this one continues, as mail programs write it."""
    thread = {each.id: each.reply_to for each in found.definition.steps}
    first: str | None = step
    while first is not None and thread.get(first):
        first = thread[first]
    subject = next((each.rendered.subject for each in shown if each.step == first), None)
    return f"Re: {subject}" if subject else "Re:"
