"""Where a person's clock is guessed from, and holidays of regions."""

import itertools
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from cadenza.timing.contracts import Window, ZoneClues
from cadenza.timing.service import (
    add_working_days,
    first_working_day_after,
    guess_zone,
    is_inside,
    is_working_day,
    is_zone,
    next_slot,
    opening,
    working_time,
)
from cadenza.timing.zones import _single_zones, _wide_countries

EPIPHANY = datetime(2026, 1, 6, 9, tzinfo=UTC)  # a holiday in Bavaria, not in Berlin


@pytest.mark.story("3.1.2.3", 3)
@pytest.mark.parametrize(
    ("clues", "zone", "ground"),
    [
        (ZoneClues(country="de"), "Europe/Berlin", "the address: DE"),
        (ZoneClues(country="US", region="CA"), "America/Los_Angeles", "the address: US-CA"),
        (
            ZoneClues(country="US", phone="+14155551234"),
            "America/Los_Angeles",
            "the telephone number (+1)",
        ),
        (ZoneClues(country="DE", phone="+12125551234"), "Europe/Berlin", "the address: DE"),
        (
            ZoneClues(phone="+34922123456", company_country="DE"),
            "Atlantic/Canary",
            "the telephone number (+34)",
        ),
        (
            ZoneClues(company_country="CA", company_region="BC"),
            "America/Vancouver",
            "the company's address: CA-BC",
        ),
        (ZoneClues(email="a@b.co.uk"), "Europe/London", "the mail domain .uk: GB"),
        (ZoneClues(email="a@b.io", phone="what"), "UTC", "nothing says where this person is"),
        (ZoneClues(), "UTC", "nothing says where this person is"),
    ],
)
def test_the_nearest_clue_says_the_zone(clues: ZoneClues, zone: str, ground: str) -> None:
    guess = guess_zone(clues)
    assert (guess.zone, guess.ground) == (zone, ground)


def test_a_wide_country_without_a_region_is_less_certain() -> None:
    wide, narrow = (
        guess_zone(ZoneClues(country="US")),
        guess_zone(ZoneClues(country="US", region="NY")),
    )
    assert wide.zone == narrow.zone == "America/New_York"
    assert wide.certainty < narrow.certainty
    assert "most people" in wide.ground
    assert guess_zone(ZoneClues(phone="+18005551234")).certainty < 0.5  # toll-free: anywhere


def test_every_zone_of_the_tables_exists() -> None:
    for country in _wide_countries().values():
        for zone in (country["main"], *country.get("regions", {}).values()):
            assert is_zone(zone), zone
    assert all(map(is_zone, _single_zones().values()))


@pytest.mark.story("3.1.2.4", 3)
def test_holidays_of_a_region_are_no_working_days() -> None:
    window, day = Window(), EPIPHANY.date()
    assert is_working_day(day, window, "DE")
    assert not is_working_day(day, window, "DE", "BY")
    assert is_working_day(day, window, "DE", "BE")
    assert is_inside(window, EPIPHANY, "Europe/Berlin", "DE")
    assert not is_inside(window, EPIPHANY, "Europe/Berlin", "DE", region="BY")
    later = next_slot(window, EPIPHANY, "Europe/Berlin", "DE", region="by")
    assert later == datetime(2026, 1, 7, 7, 30, tzinfo=UTC)
    assert opening(day, window, "Europe/Berlin", "DE", region="BY") == later
    assert first_working_day_after(date(2026, 1, 5), window, "DE", region="BY") == date(2026, 1, 7)
    moved = add_working_days(
        datetime(2026, 1, 5, 9, tzinfo=UTC), 1, window, "Europe/Berlin", "DE", region="BY"
    )
    assert moved.date() == date(2026, 1, 7)


def test_an_unknown_region_has_the_holidays_of_its_country() -> None:
    assert not is_working_day(date(2026, 12, 25), Window(), "DE", "ZZ")
    assert is_working_day(EPIPHANY.date(), Window(), "DE", "ZZ")


def test_open_hours_are_the_open_stretches_cut_by_the_clock() -> None:
    window, berlin = Window(), ZoneInfo("Europe/Berlin")
    calendar = working_time(window, "Europe/Berlin", "DE")
    day = date(2026, 3, 3)
    hours = calendar.open_hours(day)
    assert [piece.hour for piece in hours] == [24 + hour for hour in range(8, 18)]
    assert hours[0].begin.astimezone(berlin).time() == time(8, 30)
    assert hours[-1].end.astimezone(berlin).time() == time(17, 30)
    assert all(one.end == other.begin for one, other in itertools.pairwise(hours))
    assert calendar.open_hours(date(2026, 3, 1)) == ()
