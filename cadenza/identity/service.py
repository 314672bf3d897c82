"""Doors of identity: who may do what, signing in and out, workspaces and members."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from starlette.requests import Request

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.installation import open_installation
from cadenza.identity import repository
from cadenza.identity.assigning import Assignment, Question, choose
from cadenza.identity.audit import audit, record_refusal, verify_chain
from cadenza.identity.contracts import Actor, Member, Origin, Role, Workspace
from cadenza.identity.load import counts_as_load, load
from cadenza.identity.mailed_links import (
    INVITATION_MAIL,
    RESET_MAIL,
    Letter,
    invitation_letter,
    reset_letter,
)
from cadenza.identity.members import change_role, set_active
from cadenza.identity.people import present
from cadenza.identity.proof import proof_first
from cadenza.identity.rights import authorize, is_fresh, may, require_fresh
from cadenza.identity.sessions import log_in, log_out, session_actor, token_actor
from cadenza.identity.tokens import create_api_token
from cadenza.identity.workspaces import (
    add_member,
    all_members,
    colleagues,
    create_workspace,
    found_workspace,
    members,
    team_around,
    workspaces,
)

__all__ = [
    "INVITATION_MAIL",
    "RESET_MAIL",
    "Assignment",
    "Letter",
    "Question",
    "actor_now",
    "actor_of",
    "add_member",
    "all_members",
    "audit",
    "authorize",
    "change_role",
    "choose",
    "colleagues",
    "command_line",
    "counts_as_load",
    "create_api_token",
    "create_workspace",
    "found_workspace",
    "invitation_letter",
    "is_fresh",
    "job_actor",
    "load",
    "log_in",
    "log_out",
    "may",
    "members",
    "present",
    "proof_first",
    "record_refusal",
    "require_fresh",
    "reset_letter",
    "session_actor",
    "set_active",
    "team_around",
    "token_actor",
    "verify_chain",
    "workspaces",
]  # fmt: skip


def actor_of(request: Request) -> Actor:
    """Who makes this request; set by the session middleware. Raises when nobody is signed in."""
    actor = getattr(request.state, "actor", None)
    if not isinstance(actor, Actor):
        raise CadenzaError("sign_in_needed", "Sign in first.", Kind.UNAUTHENTICATED)
    return actor


async def actor_now(request: Request) -> Actor:
    """For live parts: asked again for each that is sent, so that who is signed out or demoted sees nothing more (ASVS 7.4.2)."""
    token = getattr(request.state, "session_token", None)
    found = (
        await session_actor(request.app.state.database, token, request.app.state.settings) if token else None
    )
    if found is None:
        raise CadenzaError("sign_in_needed", "Sign in first.", Kind.UNAUTHENTICATED)
    return found[0]


def job_actor(workspace_id: UUID) -> Actor:
    """A background job acts for the owner of the workspace and says so."""
    return Actor(workspace_id, Role.OWNER, Origin.JOB, name="job")


@asynccontextmanager
async def command_line(workspace: str | None, as_email: str | None) -> AsyncIterator[tuple[Database, Actor]]:
    """The installation's database, and the actor that ``--workspace`` and ``--as`` name."""
    async with open_installation() as database:
        actor = await _command_actor(database, workspace, as_email)
        try:
            yield database, actor
        except CadenzaError as error:
            await record_refusal(database, actor, error)
            raise


async def _command_actor(database: Database, workspace: str | None, as_email: str | None) -> Actor:
    found = await _chosen_workspace(database, workspace)
    if as_email is None:
        return Actor(found.id, Role.OWNER, Origin.COMMAND_LINE, name="command line")
    async with database.unit(found.id) as unit:
        member = await repository.member_by_email(unit.session, found.id, as_email.lower())
    if member is None or not member.active:
        raise CadenzaError("member_not_found", f"{as_email} is no member of {found.name}.", Kind.NOT_FOUND)
    return _as_actor(member)


def _as_actor(member: Member) -> Actor:
    return Actor(member.workspace_id, member.role, Origin.COMMAND_LINE, member.id, member.name)


async def _chosen_workspace(database: Database, name: str | None) -> Workspace:
    async with database.installation() as session:
        all_workspaces = await repository.workspaces(session)
    if name is not None:
        found = [w for w in all_workspaces if name in (w.slug, w.name)]
        if not found:
            raise CadenzaError("workspace_not_found", f"There is no workspace {name}.", Kind.NOT_FOUND)
        return found[0]
    if len(all_workspaces) != 1:
        names = ", ".join(w.slug for w in all_workspaces)
        problem = f"There are several workspaces: {names}." if names else "There is no workspace yet."
        fix = (
            "Name one with --workspace."
            if names
            else "Start with `cadenza up`, or `cadenza up --sandbox` to try it."
        )
        raise CadenzaError("workspace_unclear", problem, fix=fix)
    return all_workspaces[0]
