"""Connecting a mailbox by asking its owner at the provider (OAuth 2.0, authorization code with PKCE).

The answer is taken once, within ten minutes, in the session and the workspace that asked (ASVS 10.1.2, 10.2.1). Whose mailbox it
is says the provider's ID token, never the form; that the token opens it, both servers are asked before anything is kept.
Tokens go into sealed columns and nowhere else (ASVS 10.1.1).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from cadenza.channels import repository
from cadenza.channels.access import access_place, ends_at, forget_secrets, refresh_place
from cadenza.channels.connecting import NewMailbox, fill_servers, row_for
from cadenza.channels.contracts import Credentials, Mailbox
from cadenza.channels.mailbox_check import test_mailbox
from cadenza.channels.models import MailboxConsentRow, MailboxGrantRow
from cadenza.channels.oauth_providers import CONSENTS, Consent, registration
from cadenza.channels.providers import Preset, preset
from cadenza.channels.standing import mend_mailbox
from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Egress, Purpose
from cadenza.core.ids import new_id
from cadenza.core.openid import (
    authorization_address,
    claims_of,
    discover,
    exchange,
    new_verifier,
    refused,
)
from cadenza.core.settings import settings
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, require_fresh

CALLBACK = "/connect/callback"
_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Begun:
    """What was asked, as its answer finds it."""

    consent: Consent
    preset: Preset
    address: str
    nonce: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connected:
    mailbox: Mailbox
    detail: str  # what the test of both servers said


def consent_of(chosen: Preset) -> Consent:
    """Raises ``CadenzaError`` for a provider that knows no such way."""
    if chosen.consent is None:
        raise CadenzaError(
            "provider_without_consent",
            f"{chosen.name} lets mail programs in by password only.",
            fix="Enter the password instead.",
        )
    return CONSENTS[chosen.consent]


async def begin(
    database: Database, egress: Egress, actor: Actor, key: str, *, site: str, address: str = ""
) -> str:
    """The provider's page to send the browser to. ``address`` names the mailbox that is meant, when one is.

    Raises ``CadenzaError``: not allowed, proof needed, not registered, provider away.
    """
    chosen = preset(key)
    consent = consent_of(chosen)
    known = registration(settings(), consent.key)
    async with database.unit(actor.workspace_id) as unit:
        _session_of(unit, actor)
    provider = await discover(egress, known.issuer, Purpose.MAIL_OAUTH)
    state, nonce, verifier = new_token(), secrets.token_urlsafe(24), new_verifier()
    async with database.unit(actor.workspace_id) as unit:
        await _remember(unit, actor, chosen, consent, address, (state, nonce, verifier))
    hint = {"login_hint": address} if address else {}
    return authorization_address(
        provider, known.client(site + CALLBACK), consent.scopes, state=state, nonce=nonce, verifier=verifier,
        **consent.more, **hint,
    )  # fmt: skip


def _session_of(unit: Unit, actor: Actor) -> UUID:
    authorize(actor, Action.MANAGE_SENDERS)
    require_fresh(unit, actor)
    if actor.session_id is None:
        raise CadenzaError(
            "browser_needed",
            "A person has to allow this in a browser.",
            Kind.NOT_ALLOWED,
            fix="Open Senders.",
        )
    return actor.session_id


async def _remember(
    unit: Unit, actor: Actor, chosen: Preset, consent: Consent, address: str, made: tuple[str, str, str]
) -> None:
    now, identity = unit.machine.now(), new_id()
    state, nonce, verifier = made
    await unit.session.execute(
        delete(MailboxConsentRow).where(
            MailboxConsentRow.workspace_id == unit.workspace_id, MailboxConsentRow.created_at < now - _LIFE
        )
    )
    sealed = unit.secrets.seal(verifier, workspace_id=unit.workspace_id, place=_verifier_place(identity))
    unit.session.add(
        MailboxConsentRow(
            workspace_id=unit.workspace_id, id=identity, state_hash=token_hash(state),
            session_id=_session_of(unit, actor), provider=consent.key, preset=chosen.key, address=address.lower(),
            nonce=nonce, verifier_sealed=sealed, created_at=now,
        )
    )  # fmt: skip


def _verifier_place(identity: UUID) -> str:
    return f"mailbox_consents/{identity}/verifier"


async def finish(
    database: Database,
    egress: Egress,
    actor: Actor,
    *,
    site: str,
    state: str,
    code: str,
    error: str = "",
    issuer: str | None = None,
) -> Connected:
    """What the provider sent back, believed or refused; nothing is kept unless all of it holds."""
    authorize(actor, Action.MANAGE_SENDERS)
    begun = await _take(database, actor, state)
    if error or not code:
        raise _not_allowed(begun.consent, error)
    known = registration(settings(), begun.consent.key)
    provider = await discover(egress, known.issuer, Purpose.MAIL_OAUTH)
    if issuer is not None and "{" not in provider.issuer and issuer != provider.issuer:
        raise refused("another issuer answered")
    client, now = known.client(site + CALLBACK), database.machine.now()
    tokens = await exchange(egress, provider, client, code=code, verifier=begun.verifier)
    claims = await claims_of(egress, provider, client, tokens, nonce=begun.nonce, now=now)
    address = _address(begun, claims)
    _check_tokens(begun.consent, tokens)
    secret = Credentials(address, token=str(tokens["access_token"]))
    tested = await test_mailbox(address, begun.preset.smtp, begun.preset.imap, secret)
    if not tested.ok:
        raise _closed(address, tested.detail)
    async with database.unit(actor.workspace_id) as unit:
        return Connected(await _keep(unit, actor, begun, address, tokens), tested.detail)


async def _take(database: Database, actor: Actor, state: str) -> Begun:
    """The attempt of this state, gone from now on, whether it fits or not: a state is no good twice."""
    async with database.unit(actor.workspace_id) as unit:
        row: MailboxConsentRow | None = await unit.session.scalar(
            delete(MailboxConsentRow)
            .where(
                MailboxConsentRow.workspace_id == unit.workspace_id,
                MailboxConsentRow.state_hash == token_hash(state),
            )
            .returning(MailboxConsentRow)
        )
        late = row is not None and unit.machine.now() - row.created_at > _LIFE
    if row is None or late:
        raise refused("nobody waits for it")
    if row.session_id != actor.session_id:
        raise refused("another session began this")
    verifier = database.secrets.open(
        row.verifier_sealed, workspace_id=row.workspace_id, place=_verifier_place(row.id)
    )
    return Begun(CONSENTS[row.provider], preset(row.preset), row.address, row.nonce, verifier)


def _not_allowed(consent: Consent, error: str) -> CadenzaError:
    if error and error != "access_denied":
        return refused(f"it says {''.join(c for c in error if c.isalnum() or c == '_')[:60]}")
    return CadenzaError(
        "consent_denied",
        f"You did not allow it at {consent.name}; nothing was kept.",
        Kind.NOT_ALLOWED,
        fix="Connect it again whenever you like.",
    )


def _address(begun: Begun, claims: Mapping[str, Any]) -> str:
    address = begun.consent.address_of(claims)
    if address is None:
        raise refused("it does not vouch for an address")
    if begun.address and address != begun.address:
        raise CadenzaError(
            "address_differs",
            f"You signed in at {begun.consent.name} as {address}, but {begun.address} is to be connected. Nothing was kept.",
            Kind.CONFLICT,
            fix=f"Start again and choose {begun.address} there.",
        )
    return address


def _check_tokens(consent: Consent, tokens: Mapping[str, Any]) -> None:
    """Both tokens, and every scope without which there is no mailbox: people may leave some out."""
    for name in ("access_token", "refresh_token"):
        if not isinstance(tokens.get(name), str) or not tokens[name]:
            raise refused(f"there is no {name.replace('_', ' ')}")
    granted = tokens.get("scope")
    if isinstance(granted, str) and not set(consent.mail) <= set(granted.split()):
        raise CadenzaError(
            "consent_incomplete",
            f"Access to the mail itself was left out at {consent.name}; nothing was kept.",
            Kind.NOT_ALLOWED,
            fix="Start again and leave every box ticked.",
        )


def _closed(address: str, detail: str) -> CadenzaError:
    return CadenzaError(
        "mailbox_closed",
        f"The provider agreed, but {address} does not open: {detail} Nothing was kept.",
        Kind.CONFLICT,
        fix="Switch on IMAP and sending by SMTP for this mailbox at the provider, then connect it again.",
    )


async def _keep(unit: Unit, actor: Actor, begun: Begun, address: str, tokens: Mapping[str, Any]) -> Mailbox:
    """A known mailbox keeps its settings; only how it is opened is new."""
    row = await row_for(unit, address)
    new = NewMailbox(address=address, smtp=begun.preset.smtp, imap=begun.preset.imap, user=address)
    fill_servers(row, new)
    await forget_secrets(unit, row)
    _add_grant(unit, row.id, begun, tokens)
    await unit.session.flush()
    await mend_mailbox(unit, row.id)
    await unit.session.refresh(row)
    await audit(
        unit,
        actor,
        "mailbox_connected",
        address,
        provider=begun.consent.key,
        scopes=list(begun.consent.scopes),
    )
    return repository.as_mailbox(row)


def _add_grant(unit: Unit, mailbox_id: UUID, begun: Begun, tokens: Mapping[str, Any]) -> None:
    identity, now = new_id(), unit.machine.now()

    def sealed(name: str, place: str) -> str:
        return unit.secrets.seal(str(tokens[name]), workspace_id=unit.workspace_id, place=place)

    unit.session.add(
        MailboxGrantRow(
            workspace_id=unit.workspace_id, id=identity, mailbox_id=mailbox_id, provider=begun.consent.key,
            scopes=list(begun.consent.scopes), refresh_sealed=sealed("refresh_token", refresh_place(identity)),
            access_sealed=sealed("access_token", access_place(identity)), expires_at=ends_at(now, tokens), created_at=now,
        )
    )  # fmt: skip
