"""One's own account: sessions, fresh proof, password, and the links by which a forgotten one is replaced."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.audit import audit
from cadenza.identity.browsers import browser_name
from cadenza.identity.contracts import Action, Actor, Origin, Session, SignedIn
from cadenza.identity.factors import take_code
from cadenza.identity.models import PasswordResetRow, SessionRow, UserRow
from cadenza.identity.pace import Pace, check_pace, forget, remember_failure
from cadenza.identity.passwords import check_new_password, hash_password, verify_password
from cadenza.identity.rights import authorize, require_fresh

LINK_LIFE = timedelta(hours=24)  # the longest that ASVS 6.4.1 allows


def own_user(actor: Actor) -> UUID:
    """Whose account it is. Raises for the command line, jobs and tokens: they have none to look after."""
    if actor.user_id is None or actor.origin is not Origin.PAGE:
        raise CadenzaError(
            "no_account", "Only somebody who is signed in has an account here.", Kind.NOT_ALLOWED
        )
    return actor.user_id


async def sessions(unit: Unit, actor: Actor) -> list[Session]:
    """One's own sessions in this workspace, the one used last first."""
    query = (
        select(SessionRow)
        .where(SessionRow.user_id == own_user(actor), SessionRow.workspace_id == unit.workspace_id)
        .order_by(SessionRow.used_at.desc())
    )
    return [
        Session(
            row.id,
            row.created_at,
            row.used_at,
            row.source,
            browser_name(row.agent),
            row.id == actor.session_id,
        )
        for row in await unit.session.scalars(query)
    ]


async def end_session(unit: Unit, actor: Actor, session_id: UUID) -> None:
    ended = await unit.session.execute(
        delete(SessionRow).where(SessionRow.user_id == own_user(actor), SessionRow.id == session_id)
    )
    if not ended.rowcount:  # type: ignore[attr-defined]
        raise not_found("session", session_id)
    await audit(unit, actor, "session_ended", str(session_id))


async def end_other_sessions(unit: Unit, actor: Actor) -> None:
    """Everywhere, also in other workspaces; only the session that asks stays."""
    await _end_all(unit, own_user(actor), but=actor.session_id)
    await audit(unit, actor, "other_sessions_ended")


async def _end_all(unit: Unit, user_id: UUID, *, but: UUID | None = None) -> None:
    ending = delete(SessionRow).where(SessionRow.user_id == user_id)
    await unit.session.execute(ending.where(SessionRow.id != but) if but else ending)


async def prove(database: Database, found: SignedIn, proof: str, source: str) -> None:
    """Takes the password or a code of one who is signed in; for ten minutes the session counts as fresh.

    Raises ``CadenzaError`` when it is wrong; guessing slows down as at sign-in.
    """
    pace = Pace.of(source, found.member.email)
    await asyncio.sleep(await check_pace(database, pace))
    async with database.unit(found.actor.workspace_id) as unit:
        user = await unit.session.get_one(UserRow, found.member.user_id)
        right = await asyncio.to_thread(verify_password, user.password_hash, proof)
        right = right or await take_code(unit, user.id, proof)
        if right:
            await unit.session.execute(
                update(SessionRow)
                .where(SessionRow.id == found.actor.session_id)
                .values(proved_at=unit.machine.now())
            )
        else:
            await audit(unit, found.actor, "proof_failed", source=source)
    if not right:
        await remember_failure(database, pace)
        raise CadenzaError(
            "proof_wrong", "This is neither your password nor a valid code.", Kind.UNAUTHENTICATED
        )
    await forget(database, pace)


async def change_password(unit: Unit, actor: Actor, new: str) -> None:
    """Needs a fresh proof; ends one's other sessions, because somebody else may be in one of them."""
    user_id = own_user(actor)
    require_fresh(unit, actor)
    check_new_password(new)
    await _set_password(unit, user_id, new)
    await _end_all(unit, user_id, but=actor.session_id)
    await audit(unit, actor, "password_changed")


async def _set_password(unit: Unit, user_id: UUID, password: str) -> None:
    hashed = await asyncio.to_thread(hash_password, password)
    await unit.session.execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=hashed))


async def change_profile(unit: Unit, actor: Actor, *, name: str, locale: str, timezone: str) -> None:
    name = name.strip()
    if not name:
        raise CadenzaError("name_missing", "A name is needed.", fix="Write how colleagues call you.")
    await unit.session.execute(
        update(UserRow)
        .where(UserRow.id == own_user(actor))
        .values(name=name[:200], locale=locale, timezone=timezone)
    )


async def make_reset_link(unit: Unit, actor: Actor, member_id: UUID) -> str:
    """The token of a link by which this member chooses a new password: once, within a day. Handed over by a person.

    A link made before is void. Only an owner may make one for an owner, else an operator could become one.
    """
    authorize(actor, Action.MANAGE_MEMBERS)
    member = await repository.member_by_id(unit.session, unit.workspace_id, member_id)
    if member is None:
        raise not_found("member", member_id)
    await _may_reset(unit, actor, member.user_id)
    token = new_token()
    await unit.session.execute(delete(PasswordResetRow).where(PasswordResetRow.user_id == member.user_id))
    expires = unit.machine.now() + LINK_LIFE
    unit.session.add(
        PasswordResetRow(token_hash=token_hash(token), user_id=member.user_id, expires_at=expires)
    )
    await audit(unit, actor, "reset_link_made", member.name, member=str(member_id))
    return token


async def _may_reset(unit: Unit, actor: Actor, user_id: UUID) -> None:
    """A password opens every workspace of a person, so nobody resets that of somebody who has rights beyond theirs."""
    everywhere = await repository.memberships(unit.session, user_id)
    elsewhere = any(m.workspace_id != unit.workspace_id for m in everywhere)
    if actor.origin is not Origin.COMMAND_LINE and elsewhere:
        raise CadenzaError(
            "not_allowed",
            "This person belongs to other workspaces as well.",
            Kind.NOT_ALLOWED,
            fix="Whoever runs this installation can make the link: `cadenza members reset EMAIL`.",
        )
    if actor.role.value != "owner" and any(m.role.value == "owner" for m in everywhere):
        raise CadenzaError("not_allowed", "Only an owner can do this for an owner.", Kind.NOT_ALLOWED)


async def reset_password(database: Database, token: str, new: str) -> None:
    """Sets the password that the bearer of the link chose and ends all sessions. Signing in still asks for the second factor.

    Raises ``CadenzaError`` when the link was used, is over or never was; a refused password leaves it valid.
    """
    check_new_password(new)
    now = database.machine.now()
    async with database.installation() as session:
        user_id = await session.scalar(
            update(PasswordResetRow)
            .where(
                PasswordResetRow.token_hash == token_hash(token),
                PasswordResetRow.used_at.is_(None),
                PasswordResetRow.expires_at > now,
            )
            .values(used_at=now)
            .returning(PasswordResetRow.user_id)
        )
        if user_id is None:
            raise link_void()
        memberships = await repository.memberships(session, user_id)
    async with database.unit(memberships[0].workspace_id) as unit:
        await _set_password(unit, user_id, new)
        await _end_all(unit, user_id)
        member = memberships[0]
        actor = Actor(member.workspace_id, member.role, Origin.PAGE, member.id, member.name)
        await audit(unit, replace(actor, user_id=user_id), "password_reset")


def link_void() -> CadenzaError:
    return CadenzaError(
        "link_void", "This link was used, is over or never was.", Kind.NOT_FOUND, fix="Ask for a new one."
    )


async def reset_is_open(database: Database, token: str) -> bool:
    async with database.installation() as session:
        row = await session.get(PasswordResetRow, token_hash(token))
    return row is not None and row.used_at is None and row.expires_at > database.machine.now()
