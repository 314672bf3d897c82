"""What the commands of identity do; apart from them, so that their ``--help`` loads nothing of it."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import click

from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.installation import open_installation
from cadenza.core.keys import KeyFile
from cadenza.core.migrations.service import all_models
from cadenza.core.rotation import Rotation, no_file, rotate
from cadenza.core.settings import settings
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.account import make_reset_link
from cadenza.identity.audit import audit, verify_chain
from cadenza.identity.audit_search import export_audit
from cadenza.identity.contracts import INSTALLATION, Action, Actor, AuditBreak, Member, Origin, Role, Scope
from cadenza.identity.factors import drop_lost_factor
from cadenza.identity.invitations import invite
from cadenza.identity.load import load
from cadenza.identity.members import set_active
from cadenza.identity.people import teams
from cadenza.identity.service import authorize, command_line, members
from cadenza.identity.tokens import api_tokens, create_api_token, revoke_api_token


def _address(path: str) -> str:
    current = settings()
    return f"{current.public_url or f'http://{current.host}:{current.port}'}{path}"


@asynccontextmanager
async def _acting(workspace: str | None, as_email: str | None) -> AsyncIterator[tuple[Unit, Actor]]:
    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        yield unit, actor


async def _member(unit: Unit, email: str) -> Member:
    member = await repository.member_by_email(unit.session, unit.workspace_id, email.strip().lower())
    if member is None:
        raise not_found("member", email)
    return member


async def invitation_link(
    email: str, name: str, role: Role, workspace: str | None, as_email: str | None
) -> str:
    async with _acting(workspace, as_email) as (unit, actor):
        token = await invite(unit, actor, email=email, name=name, role=role)
    return _address(f"/join/{token}")


async def member_lines(workspace: str | None, as_email: str | None) -> list[dict[str, Any]]:
    async with _acting(workspace, as_email) as (unit, actor):
        everybody = await members(unit, actor)
        names = {team.id: team.name for team in await teams(unit, actor)}
        have = await load(unit)
    return [
        {
            "id": each.id, "email": each.email, "name": each.name, "role": each.role.value, "active": each.active,
            "team": names.get(each.team_id) if each.team_id else None, "territories": each.territories,
            "languages": each.languages, "industries": each.industries, "open": have.get(each.id, 0),
            "most_open": each.most_open, "away_until": each.away_until, "second_factor": each.has_factor,
        }
        for each in everybody
    ]  # fmt: skip


async def switch_member(email: str, workspace: str | None, as_email: str | None, *, active: bool) -> None:
    async with _acting(workspace, as_email) as (unit, actor):
        await set_active(unit, actor, (await _member(unit, email)).id, active=active)


async def reset_link(email: str, workspace: str | None, as_email: str | None) -> str:
    async with _acting(workspace, as_email) as (unit, actor):
        token = await make_reset_link(unit, actor, (await _member(unit, email)).id)
    return _address(f"/reset/{token}")


async def drop_factor(email: str, workspace: str | None, as_email: str | None) -> None:
    async with _acting(workspace, as_email) as (unit, actor):
        await drop_lost_factor(unit, actor, await _member(unit, email))


async def new_token(
    name: str, email: str, scopes: Collection[Scope], days: int, workspace: str | None, as_email: str | None
) -> str:
    async with _acting(workspace, as_email) as (unit, actor):
        member = await _member(unit, email)
        return await create_api_token(unit, actor, member_id=member.id, name=name, days=days, scopes=scopes)


async def token_lines(workspace: str | None, as_email: str | None) -> list[dict[str, Any]]:
    async with _acting(workspace, as_email) as (unit, actor):
        found = await api_tokens(unit, actor)
    return [
        {
            "id": each.id, "name": each.name, "member": each.member, "scopes": [s.value for s in each.scopes],
            "created_at": each.created_at, "expires_at": each.expires_at, "used_at": each.used_at,
        }
        for each in found
    ]  # fmt: skip


async def revoke_token(token_id: str, workspace: str | None, as_email: str | None) -> None:
    async with _acting(workspace, as_email) as (unit, actor):
        await revoke_api_token(unit, actor, UUID(token_id))


async def verified(
    workspace: str | None, as_email: str | None, installation: UUID | None
) -> AuditBreak | None:
    async with command_line(workspace, as_email) as (database, actor):
        authorize(actor, Action.READ_AUDIT)
        _only_the_machine(as_email, installation)
        async with database.unit(installation or actor.workspace_id) as unit:
            return await verify_chain(unit)


async def print_trail(workspace: str | None, as_email: str | None, installation: UUID | None) -> None:
    async with command_line(workspace, as_email) as (database, actor):
        _only_the_machine(as_email, installation)
        seen = replace(actor, workspace_id=installation) if installation else actor
        async for lines in await export_audit(database, seen):
            click.echo(lines, nl=False)


def _only_the_machine(as_email: str | None, installation: UUID | None) -> None:
    """What belongs to no workspace is for whoever holds the machine, not for a member of one."""
    if installation is not None and as_email is not None:
        raise CadenzaError(
            "not_allowed",
            "No member reads the trail of the installation.",
            Kind.NOT_ALLOWED,
            fix="Leave out --as.",
        )


async def rotate_keys(grace: float) -> Rotation:
    current = settings()
    if current.secret_key:
        raise no_file()
    async with open_installation() as database:
        done = await rotate(database, KeyFile(current.home / "keys.json"), all_models(), grace=grace)
        operator = Actor(INSTALLATION, Role.OWNER, Origin.COMMAND_LINE, name="command line")
        async with database.unit(INSTALLATION) as unit:
            await audit(unit, operator, "keys_rotated", done.key, retired=list(done.retired))
    return done
