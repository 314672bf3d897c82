"""Signing in and out, and finding who a cookie or token belongs to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database, enter_workspace
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import Settings
from cadenza.identity import repository
from cadenza.identity.audit import audit
from cadenza.identity.contracts import (
    INSTALLATION,
    Action,
    Actor,
    Member,
    Origin,
    Role,
    Scope,
    SignedIn,
    Stage,
)
from cadenza.identity.models import SessionRow, UserRow
from cadenza.identity.pace import Pace, check_pace, forget, remember_failure
from cadenza.identity.passwords import hash_password, needs_rehash, verify_password

_TOUCH_EVERY = timedelta(minutes=1)


async def log_in(
    database: Database,
    email: str,
    password: str,
    source: str,
    *,
    agent: str = "",
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:
    """A new session's token. ``source`` is the client's address, ``agent`` what the browser calls itself.

    Guessing slows down per source by refusing for a growing time, and per account by answering later; an account is
    never refused as such, so that a stranger cannot lock its owner out (ASVS 6.3.1).
    """
    email = email.strip().lower()
    pace = Pace.of(source, email)
    try:
        await pause(await check_pace(database, pace))
    except CadenzaError as refused:
        await _record_failure(database, None, source, refused.code)
        raise
    async with database.installation() as session:
        user = await repository.user_by_email(session, email)
    correct = await asyncio.to_thread(verify_password, user.password_hash if user else None, password)
    if not correct or user is None:
        await remember_failure(database, pace)
        await _record_failure(database, user, source, "log_in_failed")
        raise CadenzaError(
            "log_in_failed",
            "E-mail address or password is wrong.",
            Kind.UNAUTHENTICATED,
            fix="Check both and try again.",
        )
    await forget(database, pace)
    await _renew_hash(database, user, password)
    return await begin_session(database, user.id, source=source, agent=agent, way="password")


async def _record_failure(database: Database, user: UserRow | None, source: str, reason: str) -> None:
    """In the trail of the workspace that the account belongs to; of the installation when there is no such account.

    The address that was typed is not kept: people type passwords there.
    """
    async with database.installation() as session:
        memberships = await repository.memberships(session, user.id) if user else []
    member = memberships[0] if memberships else None
    async with database.unit(member.workspace_id if member else INSTALLATION) as unit:
        actor = (
            _as_actor(member) if member else Actor(INSTALLATION, Role.READ_ONLY, Origin.PAGE, name="somebody")
        )
        await audit(unit, actor, "sign_in_failed", source=source, reason=reason)


def _as_actor(member: Member) -> Actor:
    return Actor(
        member.workspace_id, member.role, Origin.PAGE, member.id, member.name, user_id=member.user_id
    )


async def _renew_hash(database: Database, user: UserRow, password: str) -> None:
    if needs_rehash(user.password_hash):
        user.password_hash = await asyncio.to_thread(hash_password, password)
        async with database.installation() as session:
            await session.merge(user)


async def begin_session(
    database: Database,
    user_id: UUID,
    *,
    source: str,
    agent: str,
    way: str,
    workspace_id: UUID | None = None,
) -> str:
    """The token of a new session, in this workspace or the first of the user. Who has a second factor owes its code.

    ``way`` is what was proved: password, provider. Every way of signing in ends here.
    """
    async with database.installation() as session:
        memberships = await repository.memberships(session, user_id)
    fitting = [m for m in memberships if workspace_id in (None, m.workspace_id)]
    if not fitting:
        raise CadenzaError(
            "no_workspace", "You are a member of no workspace.", Kind.NOT_ALLOWED, fix="Ask an owner."
        )
    member = fitting[0]
    stage = Stage.CODE if member.has_factor else Stage.OPEN
    token = new_token()
    async with database.unit(member.workspace_id) as unit:
        add_session(unit.session, member, token, unit.machine.now(), stage=stage, source=source, agent=agent)
        if stage is Stage.OPEN:
            await audit(unit, _as_actor(member), "signed_in", way=way, source=source)
    return token


def add_session(
    session: AsyncSession, member: Member, token: str, now: datetime, *, stage: Stage, source: str, agent: str
) -> None:
    session.add(
        SessionRow(
            token_hash=token_hash(token),
            user_id=member.user_id,
            workspace_id=member.workspace_id,
            stage=stage.value,
            created_at=now,
            used_at=now,
            proved_at=now,
            source=source[:64],
            agent=agent[:200],
        )
    )


async def log_out(database: Database, token: str) -> None:
    async with database.installation() as session:
        await repository.remove_session(session, token_hash(token))


async def signed_in(database: Database, token: str, settings: Settings) -> SignedIn | None:
    """Whose session this is, with the role that counts now, and what it still lacks; None when it ended or never was."""
    now, hashed = database.machine.now(), token_hash(token)
    async with database.glance() as connection:
        found = await repository.session_of(connection, hashed)
        if found is None:
            return None
        row, member = found
        if _ended(row, now, settings):
            await repository.remove_session(connection, hashed)
            return None
        if now - row.used_at > _TOUCH_EVERY:
            await repository.touch_session(connection, hashed, now)
    if member is None or not member.active:
        return None
    actor = replace(_as_actor(member), session_id=row.session_id, proved_at=row.proved_at)
    return SignedIn(actor, member, _stage(row, member))


def _stage(row: Row[Any], member: Member) -> Stage:
    if row.stage != Stage.OPEN:
        return Stage(row.stage)
    return Stage.ENROL if row.require_factor and not member.has_factor else Stage.OPEN


async def session_actor(database: Database, token: str, settings: Settings) -> tuple[Actor, Member] | None:
    """Who this session is; None when it ended, never was, or still lacks a code or a second factor."""
    found = await signed_in(database, token, settings)
    return (found.actor, found.member) if found and found.stage is Stage.OPEN else None


def _ended(row: Row[Any], now: datetime, settings: Settings) -> bool:
    idle: bool = now - row.used_at > timedelta(minutes=settings.session_idle_minutes)
    old: bool = now - row.created_at > timedelta(days=settings.session_days)
    return idle or old


async def token_actor(database: Database, token: str) -> Actor | None:
    """Who this API token acts for, within its scopes; None when it is unknown, revoked or over."""
    now = database.machine.now()
    async with database.installation() as session:
        row = await repository.api_token(session, token_hash(token))
        if row is None or row.expires_at <= now:
            return None
        await enter_workspace(session, row.workspace_id)
        member = await repository.member_by_id(session, row.workspace_id, row.member_id)
        if row.used_at is None or now - row.used_at > _TOUCH_EVERY:
            await repository.touch_api_token(session, row.id, now)
    if member is None or not member.active:
        return None
    scopes = frozenset[Action]().union(*(Scope(name).actions for name in row.scopes))
    return replace(_as_actor(member), origin=Origin.API, scopes=scopes)
