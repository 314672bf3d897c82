"""Figures of many campaigns at once, and events of a campaign by time."""

from datetime import timedelta
from uuid import UUID, uuid4

from cadenza.analytics.service import counts, totals_of
from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import counts_by_time, record_events, timeline
from tests.support.statements import heard, questions

HALF_HOUR = timedelta(minutes=30)


def _event(campaign: UUID, kind: EventKind = EventKind.SENT, **more: object) -> NewEvent:
    given = {"contact_id": uuid4(), "touch_id": uuid4(), "step": "intro", "variant": "a", **more}
    return NewEvent(kind=kind, origin="engine", campaign_id=campaign, **given)  # type: ignore[arg-type]


async def test_figures_of_many_campaigns_are_one_question_and_the_same_as_one_by_one(
    database: Database, workspace: Actor
) -> None:
    known = [uuid4() for _ in range(12)]
    async with database.unit(workspace.workspace_id) as unit:
        for number, each in enumerate(known):
            await record_events(unit, [_event(each) for _ in range(number)])
            await record_events(unit, [_event(each, EventKind.DELIVERED) for _ in range(number // 2)])
        with heard(database) as sent:
            found = await totals_of(unit, known)
        assert len(questions(sent)) == 1
        assert [found[each].get("sent", 0) for each in known] == list(range(12))
        for each in known:
            assert found[each] == (await counts(unit, each)).total
        with heard(database) as sent:
            assert await totals_of(unit, []) == {}
        assert sent == []


async def test_sendings_are_counted_by_half_hours_and_nothing_else_is(unit: Unit) -> None:
    campaign, start = uuid4(), unit.world.now()
    moments = {0: 2, 1: 3, 4: 1, -1: 5, 6: 7}
    for place, count in moments.items():
        await record_events(
            unit, [_event(campaign, at=start + HALF_HOUR * (place + 0.99)) for _ in range(count)]
        )
    await record_events(
        unit, [_event(uuid4(), at=start), _event(campaign, EventKind.OPENED, at=start + HALF_HOUR)]
    )
    found = await counts_by_time(
        unit, campaign, EventKind.SENT, start=start, end=start + 6 * HALF_HOUR, width=HALF_HOUR
    )
    assert found == {0: 2, 1: 3, 4: 1}


async def test_the_newest_of_a_campaign_over_kinds_are_the_newest(unit: Unit) -> None:
    campaign, start = uuid4(), unit.world.now()
    kinds = [EventKind.SENT, EventKind.OPENED, EventKind.REPLIED, EventKind.ENROLLED]
    await record_events(
        unit,
        [_event(campaign, kinds[n % 4], at=start + timedelta(minutes=n)) for n in range(40)]
        + [_event(uuid4())],
    )
    for asked in ([], kinds[:3], kinds[3:]):
        found = await timeline(unit, campaign_id=campaign, kinds=asked, limit=7)
        expected = [n for n in reversed(range(40)) if not asked or kinds[n % 4] in asked][:7]
        assert [event.at for event in found] == [start + timedelta(minutes=n) for n in expected]
