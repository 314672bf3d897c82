from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.channels.contracts import DayOutcome, WarmUp
from cadenza.channels.kept_values import read_warm_up, warm_up_json
from cadenza.channels.warm_up import DayFigures, ahead, begin, judge, last_step, outcome
from cadenza.core.errors import CadenzaError

MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)


@st.composite
def ramps(draw: st.DrawFn) -> WarmUp:
    start = draw(st.integers(1, 200))
    return begin(
        start,
        draw(st.integers(1, 100)),
        draw(st.integers(start, 2000)),
        MONDAY + draw(st.integers(0, 6)) * DAY,
    )


figures = st.builds(DayFigures, st.integers(0, 3000), st.integers(0, 20), st.integers(0, 1))


@settings(deadline=None)
@given(ramps(), st.lists(figures, max_size=60))
def test_an_allowance_stays_between_start_and_target_and_grows_by_one_step_a_day(
    ramp: WarmUp, days: list[DayFigures]
) -> None:
    given_days = {ramp.since + n * DAY: each for n, each in enumerate(days)}
    after, judged = judge(ramp, given_days, ramp.since + len(days) * DAY)
    allowances = [*(each.allowance for each in judged), after.allowance]
    assert len(judged) == len(days)
    assert all(ramp.start <= each <= ramp.target for each in allowances)
    assert all(later - before <= ramp.growth for before, later in pairwise(allowances))
    for each, later in zip(judged, allowances[1:], strict=True):
        if each.outcome is DayOutcome.FELL:
            assert later < each.allowance or later == ramp.start
        if each.outcome is DayOutcome.HELD:
            assert later == each.allowance
        if each.day.isoweekday() > 5:
            assert each.outcome is not DayOutcome.GREW


@settings(deadline=None)
@given(ramps(), st.lists(figures, min_size=1, max_size=40), st.data())
def test_it_does_not_matter_when_days_are_judged_nor_how_often(
    ramp: WarmUp, days: list[DayFigures], data: st.DataObject
) -> None:
    known = {ramp.since + n * DAY: each for n, each in enumerate(days)}
    end = ramp.since + len(days) * DAY
    middle = ramp.since + data.draw(st.integers(0, len(days))) * DAY
    at_once, _ = judge(ramp, known, end)
    half, first = judge(ramp, known, middle)
    whole, second = judge(half, known, end)
    assert whole == at_once
    assert len(first) + len(second) == len(days)
    assert judge(whole, known, end) == (whole, ())
    assert read_warm_up(warm_up_json(whole)) == whole


@settings(deadline=None, max_examples=40)
@given(ramps())
def test_good_working_days_alone_reach_the_target_and_stay_there(ramp: WarmUp) -> None:
    plan = ahead(ramp, ramp.since, 3000)
    known = {day: DayFigures(sent=amount) for day, amount in plan}
    after, judged = judge(ramp, known, plan[-1][0])
    assert [(each.day, each.allowance) for each in judged] == plan[:-1]
    assert after.done
    assert after.allowance == ramp.target
    assert after.step == last_step(ramp)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (DayFigures(sent=5), DayOutcome.GREW),  # half of its allowance
        (DayFigures(sent=4), DayOutcome.HELD),
        (DayFigures(sent=10, bounced=1), DayOutcome.GREW),  # one in ten is no pattern
        (DayFigures(sent=10, bounced=2), DayOutcome.FELL),
        (DayFigures(sent=40, bounced=2), DayOutcome.FELL),  # 5 %
        (DayFigures(sent=41, bounced=2), DayOutcome.GREW),
        (DayFigures(sent=500, grave=1), DayOutcome.FELL),
        (DayFigures(sent=0, grave=1), DayOutcome.FELL),  # came back late
    ],
)
def test_what_a_day_says(found: DayFigures, expected: DayOutcome) -> None:
    assert outcome(found, MONDAY, 10) is expected
    saturday = outcome(found, MONDAY + 5 * DAY, 10)
    assert saturday is (DayOutcome.HELD if expected is DayOutcome.GREW else expected)


def test_a_day_that_nobody_judged_adds_nothing() -> None:
    ramp = begin(10, 5, 60, MONDAY)
    good = {MONDAY + n * DAY: DayFigures(sent=60) for n in range(5)}
    assert judge(ramp, good, MONDAY)[0].allowance == 10
    assert judge(ramp, good, MONDAY + DAY)[0].allowance == 15
    assert judge(ramp, good, MONDAY + 5 * DAY)[0].allowance == 35
    assert judge(replace(ramp, judged=MONDAY + 4 * DAY), good, MONDAY + 5 * DAY)[0].allowance == 15


@pytest.mark.parametrize(
    ("start", "growth", "target", "keys"),
    [
        (0, 5, 60, ["start"]),
        (10, 0, 60, ["growth"]),
        (10, 5, 2001, ["target"]),
        (10, 5, 9, ["target"]),
        (-1, -1, -1, ["start", "growth", "target"]),
    ],
)
def test_a_ramp_that_goes_nowhere_is_refused(start: int, growth: int, target: int, keys: list[str]) -> None:
    with pytest.raises(CadenzaError) as refused:
        begin(start, growth, target, MONDAY)
    assert [problem.key for problem in refused.value.problems] == keys
    assert "10 a day" in refused.value.fix
