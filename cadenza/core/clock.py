"""The two clocks. World time is what recipients feel; machine time is what leases and sessions use.

Nothing else in the package reads a clock. All times are aware and in UTC.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...


class MachineClock:
    """The computer's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Anchor:
    """World time as a line through one point: at ``machine`` it was ``world``, since then ``speed`` times as fast."""

    machine: datetime
    world: datetime
    speed: float

    def at(self, machine: datetime) -> datetime:
        return self.world + (machine - self.machine) * self.speed


class WorldClock:
    """World time from an anchor; without one it is the machine's time (production)."""

    def __init__(self, machine: Clock, anchor: Anchor | None = None) -> None:
        self._machine = machine
        self.anchor = anchor

    @property
    def speed(self) -> float:
        return self.anchor.speed if self.anchor else 1.0

    def now(self) -> datetime:
        machine = self._machine.now()
        return self.anchor.at(machine) if self.anchor else machine


class ManualClock:
    """For tests, the sandbox's replays and the lab: stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def move(self, span: timedelta) -> None:
        self._now += span

    def set(self, moment: datetime) -> None:
        self._now = moment.astimezone(UTC)


def monotonic() -> float:
    """Seconds that never go backwards, for time-outs inside one process."""
    return time.monotonic()


def machine_span(world: Clock, span: timedelta) -> timedelta:
    """How long this span of world time takes on the machine."""
    return span / world.speed if isinstance(world, WorldClock) else span
