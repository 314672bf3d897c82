from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza.audience.contracts import Suppression, SuppressionKind, SuppressionReason
from cadenza.core.errors import CadenzaError
from cadenza.engine import states
from cadenza.engine.contracts import GateAnswer, TouchState
from cadenza.engine.gate import Facts, gate, verdict
from cadenza.engine.schedule import next_moment, step_due
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_inside, is_working_day

MONDAY_TEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
WINDOW = Window()
GOOD = Facts(
    key="person/intro",
    now=MONDAY_TEN,
    due_at=MONDAY_TEN - timedelta(minutes=5),
    window=WINDOW,
    zone="Europe/Berlin",
    country="DE",
    grace=timedelta(hours=24),
    address="a@b.example",
    suppression=None,
    person_cap=2,
    account_cap=3,
)
STOP = Suppression(
    SuppressionKind.ADDRESS, "a@b.example", SuppressionReason.OPT_OUT, "their answer", MONDAY_TEN
)


def test_nothing_in_the_way_passes_every_gate() -> None:
    assert verdict(gate(GOOD)) is None
    assert {r.answer for r in gate(GOOD)} == {GateAnswer.PASS}


@pytest.mark.parametrize(
    ("facts", "name", "answer"),
    [
        (replace(GOOD, suppression=STOP), "stops", GateAnswer.STOP),
        (replace(GOOD, address=None), "address", GateAnswer.STOP),
        (replace(GOOD, condition=False), "condition", GateAnswer.SKIP),
        (replace(GOOD, due_at=MONDAY_TEN - timedelta(days=3)), "grace", GateAnswer.WAIT),
        (
            replace(GOOD, now=MONDAY_TEN.replace(hour=2), due_at=MONDAY_TEN.replace(hour=2)),
            "window",
            GateAnswer.WAIT,
        ),
        (
            replace(GOOD, person_touches=[MONDAY_TEN - timedelta(days=d) for d in (1, 2)]),
            "person cap",
            GateAnswer.WAIT,
        ),
        (
            replace(GOOD, account_touches=[MONDAY_TEN - timedelta(hours=h) for h in (1, 2, 3)]),
            "account cap",
            GateAnswer.WAIT,
        ),
        (replace(GOOD, sender_free=False, sender_why="60 of 60 today"), "sender", GateAnswer.WAIT),
    ],
)
def test_each_gate_says_why(facts: Facts, name: str, answer: GateAnswer) -> None:
    stopping = verdict(gate(facts))
    assert stopping is not None
    assert (stopping.gate, stopping.answer) == (name, answer)
    assert stopping.why


def test_a_stop_wins_over_everything_else() -> None:
    stopping = verdict(gate(replace(GOOD, suppression=STOP, condition=False, sender_free=False)))
    assert stopping is not None
    assert stopping.gate == "stops"


@pytest.mark.must_not("M2")
@given(
    late=st.timedeltas(timedelta(hours=25), timedelta(days=30)),
    zone=st.sampled_from(["Asia/Tokyo", "America/Lima"]),
)
def test_what_is_past_its_grace_is_timed_anew_inside_the_window(late: timedelta, zone: str) -> None:
    facts = replace(GOOD, due_at=MONDAY_TEN - late, zone=zone, country=None)
    stopping = verdict(gate(facts))
    assert stopping is not None
    assert stopping.answer is GateAnswer.WAIT
    assert stopping.until is not None
    assert stopping.until >= facts.now
    assert is_inside(WINDOW, stopping.until, zone, None)


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=20)), max_size=8), st.integers(1, 4))
def test_a_full_person_cap_is_free_again_when_the_gate_says(ages: list[timedelta], cap: int) -> None:
    facts = replace(GOOD, person_touches=[MONDAY_TEN - age for age in ages], person_cap=cap)
    result = next(r for r in gate(facts) if r.gate == "person cap")
    if result.until is None:
        return
    again = replace(facts, now=result.until)
    assert next(r for r in gate(again) if r.gate == "person cap").answer is GateAnswer.PASS


@pytest.mark.story("3.1.2.3", 3)
@given(
    moment=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(0, 12),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    key=st.text(max_size=9),
)
def test_a_step_is_due_inside_working_hours_after_that_many_working_days(
    moment: datetime, days: int, zone: str, key: str
) -> None:
    due = step_due(moment, days, WINDOW, zone, "DE", key)
    assert is_inside(WINDOW, due, zone, "DE")
    assert due >= moment or days > 0
    day, passed = moment.astimezone(due.tzinfo).date(), 0
    while day < due.date():
        day += timedelta(days=1)
        passed += is_working_day(day, WINDOW, "DE")
    assert passed >= days - 1  # the zones' dates may differ by one from UTC's


@given(key=st.text(max_size=9))
def test_the_next_moment_is_the_same_every_time_it_is_asked(key: str) -> None:
    first = next_moment(MONDAY_TEN, WINDOW, "UTC", None, key)
    assert first == next_moment(MONDAY_TEN, WINDOW, "UTC", None, key)


@pytest.mark.must_not("M3")
@given(st.lists(st.sampled_from(TouchState), min_size=2, max_size=9))
def test_a_touch_never_leaves_a_final_state(path: list[TouchState]) -> None:
    final = {TouchState.SENT, TouchState.REFUSED, TouchState.FAILED, TouchState.DROPPED}
    for before, after in pairwise(path):
        if before in final:
            with pytest.raises(CadenzaError):
                states.check(before, after)


def test_every_state_can_be_reached_and_origins_turn_the_table_round() -> None:
    for after in TouchState:
        if after is not TouchState.CLAIMED:
            assert states.origins(after)
        for before in states.origins(after):
            states.check(TouchState(before), after)
