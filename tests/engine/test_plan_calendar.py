"""The calendar of what one person would get: whole weeks in their zone, with the days on which nothing leaves."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from cadenza.audience.contracts import Recipient
from cadenza.campaigns.contracts import Definition
from cadenza.campaigns.document import read_document
from cadenza.campaigns.neighbour_files import Folder
from cadenza.engine.contracts import PlannedTouch
from cadenza.engine.plan_calendar import plan_calendar
from tests.support.campaigns import OFFICE, document

KARL = Recipient(uuid4(), "karl@firm.example", "Karl", None, None, "de", "DE", "Europe/Berlin", None, {})


def definition() -> Definition:
    found = read_document(document(window=OFFICE), Folder(None), lambda _: frozenset()).definition
    assert found is not None
    return found


def planned(*moments: datetime) -> list[PlannedTouch]:
    return [
        PlannedTouch(f"s{n}", "email", "a", at, at.isoformat(), "why", "reply")
        for n, at in enumerate(moments)
    ]


def test_weeks_from_monday_to_sunday_in_the_persons_zone() -> None:
    """23:30 UTC on Sunday is Monday in Berlin; Good Friday and Easter Monday 2026 are free there."""
    found = plan_calendar(
        planned(datetime(2026, 3, 29, 23, 30, tzinfo=UTC), datetime(2026, 4, 8, 9, tzinfo=UTC)),
        KARL,
        definition(),
    )
    assert found is not None
    assert [week[0].on for week in found.weeks] == [date(2026, 3, 30), date(2026, 4, 6)]
    assert [[p.step for p in day.planned] for day in found.weeks[0]] == [["s0"], *[[]] * 6]
    assert [day.free for day in found.weeks[0]] == [False, False, False, False, True, True, True]
    assert (found.weeks[1][0].free, [p.step for p in found.weeks[1][2].planned]) == (True, ["s1"])
    assert (found.zone, found.cut) == ("Europe/Berlin", False)


def test_nothing_planned_is_no_calendar() -> None:
    assert plan_calendar([], KARL, definition()) is None


@given(days=st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_every_touch_stands_once_unless_the_calendar_says_that_it_is_cut(days: list[int]) -> None:
    start = datetime(2026, 1, 5, 10, tzinfo=UTC)
    touches = planned(*(start + timedelta(days=d) for d in sorted(days)))
    found = plan_calendar(touches, KARL, definition())
    assert found is not None
    shown = [touch for week in found.weeks for day in week for touch in day.planned]
    assert all(len(week) == 7 and week[0].on.weekday() == 0 for week in found.weeks)
    assert shown == touches if not found.cut else shown == touches[: len(shown)] and len(found.weeks) == 12
