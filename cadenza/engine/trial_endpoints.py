"""Sending one text of a campaign to oneself, through the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field

from cadenza.campaigns.service import by_id
from cadenza.engine.trial import Text, try_text
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import Shape, api_router

router = api_router("engine", one_unit=False)


class NewTextTrial(Shape):
    contact_id: Annotated[UUID, Field(description="Whose data fills the text; they are not written to.")]
    step: Annotated[str, Field(max_length=64, description="Left out, the first.")] = ""
    variant: Annotated[str, Field(max_length=64, description="Left out, the first.")] = ""
    to: Annotated[str | None, Field(max_length=320, description="An address of your own.")] = None


class TextTrialShape(Shape):
    sender: str
    recipient: str
    ok: bool
    detail: str


@router.post("/campaigns/{campaign_id}/try")
async def try_campaign_text(request: Request, campaign_id: UUID, trial: NewTextTrial) -> TextTrialShape:
    """Send one text to yourself, as this person would read it; it is counted in no figure."""
    actor, database = actor_of(request), request.app.state.database
    authorize(actor, Action.EDIT_CAMPAIGNS)
    async with database.unit(actor.workspace_id) as unit:
        found = await by_id(unit, campaign_id)
    text = Text(found.name, trial.contact_id, trial.step, trial.variant)
    return TextTrialShape.model_validate(await try_text(database, actor, text, to=trial.to))
