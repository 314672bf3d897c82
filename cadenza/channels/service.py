"""Doors of channels: mailboxes and their secrets, reading positions, daily limits, and the wire itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from cadenza.channels import repository
from cadenza.channels.contracts import Credentials, FolderCursor, Mailbox, MailboxState, SenderTest, Server
from cadenza.channels.email.headers import ascii_address
from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.mime import TOUCH_HEADER, Skeleton, Slots, compile_message, message_id
from cadenza.channels.email.sent_folder import is_filed, sent_folder
from cadenza.channels.email.smtp import SmtpSession, Timeouts
from cadenza.channels.email.tracking import (
    PIXEL,
    Fetch,
    click_token,
    label_machine,
    links,
    machine_reason,
    open_token,
    read_click_token,
    read_open_token,
    tracked,
)
from cadenza.channels.email.wire import require_safe
from cadenza.channels.mailbox_check import test_mailbox
from cadenza.channels.models import MailboxRow
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

__all__ = [
    "PIXEL", "TOUCH_HEADER", "Fetch", "ImapReader", "NewMailbox", "Quota", "Skeleton", "Slots",
    "SmtpSession", "Timeouts", "add_mailbox", "check_mailbox", "click_token", "compile_message",
    "credentials", "cursor", "give_back_quota", "is_filed", "label_machine", "lease_copies", "links",
    "machine_reason", "mailbox", "mailboxes", "message_id", "note_test", "open_token", "read_click_token",
    "read_open_token", "save_cursor", "sent_folder", "set_files_copies", "set_state", "take_quota",
    "test_mailbox", "tracked", "used_quota",
]  # fmt: skip

_PLACE = "mailboxes/{}/password"
_LARGEST_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMailbox:
    """A mailbox as a person enters it. ``aliases`` are other addresses whose mail arrives there too."""

    address: str
    smtp: Server
    imap: Server
    user: str
    display_name: str = ""
    daily_limit: int = 60
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """One daily limit that a message counts against. ``scope`` is mailbox (key: its id) or domain (key: its name)."""

    scope: str
    key: str
    limit: int


async def add_mailbox(unit: Unit, actor: Actor, new: NewMailbox, password: str) -> Mailbox:
    """Store a mailbox, or the new settings of one that is known by its address. Test it first: ``test_mailbox``."""
    check_mailbox(actor, new)
    address = new.address.lower()
    row = await repository.row_by_address(unit, address)
    if row is None:
        row = MailboxRow(
            workspace_id=unit.workspace_id, id=new_id(), address=address, created_at=unit.machine.now()
        )
        unit.session.add(row)
    _fill(row, new)
    row.password_sealed = unit.secrets.seal(
        password, workspace_id=unit.workspace_id, place=_PLACE.format(row.id)
    )
    await unit.session.flush()
    await audit(unit, actor, "mailbox_saved", address)
    return repository.as_mailbox(row)


def check_mailbox(actor: Actor, new: NewMailbox) -> None:
    """Whether this may be saved, as far as it can be told without a network. Raises ``CadenzaError`` if not."""
    authorize(actor, Action.MANAGE_SENDERS)
    for address in (new.address, *new.aliases):
        ascii_address(address)
    for server in (new.smtp, new.imap):
        require_safe(server)
        if not 0 < server.port < 65536 or not server.host:
            raise CadenzaError(
                "server_invalid", f"{server.host}:{server.port} is no server.", fix="Give it as HOST:PORT."
            )
    if not 0 < new.daily_limit <= _LARGEST_LIMIT:
        raise CadenzaError(
            "daily_limit_invalid",
            f"A mailbox sends between 1 and {_LARGEST_LIMIT} messages a day, not {new.daily_limit}.",
            fix="Most providers take a few dozen a day from a person's mailbox.",
        )


def _fill(row: MailboxRow, new: NewMailbox) -> None:
    row.display_name = new.display_name or new.address.partition("@")[0]
    row.smtp_host, row.smtp_port, row.smtp_tls = new.smtp.host, new.smtp.port, new.smtp.tls.value
    row.imap_host, row.imap_port, row.imap_tls = new.imap.host, new.imap.port, new.imap.tls.value
    row.user_name = new.user
    row.state, row.state_reason = MailboxState.OK.value, ""
    row.files_copies = None  # perhaps another provider now
    row.daily_limit = new.daily_limit
    row.aliases = [alias.lower() for alias in new.aliases]


async def credentials(unit: Unit, mailbox_id: UUID) -> Credentials:
    """How to log in, for one connection. Raises when the row is gone or its secret was moved."""
    row = await repository.mailbox_row(unit, mailbox_id)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    password = unit.secrets.open(
        row.password_sealed, workspace_id=unit.workspace_id, place=_PLACE.format(row.id)
    )
    return Credentials(row.user_name, password)


async def mailboxes(unit: Unit, addresses: Collection[str] | None = None) -> list[Mailbox]:
    """All mailboxes of the workspace by address, or those with the given addresses."""
    wanted = None if addresses is None else {address.lower() for address in addresses}
    return await repository.mailboxes(unit, wanted)


async def mailbox(unit: Unit, mailbox_id: UUID) -> Mailbox:
    row = await repository.mailbox_row(unit, mailbox_id)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    return repository.as_mailbox(row)


async def set_state(unit: Unit, mailbox_id: UUID, state: MailboxState, reason: str = "") -> None:
    """Pause, break or restore a mailbox; the reason is shown wherever it would have sent."""
    await repository.set_state(unit, mailbox_id, state, reason)


async def set_files_copies(unit: Unit, mailbox_id: UUID, *, files_copies: bool) -> None:
    """Note whether the provider puts what is sent into the Sent folder by itself."""
    await repository.set_files_copies(unit, mailbox_id, files_copies)


async def lease_copies(unit: Unit, mailbox_id: UUID, span: timedelta) -> bool:
    """Become the one worker that files this mailbox's copies, for so long; False when another is. 0 gives it back."""
    return await repository.lease_copies(unit, mailbox_id, span)


async def note_test(unit: Unit, tried: Mailbox, result: SenderTest) -> None:
    """What a test of a stored mailbox found: it is broken from now on, or it is mended."""
    if not result.ok:
        await set_state(unit, tried.id, MailboxState.BROKEN, result.detail)
    elif tried.state is MailboxState.BROKEN:
        await set_state(unit, tried.id, MailboxState.OK)


async def cursor(unit: Unit, mailbox_id: UUID, folder: str) -> FolderCursor | None:
    """How far the folder has been read; None when never."""
    return await repository.cursor(unit, mailbox_id, folder)


async def save_cursor(unit: Unit, mailbox_id: UUID, cursor: FolderCursor) -> None:
    """In the transaction that stores the messages before it."""
    await repository.save_cursor(unit, mailbox_id, cursor)


async def take_quota(unit: Unit, day: date, *quotas: Quota, wanted: int) -> int:
    """How many of ``wanted`` messages every one of the limits allows on this day; they are taken at once.

    Any number of workers respects one limit: until this transaction ends, others of the workspace wait here.
    """
    keys = [(quota.scope, quota.key) for quota in quotas]
    taken = await repository.lock_counters(unit, day, keys)
    left = (quota.limit - taken.get((quota.scope, quota.key), 0) for quota in quotas)
    granted = max(0, min(wanted, *left))
    if granted:
        await repository.add_to_counters(unit, day, keys, granted)
    return granted


async def give_back_quota(unit: Unit, day: date, *quotas: Quota, amount: int) -> None:
    """What was taken and not used, such as for a claim that was released."""
    await repository.add_to_counters(unit, day, [(quota.scope, quota.key) for quota in quotas], -amount)


async def used_quota(unit: Unit, day: date, mailbox_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Messages taken per mailbox on this day; mailboxes without any are left out."""
    found = await repository.amounts(unit, day, "mailbox", [str(i) for i in mailbox_ids])
    return {UUID(key): amount for key, amount in found.items()}
