"""The arm a unit gets is even, stable and independent between experiments."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cadenza.core.errors import CadenzaError
from cadenza.experiments.assignment import assign

ARMS = ("a", "b", "c")
PEOPLE = 30_000


@pytest.mark.story("3.1.2.2", 4)
@pytest.mark.parametrize("weights", [None, (1, 1, 2), (0, 3, 1)])
def test_arms_get_their_shares(weights: tuple[int, ...] | None) -> None:
    counts = Counter(assign(f"campaign/intro/{n}", ARMS, weights).arm for n in range(PEOPLE))
    shares = [w / sum(weights) for w in weights] if weights else [1 / 3] * 3
    seen = [counts[arm] for arm, share in zip(ARMS, shares, strict=True) if share]
    assert sum(seen) == PEOPLE
    assert stats.chisquare(seen, [share * PEOPLE for share in shares if share]).pvalue > 0.001


@pytest.mark.story("3.1.2.2", 4)
def test_experiments_are_independent() -> None:
    pairs = Counter((assign(f"one/{n}", ARMS).arm, assign(f"two/{n}", ARMS).arm) for n in range(PEOPLE))
    table = [[pairs[first, second] for second in ARMS] for first in ARMS]
    assert stats.chi2_contingency(table).pvalue > 0.001


@given(key=st.text(), arms=st.lists(st.text(), min_size=1, max_size=20, unique=True))
def test_the_same_key_has_the_same_arm_and_its_probability(key: str, arms: list[str]) -> None:
    first = assign(key, arms)
    assert first == assign(key, tuple(arms))
    assert first.arm in arms
    assert first.probability == pytest.approx(1 / len(arms))


def test_assignments_never_change_between_versions() -> None:
    # Fixed by the definition: SHA-256 of the key, its first 53 bits. A change would reshuffle running campaigns.
    assert [assign(f"campaign/intro/{n}", ("a", "b")).arm for n in range(8)] == list("baaaaaab")


@given(
    key=st.text(max_size=5),
    weights=st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda w: sum(w) > 1e-3),
)
def test_an_arm_without_weight_is_never_taken(key: str, weights: list[float]) -> None:
    taken = assign(key, ARMS, weights)
    assert taken.probability > 0
    assert weights[ARMS.index(taken.arm)] > 0


@pytest.mark.parametrize(
    ("arms", "weights"),
    [
        ((), None),
        (("a", "a"), None),
        (("a", "b"), (1,)),
        (("a", "b"), (0, 0)),
        (("a", "b"), (-1, 2)),
        (("a", "b"), (float("nan"), 1)),
        (("a", "b"), (float("inf"), 1)),
    ],
)
def test_wrong_arms_are_refused(arms: tuple[str, ...], weights: tuple[float, ...] | None) -> None:
    with pytest.raises(CadenzaError):
        assign("key", arms, weights)
