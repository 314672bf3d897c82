"""Members, invitations, teams and tokens through the API.

What would hand over an account (passwords, second factors, links to reset them, new tokens) is done in a browser only.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Request
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from cadenza.core.errors import not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Role, Scope
from cadenza.identity.invitations import invitations, invite, withdraw_invitation
from cadenza.identity.members import change_role, found_member, set_active
from cadenza.identity.people import Skills, add_team, remove_team, set_away, set_skills, teams
from cadenza.identity.service import actor_of, authorize, members, present
from cadenza.identity.tokens import api_tokens, revoke_api_token
from cadenza.web.api import ApiUnit, Shape, api_router
from cadenza.web.service import address_of

router = api_router("identity")

MemberId = Annotated[UUID, Path(description="The member's id")]
Words = Annotated[str, Field(min_length=1, max_length=60)]


class MemberShape(Shape):
    id: UUID
    email: str
    name: str
    role: Role
    active: bool
    timezone: str
    locale: str
    team_id: UUID | None
    territories: list[str]
    languages: list[str]
    industries: list[str]
    most_open: int | None  # conversations at a time; null is without a limit
    away_until: datetime | None


class MemberHere(MemberShape):
    present: bool  # has clicked within the last minutes


class NewRole(Shape):
    role: Annotated[Role, Field(examples=["manager"])]


class NewActive(Shape):
    active: bool


class NewSkills(Shape):
    """What conversations somebody should get; empty means any. All of it is replaced."""

    team_id: UUID | None = None
    territories: list[Words] = Field(default_factory=list, max_length=300, examples=[["DE", "AT"]])
    languages: list[Words] = Field(default_factory=list, max_length=100, examples=[["de"]])
    industries: list[Words] = Field(default_factory=list, max_length=100)
    most_open: Annotated[int | None, Field(ge=0, le=10_000)] = None


_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Absence(Shape):
    until: Annotated[AwareDatetime | None, Field(ge=_EARLIEST, le=_LATEST, examples=["2026-12-27T00:00:00Z"])]


class NewInvitation(Shape):
    email: Annotated[str, Field(max_length=320, examples=["jo@company.example"])]
    role: Annotated[Role, Field(examples=["rep"])]
    name: Annotated[str, Field(max_length=200)] = ""


class InvitationShape(Shape):
    id: UUID
    email: str
    name: str
    role: Role
    expires_at: datetime


class InvitationLink(Shape):
    link: str  # for the person who is invited; shown this once


class NewTeam(Shape):
    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Benelux"])]


class TeamShape(Shape):
    id: UUID
    name: str


class TokenShape(Shape):
    """Never the token itself."""

    id: UUID
    member_id: UUID
    member: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@router.get("/members")
async def list_members(request: Request, unit: ApiUnit) -> list[MemberHere]:
    """Everybody of the workspace, by name, and who is there now."""
    found, here = await members(unit, actor_of(request)), await present(unit)
    return [
        MemberHere(**MemberShape.model_validate(each).model_dump(), present=each.id in here) for each in found
    ]


@router.post("/members/me/away")
async def set_absence(request: Request, unit: ApiUnit, absence: Absence) -> MemberShape:
    """One's own absence: until then nothing new is given to one. With null one is back."""
    actor = actor_of(request)
    await set_away(unit, actor, absence.until)
    return await _member(unit, actor.member_id)


@router.get("/members/{member_id}")
async def read_member(request: Request, unit: ApiUnit, member_id: MemberId) -> MemberShape:
    """One member with their skills."""
    authorize(actor_of(request), Action.READ)
    return await _member(unit, member_id)


@router.post("/members/{member_id}/role")
async def give_role(request: Request, unit: ApiUnit, member_id: MemberId, new: NewRole) -> MemberShape:
    """In force with their next request. Only an owner makes or changes an owner; the last one stays."""
    await change_role(unit, actor_of(request), member_id, new.role)
    return await _member(unit, member_id)


@router.post("/members/{member_id}/active")
async def set_member_active(
    request: Request, unit: ApiUnit, member_id: MemberId, new: NewActive
) -> MemberShape:
    """Disable somebody, which ends their sessions and tokens here, or let them in again."""
    await set_active(unit, actor_of(request), member_id, active=new.active)
    return await _member(unit, member_id)


@router.post("/members/{member_id}/skills")
async def give_skills(request: Request, unit: ApiUnit, member_id: MemberId, new: NewSkills) -> MemberShape:
    """Team, territories, languages, industries and the most conversations at a time."""
    skills = Skills(
        team_id=new.team_id,
        territories=tuple(new.territories),
        languages=tuple(new.languages),
        industries=tuple(new.industries),
        most_open=new.most_open,
    )
    await set_skills(unit, actor_of(request), member_id, skills)
    return await _member(unit, member_id)


async def _member(unit: Unit, member_id: UUID | None) -> MemberShape:
    if member_id is None:
        raise not_found("member", "of this caller")
    return MemberShape.model_validate(await found_member(unit, member_id))


@router.get("/invitations")
async def list_invitations(request: Request, unit: ApiUnit) -> list[InvitationShape]:
    """Those that can still be used, the one that ends first coming first."""
    return [InvitationShape.model_validate(each) for each in await invitations(unit, actor_of(request))]


@router.post("/invitations")
async def make_invitation(request: Request, unit: ApiUnit, new: NewInvitation) -> InvitationLink:
    """A link by which this person becomes a member: once, within a day. A link made before is void."""
    token = await invite(unit, actor_of(request), email=new.email, name=new.name, role=new.role)
    return InvitationLink(link=address_of(request, f"/join/{token}"))


@router.delete("/invitations/{invitation_id}", status_code=204, response_class=Response)
async def delete_invitation(request: Request, unit: ApiUnit, invitation_id: UUID) -> None:
    """Its link is void from now on."""
    await withdraw_invitation(unit, actor_of(request), invitation_id)


@router.get("/teams")
async def list_teams(request: Request, unit: ApiUnit) -> list[TeamShape]:
    """All teams, by name."""
    return [TeamShape.model_validate(each) for each in await teams(unit, actor_of(request))]


@router.post("/teams")
async def make_team(request: Request, unit: ApiUnit, new: NewTeam) -> TeamShape:
    """A team without members; members are given one with their skills."""
    return TeamShape.model_validate(await add_team(unit, actor_of(request), new.name))


@router.delete("/teams/{team_id}", status_code=204, response_class=Response)
async def delete_team(request: Request, unit: ApiUnit, team_id: UUID) -> None:
    """Its members stay members, without a team."""
    await remove_team(unit, actor_of(request), team_id)


@router.get("/tokens")
async def list_tokens(request: Request, unit: ApiUnit) -> list[TokenShape]:
    """One's own tokens, newest first; owners and operators see everybody's. A new one is made in Settings only."""
    return [TokenShape.model_validate(each) for each in await api_tokens(unit, actor_of(request))]


@router.delete("/tokens/{token_id}", status_code=204, response_class=Response)
async def revoke_token(request: Request, unit: ApiUnit, token_id: UUID) -> None:
    """It opens nothing from the next request on; a token may revoke itself."""
    await revoke_api_token(unit, actor_of(request), token_id)
