"""Errors and reasons that rooms make in English are told in the reader's language."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cadenza.audience.contracts import Suppression, SuppressionKind, SuppressionReason
from cadenza.core.errors import not_found
from cadenza.engine.gate import Facts, gate
from cadenza.timing.contracts import Window
from cadenza.web.catalogue import DEFAULT, PACKAGE, speak, told
from cadenza.web.spoken import texts

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


def _german(text: str) -> str:
    speak("de")
    try:
        return told(text)
    finally:
        speak(DEFAULT)


def _facts(**changes: object) -> Facts:
    given: dict[str, object] = {
        "key": "k", "now": NOW, "due_at": NOW, "window": Window(), "zone": "Europe/Berlin", "country": "DE",
        "grace": timedelta(hours=24), "address": "a@b.example", "suppression": None, "person_cap": 3, "account_cap": 2,
    }  # fmt: skip
    return Facts(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "facts",
    [
        _facts(),
        _facts(address=None, condition=False, person_touches=[NOW] * 4, account_touches=[NOW] * 2),
        _facts(due_at=NOW - timedelta(days=3), now=NOW - timedelta(hours=7)),
        _facts(sender_free=False, sender_why="every sender with room is on the wire"),
        _facts(sender_free=False, sender_why="ann@a.example, who wrote to this person before, cannot send now (535 no)"),
        _facts(sender_why="ann@a.example has used the least of its day (3 of 60, its daily limit)"),
        _facts(sender_free=False, sender_why="outside the working hours of every sender"),
        _facts(sender_free=False, sender_why="nobody in the pool North team can send now"),
        _facts(zone="America/New_York"),
        _facts(channel="linkedin"),
        _facts(channel="phone"),
        _facts(channel="linkedin", address=None, elsewhere=True),
        _facts(channel="phone", address=None, elsewhere=True),
    ],
)  # fmt: skip
def test_every_answer_of_the_gate_is_told_in_german(facts: Facts) -> None:
    for result in gate(facts):
        german = _german(result.why)
        assert german != result.why, result
        assert told(result.why) == result.why, "English stays as it is"


def test_values_stay_and_words_of_ours_among_them_are_told_too() -> None:
    assert _german("3 of 3 in 7 days") == "3 von 3 in 7 Tagen"
    assert _german("2 of 2 in a day") == "2 von 2 in einem Tag"
    assert _german("outside working hours in Europe/Berlin") == "außerhalb der Arbeitszeit von Europe/Berlin"
    assert _german(str(not_found("contact", "a day"))) == "Das gibt es hier nicht: Kontakt a day."


@pytest.mark.parametrize("text", ["", "no words of ours", "in time %(x)s", "100 % of them", "(.*)", "a\nb"])
def test_what_is_not_ours_stays_as_it_is(text: str) -> None:
    assert _german(text) == text


def test_the_templates_are_found_in_the_source() -> None:
    found = {text for _, text in texts(PACKAGE)}
    assert {"in time", "There is no %(what)s %(name)s.", "Sign in first."} <= found
    assert len(found) > 50


def test_a_stop_is_told_with_its_day_and_source() -> None:
    stop = Suppression(SuppressionKind.CONTACT, "x", SuppressionReason.OPT_OUT, "reply of 2 March", NOW)
    stopped = next(result for result in gate(_facts(suppression=stop)) if result.gate == "stops")
    assert _german(stopped.why) == "wollte nichts mehr von uns, am 2026-03-03, reply of 2 March"


async def test_an_error_page_is_german_and_problem_details_are_english(browser: httpx.AsyncClient) -> None:
    german = {"accept-language": "de"}
    page = await browser.get("/missing", headers=german)
    assert "Das gibt es hier nicht: Kampagne spring." in page.text
    program = await browser.get("/missing", headers=german | {"accept": "application/json"})
    assert program.json()["title"] == "There is no campaign spring."
    part = await browser.get("/missing", headers=german | {"hx-request": "true"})
    assert part.json()["title"] == "Das gibt es hier nicht: Kampagne spring."
