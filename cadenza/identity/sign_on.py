"""Signing on by a workspace's OpenID provider.

A person is issuer and subject, never an e-mail address (ASVS 6.8.1): who is signed in connects their account once, and only then
does the provider's word open it. It opens it in the workspace whose provider it is, and nowhere else.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Egress, Purpose
from cadenza.core.ids import new_id
from cadenza.core.openid import (
    Client,
    authorization_address,
    claims_of,
    discover,
    exchange,
    new_verifier,
    refused,
)
from cadenza.core.unit import Unit
from cadenza.identity.account import own_user
from cadenza.identity.audit import audit
from cadenza.identity.contracts import INSTALLATION, Action, Actor, Origin, Role
from cadenza.identity.models import SignOnAttemptRow, SignOnIdentityRow, SignOnRow, WorkspaceRow
from cadenza.identity.rights import authorize, require_fresh

_LIFE = timedelta(minutes=10)  # between our redirect and the provider's answer
CALLBACK = "/sign-on/callback"
_SCOPES = ("openid",)  # who somebody is, nothing about them


@dataclass(frozen=True, slots=True)
class SignOn:
    issuer: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and the secret that it must bring back."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who came back, in which workspace, and where to go on; ``connected`` when an account was connected to the provider."""

    user_id: UUID
    workspace_id: UUID
    next: str
    connected: bool


async def sign_on(unit: Unit) -> SignOn | None:
    row = await _row(unit)
    return SignOn(row.issuer, row.client_id) if row else None


async def _row(unit: Unit) -> SignOnRow | None:
    return await unit.session.scalar(select(SignOnRow).where(SignOnRow.workspace_id == unit.workspace_id))


def _place(identity: UUID) -> str:
    return f"sign-on {identity}"


async def configure(
    database: Database, egress: Egress, actor: Actor, *, issuer: str, client_id: str, secret: str
) -> None:
    """Asks the provider to describe itself and keeps it. Nothing is kept when it cannot be reached or is another."""
    async with database.unit(actor.workspace_id) as unit:
        authorize(actor, Action.MANAGE_SIGN_IN)
        require_fresh(unit, actor)
    await discover(egress, issuer, Purpose.OPENID)
    async with database.unit(actor.workspace_id) as unit:
        await unit.session.execute(delete(SignOnRow).where(SignOnRow.workspace_id == unit.workspace_id))
        identity = new_id()
        sealed = unit.secrets.seal(secret, workspace_id=unit.workspace_id, place=_place(identity))
        unit.session.add(
            SignOnRow(
                workspace_id=unit.workspace_id, id=identity, issuer=issuer, client_id=client_id,
                secret_sealed=sealed, updated_at=unit.machine.now(),
            )
        )  # fmt: skip
        await audit(unit, actor, "sign_on_configured", issuer, client_id=client_id)


async def remove(unit: Unit, actor: Actor) -> None:
    """Nobody signs on by the provider from now on; who did needs a password."""
    authorize(actor, Action.MANAGE_SIGN_IN)
    require_fresh(unit, actor)
    await unit.session.execute(delete(SignOnRow).where(SignOnRow.workspace_id == unit.workspace_id))
    await audit(unit, actor, "sign_on_removed")


async def begin(
    database: Database, egress: Egress, slug: str, *, site: str, after: str = "/", actor: Actor | None = None
) -> Leaving:
    """Starts a sign-on at the provider of the workspace with this short name; with ``actor``, to connect their account.

    ``site`` is our own address, as the provider knows it.
    """
    async with database.installation() as session:
        workspace_id = await session.scalar(select(WorkspaceRow.id).where(WorkspaceRow.slug == slug))
    if actor is not None:
        workspace_id = actor.workspace_id
    if workspace_id is None:
        raise _no_provider()
    async with database.unit(workspace_id) as unit:
        if actor is not None:
            require_fresh(unit, actor)
        _, issuer, client = await _client(unit, site)
    provider = await discover(egress, issuer, Purpose.OPENID)
    state, nonce, verifier, browser = new_token(), secrets.token_urlsafe(24), new_verifier(), new_token()
    now = database.machine.now()
    async with database.installation() as session:
        await session.execute(delete(SignOnAttemptRow).where(SignOnAttemptRow.created_at < now - _LIFE))
        session.add(
            SignOnAttemptRow(
                state_hash=token_hash(state), browser_hash=token_hash(browser), workspace_id=workspace_id,
                nonce=nonce, verifier=verifier, user_id=own_user(actor) if actor else None, next=after, created_at=now,
            )
        )  # fmt: skip
    address = authorization_address(provider, client, _SCOPES, state=state, nonce=nonce, verifier=verifier)
    return Leaving(address, browser)


def _no_provider() -> CadenzaError:
    return CadenzaError(
        "no_provider",
        "There is no workspace of this name with a provider.",
        Kind.NOT_FOUND,
        fix="Ask an owner for its short name.",
    )


async def _client(unit: Unit, site: str) -> tuple[SignOnRow, str, Client]:
    row = await _row(unit)
    if row is None:
        raise _no_provider()
    secret = unit.secrets.open(row.secret_sealed, workspace_id=unit.workspace_id, place=_place(row.id))
    return row, row.issuer, Client(row.client_id, secret, site + CALLBACK)


async def finish(
    database: Database,
    egress: Egress,
    *,
    site: str,
    state: str,
    code: str,
    issuer: str | None,
    browser: str,
    actor: Actor | None,
) -> Arrived:
    """What came back from the provider, believed or refused. Each attempt can be finished once, by the browser that began it."""
    attempt = await _take(database, state, browser)
    if not code:
        raise refused("it did not let you in")
    async with database.unit(attempt.workspace_id) as unit:
        _, expected, client = await _client(unit, site)
    if issuer is not None and issuer != expected:
        raise refused("another issuer answered")
    provider = await discover(egress, expected, Purpose.OPENID)
    tokens = await exchange(egress, provider, client, code=code, verifier=attempt.verifier)
    now = database.machine.now()
    subject = str((await claims_of(egress, provider, client, tokens, nonce=attempt.nonce, now=now))["sub"])
    async with database.unit(attempt.workspace_id) as unit:
        if attempt.user_id is not None:
            await _connect(unit, attempt, actor, expected, subject)
            return Arrived(attempt.user_id, attempt.workspace_id, attempt.next, connected=True)
        user_id = await _user(unit, expected, subject)
    if user_id is None:
        raise CadenzaError(
            "not_connected",
            "The provider knows you, but no account here is connected to you there.",
            Kind.UNAUTHENTICATED,
            fix="Sign in with your password and connect your account under Settings, Account.",
        )
    return Arrived(user_id, attempt.workspace_id, attempt.next, connected=False)


async def record_failure(database: Database, error: CadenzaError, source: str) -> None:
    """A sign-on that came to nothing, in the installation's trail: whose it was is what could not be shown."""
    somebody = Actor(INSTALLATION, Role.READ_ONLY, Origin.PAGE, name="somebody")
    async with database.unit(INSTALLATION) as unit:
        await audit(unit, somebody, "sign_in_failed", way="provider", source=source, reason=error.code)


async def _take(database: Database, state: str, browser: str) -> SignOnAttemptRow:
    """The attempt of this state, gone from now on, whether it fits or not: a state is no good twice."""
    async with database.installation() as session:
        attempt: SignOnAttemptRow | None = await session.scalar(
            delete(SignOnAttemptRow)
            .where(SignOnAttemptRow.state_hash == token_hash(state))
            .returning(SignOnAttemptRow)
        )
    if attempt is None or database.machine.now() - attempt.created_at > _LIFE:
        raise refused("nobody waits for it")
    if not secrets.compare_digest(attempt.browser_hash, token_hash(browser)):
        raise refused("another browser began this")
    return attempt


async def _connect(
    unit: Unit, attempt: SignOnAttemptRow, actor: Actor | None, issuer: str, subject: str
) -> None:
    if actor is None or actor.user_id != attempt.user_id or actor.workspace_id != attempt.workspace_id:
        raise refused("somebody else is signed in now")
    owner = await _user(unit, issuer, subject)
    if owner not in (None, attempt.user_id):
        raise CadenzaError(
            "connected_to_another",
            "This person of the provider is connected to another account here.",
            Kind.CONFLICT,
        )
    await unit.session.execute(
        insert(SignOnIdentityRow)
        .values(
            workspace_id=unit.workspace_id, id=new_id(), issuer=issuer, subject=subject, user_id=attempt.user_id,
            created_at=unit.machine.now(),
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    await audit(unit, replace(actor, proved_at=None), "provider_connected", issuer)


async def _user(unit: Unit, issuer: str, subject: str) -> UUID | None:
    return await unit.session.scalar(
        select(SignOnIdentityRow.user_id).where(
            SignOnIdentityRow.workspace_id == unit.workspace_id,
            SignOnIdentityRow.issuer == issuer,
            SignOnIdentityRow.subject == subject,
        )
    )


async def is_connected(unit: Unit, actor: Actor) -> bool:
    row = await _row(unit)
    found = await unit.session.scalar(
        select(SignOnIdentityRow.id).where(
            SignOnIdentityRow.workspace_id == unit.workspace_id,
            SignOnIdentityRow.user_id == own_user(actor),
            SignOnIdentityRow.issuer == (row.issuer if row else ""),
        )
    )
    return found is not None


async def disconnect(unit: Unit, actor: Actor) -> None:
    require_fresh(unit, actor)
    await unit.session.execute(
        delete(SignOnIdentityRow).where(
            SignOnIdentityRow.workspace_id == unit.workspace_id, SignOnIdentityRow.user_id == own_user(actor)
        )
    )
    await audit(unit, actor, "provider_disconnected")
