"""Signing in and out, and finding who a cookie or token belongs to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database, enter_workspace
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import Settings
from cadenza.identity import repository
from cadenza.identity.contracts import Actor, Member, Origin
from cadenza.identity.models import LoginFailureRow, SessionRow, UserRow
from cadenza.identity.passwords import hash_password, needs_rehash, verify_password

_MEMORY = timedelta(minutes=15)
_FREE_TRIES = 5
_LONGEST_WAIT = 300.0
_TOUCH_EVERY = timedelta(minutes=1)


async def log_in(
    database: Database,
    email: str,
    password: str,
    source: str,
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:
    """A new session's token. ``source`` is the client's address.

    Guessing slows down per source by refusing for a growing time, and per account by answering later; an account is
    never refused as such, so that a stranger cannot lock its owner out (ASVS 6.3.1).
    """
    email = email.strip().lower()
    by_source, by_account = _key("source", source), _key("account", email)
    delay = await _check_pace(database, by_source, by_account)
    await pause(delay)
    async with database.installation() as session:
        user = await repository.user_by_email(session, email)
    correct = await asyncio.to_thread(verify_password, user.password_hash if user else None, password)
    if not correct or user is None:
        await _remember_failure(database, by_source, by_account)
        raise CadenzaError(
            "log_in_failed",
            "E-mail address or password is wrong.",
            Kind.UNAUTHENTICATED,
            fix="Check both and try again.",
        )
    return await _begin(database, user, password, (by_account, by_source))


def _key(kind: str, value: str) -> bytes:
    return sha256(f"{kind}:{value}".encode()).digest()


async def _check_pace(database: Database, by_source: bytes, by_account: bytes) -> float:
    now = database.machine.now()
    async with database.installation() as session:
        found = await repository.failures(session, (by_source, by_account), now - _MEMORY)
    count, last = found.get(by_source, (0, now))
    wait = min(2.0 ** (count - _FREE_TRIES), _LONGEST_WAIT) if count >= _FREE_TRIES else 0.0
    left = wait - (now - last).total_seconds()
    if left > 0:
        raise CadenzaError(
            "too_many_tries",
            "Too many wrong tries from here.",
            Kind.TOO_MANY,
            fix=f"Wait {int(left) + 1} seconds.",
        )
    failed = found.get(by_account, (0, now))[0]
    return min(max(failed - _FREE_TRIES, 0) * 0.2, 2.0)


async def _remember_failure(database: Database, *keys: bytes) -> None:
    async with database.installation() as session:
        session.add_all(LoginFailureRow(key=key, at=database.machine.now()) for key in keys)


async def _begin(database: Database, user: UserRow, password: str, keys: tuple[bytes, ...]) -> str:
    now, token = database.machine.now(), new_token()
    async with database.installation() as session:
        memberships = await repository.memberships(session, user.id)
        if not memberships:
            raise CadenzaError(
                "no_workspace", "You are a member of no workspace.", Kind.NOT_ALLOWED, fix="Ask an owner."
            )
        if needs_rehash(user.password_hash):
            user.password_hash = hash_password(password)
            await session.merge(user)
        await repository.forget_failures(session, keys[:1], now - _MEMORY)
        session.add(
            SessionRow(
                token_hash=token_hash(token),
                user_id=user.id,
                workspace_id=memberships[0].workspace_id,
                created_at=now,
                used_at=now,
            )
        )
    return token


async def log_out(database: Database, token: str) -> None:
    async with database.installation() as session:
        await repository.remove_session(session, token_hash(token))


async def session_actor(database: Database, token: str, settings: Settings) -> tuple[Actor, Member] | None:
    """Who this session is, with the role that counts now; None when it ended or never was."""
    now, hashed = database.machine.now(), token_hash(token)
    async with database.installation() as session:
        row = await repository.session_by_hash(session, hashed)
        if row is None:
            return None
        if _ended(row, now, settings):
            await repository.remove_session(session, hashed)
            return None
        if now - row.used_at > _TOUCH_EVERY:
            await repository.touch_session(session, hashed, now)
        await enter_workspace(session, row.workspace_id)
        member = await repository.member(session, row.workspace_id, row.user_id)
    if member is None or not member.active:
        return None
    return Actor(member.workspace_id, member.role, Origin.PAGE, member.id, member.name), member


def _ended(row: SessionRow, now: datetime, settings: Settings) -> bool:
    idle = now - row.used_at > timedelta(minutes=settings.session_idle_minutes)
    return idle or now - row.created_at > timedelta(days=settings.session_days)


async def token_actor(database: Database, token: str) -> Actor | None:
    """Who this API token acts for; None when it is unknown or over."""
    async with database.installation() as session:
        row = await repository.api_token(session, token_hash(token))
        if row is None or row.expires_at <= database.machine.now():
            return None
        await enter_workspace(session, row.workspace_id)
        member = await repository.member_by_id(session, row.workspace_id, row.member_id)
    if member is None or not member.active:
        return None
    return Actor(member.workspace_id, member.role, Origin.API, member.id, member.name)
