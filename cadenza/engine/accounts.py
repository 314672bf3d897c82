"""Who does what is done on LinkedIn and by phone: a person keeps the first account, new people take the one that did least."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from cadenza.channels.contracts import ChannelAccount
from cadenza.channels.service import capacity_of, take_actions, working_accounts
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.ids import touch_id
from cadenza.engine.repository import Due
from cadenza.ledger.contracts import Decision, Option


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """The account of one errand, or why there is none now and until when. ``failing``: the channel itself is out of order."""

    account: ChannelAccount | None
    why: str
    until: datetime | None = None
    decision: Decision | None = None
    failing: bool = False
    soon: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One due errand: on which channel, and what is to be done there."""

    due: Due
    channel: str
    action: str


async def choose_accounts(
    unit: Unit, wanted: Sequence[Wanted], busy: frozenset[UUID]
) -> dict[UUID, AccountChoice]:
    """For each enrolment its account, within the day's limits; limits hold for all workers together."""
    if not wanted:
        return {}
    everybody = await working_accounts(unit)
    kept = await repository.accounts_before(unit, [each.due.id for each in wanted])
    load: Counter[UUID] = Counter()
    groups: dict[tuple[UUID, str], list[tuple[Wanted, AccountChoice]]] = defaultdict(list)
    choices: dict[UUID, AccountChoice] = {}
    for each in wanted:
        mine = [account for account in everybody if account.channel == each.channel]
        choice = _choose(each, mine, kept.get((each.due.id, each.channel)), load, busy)
        if choice.account is None:
            choices[each.due.id] = choice
        else:
            load[choice.account.id] += 1
            groups[choice.account.id, each.action].append((each, choice))
    for key in sorted(groups, key=str):  # one order for all workers, so that they cannot lock each other out
        choices |= await _within_limits(unit, groups[key])
    return choices


def _choose(
    wanted: Wanted,
    accounts: Sequence[ChannelAccount],
    kept: UUID | None,
    load: Mapping[UUID, int],
    busy: frozenset[UUID],
) -> AccountChoice:
    first = next((account for account in accounts if account.id == kept), None)
    if first is not None:
        return _again(first, busy)
    able = [account for account in accounts if account.can_send]
    able = [account for account in able if not account.stands_in] or able
    if not able:
        return AccountChoice(None, _why_none(wanted.channel, accounts), failing=True)
    free = [account for account in able if account.id not in busy]
    if not free:
        return AccountChoice(None, "every account is on the wire", soon=True)
    taken = min(free, key=lambda account: (load.get(account.id, 0), account.name, account.id))
    return AccountChoice(taken, f"{taken.name} does it", decision=_decision(wanted, taken, free))


def _again(first: ChannelAccount, busy: frozenset[UUID]) -> AccountChoice:
    if not first.can_send:
        why = f"{first.name}, who did this with the person before, cannot now: {first.state_reason or first.state.value}"
        return AccountChoice(None, why, failing=True)
    if first.id in busy:
        return AccountChoice(None, f"{first.name} is on the wire", soon=True)
    return AccountChoice(first, f"{first.name} did this with the person before")


def _why_none(channel: str, accounts: Sequence[ChannelAccount]) -> str:
    if not accounts:
        return f"no account for {channel} is connected"
    reasons = "; ".join(
        f"{account.name}: {account.state_reason or account.state.value}" for account in accounts
    )
    return f"no account for {channel} works now ({reasons})"


def _decision(wanted: Wanted, taken: ChannelAccount, free: Sequence[ChannelAccount]) -> Decision | None:
    if len(free) < 2:
        return None
    return Decision(
        what="sender",
        options=tuple(Option(account.name, 1.0 if account is taken else 0.0) for account in free),
        taken=taken.name,
        reason="accounts take turns; it has the least to do",
        policy="least_used",
        version=2,
        touch_id=touch_id(wanted.due.id, wanted.due.step),
        contact_id=wanted.due.contact_id,
    )


async def _within_limits(
    unit: Unit, group: Sequence[tuple[Wanted, AccountChoice]]
) -> dict[UUID, AccountChoice]:
    account, action = group[0][1].account, group[0][0].action
    assert account is not None  # noqa: S101 - grouped by it
    granted = await take_actions(unit, account, action, len(group))
    if granted < len(group):
        left = await capacity_of(unit, account, action)
        until = left.until or _tomorrow(unit.world.now())
        full = AccountChoice(None, left.why or f"{account.name} has done what it may for now", until)
    return {
        wanted.due.id: choice if place < granted else full for place, (wanted, choice) in enumerate(group)
    }


def _tomorrow(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)
