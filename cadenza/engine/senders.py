"""Which mailbox writes to whom: a person keeps the first one, new people take the one that used least of its day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from cadenza.campaigns.contracts import Definition
from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import Quota, take_quota, used_quota
from cadenza.core.unit import Unit
from cadenza.engine.fleet import Fleet, Limit, limit_of
from cadenza.engine.ids import touch_id
from cadenza.engine.repository import Due
from cadenza.ledger.contracts import Decision, Option
from cadenza.timing.contracts import Window

DOMAIN_DAILY_LIMIT = 400  # above it, providers begin to take less of a young domain's mail


@dataclass(frozen=True, slots=True)
class Choice:
    """The sender of one touch, or why there is none now and until when; ``soon`` when it is only a matter of moments.

    ``hours`` are the working hours of those who could send: it leaves when one of them meets the person's.
    """

    mailbox: Mailbox | None
    why: str
    until: datetime | None = None
    decision: Decision | None = None
    soon: bool = False
    failing: bool = False  # the channel itself is out of order, for more than a moment or a day's limit
    hours: tuple[Window, ...] = ()


async def choose_senders(
    unit: Unit, wanted: Sequence[tuple[Due, Definition]], fleet: Fleet
) -> dict[UUID, Choice]:
    """For each enrolment its sender, within every limit of the day; limits hold for all workers together."""
    if not wanted:
        return {}
    now = unit.world.now()
    await fleet.know_pools(unit, [definition for _, definition in wanted])
    used = await used_quota(unit, now.date(), [m.id for m in fleet.mailboxes])
    picked = _pick(wanted, fleet, dict(used), now)
    return await _within_limits(unit, picked, now)


def _pick(
    wanted: Sequence[tuple[Due, Definition]], fleet: Fleet, load: dict[UUID, int], now: datetime
) -> list[tuple[Due, Definition, Choice]]:
    picked = []
    for due, definition in wanted:
        choice = (
            _kept(fleet, due.mailbox_id, now) if due.mailbox_id else _fresh(due, definition, fleet, load, now)
        )
        if choice.mailbox:
            load[choice.mailbox.id] = load.get(choice.mailbox.id, 0) + 1
        picked.append((due, definition, choice))
    return picked


def _kept(fleet: Fleet, mailbox_id: UUID, now: datetime) -> Choice:
    mailbox = fleet.by_id.get(mailbox_id)
    if mailbox is None or not mailbox.can_send:
        name = mailbox.address if mailbox else "the first sender"
        why = f" ({mailbox.why_not})" if mailbox else ""
        words = f"{name}, who wrote to this person before, cannot send now{why}"
        return Choice(None, words, failing=True)
    if mailbox.hours and not fleet.is_open(mailbox, now):
        return Choice(
            None, f"outside the working hours of {mailbox.address}, who wrote to this person before", hours=(mailbox.hours,)
        )  # fmt: skip
    return Choice(mailbox, f"{mailbox.address} wrote to this person before")


def _fresh(due: Due, definition: Definition, fleet: Fleet, load: Mapping[UUID, int], now: datetime) -> Choice:
    able = fleet.able(definition)
    if not able:
        if definition.pool:
            return Choice(None, f"nobody in the pool {definition.pool} can send now", failing=True)
        return Choice(None, "none of the campaign's mailboxes can send now", failing=True)
    limits = fleet.awake(definition, now)
    if not limits:
        hours = tuple(dict.fromkeys(m.hours for m in able if m.hours))
        return Choice(None, "outside the working hours of every sender", hours=hours)
    roomy = [(m, limit) for m, limit in limits if load.get(m.id, 0) < limit.amount] or limits
    candidates = [each for each in roomy if each[0].id not in fleet.busy]
    if not candidates:
        return Choice(None, "every sender with room is on the wire", soon=True)
    taken, limit = min(
        candidates, key=lambda each: (load.get(each[0].id, 0) / each[1].amount, each[0].address)
    )
    return _taken(due, taken, [m for m, _ in candidates], limit, load.get(taken.id, 0))


def _taken(due: Due, taken: Mailbox, candidates: Sequence[Mailbox], limit: Limit, used: int) -> Choice:
    decision = Decision(
        what="sender",
        options=tuple(Option(m.address, 1.0 if m is taken else 0.0) for m in candidates),
        taken=taken.address,
        reason=f"senders take turns; it has used the least of its day ({used} of {limit.amount}, {limit.why})",
        policy="least_used",
        version=2,
        touch_id=touch_id(due.id, due.step),
        contact_id=due.contact_id,
    )
    why = f"{taken.address} has used the least of its day ({used} of {limit.amount}, {limit.why})"
    return Choice(taken, why, decision=decision)


async def _within_limits(
    unit: Unit, picked: Sequence[tuple[Due, Definition, Choice]], now: datetime
) -> dict[UUID, Choice]:
    groups: dict[UUID, list[tuple[Due, Definition, Choice]]] = defaultdict(list)
    choices: dict[UUID, Choice] = {}
    for due, definition, choice in picked:
        if choice.mailbox is None:
            choices[due.id] = choice if choice.hours else replace(choice, until=now + timedelta(hours=1))
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
    limit = min((limit_of(mailbox, definition) for _, definition, _ in group), key=lambda each: each.amount)
    granted = await take_quota(
        unit, now.date(), *quotas(mailbox.id, mailbox.address, limit.amount), wanted=len(group)
    )
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    why = (
        f"{mailbox.address} or its domain has reached its limit for today ({limit.amount} a day, {limit.why})"
    )
    full = Choice(None, why, tomorrow)
    return {due.id: choice if place < granted else full for place, (due, _, choice) in enumerate(group)}
