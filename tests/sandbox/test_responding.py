from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza.sandbox.contracts import Person, World
from cadenza.sandbox.local_time import after_working_hours, is_holiday, local
from cadenza.sandbox.luck import choice, draws
from cadenza.sandbox.people import people
from cadenza.sandbox.responding import Arrival, Chances, Nature, with_odds
from cadenza.sandbox.world import read_world

WORLD = """\
version: 1
seed: 7
start: 2026-03-02T00:00:00Z
days: 28
segments:
  - name: one
    size: 9
    timezones: {Europe/Berlin: 1}
    channels:
      email: {deliver: 0.9, open: 0.4, click: 0.1, reply: 0.1}
      linkedin: {accept: 0.3, reply: 0.2}
      phone: {connect: 0.2, converse: 0.5, meeting: 0.1}
"""
TUESDAY = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)  # 10:30 in Berlin
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
LETTER = Arrival(channel="email", action="send", at=TUESDAY)
MESSAGE = Arrival(channel="linkedin", action="message", at=TUESDAY)
INVITATION = Arrival(channel="linkedin", action="connect", at=TUESDAY)
CALL = Arrival(channel="phone", action="call", at=TUESDAY)


def somebody(world: World, **truth: object) -> Person:
    return replace(people(world)[0], **{"warmth": 0.0, "personal_hour": None, "dead": False, **truth})  # type: ignore[arg-type]


def chances(more: str = "", arrival: Arrival = LETTER, outside: str = "", **truth: object) -> Chances:
    world = read_world(WORLD + more + outside)
    return Nature(world, world.segments[0]).chances(somebody(world, **truth), arrival)


def test_without_factors_the_base_chances_are_meant() -> None:
    assert chances() == Chances(deliver=0.9, open=0.4, click=0.1, reply=0.1)
    assert chances(arrival=MESSAGE) == Chances(reply=0.2)
    assert chances(arrival=INVITATION) == Chances(accept=0.3)
    assert chances(arrival=CALL) == Chances(connect=0.2, converse=0.5, meet=0.1)
    assert chances(arrival=replace(MESSAGE, action="view_profile")) == Chances()


@pytest.mark.parametrize("arrival", [LETTER, MESSAGE, INVITATION, CALL])
@pytest.mark.parametrize(
    ("inside", "outside", "changed", "factor"),
    [
        ("    prefers: {email: 2, linkedin: 2, phone: 2}\n", "", {}, 2),
        ("    hours: [{days: mon-fri, from: 10, to: 11, factor: 1.8}]\n", "", {}, 1.8),
        ("    hours: [{days: mon-fri, from: 9, to: 10, factor: 1.8}]\n", "", {}, 1),
        ("    hours: [{days: sat-sun, from: 0, to: 24, factor: 1.8}]\n", "", {}, 1),
        ("    fatigue: {window_days: 7, factor: 0.8}\n", "", {"earlier": 2}, 0.64),
        ("", "shocks: [{day: 1, hours: 24, segments: all, respond: 0.6}]\n", {}, 0.6),
        ("", "shocks: [{day: 2, hours: 24, segments: all, respond: 0.6}]\n", {}, 1),
        ("", "events: [{kind: fair, from: 2026-03-03, to: 2026-03-03, segments: [one], respond: 0.4}]\n", {}, 0.4),
        ("", "events: [{kind: fair, from: 2026-03-04, to: 2026-03-09, segments: all, respond: 0.4}]\n", {}, 1),
        ("", "company_events: {rate_per_account_week: 0.1, relevant_factor: 1.5}\n", {"fits": True}, 1.5),
        ("", "company_events: {rate_per_account_week: 0.1, relevant_factor: 1.5}\n", {"fits": False}, 1),
    ],
)  # fmt: skip
def test_what_moves_every_response_multiplies_its_odds(
    arrival: Arrival, inside: str, outside: str, changed: dict[str, object], factor: float
) -> None:
    plain, moved = chances(arrival=arrival), chances(inside, replace(arrival, **changed), outside)  # type: ignore[arg-type]
    for name in ("open", "click", "accept", "connect"):
        assert getattr(moved, name) == pytest.approx(with_odds(getattr(plain, name), factor))
    assert moved.reply == pytest.approx(with_odds(plain.reply, factor))
    assert (moved.converse, moved.meet) == (plain.converse, plain.meet)


def test_the_personal_hour_triples_the_odds() -> None:
    assert chances(personal_hour=10).open == pytest.approx(with_odds(0.4, 3))
    assert chances(personal_hour=11).open == pytest.approx(0.4)


def test_words_move_replies_and_those_of_the_subject_opens_too() -> None:
    effects = '    effects: {subject.question: 1.25, body.short: 1.15, "subject.question&body.short": 1.3}\n'
    both = replace(LETTER, features=frozenset({"subject.question", "body.short"}))
    found = chances(effects, both)
    assert found.open == pytest.approx(with_odds(0.4, 1.25 * 1.3))
    assert found.reply == pytest.approx(with_odds(0.1, 1.25 * 1.15 * 1.3))
    assert found.click == pytest.approx(0.1)
    one = chances(effects, replace(MESSAGE, features=frozenset({"body.short"})))
    assert one.reply == pytest.approx(with_odds(0.2, 1.15))


def test_arguments_and_warmth_move_replies_alone() -> None:
    progress = "    progress: {repeat: 0.75, build: 1.15}\n"
    for repeats, factor in ((True, 0.75), (False, 1.15), (None, 1)):
        found = chances(progress, replace(LETTER, repeats=repeats))
        assert found.reply == pytest.approx(with_odds(0.1, factor))
        assert found.open == pytest.approx(0.4)
    warm = chances(warmth=1.0)
    assert warm.reply == pytest.approx(with_odds(0.1, 2.718281828))
    assert warm.open == pytest.approx(0.4)
    assert chances(arrival=CALL, warmth=1.0).meet == pytest.approx(with_odds(0.1, 2.718281828))


def test_a_shock_of_one_channel_leaves_the_others() -> None:
    shock = "shocks: [{day: 1, hours: 24, segments: all, channel: email, deliver: 0.4}]\n"
    assert chances(outside=shock).deliver == pytest.approx(0.36)
    assert chances(arrival=MESSAGE, outside=shock).deliver == 1


def test_who_is_written_to_often_leaves_more_often() -> None:
    leaving = "    unsubscribe: {base: 0.002, per_touch_in_window: 0.003}\n    complain: 0.0005\n"
    for arrival in (LETTER, MESSAGE, CALL):
        assert chances(leaving, replace(arrival, earlier=3)).unsubscribe == pytest.approx(0.011)
    assert chances(leaving).complain == 0.0005
    assert chances(leaving, MESSAGE).complain == 0


def test_nobody_responds_to_what_comes_on_a_public_holiday() -> None:
    labour_day = replace(LETTER, at=datetime(2026, 5, 1, 9, tzinfo=UTC))
    assert chances(arrival=labour_day, outside="holidays: true\n").reply == 0
    assert chances(arrival=labour_day).reply == pytest.approx(0.1)


@given(st.integers(), st.text(max_size=20))
def test_luck_is_the_same_again_and_inside_its_bounds(seed: int, person: str) -> None:
    luck = draws(seed, person, "step intro")
    assert luck == draws(seed, person, "step intro")
    assert all(0 < value < 1 for value in luck.values())
    assert luck != draws(seed, person, "step follow")


def test_luck_is_evenly_spread_and_its_draws_are_independent() -> None:
    many = [draws(1, "somebody", n) for n in range(4000)]
    for name in many[0]:
        assert sum(luck[name] for luck in many) / len(many) == pytest.approx(0.5, abs=0.025)
    together = sum(luck["open"] < 0.5 and luck["reply"] < 0.5 for luck in many) / len(many)
    assert together == pytest.approx(0.25, abs=0.03)
    assert [choice(point, {"a": 1, "b": 3}) for point in (0.1, 0.3, 0.999)] == ["a", "b", "b"]


@given(st.integers(0, 525_600), st.floats(0, 60))
def test_responses_come_in_working_hours_and_not_before_their_delay(minute: int, hours: float) -> None:
    at = YEAR + timedelta(minutes=minute)
    then = after_working_hours(at, hours, "America/New_York", "US", with_holidays=True)
    there = local(then, "America/New_York")
    assert then >= at + timedelta(hours=hours) - timedelta(seconds=1)
    assert 8 <= there.hour <= 18
    assert there.weekday <= 5
    assert not is_holiday(there.day, "US")


@given(st.integers(0, 2_000_000), st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]))  # fmt: skip
def test_the_fast_wall_clock_is_the_real_one(minute: int, zone: str) -> None:
    at = YEAR + timedelta(minutes=minute)
    real, fast = at.astimezone(ZoneInfo(zone)), local(at, zone)
    assert (fast.weekday, fast.hour) == (real.isoweekday(), real.hour)
    assert fast.day == real.toordinal() - date(1970, 1, 1).toordinal()


def test_a_company_may_have_more_people_than_there_are_names() -> None:
    many = people(read_world(WORLD.replace("size: 9", "size: 6000")))
    assert len({person.email for person in many}) == 6000
    assert max(sum(p.domain == d for p in many[:300]) for d in {p.domain for p in many[:300]}) == 3
