"""When the words of two intents stand in one reply, the one that changes what we do next is read (docs/reply-analysis.md)."""

from datetime import datetime

import pytest

from cadenza.understanding.contracts import Analysis, Reply
from cadenza.understanding.service import analyze

RECEIVED = datetime.fromisoformat("2026-11-23T09:00:00+01:00")  # a Monday
THURSDAY, TUESDAY = "2026-11-26", "2026-11-24"


def read(body: str) -> Analysis:
    return analyze(Reply(raw_body=body, received_at=RECEIVED, from_email="ann@acme.de"))


MEETING_BESIDE_A_QUESTION = [
    (
        "Können wir am Donnerstag um 15 Uhr telefonieren? Was kostet das für 50 Nutzer?",
        f"{THURSDAY}T15:00:00+01:00",
    ),
    ("Could we talk on Thursday at 3pm? And what does it cost for 50 users?", f"{THURSDAY}T15:00:00+01:00"),
    (
        "Pourrait-on se parler jeudi à 15h ? Quel est le prix pour 50 utilisateurs ?",
        f"{THURSDAY}T15:00:00+01:00",
    ),
    (
        "What does it cost for 50 users? Happy to go through it on a call on Thursday at 3pm.",
        f"{THURSDAY}T15:00:00+01:00",
    ),
    ("Was kostet das? Am besten besprechen wir das am Dienstag um 10 Uhr.", f"{TUESDAY}T10:00:00+01:00"),
    ("Combien cela coûte-t-il ? Je suis disponible mardi à 10h pour en parler.", f"{TUESDAY}T10:00:00+01:00"),
    ("Interesting! Let's talk on Tuesday at 11.", f"{TUESDAY}T11:00:00+01:00"),
    ("Spannend! Sprechen wir am Dienstag um 11 Uhr.", f"{TUESDAY}T11:00:00+01:00"),
    ("Intéressant ! Parlons-en mardi à 11h.", f"{TUESDAY}T11:00:00+01:00"),
]


@pytest.mark.story("3.1.3.2", 7)
@pytest.mark.parametrize(("body", "time"), MEETING_BESIDE_A_QUESTION)
def test_a_meeting_counts_more_than_a_question_or_interest(body: str, time: str) -> None:
    analysis = read(body)
    assert (analysis.intent, analysis.proposed_times) == ("meeting_request", (time,))


@pytest.mark.parametrize(
    ("body", "intent"),
    [
        ("Sounds interesting. Could you send me the price list?", "information_request"),
        ("Klingt spannend. Können Sie mir die Preisliste schicken?", "information_request"),
        ("C'est intéressant. Pouvez-vous m'envoyer vos tarifs ?", "information_request"),
        ("Not interested, but please ask Eva Kern (eva@acme.de), she looks after this.", "referral"),
        ("Kein Interesse meinerseits, bitte wenden Sie sich an Eva Kern (eva@acme.de).", "referral"),
        ("Cela ne m'intéresse pas, mais voyez avec Eva Kern (eva@acme.de).", "referral"),
        ("Please stop writing to me. What did you pay for my address?", "unsubscribe"),
        ("Bitte schreiben Sie mir nicht mehr. Woher haben Sie meine Adresse?", "unsubscribe"),
        ("Merci de ne plus m'écrire. Où avez-vous trouvé mon adresse ?", "unsubscribe"),
        ("Call me on Thursday at 10 or take me off your list, I do not care.", "unsubscribe"),
    ],
)
def test_what_counts_more(body: str, intent: str) -> None:
    assert read(body).intent == intent


@pytest.mark.story("3.1.3.2", 2)
@pytest.mark.parametrize(
    ("body", "day", "objection"),
    [
        ("This is too expensive for us right now. Try again in September.", "2027-09-01", "budget"),
        ("Zu teuer für uns. Versuchen Sie es im September noch einmal.", "2027-09-01", "budget"),
        ("C'est trop cher pour nous. Revenez vers nous en septembre.", "2027-09-01", "budget"),
        ("We already use HubSpot until next year, get back to me in Q2.", "2027-04-01", "competition"),
        ("Wir nutzen bereits HubSpot, melden Sie sich im Frühjahr wieder.", "2027-03-01", "competition"),
        ("Nous utilisons déjà HubSpot, recontactez-nous au deuxième trimestre.", "2027-04-01", "competition"),
    ],
)
def test_an_objection_with_a_later_day_is_timing_and_keeps_its_reason(
    body: str, day: str, objection: str
) -> None:
    analysis = read(body)
    assert (analysis.intent, analysis.return_date, analysis.queue) == ("timing", day, "automation")
    assert analysis.objections == (objection,)


@pytest.mark.parametrize(
    ("body", "objection"),
    [
        ("This is too expensive for us.", "budget"),
        ("Das ist uns zu teuer.", "budget"),
        ("C'est trop cher pour nous.", "budget"),
        ("The price increase in September made it too expensive for us.", "budget"),
        ("Seit der Preiserhöhung im September ist es uns zu teuer.", "budget"),
        ("We have been using HubSpot since September and are happy with it.", "competition"),
        ("Wir nutzen seit September HubSpot und sind zufrieden.", "competition"),
        ("Nous utilisons HubSpot depuis septembre et en sommes contents.", "competition"),
    ],
)
def test_a_day_that_is_merely_named_leaves_an_objection_one(body: str, objection: str) -> None:
    analysis = read(body)
    assert (analysis.intent, analysis.objections, analysis.return_date) == ("objection", (objection,), None)


@pytest.mark.parametrize(
    "body",
    [
        "Can you send me the brochure by Thursday at 3pm?",
        "Können Sie mir die Unterlagen bis Donnerstag 15 Uhr schicken?",
        "Pouvez-vous m'envoyer la brochure avant jeudi 15h ?",
    ],
)
def test_the_hour_by_which_something_is_wanted_is_no_meeting(body: str) -> None:
    analysis = read(body)
    assert (analysis.intent, analysis.proposed_times) == ("information_request", ())


@pytest.mark.parametrize(
    "body",
    ["We can talk on a call on Thursday at 10 about a pilot.", "Thursday at 10 about one of your tools?"],
)
def test_a_and_one_are_no_hours_and_no_days(body: str) -> None:
    assert read(body).proposed_times == (f"{THURSDAY}T10:00:00+01:00",)


def test_a_weekday_is_no_vendor() -> None:
    assert read("No thanks, as I told your colleague on Monday.").objections == ()
