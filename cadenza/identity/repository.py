"""Every query on the tables of identity."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from cadenza.identity.contracts import Colleague, Colleagues, Member, Role, Workspace
from cadenza.identity.models import (
    ApiTokenRow,
    FactorRow,
    LoginFailureRow,
    MemberRow,
    SessionRow,
    UserRow,
    WorkspaceRow,
)


async def workspaces(session: AsyncSession) -> list[Workspace]:
    rows = await session.scalars(select(WorkspaceRow).order_by(WorkspaceRow.created_at))
    return [Workspace(row.id, row.name, row.slug, row.require_factor) for row in rows]


async def user_by_email(session: AsyncSession, email: str) -> UserRow | None:
    return await session.scalar(select(UserRow).where(UserRow.email == email))


def _member_query() -> Select[Any]:
    """Plain columns: a team of five hundred is read with every list of conversations."""
    has_factor = exists().where(FactorRow.user_id == MemberRow.user_id)
    member, user = MemberRow, UserRow
    query: Any = select(
        member.id, member.workspace_id, member.user_id, user.email, user.name, member.role, member.active, user.timezone,
        user.locale, member.team_id, member.territories, member.languages, member.industries, member.most_open,
        member.away_until, has_factor.label("has_factor"),
    )  # fmt: skip
    return query.join(UserRow, UserRow.id == MemberRow.user_id)  # type: ignore[no-any-return]


def _member(row: Row[Any] | None) -> Member | None:
    if row is None:
        return None
    return Member(
        row.id,
        row.workspace_id,
        row.user_id,
        row.email,
        row.name,
        Role(row.role),
        row.active,
        row.timezone,
        row.locale,
        row.team_id,
        tuple(row.territories or ()),
        tuple(row.languages or ()),
        tuple(row.industries or ()),
        row.most_open,
        row.away_until,
        row.has_factor,
    )


async def memberships(session: AsyncSession, user_id: UUID) -> list[Member]:
    """All workspaces of one user; the only query that looks across workspaces, by its own policy."""
    await session.execute(text("select set_config('cadenza.user', :id, true)"), {"id": str(user_id)})
    rows = await session.execute(
        _member_query().where(MemberRow.user_id == user_id, MemberRow.active).order_by(MemberRow.created_at)
    )
    return [m for m in map(_member, rows) if m]


async def member(session: AsyncSession, workspace_id: UUID, user_id: UUID) -> Member | None:
    query = _member_query().where(MemberRow.workspace_id == workspace_id, MemberRow.user_id == user_id)
    return _member((await session.execute(query)).first())


async def member_by_id(session: AsyncSession, workspace_id: UUID, member_id: UUID) -> Member | None:
    query = _member_query().where(MemberRow.workspace_id == workspace_id, MemberRow.id == member_id)
    return _member((await session.execute(query)).first())


async def member_by_email(session: AsyncSession, workspace_id: UUID, email: str) -> Member | None:
    query = _member_query().where(MemberRow.workspace_id == workspace_id, UserRow.email == email)
    return _member((await session.execute(query)).first())


async def members(session: AsyncSession, workspace_id: UUID) -> list[Member]:
    rows = await session.execute(
        _member_query().where(MemberRow.workspace_id == workspace_id).order_by(UserRow.name)
    )
    return [m for m in map(_member, rows) if m]


_COLLEAGUES = select(MemberRow.id, UserRow.name, MemberRow.active).join(
    UserRow, UserRow.id == MemberRow.user_id
)


async def colleagues(session: AsyncSession, workspace_id: UUID) -> list[Colleague]:
    query = _COLLEAGUES.where(MemberRow.workspace_id == workspace_id).order_by(UserRow.name)
    return [Colleague(*row) for row in await session.execute(query)]


_TEAM = text("""
    with team as (select count(*) <= :most as small from (select 1 from members where workspace_id = :workspace limit :most + 1) one)
    select m.id, u.name, m.active, team.small from team, members m join users u on u.id = m.user_id
    where m.workspace_id = :workspace and (team.small or m.id = any(:ids))
    order by u.name
""")


async def team(
    session: AsyncSession, workspace_id: UUID, member_ids: Collection[UUID], most: int
) -> Colleagues:
    """These, and everybody else of a workspace with at most so many; by name."""
    values = {"workspace": workspace_id, "ids": list(member_ids), "most": most}
    rows = (await session.execute(_TEAM, values)).all()
    return Colleagues(tuple(Colleague(*row[:3]) for row in rows), whole=any(row.small for row in rows))


_SESSION_OF = text("select * from session_of(:hash)")


async def session_of(
    session: AsyncSession | AsyncConnection, token_hash: bytes
) -> tuple[Row[Any], Member | None] | None:
    """The session with what its workspace asks for, and its member there if there is one; in one question."""
    row = (await session.execute(_SESSION_OF, {"hash": token_hash})).first()
    return (row, _member(row) if row.id else None) if row else None


async def touch_session(session: AsyncSession | AsyncConnection, token_hash: bytes, at: datetime) -> None:
    await session.execute(update(SessionRow).where(SessionRow.token_hash == token_hash).values(used_at=at))


async def remove_session(session: AsyncSession | AsyncConnection, token_hash: bytes) -> None:
    await session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))


async def api_token(session: AsyncSession, token_hash: bytes) -> ApiTokenRow | None:
    """Found by its own policy, before the workspace is known."""
    await session.execute(text("select set_config('cadenza.token', :hash, true)"), {"hash": token_hash.hex()})
    return await session.scalar(select(ApiTokenRow).where(ApiTokenRow.token_hash == token_hash))


async def touch_api_token(session: AsyncSession, token_id: UUID, at: datetime) -> None:
    await session.execute(update(ApiTokenRow).where(ApiTokenRow.id == token_id).values(used_at=at))


async def failures(
    session: AsyncSession, keys: Sequence[bytes], since: datetime
) -> dict[bytes, tuple[int, datetime]]:
    """Per key the number of failures since then and the time of the last one."""
    rows = await session.execute(
        select(LoginFailureRow.key, func.count(), func.max(LoginFailureRow.at))
        .where(LoginFailureRow.key.in_(keys), LoginFailureRow.at > since)
        .group_by(LoginFailureRow.key)
    )
    return {key: (count, last) for key, count, last in rows}


async def forget_failures(session: AsyncSession, keys: Sequence[bytes], before: datetime) -> None:
    await session.execute(delete(LoginFailureRow).where(LoginFailureRow.key.in_(keys)))
    await session.execute(delete(LoginFailureRow).where(LoginFailureRow.at < before))
