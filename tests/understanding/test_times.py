"""Days, return dates and offered slots in the words of several languages; received Monday 23 November 2026."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from cadenza.understanding.calendar_tokens import tokenize
from cadenza.understanding.contracts import Reply
from cadenza.understanding.days import find_days
from cadenza.understanding.return_dates import day_to_come_back, first_day_back
from cadenza.understanding.service import analyze
from cadenza.understanding.slots import find_slots
from cadenza.understanding.zones import named_zone, sender_zone

MONDAY = date(2026, 11, 23)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Thursday", "2026-11-26"),
        ("en", "next Tuesday", "2026-12-01"),
        ("en", "Tuesday next week", "2026-12-01"),
        ("en", "Tuesday 1st", "2026-12-01"),
        ("en", "in 6-8 weeks", "2027-01-04"),
        ("en", "the 12th", "2026-12-12"),
        ("en", "mid-January", "2027-01-15"),
        ("de", "am 12.12.", "2026-12-12"),
        ("de", "nächste Woche Dienstag", "2026-12-01"),
        ("de", "in drei Monaten", "2027-02-23"),
        ("fr", "le 12 décembre", "2026-12-12"),
        ("fr", "T1 2027", "2027-01-01"),
        ("es", "dentro de dos meses", "2027-01-23"),
        ("ja", "来週の火曜日", "2026-12-01"),
        ("ja", "来年の3月", "2027-03-01"),
        ("zh", "下周二", "2026-12-01"),
        ("ko", "다음 주 화요일", "2026-12-01"),
        ("ru", "через три месяца", "2027-02-23"),
    ],
)
def test_days(language: str, text: str, expected: str) -> None:
    assert [day.first.isoformat() for day in find_days(tokenize(text, language), MONDAY)] == [expected]


@pytest.mark.parametrize("text", ["may I ask", "we march on", "one sat down", "version 3.2"])
def test_words_that_are_no_days(text: str) -> None:
    assert find_days(tokenize(text, "en"), MONDAY) == []


@pytest.mark.must_not("M6")
@pytest.mark.story("3.1.3.2", 3)
@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "I am out of the office until Friday inclusive.", "2026-11-30"),
        ("en", "Away 23 November to 4 December, returning Monday 7 December.", "2026-12-07"),
        ("en", "I am out of the office until 12 December with limited access.", "2026-12-14"),
        ("en", "I'm on leave through Dec 4.", "2026-12-07"),
        ("en", "I'll be away Dec 7-11", "2026-12-14"),
        ("de", "Ich bin bis einschließlich 4. Dezember nicht im Büro.", "2026-12-07"),
        ("de", "Ich bin vom 23.11. bis 04.12.2026 im Urlaub.", "2026-12-07"),
        ("de", "Ab dem 7. Dezember bin ich wieder erreichbar.", "2026-12-07"),
        ("fr", "Je suis absent du 23 novembre au 4 décembre inclus.", "2026-12-07"),
        ("fr", "Je serai de retour le lundi 7 décembre.", "2026-12-07"),
        ("es", "Estaré fuera de la oficina hasta el 4 de diciembre.", "2026-12-07"),
        ("es", "Vuelvo el 9 de diciembre.", "2026-12-09"),
        ("it", "Sarò fuori ufficio fino al 4 dicembre compreso", "2026-12-07"),
        ("nl", "Ik ben tot en met 4 december afwezig", "2026-12-07"),
        ("ja", "12月4日まで休暇をいただいております。", "2026-12-07"),
        ("zh", "我于11月23日至12月4日休假", "2026-12-07"),
        ("en", "I am on parental leave. Contact bob@x.example", None),
    ],
)
def test_first_day_back(language: str, text: str, expected: str | None) -> None:
    found = first_day_back(text, language, MONDAY)
    assert (found.day.isoformat() if found else None) == expected


@pytest.mark.story("3.1.3.2", 3)
@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Not now, try me again in September", "2027-09-01"),
        ("en", "Come back in Q4 please", "2027-10-01"),
        ("en", "We'll look at this in three months", "2027-02-23"),
        ("en", "after Q1 would be better", "2027-04-01"),
        ("en", "Until June we are frozen, ping me in Q3", "2027-07-01"),
        ("en", "budget is decided in January, let's talk in February", "2027-02-01"),
        ("de", "Melden Sie sich gerne im neuen Jahr wieder", "2027-01-01"),
        ("fr", "revenez vers moi début janvier", "2027-01-01"),
        ("es", "escríbame después de enero", "2027-02-01"),
        ("ja", "来年の3月にまたご連絡ください", "2027-03-01"),
        ("en", "maybe later", None),
    ],
)
def test_day_to_come_back(language: str, text: str, expected: str | None) -> None:
    found = day_to_come_back(text, language, MONDAY)
    assert (found.day.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "Thursday at 3pm or Friday Dec 4th between 10-12 CET",
            ["2026-11-26T15:00", "2026-12-04T10:00/2026-12-04T12:00"],
        ),
        ("en", "Tuesday doesn't work, but Wednesday at 10 is fine", ["2026-11-25T10:00"]),
        (
            "en",
            "Tuesday or Thursday morning.",
            ["2026-11-24T09:00/2026-11-24T12:00", "2026-11-26T09:00/2026-11-26T12:00"],
        ),
        (
            "en",
            "after 4pm on Tuesday, before 11 on Wednesday",
            ["2026-11-24T16:00/2026-11-24T18:00", "2026-11-25T09:00/2026-11-25T11:00"],
        ),
        ("en", "after 6pm on Tuesday", ["2026-11-24T18:00/2026-11-24T21:00"]),
        ("en", "lunch on Friday?", ["2026-11-27T12:00/2026-11-27T13:00"]),
        ("en", "first thing Thursday", ["2026-11-26T09:00"]),
        ("en", "tomorrow end of day", ["2026-11-24T17:00/2026-11-24T18:00"]),
        ("en", "Thursday works", ["2026-11-26T09:00/2026-11-26T18:00"]),
        ("de", "Donnerstag um 15 Uhr. Montag leider nicht.", ["2026-11-26T15:00"]),
        (
            "de",
            "am 2.12. ab 14 Uhr oder am 3.12. vormittags",
            ["2026-12-02T14:00/2026-12-02T18:00", "2026-12-03T09:00/2026-12-03T12:00"],
        ),
        ("de", "Mittwoch halb drei", ["2026-11-25T14:30"]),
        (
            "fr",
            "jeudi à 15h30 ou vendredi matin, entre 9h et 11h",
            ["2026-11-26T15:30", "2026-11-27T09:00/2026-11-27T11:00"],
        ),
        ("es", "el martes 1 de diciembre a las 4 de la tarde", ["2026-12-01T16:00"]),
        (
            "it",
            "giovedì alle 15 o venerdì mattina",
            ["2026-11-26T15:00", "2026-11-27T09:00/2026-11-27T12:00"],
        ),
        ("ja", "来週の火曜日15時か水曜日の午前で", ["2026-12-01T15:00", "2026-11-25T09:00/2026-11-25T12:00"]),
        ("zh", "下周二下午3点可以", ["2026-12-01T15:00"]),
        ("ko", "다음 주 화요일 오후 3시", ["2026-12-01T15:00"]),
    ],
)
def test_slots(language: str, text: str, expected: list[str]) -> None:
    slots = [slot.iso(BERLIN) for slot in find_slots(text, tokenize(text, language), MONDAY)]
    assert [slot.replace(":00+01:00", "") for slot in slots] == expected


def test_a_week_of_daylight_saving_keeps_the_hour() -> None:
    friday = date(2026, 10, 23)
    slots = find_slots(
        "Friday at 10 or Monday at 10", tokenize("Friday at 10 or Monday at 10", "en"), date(2026, 10, 22)
    )
    assert [slot.iso(BERLIN) for slot in slots] == [f"{friday}T10:00:00+02:00", "2026-10-26T10:00:00+01:00"]


@pytest.mark.parametrize(
    ("address", "signature", "zone"),
    [
        ("a@b.de", "", "Europe/Berlin"),
        ("a@b.co.jp", "", "Asia/Tokyo"),
        ("a@b.com", "T +33 1 23 45 67 89", "Europe/Paris"),
    ],
)
def test_zone_of_the_sender(address: str, signature: str, zone: str) -> None:
    assert str(sender_zone(address, signature, datetime(2026, 11, 23, tzinfo=ZoneInfo("UTC")))) == zone


def test_cet_in_summer_means_local_time_there() -> None:
    zone = named_zone("CET")
    assert datetime(2026, 7, 1, 10, tzinfo=zone).isoformat() == "2026-07-01T10:00:00+02:00"


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("Guten Morgen,\n\nkönnen wir am Montag um 14 Uhr telefonieren?", ["2026-03-09T14:00:00+01:00"]),
        ("Guten Morgen Frau Berger,\nmorgen um 10 Uhr passt mir.", ["2026-03-05T10:00:00+01:00"]),
        ("Good morning Anna,\n\ncould we talk on Monday at 2 pm?", ["2026-03-09T14:00:00+01:00"]),
    ],
)
def test_a_greeting_offers_no_time(text: str, offered: list[str]) -> None:
    found = analyze(
        Reply(raw_body=text, received_at=datetime(2026, 3, 4, 9, 0, tzinfo=ZoneInfo("Europe/Berlin")))
    )
    assert list(found.proposed_times) == offered
