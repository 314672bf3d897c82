"""Workspaces, and members made directly: the first owner, those of the command line and the sandbox."""

import re
from collections.abc import Collection
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.contracts import Action, Actor, Colleague, Colleagues, Member, Role, Workspace
from cadenza.identity.models import MemberRow, UserRow, WorkspaceRow
from cadenza.identity.passwords import check_new_password, hash_password
from cadenza.identity.rights import authorize

_SMALL_TEAM = 30  # members that a page may offer beside something else


async def workspaces(database: Database) -> list[Workspace]:
    async with database.installation() as session:
        return await repository.workspaces(session)


async def create_workspace(
    database: Database, name: str, *, owner_email: str, owner_name: str, password: str
) -> tuple[Workspace, Member]:
    """A new workspace with its first owner, who may exist already (then the password is left as it was)."""
    async with database.unit(new_id()) as unit:
        return await found_workspace(
            unit, name, owner_email=owner_email, owner_name=owner_name, password=password
        )


async def found_workspace(
    unit: Unit, name: str, *, owner_email: str, owner_name: str, password: str
) -> tuple[Workspace, Member]:
    """As ``create_workspace``, all in one transaction: the unit's workspace, which must not be there yet, is made."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "workspace"
    if slug in {w.slug for w in await repository.workspaces(unit.session)}:
        raise CadenzaError("workspace_exists", f"There is a workspace {slug} already.", Kind.CONFLICT)
    row = WorkspaceRow(id=unit.workspace_id, name=name, slug=slug, created_at=unit.machine.now())
    unit.session.add(row)
    await unit.session.flush()
    member = await _add(unit, owner_email, owner_name, Role.OWNER, password)
    return Workspace(row.id, row.name, row.slug), member


async def add_member(unit: Unit, actor: Actor, *, email: str, name: str, role: Role, password: str) -> Member:
    """Raises ``CadenzaError`` when the actor may not, the password is weak, or the person is a member already."""
    authorize(actor, Action.MANAGE_MEMBERS)
    if role is Role.OWNER and actor.role is not Role.OWNER:
        raise CadenzaError("not_allowed", "Only an owner can make an owner.", Kind.NOT_ALLOWED)
    return await _add(unit, email, name, role, password)


async def _add(unit: Unit, email: str, name: str, role: Role, password: str) -> Member:
    email = email.strip().lower()
    now = unit.machine.now()
    user = await repository.user_by_email(unit.session, email)
    if user is None:
        check_new_password(password)
        user = UserRow(
            id=new_id(), email=email, name=name, password_hash=hash_password(password), created_at=now
        )
        unit.session.add(user)
        await unit.session.flush()
    row = MemberRow(
        workspace_id=unit.workspace_id, id=new_id(), user_id=user.id, role=role.value, created_at=now
    )
    unit.session.add(row)
    try:
        await unit.session.flush()
    except IntegrityError as twice:
        raise CadenzaError("member_exists", f"{email} is a member already.", Kind.CONFLICT) from twice
    return Member(row.id, unit.workspace_id, user.id, email, user.name, role, active=True)


async def members(unit: Unit, actor: Actor) -> list[Member]:
    authorize(actor, Action.READ)
    return await repository.members(unit.session, unit.workspace_id)


async def colleagues(unit: Unit, actor: Actor) -> list[Colleague]:
    """All members by name only."""
    authorize(actor, Action.READ)
    return await repository.colleagues(unit.session, unit.workspace_id)


async def team_around(unit: Unit, actor: Actor, member_ids: Collection[UUID]) -> Colleagues:
    """The names of these members; those of all where the team is small, which a page may then offer to choose from."""
    authorize(actor, Action.READ)
    return await repository.team(unit.session, unit.workspace_id, member_ids, _SMALL_TEAM)


async def all_members(unit: Unit) -> list[Member]:
    """For rooms that route by themselves, without a person asking."""
    return await repository.members(unit.session, unit.workspace_id)
