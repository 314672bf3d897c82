"""Windows, weekends, holidays and both daylight-saving transitions, in every zone there is."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.core.errors import CadenzaError
from cadenza.timing.contracts import Window
from cadenza.timing.service import (
    add_working_days,
    first_working_day_after,
    is_inside,
    is_working_day,
    next_slot,
    opening,
)

ZONES = sorted(available_timezones())
ALWAYS = frozenset(range(1, 8))
OFFICE = Window()
NIGHT = Window(days=ALWAYS, start=time(0, 15), end=time(2, 45))  # where most clocks change
WHOLE = Window(days=frozenset({1, 3, 7}), start=time(0), end=time.max)
YEARS = (2011, 2023, 2024, 2026)  # 2011: Samoa skipped a day, Russia ended summer time; 2023: Greenland


def inside_by_the_clock(window: Window, moment: datetime, zone: str, country: str | None = None) -> bool:
    """The definition, straight from the wall clock: what the fast answer is compared with."""
    local = moment.astimezone(ZoneInfo(window.zone or zone))
    ends = window.end == time.max or local.time() < window.end
    return window.start <= local.time() and ends and is_working_day(local.date(), window, country)


@cache
def transitions(zone: str) -> tuple[datetime, ...]:
    """Every hour of the chosen years after which the zone's offset is another one."""
    info, found = ZoneInfo(zone), []
    for year in YEARS:
        here = datetime(year, 1, 1, tzinfo=UTC)
        while here.year == year:
            after = here + timedelta(days=7)
            if here.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
                found += _hours(info, here, after)
            here = after
    return tuple(found)


def _hours(info: ZoneInfo, here: datetime, after: datetime) -> list[datetime]:
    found = []
    while here < after:
        if here.astimezone(info).utcoffset() != (here + timedelta(hours=1)).astimezone(info).utcoffset():
            found.append(here)
        here += timedelta(hours=1)
    return found


def prove_slot(window: Window, asked: datetime, zone: str, country: str | None = None) -> None:
    slot = next_slot(window, asked, zone, country)
    assert slot >= asked
    assert slot.utcoffset() == timedelta(0)
    assert inside_by_the_clock(window, slot, zone, country)
    assert is_inside(window, slot, zone, country)
    if slot > asked:  # minimal: nothing inside before it, the last microsecond included
        assert not inside_by_the_clock(window, slot - timedelta(microseconds=1), zone, country)
        step = max((slot - asked) / 60, timedelta(seconds=1))
        early = asked
        while early < slot:
            assert not inside_by_the_clock(window, early, zone, country), early
            early += step


@pytest.mark.must_not("M12")
@pytest.mark.story("3.1.2.3", 3)
@pytest.mark.parametrize("zone", ZONES)
def test_slots_around_every_transition_of_every_zone(zone: str) -> None:
    moments = transitions(zone) or (datetime(2026, 3, 29, tzinfo=UTC),)
    for change in moments:
        for window in (OFFICE, NIGHT, WHOLE):
            for minutes in (-1500, -61, -20, 0, 17, 59, 61, 130):
                prove_slot(window, change + timedelta(minutes=minutes, seconds=3), zone)


times = st.times(max_value=time(23, 59, 59))
MOMENTS = st.integers(946_684_800, 2_114_380_800).map(
    lambda second: datetime.fromtimestamp(second, UTC)
)  # 2000 to 2036


@pytest.mark.must_not("M12")
@pytest.mark.story("3.1.2.3", 3)
@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    asked=MOMENTS,
    days=st.frozensets(st.integers(1, 7), min_size=1),
    hours=st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]),
    country=st.sampled_from([None, "DE", "US", "JP", "SA", "XX"]),
)
def test_slots_are_inside_and_first(
    zone: str, asked: datetime, days: frozenset[int], hours: tuple[time, time], country: str | None
) -> None:
    prove_slot(Window(days=days, start=min(hours), end=max(hours)), asked, zone, country)


@pytest.mark.must_not("M12")
@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    moment=MOMENTS,
    days=st.integers(1, 30),
)
def test_working_days_later_it_is_the_same_wall_clock_time(zone: str, moment: datetime, days: int) -> None:
    later = add_working_days(moment, days, OFFICE, zone, "DE").astimezone(ZoneInfo(zone))
    local = moment.astimezone(ZoneInfo(zone))
    assert later > local
    between = [local.date() + timedelta(days=n) for n in range(1, (later.date() - local.date()).days + 1)]
    assert sum(is_working_day(day, OFFICE, "DE") for day in between) == days
    if later.time() != local.time():  # only where the clock skipped that time
        assert not _exists(later.date(), local.time(), zone)


def _exists(day: date, at: time, zone: str) -> bool:
    wall = datetime.combine(day, at, ZoneInfo(zone))
    return wall.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall.replace(tzinfo=None)


@pytest.mark.must_not("M12")
@pytest.mark.parametrize(
    ("moment", "days", "zone", "expected"),
    [
        # Friday before summer time begins: Monday 10:00 is an hour earlier in UTC
        ("2026-03-27T09:00", 1, "Europe/Berlin", "2026-03-30T08:00"),
        ("2026-10-23T08:00", 1, "Europe/Berlin", "2026-10-26T09:00"),
        # Good Friday and Easter Monday are no working days in Germany
        ("2026-04-02T08:00", 1, "Europe/Berlin", "2026-04-07T08:00"),
        ("2026-04-02T08:00", 0, "Europe/Berlin", "2026-04-02T08:00"),
        # from a Saturday the first working day is Monday
        ("2026-06-06T08:00", 1, "Europe/Berlin", "2026-06-08T08:00"),
        # 02:30 on the Sunday of the gap does not exist: 03:00 is the first moment after it
        ("2026-03-28T01:30", 1, "Europe/Berlin", "2026-03-29T01:00"),
    ],
)
def test_delays_in_working_days(moment: str, days: int, zone: str, expected: str) -> None:
    window = Window(days=ALWAYS) if moment.startswith("2026-03-28") else OFFICE
    later = add_working_days(datetime.fromisoformat(moment + "+00:00"), days, window, zone, "DE")
    assert later == datetime.fromisoformat(expected + "+00:00")


@pytest.mark.must_not("M12")
@pytest.mark.parametrize(
    ("zone", "asked", "start", "end", "expected"),
    [
        # the window opens inside the hour that is skipped: first at the jump
        ("Europe/Berlin", "2026-03-29T00:30", time(2, 30), time(5), "2026-03-29T01:00"),
        # the window lies in the skipped hour as a whole: first on the next day
        ("Europe/Berlin", "2026-03-29T00:30", time(2, 10), time(2, 50), "2026-03-30T00:10"),
        # the hour that comes twice is inside twice
        ("Europe/Berlin", "2026-10-25T00:50", time(2, 0), time(2, 30), "2026-10-25T01:00"),
        # St. John's set its clock back at 00:01 to 23:01 of the day before
        ("America/St_Johns", "2010-11-07T02:31", time(23, 30), time(23, 45), "2010-11-07T03:00"),
        # Samoa had no 30 December 2011
        ("Pacific/Apia", "2011-12-30T09:59", time(8), time(9), "2011-12-30T18:00"),
    ],
)
def test_gaps_folds_and_skipped_dates(zone: str, asked: str, start: time, end: time, expected: str) -> None:
    window = Window(days=ALWAYS, start=start, end=end)
    slot = next_slot(window, datetime.fromisoformat(asked + "+00:00"), zone, None)
    assert slot == datetime.fromisoformat(expected + "+00:00")


@pytest.mark.parametrize(
    ("window", "moment", "country", "inside"),
    [
        (OFFICE, "2026-11-23T08:30", "GB", True),
        (OFFICE, "2026-11-23T08:29:59.999999", "GB", False),
        (OFFICE, "2026-11-23T17:29:59.999999", "GB", True),
        (OFFICE, "2026-11-23T17:30", "GB", False),
        (OFFICE, "2026-11-22T12:00", "GB", False),  # Sunday
        (OFFICE, "2026-12-25T12:00", "GB", False),
        (OFFICE, "2026-12-25T12:00", None, True),
        (OFFICE, "2026-12-28T12:00", "gb", False),  # Boxing Day observed; country in small letters
        (Window(holidays=False), "2026-12-25T12:00", "GB", True),
        (Window(zone="Asia/Tokyo"), "2026-11-23T12:00", "GB", False),  # 21:00 there
    ],
)
@pytest.mark.story("3.1.2.3", 3)
def test_inside(window: Window, moment: str, country: str | None, inside: bool) -> None:
    assert is_inside(window, datetime.fromisoformat(moment + "+00:00"), "Europe/London", country) is inside


def test_the_working_day_after_a_return() -> None:
    assert first_working_day_after(date(2026, 4, 2), OFFICE, "DE") == date(2026, 4, 7)
    assert first_working_day_after(date(2026, 11, 27), OFFICE, None) == date(2026, 11, 30)
    assert opening(date(2026, 4, 3), OFFICE, "Europe/Berlin", "DE") == datetime(2026, 4, 7, 6, 30, tzinfo=UTC)
    assert opening(date(2026, 4, 7), OFFICE, "Europe/Berlin", "DE") == datetime(2026, 4, 7, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("window", [Window(days=frozenset()), Window(start=time(9), end=time(9))])
def test_a_window_that_never_opens_is_an_error(window: Window) -> None:
    with pytest.raises(CadenzaError) as error:
        next_slot(window, datetime(2026, 1, 1, tzinfo=UTC), "UTC", None)
    assert error.value.code == "window_never_opens"


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "", "Europe", "a\0b", "x" * 5000])
def test_an_unknown_zone_is_an_error(zone: str) -> None:
    with pytest.raises(CadenzaError) as error:
        next_slot(OFFICE, datetime(2026, 1, 1, tzinfo=UTC), zone, None)
    assert error.value.code == "zone_unknown"
