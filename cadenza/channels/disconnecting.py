"""Disconnecting a mailbox: its secrets are forgotten here first, then the provider is told, whether it listens or not.

Rooms above say what hangs on a mailbox, each by one line at its import.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from cadenza.channels import repository
from cadenza.channels.access import forget_secrets, refresh_place
from cadenza.channels.connecting import USUAL_LIMIT, usual_name
from cadenza.channels.contracts import MailboxState
from cadenza.channels.models import MailboxRow
from cadenza.channels.oauth_providers import registration
from cadenza.channels.standing import finish_requests
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.http import Egress, Purpose
from cadenza.core.logs import logger
from cadenza.core.openid import discover
from cadenza.core.settings import settings
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, require_fresh

Count = Callable[[Unit, UUID], Awaitable[int]]

_log = logger("disconnecting")
_counts: list[Count] = []


@dataclass(frozen=True, slots=True)
class Disconnected:
    """``kept``: it has sent or received or was set up, and stays in the list as retired. ``told``: the provider took the token back;
    None when there was nothing to take back.
    """

    address: str
    kept: bool
    told: bool | None


@dataclass(frozen=True, slots=True)
class _Token:
    provider: str
    refresh: str = field(repr=False)


def counts_as_waiting(count: Count) -> Count:
    """Decorates a function that tells how many people would wait if this mailbox wrote no more."""
    _counts.append(count)
    return count


async def people_waiting(unit: Unit, mailbox_id: UUID) -> int:
    """People whose next message this mailbox was to send."""
    return sum([await count(unit, mailbox_id) for count in _counts])


async def disconnect(database: Database, egress: Egress, actor: Actor, mailbox_id: UUID) -> Disconnected:
    """Forget how to open it. A mailbox of which messages exist, or that a person set up, is retired; any other is removed.

    Raises ``CadenzaError``: not allowed, proof needed, not found. A provider that is away is no error: nothing here opens the
    mailbox any more, and the answer says that the provider was not told.
    """
    async with database.unit(actor.workspace_id) as unit:
        authorize(actor, Action.MANAGE_SENDERS)
        require_fresh(unit, actor)
        row = await repository.mailbox_row(unit, mailbox_id)
        if row is None:
            raise not_found("mailbox", mailbox_id)
        address, token = row.address, await _token(unit, mailbox_id)
        await forget_secrets(unit, row)
        await finish_requests(unit, mailbox_id)
        kept = not await _remove(unit, row)
        await audit(unit, actor, "mailbox_disconnected", address, kept=kept)
    return Disconnected(address, kept, await _revoke(egress, token) if token else None)


async def _token(unit: Unit, mailbox_id: UUID) -> _Token | None:
    grant = await repository.grant_of(unit, mailbox_id)
    if grant is None or grant.revoked_at is not None:
        return None
    refresh = unit.secrets.open(
        grant.refresh_sealed, workspace_id=unit.workspace_id, place=refresh_place(grant.id)
    )
    return _Token(grant.provider, refresh)


async def _remove(unit: Unit, row: MailboxRow) -> bool:
    """False when messages name it or a person set something of it: then it is retired instead, so that what it sent stays
    told, and who connects it again finds it as it was.
    """
    if _was_set_up(row):
        return await _retire(unit, row)
    try:
        async with unit.session.begin_nested():
            await unit.session.execute(
                delete(MailboxRow).where(
                    MailboxRow.workspace_id == unit.workspace_id, MailboxRow.id == row.id
                )
            )
    except IntegrityError:
        return await _retire(unit, row)
    return True


async def _retire(unit: Unit, row: MailboxRow) -> Literal[False]:
    row.state, row.state_reason = MailboxState.RETIRED.value, "disconnected"
    await unit.session.flush()
    return False


def _was_set_up(row: MailboxRow) -> bool:
    set_by_somebody = (row.signature, row.signature_html, row.hours, row.warm_up, row.owner_id, row.aliases)
    is_usual = row.display_name == usual_name(row.address) and row.daily_limit == USUAL_LIMIT
    return not is_usual or any(set_by_somebody)


async def _revoke(egress: Egress, token: _Token) -> bool:
    """RFC 7009. Microsoft has no such address: there the person removes the application in their account."""
    try:
        known = registration(settings(), token.provider)
        provider = await discover(egress, known.issuer, Purpose.MAIL_OAUTH)
        if not provider.revocation:
            return False
        form = {
            "token": token.refresh, "token_type_hint": "refresh_token", "client_id": known.client_id,
            "client_secret": known.client_secret,
        }  # fmt: skip
        answer = await egress.request(Purpose.MAIL_OAUTH, "POST", provider.revocation, form=form)
    except CadenzaError as wrong:
        _log.warning("token_not_revoked", provider=token.provider, code=wrong.code)
        return False
    return answer.status == 200
