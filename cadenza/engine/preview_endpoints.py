"""Texts through the API as one person would read them, from the mailbox that would write: in force, and not saved yet."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request

from cadenza.campaigns.contracts import Definition
from cadenza.campaigns.service import by_id, edit_of, preview, preview_edit
from cadenza.channels.service import sender_facts
from cadenza.core.unit import Unit
from cadenza.engine.fleet import senders_of
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import ApiUnit, Shape, api_router

router = api_router("engine")

ContactId = Annotated[UUID, Query(description="Whose eyes")]


class RenderedShape(Shape):
    subject: str | None
    text: str
    html: str | None


class PreviewShape(Shape):
    step: str
    variant: str
    language: str | None
    rendered: RenderedShape


class EditPreviewShape(Shape):
    """``rendered`` is null while the text cannot be read; ``missing`` are tokens that this person has no value for."""

    step: str
    variant: str
    rendered: RenderedShape | None
    missing: list[str]


@router.get("/campaigns/{campaign_id}/preview")
async def preview_campaign(
    request: Request, unit: ApiUnit, campaign_id: UUID, contact_id: ContactId
) -> list[PreviewShape]:
    """Each variant of each step as this person would read it."""
    actor = actor_of(request)
    authorize(actor, Action.READ)
    found = await by_id(unit, campaign_id)
    shown = await preview(unit, actor, found.name, contact_id, await _sender(unit, found.definition))
    return [PreviewShape.model_validate(each) for each in shown]


@router.get("/campaigns/{campaign_id}/edit/preview")
async def preview_copy(
    request: Request, unit: ApiUnit, campaign_id: UUID, contact_id: ContactId
) -> list[EditPreviewShape]:
    """Each text of one's working copy as this person would read it."""
    actor = actor_of(request)
    edit = await edit_of(unit, actor, campaign_id)
    definition = edit.definition or (await by_id(unit, campaign_id)).definition
    found = await preview_edit(unit, edit, contact_id, await _sender(unit, definition) or {})
    return [
        EditPreviewShape(
            step=step,
            variant=variant,
            rendered=RenderedShape.model_validate(text.rendered) if text else None,
            missing=list(text.missing) if text else [],
        )
        for step, variant, text in found
    ]


async def _sender(unit: Unit, definition: Definition) -> Mapping[str, Any] | None:
    box = next(iter(await senders_of(unit, definition)), None)
    return sender_facts(box) if box else None
