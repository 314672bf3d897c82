"""The working copy of a campaign through the API: read, changed by text or by place, saved, discarded."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from cadenza.campaigns.contracts import Edit
from cadenza.campaigns.document_text import tree_text
from cadenza.campaigns.endpoints import CampaignFile
from cadenza.campaigns.service import (
    discard_edit,
    edit_of,
    keep_edit,
    rebase_edit,
    replace_edit,
    save_edit,
)
from cadenza.identity.service import actor_of
from cadenza.web.api import ApiUnit, FieldProblem, Shape, api_router

router = api_router("editing")

Place = Annotated[str, Field(max_length=200)]
Value = Annotated[str, Field(max_length=100_000)]


class EditShape(Shape):
    """``document`` is the copy as a campaign file; ``problems`` say what is not finished yet.

    Another ``based_on`` than ``version`` means that somebody saved meanwhile.
    """

    campaign_id: UUID
    name: str
    based_on: int
    version: int
    changed: bool
    document: str
    tree: dict[str, Any]
    problems: list[FieldProblem]


class NewValues(Shape):
    """Words by place, several for a list, as the editor's page sends them."""

    values: Annotated[
        dict[Place, Annotated[list[Value], Field(max_length=100)]],
        Field(max_length=500, examples=[{"steps.0.variants.0.subject": ["One idea"]}]),
    ]


@router.get("/campaigns/{campaign_id}/edit")
async def read_edit(request: Request, unit: ApiUnit, campaign_id: UUID) -> EditShape:
    """One's own working copy; where there is none, the version in force."""
    return _shape(await edit_of(unit, actor_of(request), campaign_id))


@router.put("/campaigns/{campaign_id}/edit")
async def put_edit(request: Request, unit: ApiUnit, campaign_id: UUID, file: CampaignFile) -> EditShape:
    """Make a whole campaign file the working copy. A file with a problem, or of another name, changes nothing."""
    return _shape(await replace_edit(unit, actor_of(request), campaign_id, file.document))


@router.post("/campaigns/{campaign_id}/edit/values")
async def keep_values(request: Request, unit: ApiUnit, campaign_id: UUID, new: NewValues) -> EditShape:
    """Put values into the working copy by their places; a place that there is not changes nothing."""
    return _shape(await keep_edit(unit, actor_of(request), campaign_id, new.values))


@router.post("/campaigns/{campaign_id}/edit/save")
async def save_copy(request: Request, unit: ApiUnit, campaign_id: UUID) -> EditShape:
    """Make the working copy the version in force. A fault, or a version that somebody saved meanwhile, saves nothing."""
    return _shape(await save_edit(unit, actor_of(request), campaign_id))


@router.post("/campaigns/{campaign_id}/edit/over")
async def save_over(request: Request, unit: ApiUnit, campaign_id: UUID) -> EditShape:
    """Say that the copy shall be saved over what somebody else saved meanwhile."""
    return _shape(await rebase_edit(unit, actor_of(request), campaign_id))


@router.delete("/campaigns/{campaign_id}/edit", status_code=204, response_class=Response)
async def discard_copy(request: Request, unit: ApiUnit, campaign_id: UUID) -> None:
    """Back to the version in force."""
    await discard_edit(unit, actor_of(request), campaign_id)


def _shape(found: Edit) -> EditShape:
    return EditShape(
        campaign_id=found.campaign_id, name=found.name, based_on=found.based_on, version=found.version, changed=found.changed,
        document=tree_text(found.tree), tree=found.tree, problems=[FieldProblem.model_validate(p) for p in found.problems],
    )  # fmt: skip
