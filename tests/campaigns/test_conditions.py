"""Conditions are read by their grammar only and answered from facts."""

import dataclasses
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza.campaigns.conditions import (
    ConditionError,
    evaluate,
    parse_condition,
    saved_condition,
    steps_named,
)
from cadenza.campaigns.contracts import ConditionFacts

STEPS = ("intro", "second-try", "or_else")
FACTS = ConditionFacts(
    replied=True, intents=frozenset({"timing"}), delivered=frozenset({"intro"}), clicked=frozenset({"intro"}),
    silent_days=3, score=40, language="de", country="AT", fields={"plan": "Pro", "size": "250"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("replied", True),
        ("not replied", False),
        ("not not replied", True),
        ("replied(timing)", True),
        ("replied(meeting_request)", False),
        ("delivered(intro)", True),
        ("delivered(second-try)", False),
        ("opened(intro) or clicked(intro)", True),
        ("bounced(or_else)", False),
        ("score >= 40", True),
        ("score > 40", False),
        ("score < 40.5", True),
        ("score <= -1", False),
        ("score == 40", True),
        ("score != 40", False),
        ('language == "de"', True),
        ("language == 'DE'", True),
        ('language != "de"', False),
        ("country in [DE, AT, 'CH']", True),
        ("country not in [DE, AT]", False),
        ('country in ["FR"]', False),
        ('field("plan") == "pro"', True),
        ('field("size") >= 200', True),
        ('field("size") == 250', True),
        ('field("nothing") == null', True),
        ('field("nothing") != "x"', True),
        ('field("nothing") > 1', False),
        ('field("plan") > 1', False),
        ("not replied or delivered(intro) and clicked(intro)", True),  # and binds closer than or
        ("(not replied or delivered(intro)) and bounced(intro)", False),
        ("silent(3)", False),  # somebody who replied is not silent
    ],
)
def test_conditions(source: str, answer: bool) -> None:
    assert evaluate(parse_condition(source, STEPS), FACTS) is answer
    assert evaluate(saved_condition(source), FACTS) is answer


@pytest.mark.parametrize(("days", "answer"), [(2, True), (3, True), (4, False)])
def test_silence_is_counted_in_days_without_a_reply(days: int, answer: bool) -> None:
    quiet = dataclasses.replace(FACTS, replied=False)
    assert evaluate(parse_condition(f"silent({days})", STEPS), quiet) is answer


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "ends"),
        ("replied and", "ends"),
        ("replied replied", "not expected"),
        ("(replied", "ends"),
        ("replied)", "not expected"),
        ("replied(timimg)", "'timing'"),
        ("delivered", "ends"),
        ("delivered(itro)", "'intro'"),
        ("delivered('intro')", "no earlier step"),
        ("delivred(intro)", "'delivered'"),
        ("accepted(later)", "step"),
        ("connected", "ends where"),
        ("score >= high", "number"),
        ("score", "ends"),
        ("score = 4", "cannot be read"),
        ("language = 'de'", "cannot be read"),
        ("country in DE", "'['"),
        ("country in []", "value"),
        ("country in [DE", "ends"),
        ("field(plan) == 1", "quotes"),
        ("silent(soon)", "number"),
        ("silent(-1)", "number"),
        ("__import__('os')", "no known test"),
        ("replied.__class__", "cannot be read"),
        ("replied; drop table", "cannot be read"),
        ("lambda: 1", "cannot be read"),
        ("not " * 40 + "replied", "deeper"),
        ("(" * 40 + "replied" + ")" * 40, "deeper"),
        ("replied or " * 200 + "replied", "at most"),
    ],
)
def test_what_is_outside_the_grammar_is_refused(source: str, says: str) -> None:
    with pytest.raises(ConditionError, match=re.escape(says)):
        parse_condition(source, STEPS)


def test_the_steps_that_a_condition_asks_about() -> None:
    condition = parse_condition(
        "delivered(intro) and (not clicked(second-try) or replied) or score > 1", STEPS
    )
    assert steps_named(condition) == {"intro", "second-try"}


WORDS = st.sampled_from(
    [
        "replied",
        "not",
        "and",
        "or",
        "(",
        ")",
        "delivered",
        "intro",
        "score",
        ">=",
        "4",
        "in",
        "[",
        "]",
        ",",
        '"x"',
        "field",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_a_condition_or_an_error_in_words(source: str) -> None:
    with suppress(ConditionError):
        condition = parse_condition(source, STEPS)
        assert evaluate(condition, FACTS) in {True, False}
        assert evaluate(condition, ConditionFacts()) in {True, False}
