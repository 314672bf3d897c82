"""A sender's health: figures from events and nothing else, rules at their bounds, stops, and the way back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from cadenza.analytics.contracts import SenderCounts
from cadenza.analytics.service import sender_counts
from cadenza.channels.contracts import HealthState, Mailbox, SenderFigures, Server, Tls
from cadenza.channels.service import (
    NewMailbox,
    Ramp,
    add_mailbox,
    change_sender,
    health_of,
    lift_stop,
    mailbox,
    mailboxes,
    settings_of,
    warm_up_days,
)
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.engine.health_rules import DOMAIN_REFUSED, assess
from cadenza.engine.service import look_at_senders
from cadenza.identity.contracts import Actor, Role
from cadenza.ledger.contracts import EventKind as E
from cadenza.ledger.contracts import NewEvent
from cadenza.ledger.service import record_events, work_items

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
_SERVER = Server("127.0.0.1", 9, Tls.NONE)
postgres = pytest.mark.postgres


def judged(**figures: int) -> SenderCounts:
    return SenderCounts(judged=SenderFigures(**figures), complained_at=NOW)


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (SenderCounts(), HealthState.GOOD),
        (judged(delivered=1001, complained=1), HealthState.GOOD),
        (judged(delivered=1000, complained=1), HealthState.WATCH),  # 0.1 %
        (judged(delivered=667, complained=2), HealthState.WATCH),
        (judged(delivered=666, complained=2), HealthState.STOPPED),  # 0.3 %
        (judged(delivered=1001, complained=3), HealthState.WATCH),
        (judged(delivered=1000, complained=3), HealthState.STOPPED),
        (judged(delivered=10, complained=1), HealthState.WATCH),  # one person is no share
        (judged(delivered=39, bounced=2), HealthState.GOOD),
        (judged(delivered=38, bounced=2), HealthState.WATCH),  # 5 % of 40
        (judged(delivered=19, bounced=1), HealthState.GOOD),
        (judged(delivered=500, refused=1), HealthState.WATCH),
        (SenderCounts(grave="5.7.26"), HealthState.STOPPED),
    ],
)
def test_a_rule_begins_exactly_at_its_bound(counts: SenderCounts, state: HealthState) -> None:
    found = assess(counts, NOW)
    assert found.state is state
    assert bool(found.reasons) is (state is not HealthState.GOOD)
    assert (found.stop is not None) is (state is HealthState.STOPPED)


async def senders(unit: Unit, owner: Actor, *addresses: str) -> list[Mailbox]:
    for address in addresses:
        await add_mailbox(
            unit, owner, NewMailbox(address=address, smtp=_SERVER, imap=_SERVER, user=address), "x"
        )
    return await mailboxes(unit)


async def sent(unit: Unit, box: Mailbox, count: int, at: datetime) -> list[UUID]:
    touches = [uuid4() for _ in range(count)]
    await record_events(unit, [_event(E.SENT, box, touch, at) for touch in touches])
    return touches


def _event(kind: E, box: Mailbox, touch: UUID, at: datetime, **data: str) -> NewEvent:
    return NewEvent(
        kind=kind, origin="test", at=at, touch_id=touch, contact_id=uuid4(), mailbox_id=box.id, data=dict(data)
    )  # fmt: skip


async def happened(unit: Unit, kind: E, box: Mailbox, touches: list[UUID], at: datetime, **data: str) -> None:
    await record_events(unit, [_event(kind, box, touch, at, **data) for touch in touches])


@postgres
async def test_figures_belong_to_whoever_sent_and_count_nothing_twice(unit: Unit, owner: Actor) -> None:
    anna, ben = await senders(unit, owner, "anna@north.example", "ben@south.example")
    now = unit.world.now()
    touches = await sent(unit, anna, 10, now - DAY)
    await happened(unit, E.BOUNCED, anna, touches[:2], now, type="hard")
    await happened(unit, E.BOUNCED, anna, touches[:1], now, type="hard")  # a second notice about the same
    await happened(unit, E.BOUNCED, anna, touches[2:3], now, type="soft")
    await happened(unit, E.COMPLAINED, ben, touches[3:4], now)  # the report came to ben
    await happened(unit, E.REPLIED, ben, touches[4:6], now)
    await happened(unit, E.REFUSED, anna, [uuid4()], now, enhanced="5.7.1")
    await happened(unit, E.REFUSED, anna, [uuid4()], now, enhanced="5.1.1")
    await sent(unit, anna, 5, now - 20 * DAY)
    await sent(unit, anna, 7, now - 31 * DAY)
    counts = await sender_counts(unit, {anna.id: None, ben.id: None}, DOMAIN_REFUSED)
    assert counts[anna.id].week == SenderFigures(10, 8, 2, 1, 1, 2)
    assert counts[anna.id].month == SenderFigures(15, 13, 2, 1, 1, 2)
    assert counts[ben.id].week == counts[ben.id].month == SenderFigures()


@postgres
async def test_complaints_stop_a_sender_for_a_week_and_nobody_lifts_that_early(
    unit: Unit, owner: Actor, world: ManualClock
) -> None:
    anna, ben = await senders(unit, owner, "anna@north.example", "ben@south.example")
    touches = await sent(unit, anna, 100, world.now())
    await happened(unit, E.COMPLAINED, anna, touches[:2], world.now())
    await look_at_senders(unit)
    stopped = await _now(unit, anna)
    assert stopped.stop is not None
    assert not stopped.can_send
    assert stopped.stop.until == world.now() + 7 * DAY
    assert (await _now(unit, ben)).can_send
    items = await work_items(unit, owner)
    assert [item.title for item in items] == ["anna@north.example was stopped"]
    assert (await health_of(unit))[anna.id].state is HealthState.STOPPED
    with pytest.raises(CadenzaError) as refused:
        await lift_stop(unit, owner, anna.id, "complaints")
    assert refused.value.code == "stop_too_early"
    world.move(3 * DAY)
    await happened(unit, E.COMPLAINED, anna, touches[2:3], world.now())  # late ones begin the week anew
    await look_at_senders(unit)
    world.move(5 * DAY)
    await look_at_senders(unit)
    assert not (await _now(unit, anna)).can_send
    world.move(2 * DAY)
    await look_at_senders(unit)
    back = await _now(unit, anna)
    assert back.can_send
    assert back.judged_from == world.now()
    await look_at_senders(unit)
    assert (await _now(unit, anna)).can_send
    assert await work_items(unit, owner) == []  # nothing is left to do


@postgres
@pytest.mark.parametrize("code", DOMAIN_REFUSED)
async def test_a_refused_domain_stops_all_its_senders_until_a_person_has_seen_why(
    unit: Unit, owner: Actor, code: str
) -> None:
    anna, ben, other = await senders(
        unit, owner, "anna@north.example", "ben@north.example", "carl@south.example"
    )
    await happened(unit, E.REFUSED, anna, [uuid4()], unit.world.now(), enhanced=code, code="550")
    await look_at_senders(unit)
    for box in (anna, ben):
        stop = (await _now(unit, box)).stop
        assert stop is not None
        assert code in stop.reason
        assert stop.until is None
    assert (await _now(unit, other)).can_send
    with pytest.raises(CadenzaError) as unseen:
        await lift_stop(unit, owner, anna.id, "complaints")
    assert unseen.value.code == "stop_changed"
    with pytest.raises(CadenzaError):
        await lift_stop(unit, replace(owner, role=Role.REP), anna.id, "authentication")
    await lift_stop(unit, owner, anna.id, "authentication")
    assert (await _now(unit, anna)).can_send


@postgres
async def test_once_lifted_what_was_before_counts_no_more(
    unit: Unit, owner: Actor, world: ManualClock
) -> None:
    (anna,) = await senders(unit, owner, "anna@north.example")
    await happened(unit, E.BOUNCED, anna, [uuid4()], world.now(), type="policy", status="5.7.26")
    await look_at_senders(unit)
    world.move(timedelta(hours=1))
    await lift_stop(unit, owner, anna.id, "authentication")
    await look_at_senders(unit)
    assert (await _now(unit, anna)).can_send
    world.move(timedelta(hours=1))
    await happened(unit, E.REFUSED, anna, [uuid4()], world.now(), enhanced="5.7.26")
    await look_at_senders(unit)
    assert not (await _now(unit, anna)).can_send
    told = [item.title for item in await work_items(unit, owner)]
    assert told == ["anna@north.example was stopped"]  # the second stop of the day is work again


@postgres
async def test_days_of_a_warm_up_are_judged_once_by_their_events(
    unit: Unit, owner: Actor, world: ManualClock
) -> None:
    (anna,) = await senders(unit, owner, "anna@north.example")
    await change_sender(unit, owner, anna.id, replace(settings_of(anna), ramp=Ramp(10, 5, 60)))
    days = []
    for _ in range(4):  # Monday to Thursday
        touches = await sent(unit, anna, 30, world.now())
        days.append(world.now().date())
        if len(days) == 3:
            await happened(unit, E.BOUNCED, anna, touches[:2], world.now(), type="hard")
        await look_at_senders(unit)
        await look_at_senders(unit)
        world.move(DAY)
    await look_at_senders(unit)
    found = await warm_up_days(unit, anna.id)
    assert [(d.day, d.allowance, d.sent, d.trouble, d.outcome.value) for d in found] == [
        (days[0], 10, 30, 0, "grew"),
        (days[1], 15, 30, 0, "grew"),
        (days[2], 20, 30, 2, "fell"),
        (days[3], 15, 30, 0, "grew"),
    ]
    ramp = (await _now(unit, anna)).warm_up
    assert ramp is not None
    assert (ramp.allowance, ramp.judged) == (20, world.now().date())
    assert days[0] == date(2026, 3, 2)


@postgres
async def test_two_workers_look_once(database: Database, workspace: Actor) -> None:
    async with database.unit(workspace.workspace_id) as one:
        (anna,) = await senders(one, workspace, "anna@north.example")
    async with (
        database.unit(workspace.workspace_id) as one,
        database.unit(workspace.workspace_id) as other,
    ):
        await look_at_senders(one)
        await look_at_senders(other)
        assert await health_of(other) == {}
        assert list(await health_of(one)) == [anna.id]


async def _now(unit: Unit, box: Mailbox) -> Mailbox:
    unit.session.expire_all()
    return await mailbox(unit, box.id)
