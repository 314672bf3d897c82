"""What an assistant may propose about campaigns: a new draft, or a new version as a working copy. Neither sends anything."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from pydantic import Field

from cadenza.campaigns import repository
from cadenza.campaigns.document import read_document
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.service import apply, by_id, document_text, numbered, replace_edit
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.identity.contracts import Action
from cadenza.identity.service import authorize
from cadenza.web.tools import Call, Does, Given, Outside, Proposed, Told, Toolbox

TOOLS = Toolbox()

Document = Annotated[str, Field(min_length=1, max_length=100_000, description="A campaign file (YAML)")]


class FileAsked(Given):
    campaign_id: UUID
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="In force where absent")] = None


class FileTold(Told):
    campaign_id: UUID
    name: Outside
    version: int
    document: Outside


class NewCampaign(Given):
    document: Document


class NewVersion(Given):
    campaign_id: UUID
    document: Document


@TOOLS.add(Does.READS, Action.READ, "A campaign's file")
async def read_campaign_file(call: Call, given: FileAsked) -> FileTold:
    """All that a campaign says, as its file: audience, senders, window, steps and texts."""
    definition = await numbered(call.unit, call.actor, given.campaign_id, given.version)
    found = await by_id(call.unit, given.campaign_id)
    return FileTold.model_validate(
        {"campaign_id": found.id, "name": found.name, "version": given.version or found.version, "document": document_text(definition)}
    )  # fmt: skip


@TOOLS.add(Does.PROPOSES, Action.EDIT_CAMPAIGNS, "Propose a campaign")
async def propose_campaign(call: Call, given: NewCampaign) -> Proposed:
    """Keep a new campaign as a draft. Nothing is sent: a person launches it, or not. A file with a fault keeps nothing."""
    authorize(call.actor, Action.EDIT_CAMPAIGNS)
    name = read_document(given.document, Folder(None), lambda _: None).name
    await repository.lock_name(call.unit, name)
    if name and await repository.campaign_row(call.unit, name) is not None:
        raise CadenzaError(
            "campaign_exists", "There is a campaign of this name already.", Kind.CONFLICT,
            fix="Nothing was changed. Give it another name, or use propose_campaign_version.",
        )  # fmt: skip
    applied = await apply(call.unit, call.actor, given.document)
    if applied.errors:
        problems = tuple(Problem(e["message"], line=e["line"], key=e["key"]) for e in applied.errors)
        raise CadenzaError(
            "campaign_file_invalid", "The campaign file has problems; nothing was kept.",
            fix="Correct them and call the tool again.", problems=problems,
        )  # fmt: skip
    return Proposed(
        done="Kept as a draft that is not launched.",
        approve_at=call.address(f"/campaigns/{quote(applied.campaign)}"),
    )


@TOOLS.add(Does.PROPOSES, Action.EDIT_CAMPAIGNS, "Propose a new version of a campaign")
async def propose_campaign_version(call: Call, given: NewVersion) -> Proposed:
    """Keep a whole campaign file as the working copy of the token's member. The version in force stays until they save it in the editor; a working copy that is there already is left as it is."""
    edit = await replace_edit(call.unit, call.actor, given.campaign_id, given.document, only_new=True)
    return Proposed(
        done="Kept as a working copy; the version in force is unchanged."
        if edit.changed
        else "It says what the version in force says; nothing was kept.",
        approve_at=call.address(f"/campaigns/{quote(edit.name)}/edit"),
        waits_for_a_person=edit.changed,
    )
