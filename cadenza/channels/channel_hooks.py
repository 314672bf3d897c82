"""Where Unipile and Twilio tell us what happens. Nothing is believed before its signature is checked (ASVS 4.1.5).

Unipile puts a secret that we gave it into a header; Twilio signs address and form with the account's auth token. Neither names
a time, so a repeated message is not refused but changes nothing: what it tells is stored under the provider's own key.
"""

import hmac
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.channels.accounts import HOOKS, hook_of, secret_of
from cadenza.channels.accounts_store import account_row, as_account
from cadenza.channels.channel_reading import read_json, recheck, take_in
from cadenza.channels.contracts import AccountProvider, AccountState, ChannelAccount
from cadenza.channels.linkedin import incoming as linkedin
from cadenza.channels.linkedin.answers import is_bad
from cadenza.channels.phone import incoming as phone
from cadenza.channels.phone import signature, twiml
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.web.service import address_of, egress_of

router = APIRouter(include_in_schema=False)

_LARGEST = 256_000  # bytes of a message
_MOST_FIELDS = 200


@router.post(HOOKS + "/{workspace_id}/{account_id}")
async def told(request: Request, workspace_id: UUID, account_id: UUID) -> Response:
    of, secret = await _account(request, workspace_id, account_id)
    body = await _body(request)
    if of.provider is AccountProvider.TWILIO:
        return await _by_twilio(request, of, secret, body)
    return await _by_unipile(request, of, secret, body)


async def _account(request: Request, workspace_id: UUID, account_id: UUID) -> tuple[ChannelAccount, str]:
    """The account and what its provider proves itself by. One that is disconnected looks like none."""
    async with request.app.state.database.unit(workspace_id) as unit:
        row = await account_row(unit, account_id)
        of = as_account(row)
        secret = secret_of(unit, row, "key" if of.provider is AccountProvider.TWILIO else "hook")
    if of.state is AccountState.RETIRED or of.provider is AccountProvider.ASSISTED or not secret:
        raise not_found("channel_account", account_id)
    return of, secret


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise CadenzaError("hook_too_large", "This message is too large.", Kind.TOO_LARGE)
    return body


async def _by_unipile(request: Request, of: ChannelAccount, secret: str, body: bytes) -> Response:
    given = request.headers.get("unipile-auth", "")
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise _unsigned()
    message, database = read_json(body), request.app.state.database
    if linkedin.account_of(message) != of.reference:
        raise _unsigned()
    status = linkedin.account_status(message)
    if status is not None:
        await recheck(database, egress_of(request), of, status, bad=is_bad(status))
        return Response(status_code=200)
    async with database.unit(of.workspace_id) as unit:
        await take_in(unit, of, linkedin.from_webhook(message, unit.world.now()))
    return Response(status_code=200)


async def _by_twilio(request: Request, of: ChannelAccount, secret: str, body: bytes) -> Response:
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (ValueError, UnicodeDecodeError) as wrong:
        raise CadenzaError("hook_unreadable", "This is no message of the provider; nothing was kept.") from wrong  # fmt: skip
    hook = hook_of(address_of(request, ""), of)
    given = request.headers.get(signature.HEADER, "")
    if not signature.is_signed(secret, hook, form, given) or form.get("AccountSid") != of.reference:
        raise _unsigned()
    async with request.app.state.database.unit(of.workspace_id) as unit:
        await take_in(unit, of, phone.from_webhook(form, unit.world.now()))
    return Response(twiml.answer(form, rings=of.rings, hook=hook), media_type="text/xml")


def _unsigned() -> CadenzaError:
    return CadenzaError(
        "hook_unsigned",
        "This message is not signed by the account's provider; nothing was kept.",
        Kind.NOT_ALLOWED,
    )
