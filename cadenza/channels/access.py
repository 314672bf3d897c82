"""What opens a mailbox: its password, or a token that is made anew before it ends.

A token is refreshed by one worker at a time (a lease), and never inside an open unit. That a person took the permission back
is told once, where everybody looks; reconnecting mends it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text, update

from cadenza.channels import repository
from cadenza.channels.connecting import (
    NewMailbox,
    check_mailbox,
    fill_servers,
    password_place,
    set_password,
)
from cadenza.channels.contracts import Credentials, Mailbox, MailboxState, SenderTest, Server
from cadenza.channels.mailbox_check import test_mailbox
from cadenza.channels.models import MailboxGrantRow, MailboxRow
from cadenza.channels.oauth_providers import CONSENTS, registration
from cadenza.channels.standing import break_mailbox, finish_requests, note_test
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.http import Egress, Purpose
from cadenza.core.logs import logger
from cadenza.core.openid import Provider, discover
from cadenza.core.settings import settings
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, require_fresh

_log = logger("mailbox_access")
_EARLY = timedelta(minutes=5)  # a token with less left is made anew, so that a batch does not outlive it
_LEASE = timedelta(seconds=60)  # longer than both requests of a refresh may take
_LOOK_AGAIN_SECONDS = 0.5
_LOOKS = 60
_USUAL_SECONDS = 3600  # of a token, where the provider does not say
_LONGEST_SECONDS = 24 * 3600
_GONE = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})
_LEASE_GRANT = text("""
    update mailbox_grants set lease_until = clock_timestamp() + cast(:span as interval)
    where workspace_id = :workspace and id = :id
      and (lease_until is null or lease_until < clock_timestamp() or cast(:span as interval) is null)
    returning id
""")


@dataclass(frozen=True, slots=True)
class _Turn:
    """A grant as it stands: the token in use, and, for the one whose turn it is, what makes the next."""

    id: UUID
    provider: str
    user: str
    lasts: bool  # long enough for a batch
    usable: bool  # neither over nor refused
    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)  # None: it lasts, or another worker is at it


def access_place(grant_id: UUID) -> str:
    return f"mailbox_grants/{grant_id}/access"


def refresh_place(grant_id: UUID) -> str:
    return f"mailbox_grants/{grant_id}/refresh"


def ends_at(now: datetime, tokens: Mapping[str, Any]) -> datetime:
    """When this access token is over, by the provider's own word, within reason."""
    seconds = tokens.get("expires_in")
    told = seconds if isinstance(seconds, int) and not isinstance(seconds, bool) else _USUAL_SECONDS
    return now + timedelta(seconds=max(0, min(told, _LONGEST_SECONDS)))


async def credentials(database: Database, workspace_id: UUID, mailbox_id: UUID) -> Credentials:
    """How to log in, for one connection. May use the network, so call it without an open unit.

    Raises ``CadenzaError``: not found; ``mailbox_retired``; ``mailbox_access_revoked``; a temporary one when a token is over
    and its provider cannot be asked.
    """
    async with database.unit(workspace_id) as unit:
        row = await repository.mailbox_row(unit, mailbox_id)
        if row is None:
            raise not_found("mailbox", mailbox_id)
        if row.state == MailboxState.RETIRED.value:
            raise _retired(row.address)
        if row.password_sealed:
            return Credentials(row.user_name, _opened(unit, row.password_sealed, password_place(row.id)))
    return await _by_token(database, workspace_id, mailbox_id, refused="")


def _opened(unit: Unit, sealed: str, place: str) -> str:
    return unit.secrets.open(sealed, workspace_id=unit.workspace_id, place=place)


def _retired(address: str) -> CadenzaError:
    return CadenzaError(
        "mailbox_retired", f"{address} is disconnected.", Kind.CONFLICT, fix="Connect it again under Senders."
    )


async def _by_token(database: Database, workspace_id: UUID, mailbox_id: UUID, *, refused: str) -> Credentials:
    """With a token other than the one that a server ``refused``."""
    for _ in range(_LOOKS):
        async with database.unit(workspace_id) as unit:
            turn = await _turn(unit, mailbox_id, refused)
        if turn.lasts or (turn.usable and turn.refresh is None):
            return _shown(database, workspace_id, mailbox_id, turn.user, turn.access)
        if turn.refresh is not None:
            token = await _refreshed(database, workspace_id, mailbox_id, turn)
            return _shown(database, workspace_id, mailbox_id, turn.user, token)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    raise CadenzaError(
        "mailbox_token_awaited", "Another worker has been fetching a token for too long.", Kind.TEMPORARY
    )


def _shown(database: Database, workspace_id: UUID, mailbox_id: UUID, user: str, token: str) -> Credentials:
    renew = partial(_by_token, database, workspace_id, mailbox_id, refused=token)
    return Credentials(user, token=token, renew=renew)


async def _turn(unit: Unit, mailbox_id: UUID, refused: str) -> _Turn:
    """What there is, and the right to refresh it if that is due and nobody else does."""
    turn = await _look(unit, mailbox_id, refused)
    if turn.lasts or not await _lease(unit, turn.id, _LEASE):
        return turn
    turn = await _look(unit, mailbox_id, refused)  # who held the lease until now may have refreshed it
    if turn.lasts:
        await _lease(unit, turn.id, None)
        return turn
    return replace(turn, refresh=await _refresh_token(unit, mailbox_id))


async def _look(unit: Unit, mailbox_id: UUID, refused: str) -> _Turn:
    box = await repository.mailbox_row(unit, mailbox_id)
    grant = await repository.grant_of(unit, mailbox_id)
    if box is None or grant is None:
        raise not_found("mailbox", mailbox_id)
    if grant.revoked_at is not None:
        raise _revoked(box.address, CONSENTS[grant.provider].name)
    access, now = _opened(unit, grant.access_sealed, access_place(grant.id)), unit.machine.now()
    usable = access != refused and grant.expires_at > now
    return _Turn(
        grant.id, grant.provider, box.user_name, usable and grant.expires_at > now + _EARLY, usable, access
    )


async def _refresh_token(unit: Unit, mailbox_id: UUID) -> str:
    grant = await repository.grant_of(unit, mailbox_id)
    if grant is None:
        raise not_found("mailbox", mailbox_id)
    return _opened(unit, grant.refresh_sealed, refresh_place(grant.id))


async def _lease(unit: Unit, grant_id: UUID, span: timedelta | None) -> bool:
    """Become the one that refreshes, for so long; None gives it back."""
    values = {"workspace": unit.workspace_id, "id": grant_id, "span": span}
    return (await unit.session.execute(_LEASE_GRANT, values)).first() is not None


async def _refreshed(database: Database, workspace_id: UUID, mailbox_id: UUID, turn: _Turn) -> str:
    """A new access token, kept. When the provider cannot be asked, the old one while it lasts."""
    try:
        tokens = await _ask(turn)
    except CadenzaError as wrong:
        _log.warning("token_not_refreshed", mailbox=str(mailbox_id), code=wrong.code)
        async with database.unit(workspace_id) as unit:
            await _give_up(unit, mailbox_id, turn, wrong)
        if turn.usable and wrong.kind is Kind.TEMPORARY:
            return turn.access
        raise
    async with database.unit(workspace_id) as unit:
        await _keep(unit, turn, tokens)
    return str(tokens["access_token"])


async def _ask(turn: _Turn) -> Mapping[str, Any]:
    """The provider's answer to a refresh token (RFC 6749, 6). Raises ``CadenzaError``, temporary or for good."""
    current = settings()
    known, name = registration(current, turn.provider), CONSENTS[turn.provider].name
    egress = Egress(this_machine=current.sandbox)
    provider = await _described(egress, known.issuer, name)
    form = {
        "grant_type": "refresh_token", "refresh_token": turn.refresh or "", "client_id": known.client_id,
        "client_secret": known.client_secret,
    }  # fmt: skip
    answer = await egress.request(Purpose.MAIL_OAUTH, "POST", provider.token, form=form)
    told = answer.json()
    told = told if isinstance(told, dict) else {}
    if answer.status == 200 and isinstance(told.get("access_token"), str) and told["access_token"]:
        return told
    if answer.status in (400, 401) and told.get("error") in _GONE:
        raise _revoked(turn.user, name)
    if answer.status in (400, 401) and told.get("error") in {"invalid_client", "unauthorized_client"}:
        raise _client_refused(name)
    raise CadenzaError(
        "provider_unusable", f"{name} gave no new token (it answered {answer.status}).", Kind.TEMPORARY
    )


async def _described(egress: Egress, issuer: str, name: str) -> Provider:
    """Whatever is wrong with the provider's description now, the permission may still hold: it is asked again later."""
    try:
        return await discover(egress, issuer, Purpose.MAIL_OAUTH)
    except CadenzaError as wrong:
        raise CadenzaError(
            "provider_unusable", f"{name} cannot be asked: {wrong.message}", Kind.TEMPORARY
        ) from wrong


def _revoked(address: str, name: str) -> CadenzaError:
    return CadenzaError(
        "mailbox_access_revoked",
        f"{name} lets us into {address} no more: the permission was taken back or has ended.",
        Kind.CONFLICT,
        fix="Connect it again under Senders; what waits for it then goes on.",
    )


def _client_refused(name: str) -> CadenzaError:
    return CadenzaError(
        "provider_client_refused",
        f"{name} refuses this installation's client id or secret.",
        Kind.CONFLICT,
        fix="The operator renews them (docs/connecting-mailboxes.md); then test the mailbox under Senders.",
    )


async def _give_up(unit: Unit, mailbox_id: UUID, turn: _Turn, wrong: CadenzaError) -> None:
    """Let the next one try; when trying is of no use, stop the mailbox and say why."""
    over = {"revoked_at": unit.machine.now()} if wrong.code == "mailbox_access_revoked" else {}
    if await _change(unit, turn.id, lease_until=None, **over) and wrong.kind is not Kind.TEMPORARY:
        row = await repository.mailbox_row(unit, mailbox_id)
        if row is not None:
            box = repository.as_mailbox(row)
            await break_mailbox(unit, box.id, f"{box.address} cannot be opened", wrong.message, wrong.fix)


async def _keep(unit: Unit, turn: _Turn, tokens: Mapping[str, Any]) -> None:
    """The new tokens; a provider may change the refresh token too, and then the old one is worth nothing."""
    fresh = tokens.get("refresh_token")
    refresh = fresh if isinstance(fresh, str) and fresh else turn.refresh or ""
    await _change(
        unit,
        turn.id,
        lease_until=None,
        access_sealed=_sealed(unit, str(tokens["access_token"]), access_place(turn.id)),
        refresh_sealed=_sealed(unit, refresh, refresh_place(turn.id)),
        expires_at=ends_at(unit.machine.now(), tokens),
    )


def _sealed(unit: Unit, secret: str, place: str) -> str:
    return unit.secrets.seal(secret, workspace_id=unit.workspace_id, place=place)


async def _change(unit: Unit, grant_id: UUID, **values: Any) -> bool:
    """False when the grant was replaced or removed meanwhile: then this answer is about nothing any more."""
    changed = await unit.session.execute(
        update(MailboxGrantRow)
        .where(MailboxGrantRow.workspace_id == unit.workspace_id, MailboxGrantRow.id == grant_id)
        .values(**values)
        .returning(MailboxGrantRow.id)
    )
    return changed.first() is not None


async def test_stored_mailbox(database: Database, actor: Actor, mailbox_id: UUID) -> SenderTest:
    """Log in at both servers of a stored mailbox, and note what came of it: it is broken from now on, or it is mended.

    Uses the network between two units, so call it without an open one.
    """
    authorize(actor, Action.MANAGE_SENDERS)
    async with database.unit(actor.workspace_id) as unit:
        box = await repository.mailbox(unit, mailbox_id)
    try:
        secret = await credentials(database, box.workspace_id, box.id)
        tested = await test_mailbox(box.address, box.smtp, box.imap, secret, sender=str(box.id))
    except CadenzaError as wrong:
        tested = SenderTest(str(box.id), box.address, ok=False, detail=str(wrong))
    async with database.unit(box.workspace_id) as unit:
        await note_test(unit, box, tested)
    return tested


async def change_log_in(
    database: Database, actor: Actor, box: Mailbox, *, smtp: Server, imap: Server, user: str, password: str
) -> SenderTest:
    """Other servers, another user or password, kept if both servers let us in; until then the mailbox goes on as it is.

    The password comes with every change, so that a stored one never goes to a server that was entered later.
    """
    new = NewMailbox(address=box.address, smtp=smtp, imap=imap, user=user)
    async with database.unit(actor.workspace_id) as unit:
        check_mailbox(actor, new)
        require_fresh(unit, actor)
    tested = await test_mailbox(box.address, smtp, imap, Credentials(user, password), sender=str(box.id))
    if tested.ok:
        async with database.unit(actor.workspace_id) as unit:
            row = await repository.mailbox_row(unit, box.id)
            if row is None:
                raise not_found("mailbox", box.id)
            fill_servers(row, new)
            await set_password(unit, row, password)
            await finish_requests(unit, row.id)
            await audit(unit, actor, "mailbox_changed", row.address)
    return tested


async def forget_secrets(unit: Unit, row: MailboxRow) -> None:
    """Nothing that opens this mailbox stays here."""
    row.password_sealed = ""
    if grant := await repository.grant_of(unit, row.id):
        await unit.session.delete(grant)
    await unit.session.flush()
