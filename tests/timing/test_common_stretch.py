"""A sender's hours and a recipient's window: the moments that lie in both, over zones and changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.timing.contracts import Window
from cadenza.timing.service import common_stretch, is_inside

FORTNIGHT = timedelta(days=14)
ZONES = (
    "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland",
    "Pacific/Apia", "Africa/Cairo", "America/St_Johns", "UTC",
)  # fmt: skip


def hours(zone: str, start: int, end: int, days: frozenset[int] = frozenset(range(1, 6))) -> Window:
    return Window(days, time(start), time.max if end == 24 else time(end), zone, holidays=False)


@st.composite
def spans(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 22))
    days = draw(st.frozensets(st.integers(1, 7), min_size=1))
    return hours(draw(st.sampled_from(ZONES)), start, draw(st.integers(start + 1, 24)), days)


# Around the changes of the clock in both halves of the year, and around New Year.
moments = st.one_of(
    *(
        st.integers(-40 * 60, 40 * 60).map(lambda m, at=at: at + timedelta(minutes=m))
        for at in (
            datetime(2026, 3, 8, 10, tzinfo=UTC),
            datetime(2026, 3, 29, 1, tzinfo=UTC),
            datetime(2026, 4, 4, 15, tzinfo=UTC),
            datetime(2026, 10, 25, 1, tzinfo=UTC),
            datetime(2026, 11, 1, 9, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        )
    )
)


@settings(max_examples=150, deadline=None)
@given(spans(), st.sampled_from(ZONES), spans(), moments)
def test_it_lies_in_both_and_nothing_earlier_does(
    window: Window, zone: str, sender: Window, at: datetime
) -> None:
    theirs = Window(window.days, window.start, window.end)  # the recipient's own clock
    found = common_stretch(theirs, at, zone, None, sender, FORTNIGHT)

    def both(moment: datetime) -> bool:
        return is_inside(theirs, moment, zone, None) and is_inside(sender, moment, "UTC", None)

    step = timedelta(minutes=15)  # every offset and every hour of these windows is a multiple of it
    aligned = at + (step - timedelta(minutes=at.minute % 15))
    end = found[0] if found else at + FORTNIGHT
    assert not any(both(aligned + n * step) for n in range(int((end - aligned) / step)))
    if found:
        begin, close = found
        assert at <= begin < at + FORTNIGHT
        assert begin < close
        assert both(begin)
        assert both(close - timedelta(seconds=1))
        assert not both(close) or any(
            close.astimezone(ZoneInfo(each.zone or zone)).time() == time() for each in (theirs, sender)
        ), "open to the end of the day, and on the next one again"


def test_each_by_their_own_clock_also_where_only_one_of_them_changes_it() -> None:
    """New York changes three weeks before Berlin: for these weeks the common hours begin at another time in Berlin."""
    theirs, sender = Window(start=time(9), end=time(17)), hours("America/New_York", 9, 17)
    for day, berlin in ((date(2026, 3, 6), 15), (date(2026, 3, 9), 14), (date(2026, 3, 30), 15)):
        midnight = datetime.combine(day, time(), UTC)
        found = common_stretch(theirs, midnight, "Europe/Berlin", None, sender, FORTNIGHT)
        assert found is not None
        assert found[0].astimezone(ZoneInfo("Europe/Berlin")) == datetime.combine(
            day, time(berlin), ZoneInfo("Europe/Berlin")
        )


def test_hours_that_never_meet() -> None:
    sender = hours("Europe/Berlin", 9, 17)
    night = Window(start=time(22), end=time(23))
    at = datetime(2026, 3, 2, tzinfo=UTC)
    assert common_stretch(night, at, "Europe/Berlin", None, sender, FORTNIGHT) is None
    weekend = Window(days=frozenset({6, 7}), start=time(9), end=time(17))
    assert common_stretch(weekend, at, "Europe/Berlin", None, sender, FORTNIGHT) is None


def test_what_begins_only_after_the_span_is_none() -> None:
    """Three weeks of holidays: what comes then is nothing that could be waited for."""
    sender = hours("UTC", 9, 10, frozenset({1}))
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday, just after
    everyone = Window(days=frozenset(range(1, 8)), start=time(), end=time.max)
    assert common_stretch(everyone, at, "UTC", None, sender, timedelta(days=6)) is None
    found = common_stretch(everyone, at, "UTC", None, sender, timedelta(days=7))
    assert found == (datetime(2026, 3, 9, 9, tzinfo=UTC), datetime(2026, 3, 9, 10, tzinfo=UTC))
