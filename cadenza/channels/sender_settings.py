"""What a person sets of a sender: its name, signature, hours, limit, owner and warm-up; pausing it, and going on after a stop."""

from dataclasses import dataclass, replace
from datetime import UTC, date
from uuid import UUID

from cadenza.channels import repository, warm_up
from cadenza.channels.connecting import LARGEST_LIMIT
from cadenza.channels.contracts import Mailbox, MailboxState, WarmUp
from cadenza.channels.email.headers import ascii_address
from cadenza.channels.kept_values import hours_json, warm_up_json
from cadenza.channels.models import MailboxRow
from cadenza.channels.signature import check_signature, refuse_signature
from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import all_members, audit, authorize
from cadenza.ledger.service import finish_work_items
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_zone

_LONGEST_NAME = 200
_MOST_ALIASES = 50
COMPLAINTS = "complaints"


@dataclass(frozen=True, slots=True)
class Ramp:
    """A warm-up as a person enters it, in messages a day."""

    start: int
    growth: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSettings:
    """All that may be set of a sender. ``hours`` None: at any time; ``ramp`` None: no warm-up."""

    display_name: str
    daily_limit: int
    aliases: tuple[str, ...] = ()
    signature: str = ""
    signature_html: str | None = None
    hours: Window | None = None
    owner_id: UUID | None = None
    ramp: Ramp | None = None


def settings_of(found: Mailbox) -> SenderSettings:
    """As they are now; change some by ``dataclasses.replace``."""
    ramp = found.warm_up
    return SenderSettings(
        display_name=found.display_name,
        daily_limit=found.daily_limit,
        aliases=found.aliases,
        signature=found.signature,
        signature_html=found.signature_html,
        hours=found.hours,
        owner_id=found.owner_id,
        ramp=Ramp(ramp.start, ramp.growth, ramp.target) if ramp else None,
    )


async def change_sender(unit: Unit, actor: Actor, mailbox_id: UUID, wanted: SenderSettings) -> Mailbox:
    """Make these the sender's settings. Raises ``CadenzaError`` naming each fault by its field; then nothing is changed."""
    authorize(actor, Action.MANAGE_SENDERS)
    row = await _locked(unit, mailbox_id)
    before = repository.as_mailbox(row)
    await _check(unit, mailbox_id, wanted)
    ramp = _ramp(before.warm_up, wanted.ramp, unit.world.now().astimezone(UTC).date())
    _fill(row, wanted, ramp)
    await unit.session.flush()
    names = [
        name for name in SenderSettings.__slots__ if getattr(settings_of(before), name) != getattr(wanted, name)
    ]  # fmt: skip
    if names:
        await audit(unit, actor, "sender_changed", row.address, changed=names)
    return repository.as_mailbox(row)


def _fill(row: MailboxRow, wanted: SenderSettings, ramp: WarmUp | None) -> None:
    row.display_name = wanted.display_name.strip()
    row.daily_limit = wanted.daily_limit
    row.aliases = [alias.lower() for alias in wanted.aliases]
    row.signature = wanted.signature.replace("\r\n", "\n").strip()
    row.signature_html = (wanted.signature_html or "").replace("\r\n", "\n").strip() or None
    row.hours = hours_json(wanted.hours) if wanted.hours else None
    row.owner_id = wanted.owner_id
    row.warm_up = warm_up_json(ramp) if ramp else None


def _ramp(before: WarmUp | None, wanted: Ramp | None, today: date) -> WarmUp | None:
    """A changed ramp goes on from the allowance it has reached; a new one begins today."""
    if wanted is None:
        return None
    fresh = warm_up.begin(wanted.start, wanted.growth, wanted.target, today)
    if before is None:
        return fresh
    reached = (before.allowance - fresh.start) // fresh.growth
    step = min(max(reached, 0), warm_up.last_step(fresh))
    return replace(fresh, since=before.since, judged=before.judged, step=step)


async def _check(unit: Unit, mailbox_id: UUID, wanted: SenderSettings) -> None:
    problems = [*_plain_faults(wanted), *_hours_faults(wanted.hours)]
    problems += await _foreign_aliases(unit, mailbox_id, wanted.aliases)
    if wanted.owner_id is not None:
        members = {member.id for member in await all_members(unit) if member.active}
        if wanted.owner_id not in members:
            problems.append(Problem("There is no such active member.", key="owner"))
    signature = check_signature(wanted.signature, wanted.signature_html)
    if signature and not problems:
        raise refuse_signature(signature)
    if problems:
        raise CadenzaError(
            "sender_invalid",
            "These settings cannot be used; nothing was changed.",
            fix="Correct what is marked.",
            problems=(*problems, *signature),
        )


async def _foreign_aliases(unit: Unit, mailbox_id: UUID, aliases: tuple[str, ...]) -> list[Problem]:
    """An address that is another mailbox's own cannot be this one's too: its replies would be read as both."""
    if not aliases:
        return []
    found = await repository.mailboxes(unit, {alias.lower() for alias in aliases})
    return [
        Problem(f"{box.address} is another mailbox's own address.", key="aliases")
        for box in found
        if box.id != mailbox_id
    ]


def _plain_faults(wanted: SenderSettings) -> list[Problem]:
    problems = []
    name = wanted.display_name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        problems.append(Problem(f"Give a name of 1 to {_LONGEST_NAME} characters on one line.", key="name"))
    if not 0 < wanted.daily_limit <= LARGEST_LIMIT:
        problems.append(Problem(f"Give a whole number from 1 to {LARGEST_LIMIT}.", key="daily_limit"))
    if len(wanted.aliases) > _MOST_ALIASES:
        problems.append(Problem(f"There may be {_MOST_ALIASES} aliases at most.", key="aliases"))
    for alias in wanted.aliases:
        try:
            ascii_address(alias)
        except CadenzaError as wrong:
            problems.append(Problem(str(wrong), key="aliases"))
    return problems


def _hours_faults(hours: Window | None) -> list[Problem]:
    if hours is None:
        return []
    problems = []
    if not hours.days or not hours.days <= set(range(1, 8)):
        problems.append(Problem("Choose at least one day.", key="hours.days"))
    if hours.start >= hours.end:
        problems.append(Problem("The hours must end later than they begin, on the same day.", key="hours.to"))
    if hours.zone is None or not is_zone(hours.zone):
        problems.append(Problem("Give an IANA time zone such as Europe/Berlin.", key="hours.zone"))
    return problems


async def pause_sender(unit: Unit, actor: Actor, mailbox_id: UUID) -> None:
    """Nothing leaves by it until a person resumes it; its people keep it and wait.

    Raises ``CadenzaError`` (conflict) for one that is broken or disconnected: it sends nothing anyway, and is no pause.
    """
    authorize(actor, Action.MANAGE_SENDERS)
    row = await _locked(unit, mailbox_id)
    _require_working(row)
    if row.state == MailboxState.OK.value:
        reason = f"paused by {actor.name or 'a person'}"
        row.state, row.state_reason = MailboxState.PAUSED.value, reason
        await unit.session.flush()
        await audit(unit, actor, "sender_paused", row.address)


async def resume_sender(unit: Unit, actor: Actor, mailbox_id: UUID) -> None:
    """End a pause. Raises ``CadenzaError`` (conflict) for what broke: that is mended by a test of its log-ins instead."""
    authorize(actor, Action.MANAGE_SENDERS)
    row = await _locked(unit, mailbox_id)
    _require_working(row)
    if row.state == MailboxState.PAUSED.value:
        row.state, row.state_reason = MailboxState.OK.value, ""
        await unit.session.flush()
        await audit(unit, actor, "sender_resumed", row.address)


def _require_working(row: MailboxRow) -> None:
    if row.state == MailboxState.RETIRED.value:
        raise CadenzaError(
            "mailbox_retired", f"{row.address} is disconnected and sends nothing; nothing was changed.", Kind.CONFLICT,
            fix="Connect it again under Senders.",
        )  # fmt: skip
    if row.state == MailboxState.BROKEN.value:
        why = row.state_reason
        raise CadenzaError(
            "mailbox_broken", f"{row.address} is broken and sends nothing; nothing was changed. Why it is broken: {why}",
            Kind.CONFLICT, fix="Mend it and test both servers: it goes on by itself then, and can be paused.",
        )  # fmt: skip


def stop_key(mailbox_id: UUID) -> str:
    """What the keys of work items about a stop of this sender begin with."""
    return f"sender-stop/{mailbox_id}/"


async def lift_stop(unit: Unit, actor: Actor, mailbox_id: UUID, seen: str) -> None:
    """Let a sender go on that its health stopped. ``seen`` is the rule of the stop that the person was shown.

    Its health counts from now on. A stop for complaints is not lifted before its time: each further message to a provider
    whose people complain costs the whole domain its standing, and nobody here can see that provider's own count.
    Raises ``CadenzaError`` (conflict) for that, and when it is stopped for another reason than was seen.
    """
    authorize(actor, Action.MANAGE_SENDERS)
    row = await _locked(unit, mailbox_id)
    stop = repository.as_mailbox(row).stop
    if stop is None:
        return
    if stop.rule != seen:
        raise CadenzaError(
            "stop_changed", f"{row.address} is stopped for another reason by now: {stop.reason}", Kind.CONFLICT,
            fix="Look at it again; nothing was changed.",
        )  # fmt: skip
    if stop.until is not None and unit.world.now() < stop.until:
        raise CadenzaError(
            "stop_too_early", f"{row.address} goes on by itself on {stop.until:%Y-%m-%d %H:%M} UTC, not before: {stop.reason}",
            Kind.CONFLICT, fix="Look through what was sent and to whom; more complaints begin the week anew.",
        )  # fmt: skip
    row.stop, row.judged_from = None, unit.world.now()
    await unit.session.flush()
    await finish_work_items(unit, keys=stop_key(mailbox_id), member_id=actor.member_id)
    await audit(unit, actor, "sender_stop_lifted", row.address, rule=stop.rule, reason=stop.reason)


async def _locked(unit: Unit, mailbox_id: UUID) -> MailboxRow:
    row = await repository.locked_row(unit, mailbox_id)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    return row
