"""Campaigns through the API: reading them, and applying a campaign file."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query, Request

from cadenza.campaigns.contracts import Applied, Campaign, CampaignState
from cadenza.campaigns.repository import to_json
from cadenza.campaigns.service import (
    apply,
    by_id,
    campaigns_after,
    document_text,
    numbered,
    versions,
)
from cadenza.core.errors import CadenzaError, Problem
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import After, ApiUnit, Limit, Page, Shape, api_router, page_of

router = api_router("campaigns")

_FILE = """version: 1
name: Spring stoppages
audience: {contacts: people.csv}
senders: {mailboxes: [anna@example.com]}
steps:
  - id: intro
    channel: email
    action: send
    after: {days: 0}
    variants:
      - id: a
        subject: "Stoppages at {{ account.name | default: 'your plant' }}"
        text: "Hi {{ contact.first_name | default: 'there' }}, how do you plan them?"
"""


class CampaignShape(Shape):
    id: UUID
    name: str
    state: CampaignState
    version: int
    created_at: datetime
    launched_at: datetime | None


class CampaignWhole(CampaignShape):
    definition: dict[str, Any]


class AppliedShape(Shape):
    campaign: str
    version: int | None
    created: bool
    changes: list[str]
    warnings: list[dict[str, Any]]


class CampaignFile(Shape):
    """A campaign file as text (docs/campaign-file.md). Files beside it are out of reach here."""

    document: Annotated[str, Body(max_length=500_000, examples=[_FILE])]


class VersionShape(Shape):
    number: int
    created_at: datetime
    member_id: UUID | None
    changes: list[str]


@router.get("/campaigns")
async def list_campaigns(
    request: Request,
    unit: ApiUnit,
    state: Annotated[CampaignState | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CampaignShape]:
    """Campaigns, newest first."""
    found = await campaigns_after(unit, actor_of(request), state=state, after=after, limit=limit + 1)
    return page_of(found, limit, CampaignShape)


@router.get("/campaigns/{campaign_id}")
async def read_campaign(request: Request, unit: ApiUnit, campaign_id: UUID) -> CampaignWhole:
    """One campaign with all that its file says."""
    authorize(actor_of(request), Action.READ)
    return _whole(await by_id(unit, campaign_id))


@router.post("/campaigns")
async def apply_campaign(request: Request, unit: ApiUnit, file: CampaignFile) -> AppliedShape:
    """Make what the file says the campaign of its name. A file with a problem changes nothing."""
    applied = await apply(unit, actor_of(request), file.document)
    if applied.errors:
        raise _refused(applied)
    return AppliedShape.model_validate(applied)


@router.get("/campaigns/{campaign_id}/versions")
async def list_versions(request: Request, unit: ApiUnit, campaign_id: UUID) -> list[VersionShape]:
    """The newest 200 versions, newest first, with what each changed."""
    found = await versions(unit, actor_of(request), campaign_id)
    return [VersionShape.model_validate(each) for each in found]


@router.get("/campaigns/{campaign_id}/file")
async def read_file(
    request: Request,
    unit: ApiUnit,
    campaign_id: UUID,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> CampaignFile:
    """A version as a campaign file, the one in force by default; applying it again changes nothing."""
    found = await numbered(unit, actor_of(request), campaign_id, version)
    return CampaignFile(document=document_text(found))


def _whole(found: Campaign) -> CampaignWhole:
    brief = CampaignShape.model_validate(found)
    return CampaignWhole(**brief.model_dump(), definition=dict(_json(found)))


def _json(found: Campaign) -> dict[str, Any]:
    stored = to_json(found.definition)
    assert isinstance(stored, dict)  # noqa: S101 - a definition is an object
    return stored


def _refused(applied: Applied) -> CadenzaError:
    problems = tuple(Problem(e["message"], line=e["line"], key=e["key"]) for e in applied.errors)
    return CadenzaError(
        "campaign_file_invalid", "The campaign file has problems; nothing was changed.",
        fix="Correct them and send it again.", problems=problems,
    )  # fmt: skip
