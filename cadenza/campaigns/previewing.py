"""Texts that are not saved yet, as one person would read them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cadenza.audience.service import load_recipients
from cadenza.campaigns import tokens
from cadenza.campaigns.contracts import Edit, PreviewedText, Variant
from cadenza.campaigns.step_texts import texts_of
from cadenza.campaigns.template_parser import TemplateError
from cadenza.campaigns.templates import compile_variant
from cadenza.core.errors import not_found
from cadenza.core.unit import Unit


async def preview_edit(
    unit: Unit, edit: Edit, contact_id: UUID, sender: Mapping[str, Any]
) -> list[tuple[str, str, PreviewedText | None]]:
    """Step, variant and text of each, in the person's language where there is one. Raises ``CadenzaError`` (not found)."""
    person = (await load_recipients(unit, [contact_id])).get(contact_id)
    if person is None:
        raise not_found("contact", contact_id)
    facts = {**person.facts, "sender": sender}
    return [
        (str(step["id"]), text.id, preview_text(text.spoken(person.language), facts))
        for number, step in enumerate(edit.tree["steps"])
        for text in texts_of(step, number)
    ]


def preview_text(variant: Variant, facts: Mapping[str, Any]) -> PreviewedText | None:
    """One text as written now, finished or not, for a person of whom these facts are known; None while it cannot be read.

    ``missing`` names the tokens that this person has no value for: there the fallback stands.
    """
    try:
        compiled_now = compile_variant(variant)
    except TemplateError:
        return None
    known = tokens.values(compiled_now.names, facts)
    return PreviewedText(compiled_now.render(facts), tuple(sorted(compiled_now.names - known.keys())))
