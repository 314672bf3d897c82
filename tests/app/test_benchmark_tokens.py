"""The benchmark of tokens counts what it says: exact values, fallbacks, and tokens that were left as written."""

import pytest

from cadenza.app.benchmarks import tokens


def test_each_place_is_judged_by_the_fact_that_belongs_there() -> None:
    values = {"a": "Ann", "b": "Bo", "e": "{{ x }}"}
    text = "a=Ann\nb=Ann\nc=fallback\nd={{ d }}\ne={{ x }}\n"
    found = tokens.judged(text, values, ("a", "b", "c", "d", "e", "f"))
    assert found == {"exact": 2, "wrong": 2, "fallback": 1, "raw": 1}


@pytest.mark.story("3.1.2.2", 1, 5)
async def test_a_missing_fact_is_its_fallback_and_a_known_one_is_exact_even_if_it_looks_like_a_template() -> (
    None
):
    found = await tokens.run(size=300)
    places = found.detail["places"]
    assert set(places) == {"exact", "fallback"}
    assert found.detail["exact where a value was known"] == 1
    assert sum(places.values()) == 300 * found.detail["tokens in a letter"]
    assert found.detail["places without fallbacks"]["raw"] == places["fallback"], (
        "the same people, mail-merged"
    )
