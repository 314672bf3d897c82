"""Doors of campaigns: applying files, reading campaigns and versions, templates ready to print, states."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import (
    contacts_of_file,
    load_recipients,
    segment_members,
    segment_named,
    tell_campaign_names,
)
from cadenza.campaigns import repository
from cadenza.campaigns.applying import apply, follow
from cadenza.campaigns.changes import changes as changed_words
from cadenza.campaigns.conditions import evaluate as evaluate_condition
from cadenza.campaigns.conditions import saved_condition
from cadenza.campaigns.contracts import (
    SCRIPT,
    Campaign,
    CampaignState,
    CompiledVariant,
    ConditionFacts,
    Definition,
    PreviewedStep,
    Step,
    Variant,
    Version,
    Way,
)
from cadenza.campaigns.document import Reading, read_document
from cadenza.campaigns.document_text import document_text
from cadenza.campaigns.editing import (
    add_step,
    add_variant,
    discard_edit,
    edit_of,
    keep_edit,
    move_step,
    rebase_edit,
    remove_step,
    remove_variant,
    replace_edit,
    save_edit,
    typed_edit,
)
from cadenza.campaigns.models import CampaignRow
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.previewing import preview_edit, preview_text
from cadenza.campaigns.refusals import refusal
from cadenza.campaigns.sender_checks import check_senders_by, sender_faults
from cadenza.campaigns.step_texts import texts_of
from cadenza.campaigns.templates import compile_variant
from cadenza.campaigns.tokens import token_names
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize

__all__ = [
    "add_step",
    "add_variant",
    "apply",
    "audience_of",
    "by_id",
    "campaign",
    "campaigns",
    "campaigns_after",
    "campaigns_by_id",
    "campaigns_page",
    "changed_words",
    "check_senders_by",
    "compile_variant",
    "compiled",
    "definition_of",
    "discard_edit",
    "document_text",
    "edit_of",
    "evaluate",
    "follow",
    "keep_edit",
    "liveliest_campaigns",
    "move_step",
    "numbered",
    "place_of",
    "preview",
    "preview_edit",
    "preview_text",
    "previewed",
    "read_file",
    "rebase_edit",
    "refusal",
    "remove_step",
    "remove_variant",
    "replace_edit",
    "save_edit",
    "sender_faults",
    "set_state",
    "texts_of",
    "token_names",
    "typed_edit",
    "version",
    "versions",
]  # fmt: skip

CompiledKey = tuple[str, str, str]
"""Step, variant and language; the language is empty for the text without one."""

_MOVES: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.RUNNING, CampaignState.STOPPED}),
    CampaignState.RUNNING: frozenset({CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.FINISHED}),
    CampaignState.PAUSED: frozenset({CampaignState.RUNNING, CampaignState.STOPPED, CampaignState.FINISHED}),
    CampaignState.STOPPED: frozenset(),
    CampaignState.FINISHED: frozenset(),
}
_KEPT_VERSIONS = 2000


async def campaign(unit: Unit, actor: Actor, name: str) -> Campaign:
    """Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.READ)
    found = await repository.by_name(unit, name)
    if found is None:
        raise not_found("campaign", name)
    return found


async def campaigns(unit: Unit, actor: Actor) -> Sequence[Campaign]:
    """All of the workspace, newest first."""
    authorize(actor, Action.READ)
    return await repository.every(unit)


async def campaigns_by_id(unit: Unit, actor: Actor, campaign_ids: Collection[UUID]) -> dict[UUID, Campaign]:
    """Those of them that there are."""
    authorize(actor, Action.READ)
    return {each.id: each for each in await repository.by_ids(unit, campaign_ids)} if campaign_ids else {}


async def liveliest_campaigns(unit: Unit, actor: Actor, limit: int) -> tuple[Sequence[Campaign], int]:
    """Running ones first, then paused ones, drafts, and those that are over, each newest first; and how many there are in all."""
    authorize(actor, Action.READ)
    return await repository.liveliest(unit, limit)


async def campaigns_page(
    unit: Unit, actor: Actor, start: int, limit: int
) -> tuple[Sequence[Campaign], Mapping[CampaignState, int]]:
    """Part of all campaigns, newest first, and how many there are of each state."""
    authorize(actor, Action.READ)
    return await repository.page(unit, start, limit), await repository.state_counts(unit)


async def campaigns_after(
    unit: Unit, actor: Actor, *, state: CampaignState | None, after: UUID | None, limit: int
) -> Sequence[Campaign]:
    """Part of all campaigns, newest first, beginning after the one with the id ``after``."""
    authorize(actor, Action.READ)
    return await repository.part(unit, state=state, after=after, limit=limit)


async def audience_of(unit: Unit, definition: Definition, limit: int | None = None) -> list[UUID]:
    """Who the campaign is for now, or the first of them: the people of its contacts file, or of its segment; nobody where
    that is not there.
    """
    if not definition.segment:
        return await contacts_of_file(unit, definition.contacts_file, limit)
    found = await segment_named(unit, definition.segment)
    return await segment_members(unit, found, limit) if found else []


async def by_id(unit: Unit, campaign_id: UUID) -> Campaign:
    """Raises ``CadenzaError`` (not found)."""
    found = await repository.by_id(unit, campaign_id)
    if found is None:
        raise not_found("campaign", campaign_id)
    return found


async def versions(unit: Unit, actor: Actor, campaign_id: UUID) -> Sequence[Version]:
    """The newest 200 versions, newest first."""
    authorize(actor, Action.READ)
    await by_id(unit, campaign_id)
    return await repository.versions(unit, campaign_id)


async def numbered(unit: Unit, actor: Actor, campaign_id: UUID, number: int | None = None) -> Definition:
    """What a version says; the one in force without a number. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.READ)
    return await definition_of(unit, await by_id(unit, campaign_id), number)


async def definition_of(unit: Unit, found: Campaign, number: int | None = None) -> Definition:
    """As ``numbered``, for who has loaded the campaign already."""
    if number in (None, found.version):
        return found.definition
    identity = await repository.version_id(unit, found.id, number)
    if identity is None:
        raise not_found("campaign_version", number)
    return await version(unit, identity)


async def version(unit: Unit, version_id: UUID) -> Definition:
    """What a version says. Versions never change, so each process reads one once. Raises ``CadenzaError`` (not found)."""
    found = await repository.definition(unit, version_id)
    if found is None:
        raise not_found("campaign_version", version_id)
    return found


_compiled: dict[UUID, Mapping[CompiledKey, CompiledVariant]] = {}


def read_file(path: Path) -> Reading:
    """A campaign file as a definition, or with its problems; needs no database. Raises ``OSError`` where it cannot be read."""
    return read_document(path.read_text(encoding="utf-8-sig"), Folder(path.parent), lambda _: None)


def compiled(version_id: UUID, definition: Definition) -> Mapping[CompiledKey, CompiledVariant]:
    """Every variant of a version, parsed once in each process."""
    if version_id not in _compiled:
        if len(_compiled) >= _KEPT_VERSIONS:
            _compiled.clear()
        _compiled[version_id] = _compile(definition)
    return _compiled[version_id]


def _compile(definition: Definition) -> dict[CompiledKey, CompiledVariant]:
    found: dict[CompiledKey, CompiledVariant] = {}
    for step in definition.steps:
        for way in step.ways:
            place = place_of(step, way)
            for variant in way.variants:
                found[place, variant.id, ""] = compile_variant(variant)
            for language, variants in way.languages.items():
                for variant in variants.values():
                    found[place, variant.id, language] = compile_variant(variant)
            if way.script is not None:
                found[place, SCRIPT, ""] = compile_variant(Variant(SCRIPT, way.script))
    return found


def place_of(step: Step, way: Way) -> str:
    """Under which name the words of one way of a step are compiled."""
    return f"{step.id} {way.channel} {way.action}" if step.options else step.id


def evaluate(when: str, facts: ConditionFacts) -> bool:
    """Whether a step's condition, checked when it was saved, holds."""
    return evaluate_condition(saved_condition(when), facts)


async def preview(
    unit: Unit, actor: Actor, name: str, contact_id: UUID, sender: Mapping[str, Any] | None = None
) -> tuple[PreviewedStep, ...]:
    """Each variant of each step as this person would read it, in their language where there is one.

    ``sender`` has name, address and signature; left out, it is the first mailbox's address.
    """
    found = await campaign(unit, actor, name)
    person = (await load_recipients(unit, [contact_id])).get(contact_id)
    if person is None:
        raise not_found("contact", contact_id)
    return tuple(previewed(found, person, sender))


def previewed(
    found: Campaign, person: Recipient, sender: Mapping[str, Any] | None = None
) -> Iterator[PreviewedStep]:
    """As ``preview``, for who has loaded both already; a text is put together when it is asked for."""
    address = next(iter(found.definition.mailboxes), "")
    facts = {**person.facts, "sender": sender or {"name": address.partition("@")[0], "address": address}}
    parsed = compiled(found.version_id, found.definition)
    for step in found.definition.steps:
        for way in step.ways:
            place = place_of(step, way)
            for variant in way.variants:
                language = person.language if (place, variant.id, person.language or "") in parsed else None
                rendered = parsed[place, variant.id, language or ""].render(facts)
                yield PreviewedStep(step.id, variant.id, language, rendered, way.channel)


async def set_state(unit: Unit, campaign_id: UUID, state: CampaignState) -> None:
    """Move a campaign to another state; the same one changes nothing. A stop is final.

    Raises ``CadenzaError`` (conflict) for a move that there is not.
    """
    query = select(CampaignRow).where(
        CampaignRow.workspace_id == unit.workspace_id, CampaignRow.id == campaign_id
    )
    row = (
        await unit.session.scalars(query.with_for_update().execution_options(populate_existing=True))
    ).one_or_none()
    if row is None:
        raise not_found("campaign", campaign_id)
    if row.state == state:
        return
    if state not in _MOVES[CampaignState(row.state)]:
        raise CadenzaError(
            "campaign_state", f"{row.name} is {row.state} and cannot become {state.value}.", Kind.CONFLICT
        )
    row.state = state.value
    if state is CampaignState.RUNNING and row.launched_at is None:
        row.launched_at = unit.world.now()
    await unit.session.flush()


async def _names(unit: Unit) -> Mapping[UUID, str]:
    return await repository.names(unit)


tell_campaign_names(_names)
