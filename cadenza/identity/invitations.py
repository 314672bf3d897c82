"""Invitations: a link by which somebody becomes a member."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.account import LINK_LIFE, link_void
from cadenza.identity.audit import audit
from cadenza.identity.contracts import Action, Actor, Member, Origin, Role
from cadenza.identity.models import InvitationRow, MemberRow, UserRow
from cadenza.identity.passwords import check_new_password, hash_password
from cadenza.identity.rights import authorize, may_give

_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}")


@dataclass(frozen=True, slots=True)
class Invitation:
    id: UUID
    email: str
    name: str
    role: Role
    expires_at: datetime


async def invite(unit: Unit, actor: Actor, *, email: str, name: str, role: Role) -> str:
    """The token of a link by which this person becomes a member: once, within a day. A link made before is void."""
    return (await new_invitation(unit, actor, email=email, name=name, role=role))[1]


async def new_invitation(unit: Unit, actor: Actor, *, email: str, name: str, role: Role) -> tuple[UUID, str]:
    """``invite``, with the invitation's id before the token."""
    authorize(actor, Action.MANAGE_MEMBERS)
    may_give(actor, role)
    email = email.strip().lower()
    if not _ADDRESS.fullmatch(email):
        raise CadenzaError(
            "address_invalid", f"{email!r} is no e-mail address; nobody was invited.", fix="Write it as name@company.example.",
            problems=(Problem("Write it as name@company.example.", key="email", code="address_invalid"),),
        )  # fmt: skip
    if await repository.member_by_email(unit.session, unit.workspace_id, email):
        raise CadenzaError(
            "member_exists", f"{email} is a member already; nobody was invited.", Kind.CONFLICT, fix="Their rights are changed on their own page, in the list of members.",
            problems=(Problem(f"{email} is a member already.", key="email", code="member_exists"),),
        )  # fmt: skip
    token, now = new_token(), unit.machine.now()
    await unit.session.execute(delete(InvitationRow).where(InvitationRow.email == email))
    identity = new_id()
    unit.session.add(
        InvitationRow(
            workspace_id=unit.workspace_id, id=identity, token_hash=token_hash(token), email=email,
            name=name.strip()[:200] or email.partition("@")[0], role=role.value, invited_by=actor.member_id,
            created_at=now, expires_at=now + LINK_LIFE,
        )
    )  # fmt: skip
    await audit(unit, actor, "member_invited", email, role=role.value)
    return identity, token


async def invitations(unit: Unit, actor: Actor) -> list[Invitation]:
    """Those that can still be used."""
    authorize(actor, Action.MANAGE_MEMBERS)
    query = (
        select(InvitationRow)
        .where(
            InvitationRow.workspace_id == unit.workspace_id,
            InvitationRow.used_at.is_(None),
            InvitationRow.expires_at > unit.machine.now(),
        )
        .order_by(InvitationRow.expires_at)
    )
    return [_invitation(row) for row in await unit.session.scalars(query)]


def _invitation(row: InvitationRow) -> Invitation:
    return Invitation(row.id, row.email, row.name, Role(row.role), row.expires_at)


async def withdraw_invitation(unit: Unit, actor: Actor, invitation_id: UUID) -> None:
    authorize(actor, Action.MANAGE_MEMBERS)
    row = await unit.session.get(InvitationRow, (unit.workspace_id, invitation_id))
    if row is None:
        raise not_found("invitation", invitation_id)
    await unit.session.delete(row)
    await audit(unit, actor, "invitation_withdrawn", row.email)


async def open_invitation(database: Database, token: str) -> tuple[UUID, Invitation, bool] | None:
    """Workspace and content of a link that can still be used, and whether the person has an account here already."""
    async with database.installation() as session:
        hashed = token_hash(token)
        await session.execute(text("select set_config('cadenza.token', :hash, true)"), {"hash": hashed.hex()})
        row = await session.scalar(select(InvitationRow).where(InvitationRow.token_hash == hashed))
        if row is None or row.used_at is not None or row.expires_at <= database.machine.now():
            return None
        known = await repository.user_by_email(session, row.email) is not None
    return row.workspace_id, _invitation(row), known


async def accept_invitation(database: Database, token: str, *, name: str, password: str) -> Member:
    """Makes the person a member, with a new account and this password.

    Who has an account must show its password instead: a link that went astray must not open it.
    """
    found = await open_invitation(database, token)
    if found is None:
        raise link_void()
    workspace_id, invitation, known = found
    if known:
        raise CadenzaError(
            "account_exists",
            "You have an account here already.",
            Kind.CONFLICT,
            fix="Sign in first, then open the link again.",
        )
    check_new_password(password)
    hashed = await asyncio.to_thread(hash_password, password)
    async with database.unit(workspace_id) as unit:
        await _use(unit, invitation)
        user = UserRow(
            id=new_id(), email=invitation.email, name=(name.strip() or invitation.name)[:200],
            password_hash=hashed, created_at=unit.machine.now(),
        )  # fmt: skip
        unit.session.add(user)
        return await _join(unit, user, invitation)


async def join_with_account(database: Database, token: str, actor: Actor) -> Member:
    """Somebody who is signed in takes the invitation that was sent to their own address."""
    found = await open_invitation(database, token)
    if found is None or actor.user_id is None:
        raise link_void()
    workspace_id, invitation, _ = found
    async with database.unit(workspace_id) as unit:
        user = await unit.session.get_one(UserRow, actor.user_id)
        if user.email != invitation.email:
            raise CadenzaError(
                "invitation_of_another", "This invitation is for another address.", Kind.NOT_ALLOWED
            )
        await _use(unit, invitation)
        return await _join(unit, user, invitation)


async def _use(unit: Unit, invitation: Invitation) -> None:
    """Marks the link as used; of two at once, one comes too late."""
    taken = await unit.session.scalar(
        update(InvitationRow)
        .where(
            InvitationRow.workspace_id == unit.workspace_id,
            InvitationRow.id == invitation.id,
            InvitationRow.used_at.is_(None),
        )
        .values(used_at=unit.machine.now())
        .returning(InvitationRow.id)
    )
    if taken is None:
        raise link_void()


async def _join(unit: Unit, user: UserRow, invitation: Invitation) -> Member:
    row = MemberRow(
        workspace_id=unit.workspace_id, id=new_id(), user_id=user.id, role=invitation.role.value,
        created_at=unit.machine.now(),
    )  # fmt: skip
    try:
        await unit.session.flush()
        unit.session.add(row)
        await unit.session.flush()
    except IntegrityError as twice:
        raise CadenzaError("member_exists", f"{user.email} is a member already.", Kind.CONFLICT) from twice
    actor = Actor(unit.workspace_id, invitation.role, Origin.PAGE, row.id, user.name, user_id=user.id)
    await audit(unit, actor, "member_joined", user.email, role=invitation.role.value)
    return Member(row.id, unit.workspace_id, user.id, user.email, user.name, invitation.role, active=True)
