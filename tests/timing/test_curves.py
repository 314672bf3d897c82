"""What is learned of hours, events and tiredness from counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.timing.choice import EXPLORED
from cadenza.timing.contracts import CurveRow
from cadenza.timing.curves import prior_hours
from cadenza.timing.personal import SHARE
from cadenza.timing.service import (
    FACTOR,
    OPENED,
    RESPONDED,
    SHOWN,
    WON,
    Curves,
    Rate,
    Tried,
    draw,
    likely_best,
    own_hours,
    with_odds,
)

MAIL = ("email", "send")


def row(hour: int, shown: int, opened: int, responded: int, **other: object) -> CurveRow:
    said: dict[str, object] = {"scope": "", "recent": 0, "market": "", **other}
    return CurveRow(channel="email", action="send", hour=hour, shown=shown, opened=opened, responded=responded, won=responded, stopped=0, **said)  # type: ignore[arg-type] # fmt: skip


counted = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 3),
        st.sampled_from(["", "fair"]),
        st.integers(0, 167),
        st.integers(0, 4),
    ),
    max_size=60,
)


@pytest.mark.story("3.1.2.3", 1)
@given(counted)
def test_curves_are_equal_after_a_round_through_rows(
    counts: list[tuple[str, int, str, int, int]],
) -> None:
    first = Curves()
    for scope, recent, market, hour, what in counts:
        first.count([scope], (*MAIL, recent, market), hour, what)
    second = Curves(first.rows())
    assert list(second.rows()) == list(first.rows())
    for groups in ((), ("a",), ("b", "a")):
        assert second.hours(groups) == first.hours(groups)
        assert second.effect(groups, "fair", 0.7) == first.effect(groups, "fair", 0.7)


def test_a_cold_start_is_the_prior() -> None:
    found, (mean, variance) = Curves().hours(("a",)), prior_hours()
    assert found.mean == tuple(mean)
    assert found.spread[0] >= variance[0] ** 0.5
    assert Curves().rate(("a",), *MAIL, OPENED, Rate(0.35, 25)) == Rate(0.35, 25)
    assert Curves().effect(("a",), "fair", 0.7).mean == pytest.approx(0.7)


@pytest.mark.story("3.1.2.3", 1)
def test_the_best_hour_is_found_although_it_is_used_by_the_tired() -> None:
    """At 9 the chance is 1.5 times as high; later touches are all at 9 and do worse everywhere."""
    rows = [row(9, 100, 60, 6), *(row(hour, 100, 40, 4) for hour in range(10, 17))]
    rows += [row(9, 5000, 1500, 150, recent=1), *(row(hour, 10, 2, 0, recent=1) for hour in range(10, 17))]
    index = Curves(rows).hours(()).mean
    assert max(range(9, 17), key=index.__getitem__) == 9
    assert index[9] / index[12] > 1.2
    assert index[24 * 3 + 9] == pytest.approx(index[24 + 9])  # nothing says that days differ


@pytest.mark.story("3.1.2.3", 1)
def test_a_segment_leans_on_everybody_and_leaves_with_its_own_counts() -> None:
    everybody = [row(9, 2000, 1200, 100), *(row(hour, 2000, 800, 60) for hour in range(10, 17))]
    few = [row(15, 4, 2, 0, scope="s"), *(row(hour, 4, 1, 0, scope="s") for hour in range(9, 15))]
    many = [
        row(15, 2000, 1400, 150, scope="s"),
        *(row(hour, 2000, 700, 50, scope="s") for hour in range(9, 15)),
    ]
    near = Curves([*everybody, *few]).hours(("s",)).mean
    own = Curves([*everybody, *many]).hours(("s",)).mean
    assert max(range(9, 16), key=near.__getitem__) == 9
    assert max(range(9, 16), key=own.__getitem__) == 15


def test_replies_decide_against_opens() -> None:
    """Opens say 9, thousands of replies say 14."""
    rows = [row(hour, 20_000, 8000, 600) for hour in range(10, 17) if hour != 14]
    index = Curves([*rows, row(9, 20_000, 8800, 400), row(14, 20_000, 8000, 1200)]).hours(()).mean
    assert index[14] > index[9]


@pytest.mark.story("3.1.2.4", 1, 4)
def test_the_effect_of_a_kind_is_learned_against_ordinary_days() -> None:
    ordinary = [row(hour, 500, 200, 30) for hour in range(9, 17)]
    bad = [row(hour, 100, 16, 2, market="fair") for hour in range(9, 17)]
    assert Curves([*ordinary, *bad]).effect((), "fair", 1.0).mean == pytest.approx(0.4, abs=0.1)
    assert Curves(ordinary).effect((), "fair", 1.0).mean == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0.1, 3), st.floats(0, 1)), min_size=1, max_size=30), st.floats(0, 0.999))
def test_probabilities_of_a_choice_add_up_and_none_is_zero(
    options: list[tuple[float, float]], point: float
) -> None:
    means, spreads = [mean for mean, _ in options], [spread for _, spread in options]
    chances = likely_best(means, spreads)
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= EXPLORED / len(options) * 0.999
    assert chances[means.index(max(means))] == pytest.approx(max(chances))
    assert 0 <= draw(chances, point) < len(options)


def test_options_are_drawn_as_often_as_they_say() -> None:
    chances = likely_best([1.0, 1.05, 0.9], [0.1, 0.1, 0.1])
    drawn = np.bincount([draw(chances, point / 10_000) for point in range(10_000)], minlength=3) / 10_000
    assert drawn == pytest.approx(chances, abs=2e-4)


@pytest.mark.story("3.1.2.3", 5)
def test_a_single_own_hour_stands_out_after_few_touches() -> None:
    tried = [
        Tried(9, 0.4, happened=False),
        Tried(14, 0.4, happened=True),
        Tried(14, 0.05, happened=True),
        Tried(14, 0.4, happened=True),
    ]
    own, other = own_hours(tried)
    assert own[14] > 4 * other > 4 * own[9]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(7, 20), st.floats(0.01, 0.8), st.booleans()), max_size=10),
)
def test_own_hours_are_probabilities(tried: list[tuple[int, float, bool]]) -> None:
    own, other = own_hours(Tried(*touch) for touch in tried)
    assert 0 <= sum(own.values()) + other * (16 - len(own)) <= 1
    if not tried:
        assert other * 16 == pytest.approx(SHARE)


@given(st.floats(0.01, 0.99))
def test_odds_are_multiplied(chance: float) -> None:
    grown = with_odds(chance, FACTOR)
    assert grown / (1 - grown) == pytest.approx(FACTOR * chance / (1 - chance))


def test_rates_lean_on_wider_scopes() -> None:
    curves = Curves([row(9, 1000, 500, 100), row(9, 10, 10, 0, scope="s")])
    assert curves.rate((), *MAIL, RESPONDED, Rate(0.04, 25)).mean == pytest.approx(0.1, abs=0.005)
    assert curves.rate(("s",), *MAIL, WON, Rate(0.04, 25)).mean == pytest.approx(0.1 * 20 / 30, abs=0.005)
    assert curves.totals("", *MAIL)[0, ""][SHOWN] == 1000
