"""API tokens: what a program acts with, in a member's name and never beyond its scopes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.audit import audit
from cadenza.identity.contracts import Action, Actor, Origin, Scope
from cadenza.identity.models import ApiTokenRow, MemberRow, UserRow
from cadenza.identity.rights import authorize, may, require_write

_LONGEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class ApiToken:
    id: UUID
    member_id: UUID
    member: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


async def create_api_token(
    unit: Unit,
    actor: Actor,
    *,
    member_id: UUID,
    name: str,
    days: int = 90,
    scopes: Collection[Scope] = tuple(Scope),
) -> str:
    """The token, shown once. A member may make tokens for themself; owners and operators for anybody below an owner."""
    if actor.origin is Origin.API:
        raise CadenzaError("not_allowed", "A token cannot make tokens.", Kind.NOT_ALLOWED)
    await _may_manage(unit, actor, member_id)
    _check(name, days, scopes)
    token, now = new_token(), unit.machine.now()
    unit.session.add(
        ApiTokenRow(
            workspace_id=unit.workspace_id, id=new_id(), member_id=member_id, name=name.strip(),
            token_hash=token_hash(token), scopes=[scope.value for scope in scopes],
            created_at=now, expires_at=now + timedelta(days=days),
        )
    )  # fmt: skip
    await audit(unit, actor, "token_made", name.strip(), scopes=sorted(scopes), days=days)
    return token


async def _may_manage(unit: Unit, actor: Actor, member_id: UUID) -> None:
    if member_id != actor.member_id:
        authorize(actor, Action.MANAGE_MEMBERS)
    member = await repository.member_by_id(unit.session, unit.workspace_id, member_id)
    if member is None:
        raise not_found("member", member_id)
    if member.role.value == "owner" and actor.role.value != "owner":
        raise CadenzaError("not_allowed", "Only an owner can make a token for an owner.", Kind.NOT_ALLOWED)


def _check(name: str, days: int, scopes: Collection[Scope]) -> None:
    if not 0 < len(name.strip()) <= 100:
        raise CadenzaError(
            "token_name", "A token's name has 1 to 100 characters.", fix="Name what will use it."
        )
    if not 1 <= days <= _LONGEST_DAYS:
        raise CadenzaError("token_days", f"A token lives 1 to {_LONGEST_DAYS} days.")
    if not scopes:
        raise CadenzaError("token_scopes", "A token needs at least one scope: read, write or admin.")


async def api_tokens(unit: Unit, actor: Actor) -> list[ApiToken]:
    """One's own tokens; owners and operators see everybody's. Those that ended are among them until revoked."""
    query = (
        select(ApiTokenRow, UserRow.name)
        .join(
            MemberRow,
            (MemberRow.workspace_id == ApiTokenRow.workspace_id) & (MemberRow.id == ApiTokenRow.member_id),
        )
        .join(UserRow, UserRow.id == MemberRow.user_id)
        .where(ApiTokenRow.workspace_id == unit.workspace_id)
        .order_by(ApiTokenRow.created_at.desc())
    )
    if not may(actor.role, Action.MANAGE_MEMBERS):
        query = query.where(ApiTokenRow.member_id == actor.member_id)
    return [_token(row, name) for row, name in await unit.session.execute(query)]


def _token(row: ApiTokenRow, member: str) -> ApiToken:
    scopes = tuple(Scope(name) for name in row.scopes)
    return ApiToken(
        row.id, row.member_id, member, row.name, scopes, row.created_at, row.expires_at, row.used_at
    )


async def revoke_api_token(unit: Unit, actor: Actor, token_id: UUID) -> None:
    """It opens nothing from the next request on."""
    row = await unit.session.get(ApiTokenRow, (unit.workspace_id, token_id))
    if row is None:
        raise not_found("token", token_id)
    if row.member_id == actor.member_id:
        require_write(actor)
    else:
        authorize(actor, Action.MANAGE_MEMBERS)
    await unit.session.delete(row)
    await audit(unit, actor, "token_revoked", row.name)
