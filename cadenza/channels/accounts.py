"""Accounts of LinkedIn and phone: connecting, trying and disconnecting them, and the channel that each opens."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from cadenza.audience.contracts import Channel as Kinds
from cadenza.audience.service import AddressError, normal_value
from cadenza.channels.accounts_standing import finish_account_requests, note_health
from cadenza.channels.accounts_store import account_row, account_rows, as_account, row_by_address
from cadenza.channels.channel_values import BY_HAND
from cadenza.channels.channel_work import AssistedChannel
from cadenza.channels.contracts import (
    AccountProvider,
    AccountState,
    Channel,
    ChannelAccount,
    ChannelHealth,
)
from cadenza.channels.linkedin.unipile import UnipileChannel
from cadenza.channels.models import ChannelAccountRow
from cadenza.channels.phone.twilio import BASE as TWILIO
from cadenza.channels.phone.twilio import TwilioChannel
from cadenza.core.crypto import new_token
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.http import Egress
from cadenza.core.ids import derived_id, new_id
from cadenza.core.logs import logger
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize, require_fresh

PROVIDERS = {
    "linkedin": (AccountProvider.ASSISTED, AccountProvider.UNIPILE),
    "phone": (AccountProvider.ASSISTED, AccountProvider.TWILIO),
}
HOOKS = "/hooks"
_BY_HAND = {"linkedin": "LinkedIn by hand", "phone": "Calls by hand"}
_LONGEST = {"name": 200, "reference": 200, "base_url": 500}

_log = logger("accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as a person enters it. ``key``: Unipile's API key or Twilio's auth token."""

    channel: str
    provider: AccountProvider
    name: str
    address: str
    base_url: str = ""
    reference: str = ""
    rings: str = ""
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AccountTest:
    """The answer of ``cadenza channels add|test``. ``account`` is empty when nothing was kept."""

    account: str
    channel: str
    address: str
    ok: bool
    detail: str


async def accounts(unit: Unit, actor: Actor) -> list[ChannelAccount]:
    """Every account that is not disconnected, by channel and name."""
    authorize(actor, Action.READ)
    return [as_account(row) for row in await account_rows(unit, retired=False)]


async def working_accounts(unit: Unit) -> list[ChannelAccount]:
    """As ``accounts``, for the engine, which acts for nobody."""
    return [as_account(row) for row in await account_rows(unit, retired=False)]


async def by_hand(unit: Unit, channels: Collection[str]) -> None:
    """Where nothing else was connected for a channel, people do it by hand: that needs no account of anybody's."""
    there = {row.channel for row in await account_rows(unit, retired=False)}
    for channel in sorted(set(channels) & set(PROVIDERS) - there):
        await unit.session.merge(
            ChannelAccountRow(
                workspace_id=unit.workspace_id, id=derived_id("by hand", unit.workspace_id, channel), channel=channel,
                provider=AccountProvider.ASSISTED.value, name=_BY_HAND[channel], address=f"{BY_HAND}{channel}",
                base_url="", reference="", rings="", key_sealed="", hook_sealed="", hooks=[], state=AccountState.OK.value,
                state_reason="", created_at=unit.machine.now(), fetched_at=unit.world.now(),
            )
        )  # fmt: skip
    await unit.session.flush()


async def account(unit: Unit, actor: Actor, account_id: UUID) -> ChannelAccount:
    """Raises ``CadenzaError``: not allowed, not found."""
    authorize(actor, Action.READ)
    return as_account(await account_row(unit, account_id))


async def connect_account(
    database: Database, egress: Egress, actor: Actor, new: NewAccount, key: str, *, site: str | None = None
) -> AccountTest:
    """Store an account once its provider lets us in, and have it tell us what happens. Call it without an open unit.

    ``site`` is our public address; without one the provider is asked every few minutes instead. Raises ``CadenzaError`` for
    what can be told without asking: not allowed, ``account_invalid``, ``account_known``.
    """
    authorize(actor, Action.MANAGE_SENDERS)
    new = _checked(egress, new, key)
    async with database.unit(actor.workspace_id) as unit:
        await _require_unknown(unit, new)
    trial = _shaped(new, actor.workspace_id)
    found = await _opened(database, egress, trial, key, hook="").health()
    if not found.ok:
        return AccountTest("", new.channel, new.address, ok=False, detail=found.detail)
    async with database.unit(actor.workspace_id) as unit:
        await _require_unknown(unit, new)
        kept, secret = await _store(unit, actor, new, key)
    detail = await _listen(database, egress, kept, key, secret, site, found)
    return AccountTest(str(kept.id), kept.channel, kept.address, ok=True, detail=detail)


def _checked(egress: Egress, new: NewAccount, key: str) -> NewAccount:
    """As it is stored. Raises ``account_invalid`` with each fault by its field."""
    if new.channel not in PROVIDERS or new.provider not in PROVIDERS[new.channel]:
        raise _invalid([Problem(f"{new.channel} cannot be used through {new.provider}.", key="provider")])
    if new.provider is AccountProvider.TWILIO and not new.base_url:
        new = replace(new, base_url=TWILIO)
    problems = _missing(new, key)
    address = _normal(new.channel, new.address, "address", problems)
    rings = _normal("phone", new.rings, "rings", problems) if new.rings else ""
    if new.base_url:
        try:
            egress.read(new.base_url)
        except CadenzaError as wrong:
            problems.append(Problem(wrong.message, key="base_url", code=wrong.code))
    if problems:
        raise _invalid(problems)
    return replace(new, address=address, rings=rings, base_url=new.base_url.rstrip("/"), name=new.name.strip())  # fmt: skip


def _missing(new: NewAccount, key: str) -> list[Problem]:
    wanted = {"name": new.name.strip()}
    if new.provider is not AccountProvider.ASSISTED:
        wanted |= {"base_url": new.base_url, "reference": new.reference, "key": key}
    if new.provider is AccountProvider.TWILIO:
        wanted["rings"] = new.rings
    missing = [Problem("It is missing.", key=name) for name, value in wanted.items() if not value]
    given = {"name": new.name, "reference": new.reference, "base_url": new.base_url}
    return missing + [
        Problem(f"It is longer than {_LONGEST[name]} characters.", key=name)
        for name, value in given.items()
        if len(value) > _LONGEST[name]
    ]


def _normal(channel: str, text: str, key: str, problems: list[Problem]) -> str:
    try:
        return normal_value(Kinds.LINKEDIN if channel == "linkedin" else Kinds.PHONE, text)
    except AddressError as wrong:
        problems.append(Problem(f"{text[:200]!r}: {wrong}.", key=key))
        return ""


def _invalid(problems: list[Problem]) -> CadenzaError:
    return CadenzaError(
        "account_invalid",
        "This account cannot be connected as it was entered; nothing was kept.",
        fix="Correct what is named.",
        problems=tuple(problems),
    )


async def _require_unknown(unit: Unit, new: NewAccount) -> None:
    row = await row_by_address(unit, new.channel, new.address)
    if row is not None and row.state != AccountState.RETIRED.value:
        message = f"{new.address} is connected already."
        raise CadenzaError(
            "account_known", message, Kind.CONFLICT, fix="Disconnect it first, to connect it otherwise.",
            problems=(Problem(message, key="address", code="account_known"),),
        )  # fmt: skip


def _shaped(new: NewAccount, workspace_id: UUID) -> ChannelAccount:
    """The account before it is one, so that its provider can be asked."""
    return ChannelAccount(
        new_id(), workspace_id, new.channel, new.provider, new.name, new.address, AccountState.OK, base_url=new.base_url,
        reference=new.reference, rings=new.rings, owner_id=new.owner_id,
    )  # fmt: skip


async def _store(unit: Unit, actor: Actor, new: NewAccount, key: str) -> tuple[ChannelAccount, str]:
    """The row, and the secret by which its webhooks are known. One that was disconnected comes back with what it did."""
    row = await row_by_address(unit, new.channel, new.address)
    if row is None:
        row = ChannelAccountRow(
            workspace_id=unit.workspace_id, id=new_id(), channel=new.channel, address=new.address, created_at=unit.machine.now()
        )  # fmt: skip
        unit.session.add(row)
    row.provider, row.name, row.base_url = new.provider.value, new.name, new.base_url
    row.reference, row.rings, row.owner_id = new.reference, new.rings, new.owner_id
    row.state, row.state_reason, row.wait_until, row.hooks = AccountState.OK.value, "", None, []
    row.fetched_at = unit.world.now()
    secret = new_token()
    row.key_sealed = _sealed(unit, row.id, "key", key)
    row.hook_sealed = _sealed(unit, row.id, "hook", secret)
    await unit.session.flush()
    await finish_account_requests(unit, row.id)
    await audit(unit, actor, "account_connected", row.address, channel=row.channel, provider=row.provider)
    return as_account(row), secret


def _sealed(unit: Unit, account_id: UUID, what: str, text: str) -> str:
    return unit.secrets.seal(text, workspace_id=unit.workspace_id, place=_place(account_id, what))


def _place(account_id: UUID, what: str) -> str:
    return f"channel_accounts/{account_id}/{what}"


async def _listen(
    database: Database, egress: Egress, kept: ChannelAccount, key: str, secret: str, site: str | None, found: ChannelHealth
) -> str:  # fmt: skip
    """Ask for webhooks where that is done by its API. An account works without them, only slower to hear."""
    channel = _opened(database, egress, kept, key, hook="")
    if not isinstance(channel, UnipileChannel) or not site:
        return found.detail
    try:
        hooks = await channel.listen(hook_of(site, kept), secret)
    except CadenzaError as wrong:
        _log.warning("webhooks_not_made", account=str(kept.id), code=wrong.code)
        return (
            f"{found.detail} It tells us nothing by itself ({wrong.message}); it is asked every few minutes."
        )
    async with database.unit(kept.workspace_id) as unit:
        (await account_row(unit, kept.id)).hooks = list(hooks)
        await unit.session.flush()
    return found.detail


def hook_of(site: str, of: ChannelAccount) -> str:
    """Where the provider of this account tells us what happens."""
    return f"{site.rstrip('/')}{HOOKS}/{of.workspace_id}/{of.id}"


async def open_channel(
    database: Database, egress: Egress, workspace_id: UUID, account_id: UUID, *, site: str | None = None
) -> Channel:
    """The channel of an account, with its key in memory. Raises ``CadenzaError``: not found, ``account_retired``."""
    async with database.unit(workspace_id) as unit:
        row = await account_row(unit, account_id)
        if row.state == AccountState.RETIRED.value:
            raise CadenzaError(
                "account_retired", f"{row.name} is disconnected.", Kind.CONFLICT, fix="Connect it again under Senders."
            )  # fmt: skip
        of, key = as_account(row), secret_of(unit, row, "key")
    return _opened(database, egress, of, key, hook=hook_of(site, of) if site else "")


def secret_of(unit: Unit, row: ChannelAccountRow, what: str) -> str:
    """``key`` or ``hook``; empty once the account is disconnected."""
    sealed = row.key_sealed if what == "key" else row.hook_sealed
    if not sealed:
        return ""
    return unit.secrets.open(sealed, workspace_id=unit.workspace_id, place=_place(row.id, what))


def _opened(database: Database, egress: Egress, of: ChannelAccount, key: str, *, hook: str) -> Channel:
    if of.provider is AccountProvider.UNIPILE:
        return UnipileChannel(database, egress, of, key)
    if of.provider is AccountProvider.TWILIO:
        return TwilioChannel(database, egress, of, key, hook)
    return AssistedChannel(database, of)


async def test_account(database: Database, egress: Egress, actor: Actor, account_id: UUID) -> AccountTest:
    """Ask its provider, and note what came of it: it stops, or goes on, a restriction included when a person asks here."""
    authorize(actor, Action.MANAGE_SENDERS)
    channel = await open_channel(database, egress, actor.workspace_id, account_id)
    found = await channel.health()
    async with database.unit(actor.workspace_id) as unit:
        row = await account_row(unit, account_id)
        await note_health(unit, row.id, row.name, found, by_person=True)
        await audit(unit, actor, "account_tested", row.address, ok=found.ok)
        return AccountTest(str(row.id), row.channel, row.address, found.ok, found.detail)


async def disconnect_account(database: Database, egress: Egress, actor: Actor, account_id: UUID) -> bool:
    """Forget its key, then take our webhooks back; False when the provider could not be told. What it did stays told.

    Raises ``CadenzaError``: not allowed, proof needed, not found.
    """
    authorize(actor, Action.MANAGE_SENDERS)
    async with database.unit(actor.workspace_id) as unit:
        require_fresh(unit, actor)
        row = await account_row(unit, account_id)
        of, key, hooks = as_account(row), secret_of(unit, row, "key"), [str(each) for each in row.hooks]
        row.key_sealed = row.hook_sealed = ""
        row.hooks = []
        row.state, row.state_reason = AccountState.RETIRED.value, "disconnected"
        await unit.session.flush()
        await finish_account_requests(unit, row.id)
        await audit(unit, actor, "account_disconnected", row.address, channel=row.channel)
    channel = _opened(database, egress, of, key, hook="")
    try:
        if isinstance(channel, UnipileChannel):
            await channel.deafen(hooks)
    except CadenzaError as wrong:
        _log.warning("webhooks_not_removed", account=str(account_id), code=wrong.code)
        return False
    return True
