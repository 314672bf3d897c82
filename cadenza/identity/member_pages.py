"""Settings for those who manage others: members, teams, and everybody's tokens."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.account import make_reset_link
from cadenza.identity.account_pages import own
from cadenza.identity.contracts import Action, Actor, Role, Scope
from cadenza.identity.invitations import invitations, invite, withdraw_invitation
from cadenza.identity.load import load
from cadenza.identity.mailed_links import can_mail, invite_by_mail
from cadenza.identity.members import change_role, set_active
from cadenza.identity.people import Skills, add_team, present, remove_team, set_skills, teams
from cadenza.identity.rights import authorize
from cadenza.identity.tokens import api_tokens, create_api_token, revoke_api_token
from cadenza.web.failures import STATUS, faults_of
from cadenza.web.service import PageUnit, address_of, gettext, reader_of, render, see

router = APIRouter(include_in_schema=False)

Words = Annotated[str, Form(max_length=1000)]


def actor_for(request: Request, action: Action) -> Actor:
    actor, _ = own(request)
    authorize(actor, action)
    return actor


def _roles(actor: Actor) -> list[Role]:
    return [role for role in Role if role is not Role.OWNER or actor.role is Role.OWNER]


@router.get("/settings/members")
async def everybody(request: Request, unit: PageUnit) -> Response:
    return await _members_page(request, unit, actor_for(request, Action.MANAGE_MEMBERS))


@dataclass(frozen=True, slots=True)
class Typed:
    """The form of an invitation, as somebody filled it in."""

    email: str = ""
    name: str = ""
    role: Role = Role.REP
    mailed: bool = True


async def _members_page(
    request: Request,
    unit: Unit,
    actor: Actor,
    *,
    link: str = "",
    typed: Typed | None = None,
    wrong: CadenzaError | None = None,
) -> Response:
    said = {
        "saved": gettext("Saved."),
        "withdrawn": gettext("The link is void now."),
        "mailed": gettext("The invitation is on its way by mail."),
    }
    return render(
        request,
        "identity/members.html",
        status_code=STATUS[wrong.kind] if wrong else 200,
        wrong=wrong,
        faults=faults_of(wrong),
        typed=typed or Typed(),
        can_mail=can_mail(request.app.state.settings),
        members=await repository.members(unit.session, unit.workspace_id),
        invitations=await invitations(unit, actor),
        team_names={team.id: team.name for team in await teams(unit, actor)},
        present=await present(unit),
        at=unit.machine.now(),
        load=await load(unit),
        roles=_roles(actor),
        link=link,
        said=said.get(request.query_params.get("said", ""), ""),
    )


@router.post("/settings/members")
async def invite_one(
    request: Request,
    unit: PageUnit,
    email: Annotated[str, Form(max_length=320)],
    role: Annotated[Role, Form()],
    name: Words = "",
    mailed: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    actor = actor_for(request, Action.MANAGE_MEMBERS)
    typed = Typed(email, name, role, bool(mailed))
    try:
        link = await _invited(request, unit, actor, typed)
    except CadenzaError as wrong:
        if not wrong.problems:
            raise
        return await _members_page(request, unit, actor, typed=typed, wrong=wrong)
    return (
        await _members_page(request, unit, actor, link=link) if link else see("/settings/members", "mailed")
    )


async def _invited(request: Request, unit: Unit, actor: Actor, typed: Typed) -> str:
    """The link to hand over; empty when it goes by mail."""
    if typed.mailed and can_mail(request.app.state.settings):
        locale = reader_of(request).locale
        await invite_by_mail(unit, actor, email=typed.email, name=typed.name, role=typed.role, locale=locale)
        return ""
    token = await invite(unit, actor, email=typed.email, name=typed.name, role=typed.role)
    return address_of(request, f"/join/{token}")


@router.post("/settings/invitations/{invitation_id}/withdraw")
async def withdraw(request: Request, unit: PageUnit, invitation_id: UUID) -> Response:
    await withdraw_invitation(unit, own(request)[0], invitation_id)
    return see("/settings/members", "withdrawn")


@router.get("/settings/members/{member_id}")
async def one(request: Request, unit: PageUnit, member_id: UUID) -> Response:
    return await _member_page(request, unit, member_id, "")


async def _member_page(request: Request, unit: Unit, member_id: UUID, link: str) -> Response:
    actor = actor_for(request, Action.MANAGE_MEMBERS)
    member = await repository.member_by_id(unit.session, unit.workspace_id, member_id)
    if member is None:
        raise not_found("member", member_id)
    return render(
        request,
        "identity/member.html",
        member=member,
        teams=await teams(unit, actor),
        present=await present(unit),
        at=unit.machine.now(),
        roles=_roles(actor),
        link=link,
        said=gettext("Saved.") if request.query_params.get("said") == "saved" else "",
    )


@router.post("/settings/members/{member_id}/role")
async def save_role(
    request: Request, unit: PageUnit, member_id: UUID, role: Annotated[Role, Form()]
) -> Response:
    await change_role(unit, own(request)[0], member_id, role)
    return see(f"/settings/members/{member_id}", "saved")


@router.post("/settings/members/{member_id}/active")
async def save_active(
    request: Request, unit: PageUnit, member_id: UUID, active: Annotated[str, Form(pattern="^(yes|no)$")]
) -> Response:
    await set_active(unit, own(request)[0], member_id, active=active == "yes")
    return see(f"/settings/members/{member_id}", "saved")


@router.post("/settings/members/{member_id}/reset")
async def reset_link(request: Request, unit: PageUnit, member_id: UUID) -> Response:
    token = await make_reset_link(unit, own(request)[0], member_id)
    return await _member_page(request, unit, member_id, address_of(request, f"/reset/{token}"))


@router.post("/settings/members/{member_id}/skills")
async def save_skills(
    request: Request,
    unit: PageUnit,
    member_id: UUID,
    team: Annotated[UUID | str, Form()] = "",
    territories: Words = "",
    languages: Words = "",
    industries: Words = "",
    most_open: Annotated[int | str, Form()] = "",
) -> Response:
    skills = Skills(
        team_id=team if isinstance(team, UUID) else None,
        territories=_listed(territories.upper()),
        languages=_listed(languages.lower()),
        industries=_listed(industries),
        most_open=most_open if isinstance(most_open, int) else None,
    )
    await set_skills(unit, own(request)[0], member_id, skills)
    return see(f"/settings/members/{member_id}", "saved")


def _listed(words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in words.split(",") if part.strip()))


@router.get("/settings/teams")
async def all_teams(request: Request, unit: PageUnit) -> Response:
    actor = actor_for(request, Action.MANAGE_MEMBERS)
    belonging: dict[UUID, list[str]] = {}
    for member in await repository.members(unit.session, unit.workspace_id):
        if member.team_id:
            belonging.setdefault(member.team_id, []).append(member.name)
    said = gettext("Saved.") if request.query_params.get("said") == "saved" else ""
    return render(
        request, "identity/teams.html", teams=await teams(unit, actor), members=belonging, said=said
    )


@router.post("/settings/teams")
async def new_team(request: Request, unit: PageUnit, name: Words) -> Response:
    await add_team(unit, own(request)[0], name)
    return see("/settings/teams", "saved")


@router.post("/settings/teams/{team_id}/remove")
async def no_team(request: Request, unit: PageUnit, team_id: UUID) -> Response:
    await remove_team(unit, own(request)[0], team_id)
    return see("/settings/teams", "saved")


@router.get("/settings/tokens")
async def tokens(request: Request, unit: PageUnit) -> Response:
    return await _tokens_page(request, unit, "")


async def _tokens_page(request: Request, unit: Unit, token: str) -> Response:
    actor, _ = own(request)
    said = gettext("Revoked; it opens nothing any more.") if request.query_params.get("said") else ""
    return render(
        request,
        "identity/tokens.html",
        tokens=await api_tokens(unit, actor),
        token=token,
        scopes=tuple(Scope),
        at=unit.machine.now(),
        said=said,
    )


@router.post("/settings/tokens")
async def new_token(
    request: Request,
    unit: PageUnit,
    name: Words,
    days: Annotated[int, Form(ge=1, le=365)],
    scopes: Annotated[list[Scope], Form(max_length=3)],
) -> Response:
    actor, member = own(request)
    token = await create_api_token(unit, actor, member_id=member.id, name=name, days=days, scopes=set(scopes))
    return await _tokens_page(request, unit, token)


@router.post("/settings/tokens/{token_id}/revoke")
async def revoke(request: Request, unit: PageUnit, token_id: UUID) -> Response:
    await revoke_api_token(unit, own(request)[0], token_id)
    return see("/settings/tokens", "revoked")
