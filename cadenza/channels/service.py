"""Doors of channels: mailboxes and their secrets, reading positions, daily limits, and the wire itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from cadenza.channels import repository
from cadenza.channels.access import credentials, test_stored_mailbox
from cadenza.channels.accounts import (
    NewAccount,
    account,
    accounts,
    by_hand,
    connect_account,
    disconnect_account,
    hook_of,
    open_channel,
    test_account,
    working_accounts,
)
from cadenza.channels.accounts_standing import stop_account
from cadenza.channels.channel_limits import LIMITS, Limit, limit_of
from cadenza.channels.channel_mail import MailChannel
from cadenza.channels.channel_quota import capacity_of, give_back_actions, take_actions
from cadenza.channels.channel_reading import ask_account, handled, incoming_waiting, take_in
from cadenza.channels.channel_work import Job, job_of, say_outcome, withdraw_jobs
from cadenza.channels.connecting import NewMailbox, add_mailbox, check_mailbox
from cadenza.channels.contracts import FolderCursor, Mailbox, MailboxState
from cadenza.channels.disconnecting import counts_as_waiting
from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.mime import (
    TOUCH_HEADER,
    TRIAL_HEADER,
    Skeleton,
    Slots,
    compile_message,
    message_id,
)
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
from cadenza.channels.health_store import (
    health_of,
    keep_health,
    keep_warm_up,
    only_one_looks,
    set_stop,
    warm_up_days,
)
from cadenza.channels.hours import hours_of
from cadenza.channels.mailbox_check import test_mailbox
from cadenza.channels.pools import (
    by_any_name,
    fill_pool,
    make_pool,
    pool_named,
    pools,
    remove_pool,
    rename_pool,
)
from cadenza.channels.repository import mailbox
from cadenza.channels.sender_list import Condition
from cadenza.channels.sender_list import condition as sender_condition
from cadenza.channels.sender_list import opens as sender_opens
from cadenza.channels.sender_settings import (
    Ramp,
    SenderSettings,
    change_sender,
    lift_stop,
    pause_sender,
    resume_sender,
    settings_of,
    stop_key,
)
from cadenza.channels.signature import sender_facts
from cadenza.channels.standing import break_mailbox, mend_mailbox, note_test
from cadenza.channels.trial import Letter, Trial, allowed_recipients, try_mailbox
from cadenza.channels.warm_up import DayFigures
from cadenza.channels.warm_up import ahead as warm_up_ahead
from cadenza.channels.warm_up import judge as judge_warm_up
from cadenza.core.unit import Unit

__all__ = [
    "LIMITS", "PIXEL", "TOUCH_HEADER", "TRIAL_HEADER", "Condition", "DayFigures", "Fetch", "ImapReader",
    "Job", "Letter", "Limit", "MailChannel", "NewAccount", "NewMailbox", "Quota", "Ramp", "SenderSettings",
    "Skeleton", "Slots", "SmtpSession", "Timeouts", "Trial", "account", "accounts", "add_mailbox",
    "allowed_recipients", "ask_account", "break_mailbox", "by_any_name", "by_hand", "capacity_of", "change_sender",
    "check_mailbox", "click_token", "compile_message", "connect_account", "counts_as_waiting",
    "credentials", "cursor", "disconnect_account", "fill_pool", "give_back_actions", "give_back_quota",
    "handled", "health_of", "hook_of", "hours_of", "incoming_waiting", "is_filed", "job_of", "judge_warm_up",
    "keep_health", "keep_warm_up", "label_machine", "lease_copies", "lift_stop", "limit_of", "links",
    "machine_reason", "mailbox", "mailboxes", "make_pool", "mend_mailbox", "message_id", "note_test",
    "only_one_looks", "open_channel", "open_token", "pause_sender", "pool_named", "pools",
    "read_click_token", "read_open_token", "remove_pool", "rename_pool", "resume_sender", "save_cursor",
    "say_outcome", "sender_condition", "sender_facts", "sender_opens", "sent_folder", "set_files_copies",
    "set_state", "set_stop", "settings_of", "stop_account", "stop_key", "take_actions", "take_in",
    "take_quota", "test_account", "test_mailbox", "test_stored_mailbox", "tracked", "try_mailbox",
    "used_quota", "used_today", "warm_up_ahead", "warm_up_days", "withdraw_jobs",
    "working_accounts",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quota:
    """One daily limit that a message counts against. ``scope`` is mailbox (key: its id) or domain (key: its name)."""

    scope: str
    key: str
    limit: int


async def mailboxes(unit: Unit, addresses: Collection[str] | None = None) -> list[Mailbox]:
    """All mailboxes of the workspace by address, or those with the given addresses."""
    wanted = None if addresses is None else {address.lower() for address in addresses}
    return await repository.mailboxes(unit, wanted)


async def set_state(unit: Unit, mailbox_id: UUID, state: MailboxState, reason: str = "") -> None:
    """Pause, break or restore a mailbox; the reason is shown wherever it would have sent."""
    await repository.set_state(unit, mailbox_id, state, reason)


async def set_files_copies(unit: Unit, mailbox_id: UUID, *, files_copies: bool) -> None:
    """Note whether the provider puts what is sent into the Sent folder by itself."""
    await repository.set_files_copies(unit, mailbox_id, files_copies)


async def lease_copies(unit: Unit, mailbox_id: UUID, span: timedelta) -> bool:
    """Become the one worker that files this mailbox's copies, for so long; False when another is. 0 gives it back."""
    return await repository.lease_copies(unit, mailbox_id, span)


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


async def used_today(unit: Unit, of: Mailbox) -> tuple[int, int]:
    """Messages taken today of this mailbox, and of its whole domain."""
    day = unit.world.now().date()
    mine = await repository.amounts(unit, day, "mailbox", [str(of.id)])
    domain = await repository.amounts(unit, day, "domain", [of.domain])
    return mine.get(str(of.id), 0), domain.get(of.domain, 0)


async def used_quota(unit: Unit, day: date, mailbox_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Messages taken per mailbox on this day; mailboxes without any are left out."""
    found = await repository.amounts(unit, day, "mailbox", [str(i) for i in mailbox_ids])
    return {UUID(key): amount for key, amount in found.items()}
