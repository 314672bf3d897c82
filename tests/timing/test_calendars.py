"""Vacations, fiscal years, fairs and deadlines from the data files, and what they do to a day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza.core.errors import CadenzaError
from cadenza.timing import calendars
from cadenza.timing.contracts import DatedEvent, Quiet
from cadenza.timing.service import assumed_factor, calendar_events, market_factor, quiet_until


def kinds(country: str | None, industry: str | None, day: date) -> set[str]:
    return {event.kind for event in calendar_events(country, None, industry, day, day)}


@pytest.mark.story("3.1.2.4", 3)
@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("IT", date(2026, 8, 14)),
        ("FR", date(2027, 8, 3)),
        ("SE", date(2026, 7, 15)),
        ("JP", date(2026, 8, 14)),
        ("BR", date(2027, 1, 11)),
        ("DE", date(2026, 12, 28)),
    ],
)
def test_people_are_away_in_their_own_season(country: str, day: date) -> None:
    assert "vacation_season" in kinds(country.lower(), None, day)
    assert "vacation_season" not in kinds(country, None, date(2026, 3, 11))


@pytest.mark.story("3.1.2.4", 2)
def test_budgets_are_made_before_the_fiscal_year_of_the_country_ends() -> None:
    assert kinds("DE", None, date(2026, 10, 15)) == {"budget_season"}
    assert kinds("JP", None, date(2026, 12, 15)) == {"budget_season"}
    assert kinds("JP", None, date(2026, 3, 25)) == {"fiscal_year_end"}
    assert kinds("US", "Government", date(2026, 9, 28)) == {"fiscal_year_end"}
    assert kinds("US", "software", date(2026, 9, 28)) == set()


@pytest.mark.story("3.1.2.4", 1, 7)
def test_fairs_and_busy_times_concern_their_industry() -> None:
    assert kinds("DE", "manufacturing", date(2026, 4, 22)) == {"trade_fair"}
    assert kinds("DE", "software", date(2026, 4, 22)) == set()
    assert "peak_season" in kinds("GB", "retail", date(2026, 11, 20))
    assert "busy_season" in kinds("US", "accounting", date(2027, 2, 3))


@pytest.mark.story("3.1.2.4", 5)
def test_deadlines_are_known_ahead_with_their_source() -> None:
    found = calendar_events("NL", None, "software", date(2026, 9, 1), date(2026, 9, 11))
    assert [event.kind for event in found] == ["regulatory_deadline"]
    assert "2024/2847" in found[0].source
    assert found[0].end == date(2026, 9, 11)
    assert calendar_events("US", None, "software", date(2026, 9, 1), date(2026, 9, 11)) == ()


@given(
    st.sampled_from(["DE", "US", "JP", "BR", "NZ", None]),
    st.sampled_from(["retail", "accounting", None]),
    st.dates(date(2020, 1, 1), date(2032, 1, 1)),
    st.integers(0, 400),
)
def test_what_is_served_lies_in_the_days_asked_for(
    country: str | None, industry: str | None, first: date, days: int
) -> None:
    last = first + timedelta(days=days)
    whole = calendar_events(country, None, industry, first, last)
    assert all(event.start <= last and event.end >= first and event.source for event in whole)
    one = calendar_events(country, None, industry, first, first)
    assert set(one) <= set(whole)


def test_every_entry_has_a_source_and_a_kind_with_an_assumption() -> None:
    for entry in calendars.entries():
        assert entry.source, entry
        assert entry.name, entry
        assert assumed_factor(entry.kind) != 1, entry
        begin, end = entry.in_year(2028)  # a leap year
        assert begin <= end, entry


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"name": "x", "source": "y", "countries": ["DE"], "form": "01-01"}, "unknown key form"),
        ({"name": "x", "countries": ["DE"], "from": "01-01", "to": "01-02"}, "source is missing"),
        ({"name": "x", "source": "y", "from": "01-01", "to": "01-02"}, "concerns nobody"),
        ({"name": "x", "source": "y", "countries": ["DE"]}, "has no days"),
    ],
)
def test_a_faulty_entry_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, object], wrong: str
) -> None:
    monkeypatch.setattr(calendars, "_load", lambda _: [said])
    with pytest.raises(CadenzaError, match=wrong):
        calendars._read("vacations")


FAIR = DatedEvent("trade_fair", date(2026, 3, 10), date(2026, 3, 12), frozenset({"a"}), 0.4)
RALLY = DatedEvent("market_up", date(2026, 3, 11), date(2026, 3, 11), None, 1.5, "an index")


@pytest.mark.story("3.1.2.4", 4, 6)
def test_factors_of_a_day_multiply_and_say_why() -> None:
    both = market_factor([FAIR, RALLY], ["a", "b"], date(2026, 3, 11))
    assert both.factor == pytest.approx(0.6)
    assert both.reasons == (
        "trade fair, 2026-03-10 to 2026-03-12: responses times 0.40",
        "market up, an index, 2026-03-11 to 2026-03-11: responses times 1.50",
    )
    assert market_factor([FAIR, RALLY], ["b"], date(2026, 3, 11)).factor == 1.5
    assert market_factor([FAIR, FAIR], ["a"], date(2026, 3, 10)).factor == 0.4  # told twice, is once
    assert market_factor([FAIR], ["a"], date(2026, 3, 13)) == market_factor([], ["a"], date(2026, 3, 13))


def test_an_event_without_a_factor_is_told_and_changes_nothing() -> None:
    unknown = DatedEvent("eclipse", date(2026, 3, 10), date(2026, 3, 10))
    found = market_factor([unknown], [], date(2026, 3, 10))
    assert found.factor == 1
    assert found.reasons == ("eclipse, 2026-03-10 to 2026-03-10: effect unknown",)
    learned = market_factor([unknown], [], date(2026, 3, 10), lambda _: 0.7)
    assert learned.factor == 0.7


def test_quiet_days_around_news_are_waited_out() -> None:
    news = DatedEvent("layoffs", date(2026, 3, 10), date(2026, 3, 10), frozenset({"a"}))
    rules = [Quiet("layoffs", before=1, after=2)]
    assert quiet_until(date(2026, 3, 8), [news], ["a"], rules) is None
    for day in (9, 10, 12):
        found = quiet_until(date(2026, 3, day), [news], ["a"], rules)
        assert found is not None
        assert found[0] == date(2026, 3, 13)
        assert "layoffs" in found[1]
    assert quiet_until(date(2026, 3, 10), [news], ["b"], rules) is None
    more = DatedEvent("layoffs", date(2026, 3, 14), date(2026, 3, 14), None)
    joined = quiet_until(date(2026, 3, 10), [news, more], ["a"], rules)
    assert joined is not None
    assert joined[0] == date(2026, 3, 17)
    assert quiet_until(date(2026, 3, 11), [news], ["a"]) is not None  # the shipped rules
