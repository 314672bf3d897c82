"""Which mailbox writes to whom: a person keeps the first one, new people take the one that did least today."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from cadenza.campaigns.contracts import Definition
from cadenza.channels.contracts import Mailbox, MailboxState
from cadenza.channels.service import Quota, take_quota, used_quota
from cadenza.core.unit import Unit
from cadenza.engine.ids import touch_id
from cadenza.engine.repository import Due
from cadenza.ledger.contracts import Decision, Option

DOMAIN_DAILY_LIMIT = 400  # above it, providers begin to take less of a young domain's mail


@dataclass(frozen=True, slots=True)
class Choice:
    """The sender of one touch, or why there is none now and until when; ``soon`` when it is only a matter of moments."""

    mailbox: Mailbox | None
    why: str
    until: datetime | None = None
    decision: Decision | None = None
    soon: bool = False


async def choose_senders(
    unit: Unit, wanted: Sequence[tuple[Due, Definition]], mailboxes: Sequence[Mailbox], busy: Sequence[UUID]
) -> dict[UUID, Choice]:
    """For each enrolment its sender, within every limit of the day; limits hold for all workers together."""
    if not wanted:
        return {}
    now = unit.world.now()
    used = await used_quota(unit, now.date(), [m.id for m in mailboxes])
    usable = {m.address: m for m in mailboxes if m.state is MailboxState.OK}
    picked = _pick(wanted, mailboxes, usable, dict(used), frozenset(busy))
    return await _within_limits(unit, picked, now)


def _pick(
    wanted: Sequence[tuple[Due, Definition]],
    mailboxes: Sequence[Mailbox],
    usable: Mapping[str, Mailbox],
    load: dict[UUID, int],
    busy: frozenset[UUID],
) -> list[tuple[Due, Definition, Choice]]:
    by_id = {m.id: m for m in mailboxes}
    picked = []
    for due, definition in wanted:
        choice = (
            _kept(by_id.get(due.mailbox_id), usable)
            if due.mailbox_id
            else _fresh(due, definition, usable, load, busy)
        )
        if choice.mailbox:
            load[choice.mailbox.id] = load.get(choice.mailbox.id, 0) + 1
        picked.append((due, definition, choice))
    return picked


def _limit(mailbox: Mailbox, definition: Definition) -> int:
    return min(mailbox.daily_limit, definition.caps.per_sender_per_day)


def _kept(mailbox: Mailbox | None, usable: Mapping[str, Mailbox]) -> Choice:
    if mailbox is not None and mailbox.address in usable:
        return Choice(mailbox, f"{mailbox.address} wrote to this person before")
    name = mailbox.address if mailbox else "the first sender"
    why = f" ({mailbox.state_reason})" if mailbox and mailbox.state_reason else ""
    return Choice(None, f"{name}, who wrote to this person before, cannot send now{why}")


def _fresh(
    due: Due,
    definition: Definition,
    usable: Mapping[str, Mailbox],
    load: Mapping[UUID, int],
    busy: frozenset[UUID],
) -> Choice:
    able = [usable[a] for a in definition.mailboxes if a in usable]
    if not able:
        return Choice(None, "none of the campaign's mailboxes can send now")
    roomy = [m for m in able if load.get(m.id, 0) < _limit(m, definition)] or able
    candidates = [m for m in roomy if m.id not in busy]
    if not candidates:
        return Choice(None, "every sender with room is on the wire", soon=True)
    taken = min(candidates, key=lambda m: (load.get(m.id, 0), m.address))
    decision = Decision(
        what="sender",
        options=tuple(Option(m.address, 1.0 if m is taken else 0.0) for m in candidates),
        taken=taken.address,
        reason=f"senders take turns; it has sent the fewest today ({load.get(taken.id, 0)})",
        policy="least_used",
        version=1,
        touch_id=touch_id(due.id, due.step),
        contact_id=due.contact_id,
    )
    return Choice(taken, f"{taken.address} has sent the fewest today", decision=decision)


async def _within_limits(
    unit: Unit, picked: Sequence[tuple[Due, Definition, Choice]], now: datetime
) -> dict[UUID, Choice]:
    groups: dict[UUID, list[tuple[Due, Definition, Choice]]] = defaultdict(list)
    choices: dict[UUID, Choice] = {}
    for due, definition, choice in picked:
        if choice.mailbox is None:
            choices[due.id] = replace(choice, until=now + timedelta(hours=1))
        else:
            groups[choice.mailbox.id].append((due, definition, choice))
    for mailbox_id in sorted(groups):  # one order for all workers, so that they cannot lock each other out
        choices |= await _limit_one(unit, groups[mailbox_id], now)
    return choices


def quotas(mailbox_id: UUID, address: str, limit: int = 0) -> tuple[Quota, Quota]:
    """What a message from this mailbox counts against: the mailbox's own day, and that of its domain."""
    domain = address.rpartition("@")[2]
    return Quota("mailbox", str(mailbox_id), limit), Quota("domain", domain, DOMAIN_DAILY_LIMIT)


async def _limit_one(
    unit: Unit, group: Sequence[tuple[Due, Definition, Choice]], now: datetime
) -> dict[UUID, Choice]:
    mailbox = group[0][2].mailbox
    assert mailbox is not None  # noqa: S101 - grouped by it
    limit = min(_limit(mailbox, definition) for _, definition, _ in group)
    granted = await take_quota(
        unit, now.date(), *quotas(mailbox.id, mailbox.address, limit), wanted=len(group)
    )
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    full = Choice(
        None, f"{mailbox.address} or its domain has reached its limit for today ({limit} a day)", tomorrow
    )
    return {due.id: choice if place < granted else full for place, (due, _, choice) in enumerate(group)}
