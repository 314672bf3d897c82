"""A large number of people is counted once in ten seconds, a small one each time."""

from datetime import timedelta

import pytest

from cadenza.audience import totals
from cadenza.audience.segment_rules import EVERYBODY
from cadenza.audience.service import contacts, import_contacts
from cadenza.core.clock import ManualClock
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor


async def _add(unit: Unit, owner: Actor, name: str) -> None:
    await import_contacts(unit, owner, f"email\n{name}@x.example\n".encode(), file=f"{name}.csv")


async def test_a_small_number_is_never_old(unit: Unit, owner: Actor) -> None:
    for count, name in enumerate(("a", "b", "c"), start=1):
        await _add(unit, owner, name)
        assert (await contacts(unit, owner)).total == count


async def test_a_large_number_is_at_most_ten_seconds_old(
    unit: Unit, owner: Actor, machine: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "LARGE", 2)
    await _add(unit, owner, "a")
    await _add(unit, owner, "b")
    assert (await contacts(unit, owner)).total == 2
    await _add(unit, owner, "c")
    assert (await contacts(unit, owner)).total == 2
    assert (await contacts(unit, owner, "c@x")).total == 1  # another search is another number
    machine.move(totals.KEPT - timedelta(milliseconds=1))
    assert (await contacts(unit, owner)).total == 2
    machine.move(timedelta(milliseconds=1))
    assert (await contacts(unit, owner)).total == 3
    assert await totals.total(unit, EVERYBODY, "", []) == 3
