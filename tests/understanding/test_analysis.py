"""The analysis of one reply, field by field."""

import json
from datetime import datetime
from typing import Any

import pytest

from cadenza.core.errors import CadenzaError
from cadenza.understanding.contracts import Analysis, FailureType, Intent, MailKind, Reply
from cadenza.understanding.people import find_people
from cadenza.understanding.service import analyze, reply_from_json

FIELDS = {
    "language", "text", "intent", "confidence", "interest", "sentiment", "urgency", "objections", "authority", "buying_stage",
    "focus", "queue", "return_date", "referrals", "competitors", "budget", "proposed_times", "questions", "needs_person",
    "evidence", "signals",
}  # fmt: skip


def read(body: str, *, ours: str | None = None, **fields: Any) -> Analysis:
    row = {
        "id": "1",
        "raw_body": body,
        "received_at": "2026-11-23T09:00:00+01:00",
        "from_email": "ann@acme.de",
        **fields,
    }
    if ours:
        row["thread"] = [{"by": "us", "text": ours, "at": "2026-11-20T09:00:00+01:00"}]
    return analyze(reply_from_json(json.dumps(row), 1))


def test_public_object_has_exactly_the_fields_of_the_contract() -> None:
    public = json.loads(json.dumps(read("Thursday at 3pm works. How much is it?").to_dict()))
    assert set(public) == FIELDS
    assert set(public["signals"]) == {
        "tone", "style", "terms", "vendor_satisfaction", "criteria", "decision_by", "stakeholders", "deal_size", "bant", "complexity",
    }  # fmt: skip
    assert set(public["signals"]["bant"]) == {"budget", "authority", "need", "timeline"}
    assert public["questions"] == ["How much is it?"]
    for spans in public["evidence"].values():
        assert all(0 <= start < end <= len(public["text"]) for start, end in spans)


@pytest.mark.story("3.1.3.2", 7)
@pytest.mark.parametrize(
    ("language", "intent", "body"),
    [
        ("en", "meeting_request", "Let's find half an hour on Wednesday to go through it."),
        ("en", "information_request", "What would the price be for sixty people?"),
        ("en", "not_interested", "No thanks, we are not interested."),
        ("de", "timing", "Im Moment passt es nicht, bitte im April noch einmal melden."),
        ("de", "objection", "Das ist für uns leider viel zu teuer."),
        ("de", "referral", "Bitte wenden Sie sich an meine Kollegin Eva Kern, sie ist dafür zuständig."),
        ("fr", "meeting_request", "Mardi à 10h, cela me convient."),
        ("fr", "unsubscribe", "Merci de ne plus me contacter."),
        ("es", "information_request", "¿Qué precio tiene para veinte personas?"),
        ("es", "not_interested", "No, gracias, no nos interesa."),
        ("it", "referral", "Non me ne occupo io, contatti la mia collega Paola."),
        ("pt", "timing", "Agora não é o momento, fale comigo no próximo ano."),
        ("nl", "unsubscribe", "Stop met mailen en verwijder mijn gegevens."),
        ("ja", "unsubscribe", "メールの配信を停止してください。"),
        ("zh", "objection", "我们已经在使用其他供应商的产品，比较满意。"),
        ("ko", "information_request", "가격과 자료를 보내주실 수 있나요?"),
        ("ru", "not_interested", "Спасибо, нам это не интересно."),
        ("ar", "unsubscribe", "لا ترسل لي أي رسائل بعد الآن"),
    ],
)
def test_intent_and_language(language: str, intent: str, body: str) -> None:
    analysis = read(body)
    assert (analysis.language, analysis.intent) == (language, intent)


@pytest.mark.story("3.1.3.2", 2)
def test_objections_in_order_with_evidence_and_values() -> None:
    analysis = read("Too expensive. Our budget is 20k EUR max, and we already use HubSpot.")
    assert analysis.objections == ("budget", "competition")
    assert analysis.competitors == ("HubSpot",)
    assert analysis.budget is not None
    assert (analysis.budget.amount, analysis.budget.currency) == (20_000, "EUR")
    text = analysis.text or ""
    assert "HubSpot" in [text[start:end] for start, end in analysis.evidence["competitors"]]


@pytest.mark.story("3.1.3.2", 4)
def test_referral_names_the_person() -> None:
    person = read(
        "Bitte wenden Sie sich an Anna Berg, Leiterin Einkauf (anna.berg@acme.de, Tel. 030 1234567)."
    ).referrals[0]
    assert (person.name, person.email, person.phone, person.title) == (
        "Anna Berg",
        "anna.berg@acme.de",
        "+49301234567",
        "Leiterin Einkauf",
    )


@pytest.mark.story("3.1.3.2", 1)
def test_interest_goes_to_a_person_who_sells() -> None:
    analysis = read("This sounds great, exactly what we were looking for. Tell me more!")
    assert (analysis.intent, analysis.queue) == ("positive_interest", "sales")
    assert analysis.interest in ("high", "medium")
    assert analysis.sentiment > 0.15


@pytest.mark.story("3.1.3.2", 5)
def test_sentiment_tells_anger_from_thanks() -> None:
    angry, warm = (
        read("Stop this spam at once, you are harassing me!"),
        read("Thank you so much, this looks wonderful."),
    )
    assert angry.sentiment < -0.15 < 0.15 < warm.sentiment
    assert angry.signals.tone == "angry"


@pytest.mark.story("3.1.3.2", 6)
def test_urgency() -> None:
    assert read("We need a quote urgently, can you send it today?").urgency == "high"
    assert read("Thanks, will have a look.").urgency == "low"


@pytest.mark.parametrize(
    ("ours", "body", "intent", "times"),
    [
        ("Shall I send you the case study?", "Yes please.", "information_request", ()),
        ("Could we have a call?", "Sure", "meeting_request", ()),
        ("Should I close your file?", "Yes", "unsubscribe", ()),
        (
            "Could you do Thursday 14:00 or Friday 10:00?",
            "Thursday works",
            "meeting_request",
            ("2026-11-26T14:00:00+01:00",),
        ),
        (
            "How about Thursday 14:00 London time?",
            "yes, works",
            "meeting_request",
            ("2026-11-26T14:00:00+00:00",),
        ),
    ],
)
def test_short_answers_are_read_with_our_question(
    ours: str, body: str, intent: str, times: tuple[str, ...]
) -> None:
    analysis = read(body, ours=ours)
    assert (analysis.intent, analysis.proposed_times) == (intent, times)


@pytest.mark.parametrize(
    ("body", "queue"),
    [
        ("Please unsubscribe me.", "suppression"),
        ("Delete my data. Where did you get my address?", "legal"),
        ("Schreiben Sie mir nicht mehr, sonst schalte ich meinen Anwalt ein.", "legal"),
        ("Our company has filed for insolvency.", "relationship"),
        ("Can you send me your price list?", "pricing"),
        ("Does it integrate with our SAP by API?", "technical"),
        ("That is too expensive for us.", "objections"),
        ("Thursday at 10 works for a call.", "sales"),
        ("Thursday at 10 works for a call.\n\nBest regards,\nAnn Lee\nCEO\nAcme AG", "executive"),
        ("Please get back to me in March.", "automation"),
        ("No thanks.", "sequence"),
    ],
)
def test_queues(body: str, queue: str) -> None:
    assert read(body).queue == queue


@pytest.mark.parametrize(
    "body",
    [
        "STOPP",
        "Ich widerspreche der Nutzung meiner Daten.",
        "Merci de ne plus m'écrire.",
        "Plus de mails, merci.",
        "Drop us from your list.",
        "De baja, por favor.",
    ],
)
def test_stops_in_any_words(body: str) -> None:
    assert read(body).intent == "unsubscribe"


@pytest.mark.parametrize(
    "body",
    [
        "I am travelling with little access to email and will be back on 3 December.",
        "Ich bin auf Dienstreise und lese meine E-Mails nur selten.",
        "En déplacement, je consulte peu ma messagerie.",
    ],
)
def test_absence_in_words_alone(body: str) -> None:
    assert read(body).intent == "out_of_office"


def test_drop_me_a_line_is_no_stop() -> None:
    assert read("Busy until the harvest is in, drop me a line in November.").intent != "unsubscribe"


def test_invite_list_is_not_our_list() -> None:
    assert read("Please take me off the invite list for Thursday's call.").intent != "unsubscribe"


@pytest.mark.must_not("M6")
def test_absence_note() -> None:
    analysis = read(
        "I am out of the office until 4 December inclusive. Contact Eva Kern, eva@acme.de.",
        headers={"Auto-Submitted": "auto-replied"},
    )
    assert (analysis.intent, analysis.queue, analysis.interest) == ("out_of_office", "sequence", "none")
    assert analysis.return_date == "2026-12-07"
    assert analysis.referrals[0].email == "eva@acme.de"


@pytest.mark.must_not("M8")
@pytest.mark.parametrize(
    ("subject", "body", "intent"),
    [
        ("Re: Moving away from spreadsheets?", "How long does a rollout take?", "information_request"),
        ("Re: Out of office replies, automatic reply rules", "How much does it cost?", "information_request"),
        (
            "Re: unsubscribe rates",
            "Can you send me some references?\n\n> To unsubscribe, reply stop",
            "information_request",
        ),
        ("Re: hi", "What does it cost?\n\n> I am out of the office until Friday", "information_request"),
    ],
)
def test_our_words_and_subject_move_no_label(subject: str, body: str, intent: str) -> None:
    assert read(body, subject=subject).intent == intent


@pytest.mark.parametrize(
    ("kind", "failure", "intent", "queue"),
    [
        (MailKind.BOUNCE, FailureType.HARD, Intent.BOUNCE, "suppression"),
        (MailKind.BOUNCE, FailureType.DELAYED, Intent.BOUNCE, "sequence"),
        (MailKind.COMPLAINT, None, Intent.UNSUBSCRIBE, "suppression"),
        (MailKind.RECEIPT, None, Intent.AUTO_REPLY, "sequence"),
        (MailKind.CALENDAR, None, Intent.AUTO_REPLY, "sequence"),
        (MailKind.BULK, None, Intent.AUTO_REPLY, "sequence"),
        (MailKind.OWN_COPY, None, Intent.OTHER, "sequence"),
    ],
)
def test_what_detection_found_decides(
    kind: MailKind, failure: FailureType | None, intent: Intent, queue: str
) -> None:
    analysis = analyze(Reply(raw_body="Some words here", kind=kind, failure=failure))
    assert (analysis.intent, analysis.queue) == (intent, queue)


def test_nothing_written() -> None:
    analysis = read("> only our own words")
    assert (analysis.text, analysis.intent, analysis.language) == (None, "other", None)


def test_unsure_asks_for_a_person() -> None:
    analysis = read("Hm, the blue one next to the fountain.")
    assert analysis.needs_person
    assert analysis.confidence < 0.55


def test_without_a_time_of_receipt_no_day_is_guessed() -> None:
    analysis = analyze(Reply(raw_body="Let us have a call on Thursday at 3pm."))
    assert (analysis.intent, analysis.proposed_times) == ("meeting_request", ())


def test_analysis_is_the_same_twice() -> None:
    reply = Reply(
        raw_body="Call me tomorrow at 4pm.", received_at=datetime.fromisoformat("2026-11-23T09:00:00+01:00")
    )
    assert analyze(reply) == analyze(reply)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("{", None),
        ("[1]", None),
        ('{"id": "x"}', "raw_body"),
        ('{"raw_body": "x", "received_at": "yesterday"}', "received_at"),
        ('{"raw_body": "x", "received_at": "2026-11-23T09:00:00"}', "received_at"),
        ('{"raw_body": "x", "headers": []}', "headers"),
        ('{"raw_body": "x", "thread": [{"by": "me", "text": "x"}]}', "thread"),
        ('{"raw_body": "x", "subject": 7}', "subject"),
    ],
)
def test_bad_lines_name_line_and_key(line: str, key: str | None) -> None:
    with pytest.raises(CadenzaError) as caught:
        reply_from_json(line, 7)
    assert (caught.value.problems[0].line, caught.value.problems[0].key) == (7, key)


@pytest.mark.parametrize(
    ("body", "name", "title"),
    [
        ("Je ne suis pas la bonne personne. Contactez Paul Martin paul@b.example", "Paul Martin", None),
        (
            "Not me. Please ask Jane Doe <jane@acme.example>, VP Sales, +1 415 555 0100.",
            "Jane Doe",
            "VP Sales",
        ),
        ("Falsche Adresse. Kontaktieren Sie Petra Kühn (petra@c.example).", "Petra Kühn", None),
    ],
)
def test_a_referral_is_a_name_without_the_verb_before_and_with_the_job_behind(
    body: str, name: str, title: str | None
) -> None:
    (found,) = find_people(body)
    assert (found.person.name, found.person.title) == (name, title)
