"""The learning policy: what it may never do, what it says, and what it finds in a world of one page."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_world import BERLIN, START, Fixed, Run, Truth, mails

from cadenza.campaigns.contracts import Step, Variant, Way
from cadenza.engine.adaptive import Adaptive
from cadenza.engine.contracts import Observation, PastTouch, PersonFacts, Question
from cadenza.timing.contracts import DatedEvent, Window
from cadenza.timing.service import is_inside

ZONES = ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "UTC"]
WORDS = (
    Variant("a", "text", attributes=("argument.cost",)),
    Variant("b", "text", attributes=("argument.speed",)),
    Variant("c", "text", attributes=("argument.proof",)),
)
ANY = Step(
    "any",
    2,
    (),
    channel="any",
    options=(Way("email", "send", WORDS), Way("linkedin", "message", WORDS), Way("phone", "call")),
)
FAIR = DatedEvent("trade_fair", date(2026, 3, 10), date(2026, 3, 12), frozenset({"s"}))


def person(key: str = "p", **other: object) -> PersonFacts:
    facts: dict[str, object] = {"account": "a", "groups": ("s",), "zone": "Europe/Berlin", "country": "DE"}
    return PersonFacts(key=key, **{**facts, **other})  # type: ignore[arg-type]


def question(key: str = "1/any", **other: object) -> Question:
    said: dict[str, object] = {
        "person": person(),
        "step": ANY,
        "earliest": datetime(2026, 3, 3, 7, 30, tzinfo=UTC),
        "window": Window(),
        "usable": frozenset({"email", "linkedin", "phone"}),
    }
    return Question(key=key, **{**said, **other})  # type: ignore[arg-type]


def told(policy: Adaptive, who: str, at: datetime, *responses: str, channel: str = "email", action: str = "send") -> None:  # fmt: skip
    seen = Observation(person=person(who), channel=channel, action=action, at=at)
    policy.learn(seen)
    for response in responses:
        policy.learn(replace(seen, response=response))


@pytest.mark.story("3.1.2.3", 3)
@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 700 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from(ZONES),
    st.sampled_from([(None, None), ("DE", "BY"), ("US", "CA"), ("BR", None)]),
    st.text("0123456789abcdef", min_size=1, max_size=6),
    st.integers(0, 3),
)
def test_never_outside_the_window_and_always_the_same(
    earliest: datetime, zone: str, place: tuple[str | None, str | None], key: str, touches: int
) -> None:
    history = tuple(
        PastTouch(step=f"s{n}", channel="email", action="send", at=earliest - timedelta(days=2 * n + 1))
        for n in reversed(range(touches))
    )
    who = person(zone=zone, country=place[0], region=place[1])
    asked = question(key, person=who, earliest=earliest, history=history)
    policy = Adaptive([FAIR])
    planned = policy.plan(asked)
    assert planned.at >= earliest
    assert is_inside(asked.window, planned.at, zone, place[0], region=place[1])
    for decision in planned.decisions:
        assert sum(option.probability for option in decision.options) == pytest.approx(1)
        assert decision.taken in {option.option for option in decision.options}
        assert decision.reason
        assert (decision.policy, decision.version) == ("adaptive", 1)
    assert policy.plan(asked) == planned == Adaptive([FAIR]).plan(asked)


def test_a_cold_start_is_the_prior_and_says_so() -> None:
    (time,) = (d for d in Adaptive().plan(question()).decisions if d.what == "time")
    chances = {option.option: option.probability for option in time.options}
    assert "nothing is learned yet" in time.reason
    assert chances["Tue 09"] == pytest.approx(chances["Tue 10"])
    assert chances["Tue 12"] == pytest.approx(chances["Tue 15"])
    assert 1 < chances["Tue 09"] / chances["Tue 12"] < 3


def test_nothing_usable_is_no_way() -> None:
    planned = Adaptive().plan(question(usable=frozenset()))
    assert planned.way is None
    assert planned.decisions == ()


def test_a_plan_asked_early_is_pencil_until_its_day() -> None:
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    early = Adaptive().plan(question(now=monday))
    assert early.again == datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
    assert early.again < early.at
    assert "time" not in {decision.what for decision in early.decisions}
    late = Adaptive().plan(question(now=early.again))
    assert late.again is None
    assert "time" in {decision.what for decision in late.decisions}
    assert Adaptive().plan(question()).again is None


@pytest.mark.story("3.1.2.3", 4)
def test_the_channel_that_brings_replies_is_preferred_and_the_others_are_still_tried() -> None:
    policy = Adaptive()
    for number in range(300):
        at = START + timedelta(hours=8, minutes=number)
        told(policy, f"e{number}", at, *(["replied"] if number % 20 == 0 else []))
        told(policy, f"l{number}", at, *(["replied"] if number % 5 == 0 else []), channel="linkedin", action="message")  # fmt: skip
        told(policy, f"p{number}", at, channel="phone", action="call")
    asked = question(now=START + timedelta(days=3), earliest=START + timedelta(days=3, hours=8))
    (channel,) = (d for d in policy.plan(asked).decisions if d.what == "channel")
    chances = {option.option: option.probability for option in channel.options}
    assert chances["linkedin: message"] > 0.9
    assert min(chances.values()) > 0
    invited = PastTouch(step="i", channel="linkedin", action="connect", at=START)
    closed = policy.plan(replace(asked, history=(invited,)))
    assert closed.way is not None
    assert closed.way.channel != "linkedin"
    opened = policy.plan(replace(asked, history=(replace(invited, responses=frozenset({"accepted"})),)))
    assert opened.way is not None


@pytest.mark.story("3.1.2.3", 4)
def test_a_person_who_answers_on_a_channel_is_met_there_more_often() -> None:
    policy = Adaptive()
    asked = question(earliest=START + timedelta(days=3, hours=8))

    def chance(history: tuple[PastTouch, ...]) -> float:
        made = policy.plan(replace(asked, history=history)).decisions
        (channel,) = (d for d in made if d.what == "channel")
        return next(o.probability for o in channel.options if o.option == "phone: call")

    call = PastTouch(step="c", channel="phone", action="call", at=START)
    assert (
        chance((replace(call, responses=frozenset({"connected"})),)) > chance(()) > chance((call, call, call))
    )


@pytest.mark.story("3.1.2.5", 1)
def test_words_build_on_what_was_said_and_repeat_only_when_told_to() -> None:
    said = PastTouch(step="x", channel="phone", action="call", at=START, attributes=("argument.cost",))
    way = ANY.options[0]
    build, again = Adaptive(), Adaptive(repeat=True, name="repeat")
    for number in range(20):
        asked = question(f"{number}/any", history=(said,))
        worded = build.word(asked, way)
        assert worded.variant in {"b", "c"}
        assert worded.decision is not None
        chances = {o.option: o.probability for o in worded.decision.options}
        assert chances == {"a": 0.0, "b": 0.5, "c": 0.5}
        assert again.word(asked, way).variant == "a"
    assert {build.word(question(f"{n}/any"), way).variant for n in range(40)} == {"a", "b", "c"}
    assert build.word(question(), Way("phone", "call")).decision is None


@pytest.mark.story("3.1.2.4", 1)
def test_a_fair_is_waited_out_with_its_reason_unless_the_market_is_left_out() -> None:
    asked = question(earliest=datetime(2026, 3, 10, 7, 30, tzinfo=UTC))
    moved = [Adaptive([FAIR]).plan(replace(asked, key=f"{n}/any")) for n in range(40)]
    after = [plan for plan in moved if plan.at.date() > FAIR.end]
    assert len(after) > 25  # nine in ten; the others go to learn what a fair does
    (day,) = (d for d in after[0].decisions if d.what == "day")
    assert "trade fair" in day.reason
    assert [o.probability for o in day.options] == [0.9, 0.1]
    stays = Adaptive([FAIR], market=False, name="no_market").plan(asked)
    assert stays.at.date() == date(2026, 3, 10)
    elsewhere = Adaptive([FAIR]).plan(replace(asked, person=person(groups=("t",))))
    assert elsewhere.at.date() == date(2026, 3, 10)


@pytest.mark.story("3.1.2.4", 6)
def test_a_signal_with_a_factor_moves_a_touch_and_is_in_its_decision() -> None:
    fall = DatedEvent("market_down", date(2026, 3, 10), date(2026, 3, 10), None, 0.4, "index fell by 9 %")
    asked = question("7/any", earliest=datetime(2026, 3, 10, 7, 30, tzinfo=UTC))
    made = [d for d in Adaptive([fall]).plan(asked).decisions if d.what == "day"]
    assert "index fell by 9 %" in made[0].reason


def test_news_at_the_company_is_a_reason_to_come_now() -> None:
    earliest = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)
    planned = Adaptive([FAIR]).plan(question(earliest=earliest, news=(earliest - timedelta(days=1),)))
    assert planned.at.date() == earliest.date()
    assert any("news" in d.reason for d in planned.decisions)


def both(truth: Truth, *, people: int = 500, runs: int = 2, steps: tuple[Step, ...] = mails(0, 2, 3, 3, 4, 4)) -> tuple[dict[str, int], dict[str, int]]:  # fmt: skip
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    for policy, sums in ((Adaptive, ours), (Fixed, theirs)):
        for seed in range(runs):
            for name, count in Run(policy(), truth, steps, people=people, seed=seed).go().items():
                sums[name] = sums.get(name, 0) + count
    return ours, theirs


@pytest.mark.story("3.1.2.3", 1, 7)
def test_hours_that_bring_more_are_found_while_the_campaign_runs() -> None:
    truth = Truth(hours=lambda local: 2.5 if 14 <= local.hour < 16 else 1.0, personal=0.3)
    ours, theirs = both(truth)
    assert ours["replied"] > 1.15 * theirs["replied"]
    assert ours["opened"] > 1.1 * theirs["opened"]


@pytest.mark.story("3.1.2.3", 2)
def test_touches_are_spread_where_people_tire() -> None:
    ours, theirs = both(Truth(fatigue=0.6, stop=(0.002, 0.02)))
    assert ours["unsubscribed"] < 0.85 * theirs["unsubscribed"]
    assert ours["replied"] >= 0.95 * theirs["replied"]


def test_nothing_to_find_changes_nothing_much() -> None:
    ours, theirs = both(Truth())
    assert ours["touches"] == pytest.approx(theirs["touches"], rel=0.02)


def test_the_moments_of_a_day_keep_to_the_recipients_clock() -> None:
    planned = [Adaptive().plan(question(f"{n}/any")).at.astimezone(BERLIN) for n in range(200)]
    assert {at.hour for at in planned} >= set(range(9, 17))
    assert len({at.minute for at in planned}) > 40
