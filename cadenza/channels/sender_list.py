"""What the list of senders shows of each: how it is, how it stands with its providers, what is left of its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cadenza.channels.contracts import HealthState, Mailbox, MailboxState, Pool, SenderHealth
from cadenza.channels.health_store import health_of
from cadenza.channels.pools import pools
from cadenza.channels.repository import amounts, mailboxes
from cadenza.core.unit import Unit
from cadenza.timing.service import is_inside, next_slot


class Condition(StrEnum):
    """What a person would call it, the gravest first."""

    RETIRED = "retired"
    BROKEN = "broken"
    STOPPED = "stopped"
    PAUSED = "paused"
    FULL = "full"
    WATCH = "watch"
    FINE = "fine"

    @property
    def shape(self) -> str:
        """The sign that stands before its word, so that no colour tells it alone."""
        return _SHAPES[self]


_SHAPES = {
    Condition.RETIRED: "off", Condition.BROKEN: "fail", Condition.STOPPED: "fail", Condition.PAUSED: "hold", Condition.FULL: "hold",
    Condition.WATCH: "warn", Condition.FINE: "pass",
}  # fmt: skip

_NOT_WORKING = {MailboxState.RETIRED: Condition.RETIRED, MailboxState.BROKEN: Condition.BROKEN}


@dataclass(frozen=True, slots=True)
class SenderLine:
    """``opens`` is when its working hours begin next; None while they are open, or where it has none."""

    mailbox: Mailbox
    condition: Condition
    health: SenderHealth | None
    used: int
    pools: tuple[str, ...]
    opens: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the list; empty ones let everything through. ``owner`` is a member's id."""

    condition: str = ""
    pool: str = ""
    words: str = ""
    owner: UUID | None = None

    def fits(self, line: SenderLine) -> bool:
        box = line.mailbox
        return (
            self.condition in ("", line.condition.value)
            and (not self.pool or self.pool in line.pools)
            and (self.owner is None or box.owner_id == self.owner)
            and self.words.lower() in f"{box.address} {box.display_name}".lower()
        )


async def sender_lines(unit: Unit) -> tuple[list[SenderLine], list[Pool]]:
    """Every sender by address, and all pools: four queries, however many there are."""
    boxes, groups, health = await mailboxes(unit, None), await pools(unit), await health_of(unit)
    now = unit.world.now()
    found = await amounts(unit, now.date(), "mailbox", [str(box.id) for box in boxes])
    used = {UUID(key): amount for key, amount in found.items()}
    named = _names(groups)
    lines = [
        SenderLine(
            box, condition(box, used.get(box.id, 0), health.get(box.id)), health.get(box.id), used.get(box.id, 0),
            named.get(box.id, ()), opens(box, now),
        )
        for box in boxes
    ]  # fmt: skip
    return lines, groups


def _names(groups: Sequence[Pool]) -> Mapping[UUID, tuple[str, ...]]:
    found: dict[UUID, tuple[str, ...]] = {}
    for pool in groups:
        for mailbox_id in pool.mailbox_ids:
            found[mailbox_id] = (*found.get(mailbox_id, ()), pool.name)
    return found


def condition(box: Mailbox, used: int, health: SenderHealth | None) -> Condition:
    if box.state in _NOT_WORKING:
        return _NOT_WORKING[box.state]
    if box.stop is not None:
        return Condition.STOPPED
    if box.state is MailboxState.PAUSED:
        return Condition.PAUSED
    if used >= box.allowance:
        return Condition.FULL
    return Condition.WATCH if health and health.state is HealthState.WATCH else Condition.FINE


def opens(box: Mailbox, now: datetime) -> datetime | None:
    """Within a fortnight; hours have a day at least, so there always is one."""
    hours = box.hours
    if hours is None or is_inside(hours, now, hours.zone or "UTC", None):
        return None
    return min(next_slot(hours, now, hours.zone or "UTC", None), now + timedelta(days=14))
