"""What a touch says: variant, language, thread and the way out, fixed in its row at the moment of the claim."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cadenza.audience.service import unsubscribe_token
from cadenza.campaigns.contracts import CompiledVariant, Rendered
from cadenza.campaigns.service import compiled, place_of
from cadenza.channels.service import click_token, message_id, open_token, sender_facts, tracked
from cadenza.core.settings import settings
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import GateResult, TouchState
from cadenza.engine.ids import touch_id
from cadenza.engine.models import TouchRow
from cadenza.engine.planning import decided
from cadenza.experiments.service import assign
from cadenza.ledger.contracts import Decision, Option

if TYPE_CHECKING:
    from cadenza.engine.claim import Candidate, Outcome, Sendable

_FOOTER = {
    "en": "If you would rather not hear from me again: {way}",
    "de": "Wenn Sie nichts mehr von mir hören möchten: {way}",
    "fr": "Si vous ne souhaitez plus recevoir mes messages : {way}",
    "es": "Si prefiere no recibir más mensajes míos: {way}",
    "it": "Se preferisce non ricevere altri miei messaggi: {way}",
}
_FOOTER_BY_MAIL = {
    "en": "reply with “stop”.",
    "de": "antworten Sie mit „Stopp“.",
    "fr": "répondez « stop ».",
    "es": "responda «stop».",
    "it": "risponda «stop».",
}


def ways_out(unit: Unit, contact_id: UUID, mailbox: str) -> tuple[str, str | None]:
    """The ``mailto:`` and, with a public address, the one-click link (RFC 2369, RFC 8058) of one person."""
    token = unsubscribe_token(unit.secrets, unit.workspace_id, contact_id)
    public = settings().public_url
    return f"mailto:{mailbox}?subject=unsubscribe%20{token}", f"{public}/u/{token}" if public else None


async def write_touches(
    unit: Unit, sendable: Sequence["Sendable"], outcome: "Outcome", *, worker: UUID, lease_until: datetime
) -> None:
    """Fill ``outcome`` with a touch for each; renders, but touches no network."""
    threads = await _threads(unit, sendable)
    for item in sendable:
        due = item.candidate.due
        variant, decision = variant_of(item.candidate)
        rendered = _render(unit, item, variant)
        above = threads.get((due.id, item.candidate.step.reply_to or ""))
        row = _row(unit, item, variant, rendered, above)
        outcome.touches.append(row | {"worker": worker, "lease_until": lease_until})
        outcome.advance.append({"id": due.id, "mailbox": item.mailbox.id})
        if decision:
            outcome.decisions.append(decision)
        outcome.decisions += decided(due.plan, due.id, item.candidate.step.id, due.contact_id)


async def _threads(unit: Unit, sendable: Sequence["Sendable"]) -> dict[tuple[UUID, str], TouchRow]:
    """The touches that the due steps continue, by enrolment and step."""
    wanted = [i.candidate.due.id for i in sendable if i.candidate.step.reply_to]
    if not wanted:
        return {}
    rows = await repository.touches(
        unit, TouchRow.enrolment_id.in_(wanted), TouchRow.state == TouchState.SENT.value, limit=10_000
    )
    return {(row.enrolment_id, row.step): row for row in rows if row.enrolment_id and row.step}


def variant_of(candidate: "Candidate") -> tuple[str, Decision | None]:
    """The arm, the same for the same person and step whenever it is asked; empty where nothing is written."""
    arms = [v.id for v in candidate.way.variants]
    if len(arms) < 2:
        return (arms[0] if arms else ""), None
    taken = assign(f"{candidate.due.campaign_id}/{candidate.step.id}/{candidate.due.contact_id}", arms)
    decision = Decision(
        what="variant",
        options=tuple(Option(arm, 1 / len(arms)) for arm in arms),
        taken=taken.arm,
        reason="variants are shared out evenly, by chance",
        policy="even",
        version=1,
        touch_id=touch_id(candidate.due.id, candidate.step.id),
        contact_id=candidate.due.contact_id,
    )
    return taken.arm, decision


def _render(unit: Unit, item: "Sendable", variant: str) -> Rendered:
    candidate, mailbox = item.candidate, item.mailbox
    language = candidate.recipient.language or ""
    parsed = compiled(candidate.due.version_id, candidate.definition)
    template = template_of(parsed, candidate, variant)
    rendered = template.render({**candidate.recipient.facts, "sender": sender_facts(mailbox)})
    written_in = language if candidate.way.languages.get(language, {}).get(variant) else "en"
    _, url = ways_out(unit, candidate.due.contact_id, mailbox.address)
    return with_footer(rendered, written_in, url)


def template_of(
    parsed: Mapping[tuple[str, str, str], CompiledVariant], candidate: "Candidate", variant: str
) -> CompiledVariant:
    """In the person's language where the campaign has it."""
    place, language = place_of(candidate.step, candidate.way), candidate.recipient.language or ""
    return parsed.get((place, variant, language)) or parsed[(place, variant, "")]


def with_footer(rendered: Rendered, language: str, url: str | None) -> Rendered:
    """The visible way out, as law and mailbox providers ask, in the language of the letter."""
    key = language if language in _FOOTER else "en"
    words = _FOOTER[key].format(way=url or _FOOTER_BY_MAIL[key])
    html = rendered.html
    if html is not None:
        link = _FOOTER[key].format(way=f'<a href="{url}">{url}</a>' if url else _FOOTER_BY_MAIL[key])
        html = f"{html}\n<p><small>{link}</small></p>"
    return Rendered(rendered.subject, f"{rendered.text.rstrip()}\n\n{words}\n", html)


def _row(
    unit: Unit, item: "Sendable", variant: str, rendered: Rendered, above: TouchRow | None
) -> dict[str, Any]:
    due, mailbox, identity = (
        item.candidate.due,
        item.mailbox,
        touch_id(item.candidate.due.id, item.candidate.step.id),
    )
    return {
        "workspace_id": unit.workspace_id,
        "id": identity,
        "contact_id": due.contact_id,
        "account_id": due.account_id,
        "enrolment_id": due.id,
        "campaign_id": due.campaign_id,
        "step": item.candidate.step.id,
        "variant": variant,
        "channel": "email",
        "action": "send",
        "mailbox_id": mailbox.id,
        "channel_account_id": None,
        "sender": mailbox.address,
        "recipient": item.candidate.recipient.email,
        "subject": _subject(rendered, item.candidate, above),
        "text": rendered.text,
        "html": rendered.html,
        "track_opens": item.candidate.definition.track_opens,
        "track_clicks": item.candidate.definition.track_clicks,
        "message_id": message_id(identity, mailbox.address),
        "reference_ids": [*above.references, above.message_id] if above else [],
        "state": TouchState.CLAIMED.value,
        "due_at": due.due_at,
        "claimed_at": unit.world.now(),
        "attempts": 0,
        "looked_up": 0,
        "needs_copy": mailbox.files_copies is not True,
        "gates": stored_gates(item.candidate, item.gates),
    }


def stored_gates(candidate: "Candidate", gates: Sequence[GateResult]) -> list[dict[str, str]]:
    """The gate's answers, and before them the line of a fallback that took over."""
    told = [{"gate": g.gate, "answer": g.answer.value, "why": g.why} for g in gates]
    instead = (candidate.due.plan or {}).get("instead")
    return [{"gate": "fallback", "answer": "pass", "why": instead["why"]}, *told] if instead else told


def _subject(rendered: Rendered, candidate: Any, above: TouchRow | None) -> str:
    if above is not None:
        return above.subject if above.subject.lower().startswith("re:") else f"Re: {above.subject}"
    if rendered.subject:
        return rendered.subject
    return str(candidate.definition.name)


def is_way_out(url: str) -> bool:
    """Our own link to unsubscribe: never tracked, and no link that a reader could be expected to follow."""
    return url.startswith(f"{settings().public_url}/u/")


def tracked_html(unit: Unit, touch: TouchRow) -> str | None:
    """The HTML body with first-party tracking where the campaign asked for it and a public address exists."""
    public = settings().public_url
    if touch.html is None or public is None or not (touch.track_opens or touch.track_clicks):
        return touch.html
    pixel = (
        f"{public}/o/{open_token(unit.secrets, unit.workspace_id, touch.id)}.gif"
        if touch.track_opens
        else None
    )

    def link(number: int, url: str) -> str:
        if is_way_out(url):
            return url
        return f"{public}/c/{click_token(unit.secrets, unit.workspace_id, touch.id, number)}"

    return tracked(touch.html, pixel_url=pixel, link_url=link if touch.track_clicks else None)
