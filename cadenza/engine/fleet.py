"""The mailboxes of a workspace as one turn of the dispatcher sees them, and those that one campaign may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cadenza.campaigns.contracts import Definition
from cadenza.channels.contracts import Mailbox, Pool
from cadenza.channels.service import by_any_name, mailboxes, pools
from cadenza.core.unit import Unit
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_inside


@dataclass(frozen=True, slots=True)
class Limit:
    """Messages of a day, and which of the limits it is that says so."""

    amount: int
    why: str


def limit_of(mailbox: Mailbox, definition: Definition) -> Limit:
    """The least of the mailbox's own limit, its warm-up and the campaign's cap."""
    limits = [
        Limit(mailbox.daily_limit, "its daily limit"),
        Limit(definition.caps.per_sender_per_day, "the campaign's cap"),
    ]
    if mailbox.warm_up:
        limits.insert(0, Limit(mailbox.warm_up.allowance, "its warm-up"))
    return min(limits, key=lambda limit: limit.amount)


class Fleet:
    """Pools are read when a campaign names one, once in a turn: a mailbox that was put into one takes part at once."""

    def __init__(self, mailboxes: Sequence[Mailbox], busy: Sequence[UUID] = ()) -> None:
        self.mailboxes = mailboxes
        self.busy = frozenset(busy)
        self.by_id = {m.id: m for m in mailboxes}
        self._by_address = {m.address: m for m in mailboxes}
        self._pools: Mapping[str, Pool] | None = None
        self._able: dict[str | tuple[str, ...], list[Mailbox]] = {}
        self._awake: dict[tuple[str | tuple[str, ...], int], list[tuple[Mailbox, Limit]]] = {}
        self._open: dict[Window, bool] = {}

    async def know_pools(self, unit: Unit, definitions: Sequence[Definition]) -> None:
        if self._pools is None and any(each.pool for each in definitions):
            self._pools = by_any_name(await pools(unit))

    def named(self, definition: Definition) -> list[Mailbox]:
        """The campaign's mailboxes, whether they can send or not. ``know_pools`` comes first."""
        if not definition.pool:
            return [self._by_address[a] for a in definition.mailboxes if a in self._by_address]
        pool = (self._pools or {}).get(definition.pool)
        return [m for m in self.mailboxes if m.id in pool.mailbox_ids] if pool else []

    def able(self, definition: Definition) -> list[Mailbox]:
        """Those of the campaign's mailboxes that can send."""
        key = definition.pool or definition.mailboxes
        if key not in self._able:
            self._able[key] = [m for m in self.named(definition) if m.can_send]
        return self._able[key]

    def awake(self, definition: Definition, now: datetime) -> list[tuple[Mailbox, Limit]]:
        """Those of them that are inside their own working hours, with what limits each today."""
        key = (definition.pool or definition.mailboxes, definition.caps.per_sender_per_day)
        if key not in self._awake:
            able = [m for m in self.able(definition) if self.is_open(m, now)]
            self._awake[key] = [(m, limit_of(m, definition)) for m in able]
        return self._awake[key]

    def is_open(self, mailbox: Mailbox, now: datetime) -> bool:
        """Whether it is inside the mailbox's own working hours; ``now`` is the same for the whole turn."""
        hours = mailbox.hours
        if hours is None:
            return True
        if hours not in self._open:
            self._open[hours] = is_inside(hours, now, hours.zone or "UTC", None)
        return self._open[hours]


async def senders_of(unit: Unit, definition: Definition) -> list[Mailbox]:
    """The mailboxes that a campaign sends from as things stand, by address."""
    if not definition.pool:
        return await mailboxes(unit, definition.mailboxes)
    fleet = Fleet(await mailboxes(unit))
    await fleet.know_pools(unit, [definition])
    return fleet.named(definition)
