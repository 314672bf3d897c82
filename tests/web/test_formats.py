from datetime import UTC, datetime, timedelta

import pytest
from babel.dates import format_timedelta

from cadenza.web.contracts import Reader
from cadenza.web.formats import (
    ago,
    clock,
    date,
    moment,
    number,
    percent,
    reading,
    sentence,
    slot,
    span,
    zone_of,
)

NOW = datetime(2026, 5, 6, 8, 42, tzinfo=UTC)
BERLIN = Reader("Nora", locale="en", timezone="Europe/Berlin")
GERMAN = Reader("Nora", locale="de", timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW, "10:42"),
        (NOW + timedelta(days=1), "Thu 10:42"),
        (NOW - timedelta(days=20), "Thu 16 Apr 10:42"),
        (NOW - timedelta(days=400), "1 Apr 2025"),
        (datetime(2026, 5, 5, 22, 30, tzinfo=UTC), "00:30"),
    ],
)
def test_a_time_is_as_short_as_it_can_be_without_doubt(at: datetime, text: str) -> None:
    with reading(BERLIN, NOW):
        assert f">{text}</time>" in moment(at)


def test_the_recipients_time_stands_beside_ours_only_where_it_differs() -> None:
    with reading(BERLIN, NOW):
        assert ">10:42, theirs 04:42</time>" in moment(NOW, "America/New_York")
        assert ">10:42</time>" in moment(NOW, "Europe/Paris")
        assert ">Tue 10:42, theirs 04:42</time>" in moment(NOW - timedelta(days=1), "America/New_York")
        assert ">23:42, theirs Thu 06:42</time>" in moment(NOW + timedelta(hours=13), "Asia/Tokyo")
        assert ">10:42, theirs 08:42</time>" in moment(NOW, "No/Such Zone<script>")


def test_numbers_follow_the_readers_locale() -> None:
    with reading(BERLIN, NOW):
        assert (number(1060), percent(0.0234), span(0.012, 0.0431)) == ("1,060", "2.3\u202f%", "1.2–4.3")
    with reading(GERMAN, NOW):
        assert (number(1060), percent(0.0234), span(0.012, 0.0431)) == ("1.060", "2,3\u202f%", "1,2–4,3")


def test_the_day_is_the_readers() -> None:
    late = datetime(2026, 5, 5, 22, 30, tzinfo=UTC)
    with reading(BERLIN, NOW):
        assert date(late) == "Wednesday 6 May 2026"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("in time", "In time."),
        ("Sure?", "Sure?"),
        ("a@b.example is free", "a@b.example is free."),
        ("", ""),
        (" élan ", "Élan."),
    ],
)
def test_a_noted_reason_reads_as_a_sentence(words: str, text: str) -> None:
    assert sentence(words) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-05-08T14:30:00+00:00", "Fri 8 May 10:30"),
        ("2026-05-08T09:00:00-04:00/2026-05-08T12:00:00-04:00", "Fri 8 May 09:00–12:00"),
        ("2026-09-01", "Tue 1 Sep"),
        ("<b>soon</b>", "<b>soon</b>"),
        ("2026-05-08T14:30:00+00:00/later", "2026-05-08T14:30:00+00:00/later"),
    ],
)
def test_an_offered_time_is_said_in_their_zone(value: str, text: str) -> None:
    with reading(BERLIN, NOW):
        assert slot(value, "America/New_York") == text


def test_a_clock_of_another_day_names_the_day() -> None:
    with reading(BERLIN, NOW):
        assert ">10:42:00</time>" in clock(NOW)
        assert ">Tue 10:42</time>" in clock(NOW - timedelta(days=1))


@pytest.mark.parametrize(
    "name", ["No/Such", "../../etc/passwd", "/etc/passwd", "", "<script>", "Europe/Berlin\x00"]
)
def test_a_zone_that_is_none_is_read_as_utc(name: str) -> None:
    assert zone_of(name).key == "UTC"


@pytest.mark.parametrize("reader", [BERLIN, GERMAN])
def test_how_long_ago_is_said_as_babel_says_it_at_every_edge_of_a_unit(reader: Reader) -> None:
    units = [1, 60, 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400]
    shares = (0, 0.84, 0.85, 0.86, 1, 1.5, 2.5, 51 / 60, 11)
    spans = [timedelta(seconds=sign * unit * share) for unit in units for share in shares for sign in (1, -1)]
    with reading(reader, NOW):
        said = [ago(NOW + span) for span in spans]
    assert said == [format_timedelta(span, add_direction=True, locale=reader.locale) for span in spans]
