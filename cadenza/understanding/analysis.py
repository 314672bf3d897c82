"""One reply in, one analysis out."""

from dataclasses import dataclass, replace

from cadenza.understanding import automatic, details, labels
from cadenza.understanding.absence import read_automatic
from cadenza.understanding.answers import accepted_slots, read_answer
from cadenza.understanding.contracts import (
    Analysis,
    FailureType,
    Focus,
    Intent,
    Interest,
    MailKind,
    Queue,
    Referral,
    Reply,
    Urgency,
)
from cadenza.understanding.cues import Span, covering
from cadenza.understanding.failures import STATUS, failure_type
from cadenza.understanding.heads import features, load_model
from cadenza.understanding.reading import Reading, read
from cadenza.understanding.signals import read_signals
from cadenza.understanding.slots import Slot

_UNSURE = 0.55  # below this a person looks; see docs/figures.md for how often that is right
_RULE = 0.95  # held-out share right of the unsubscribe rule and of header rules, rounded down
_INTENT_OF_KIND = {
    MailKind.OUT_OF_OFFICE: Intent.OUT_OF_OFFICE,
    MailKind.AUTO_REPLY: Intent.AUTO_REPLY,
    MailKind.BOUNCE: Intent.BOUNCE,
    MailKind.COMPLAINT: Intent.UNSUBSCRIBE,
    MailKind.DELIVERED: Intent.AUTO_REPLY,
    MailKind.RECEIPT: Intent.AUTO_REPLY,
    MailKind.CALENDAR: Intent.AUTO_REPLY,
    MailKind.BULK: Intent.AUTO_REPLY,
    MailKind.OWN_COPY: Intent.OTHER,
}
_CUE_OF_INTENT = {
    Intent.MEETING_REQUEST: ("meeting",),
    Intent.POSITIVE_INTEREST: ("positive",),
    Intent.INFORMATION_REQUEST: ("information", "price"),
    Intent.REFERRAL: ("referral",),
    Intent.TIMING: ("later",),
    Intent.OBJECTION: ("budget", "competition", "need", "technical", "risk", "authority"),
    Intent.NOT_INTERESTED: ("no",),
    Intent.UNSUBSCRIBE: ("unsubscribe",),
    Intent.ACKNOWLEDGMENT: ("thanks",),
    Intent.OTHER: ("delicate",),
}


@dataclass(frozen=True, slots=True)
class _Judgement:
    """The labels that the heads and rules give."""

    intent: Intent
    confidence: float
    interest: Interest
    sentiment: float
    urgency: Urgency


def analyze(reply: Reply) -> Analysis:
    """Read one reply. Pure and deterministic; never raises for any text."""
    reading = read(reply)
    kind = _kind(reading)
    if kind is MailKind.BOUNCE and reply.failure is None:
        reading = replace(reading, reply=replace(reply, failure=_failure(reading)))
    automatic_mail = kind is not MailKind.PERSON
    judged = _automatic(kind) if automatic_mail else _judge(reading)
    return _assemble(reading, kind, judged)


def _kind(reading: Reading) -> MailKind:
    """What detection said; without it, the same signs in headers, subject and new words."""
    reply = reading.reply
    if reply.kind is not None:
        return reply.kind
    found = automatic.automatic_kind(reply.subject, reading.text, reply.headers, reply.from_email)
    return found or MailKind.PERSON


def _failure(reading: Reading) -> FailureType:
    status = STATUS.search(reading.reply.raw_body[:20_000])
    return failure_type(
        status.group(1) if status else None, f"{reading.reply.subject}\n{reading.reply.raw_body[:4_000]}"
    )


def _automatic(kind: MailKind) -> _Judgement:
    sentiment = -0.5 if kind is MailKind.COMPLAINT else 0.0
    urgency = Urgency.MEDIUM if kind is MailKind.COMPLAINT else Urgency.LOW
    return _Judgement(_INTENT_OF_KIND[kind], _RULE, Interest.NONE, sentiment, urgency)


def _judge(reading: Reading) -> _Judgement:
    if not reading.text:
        return _Judgement(Intent.OTHER, 0.5, Interest.UNKNOWN, 0.0, Urgency.LOW)
    model, inputs = load_model(), features(reading)
    intents = model.heads["intent"].probabilities(inputs)
    intent, confidence = max(intents.items(), key=lambda item: item[1])
    judged = _Judgement(
        Intent(intent),
        confidence,
        Interest(_best(model.heads["interest"].probabilities(inputs))),
        model.sentiment(inputs),
        Urgency(_best(model.heads["urgency"].probabilities(inputs))),
    )
    return _ruled(reading, judged, intents)


def _best(probabilities: dict[str, float]) -> str:
    return max(probabilities, key=lambda name: probabilities[name])


def _ruled(reading: Reading, judged: _Judgement, intents: dict[str, float]) -> _Judgement:
    """What surely is more than a tendency: a stop in words, an answer to our question, a slot that is offered."""
    if reading.has("unsubscribe") and not _stops_something_else(reading, intents):
        return replace(
            judged,
            intent=Intent.UNSUBSCRIBE,
            confidence=_RULE,
            interest=Interest.NONE,
            sentiment=min(judged.sentiment, 0.0),
        )
    answer = read_answer(reading)
    if answer and (answer.intent is not judged.intent or answer.confidence > judged.confidence):
        interest = {
            Intent.MEETING_REQUEST: Interest.HIGH,
            Intent.NOT_INTERESTED: Interest.NONE,
            Intent.UNSUBSCRIBE: Interest.NONE,
        }
        return replace(
            judged,
            intent=answer.intent,
            confidence=answer.confidence,
            interest=interest.get(answer.intent, Interest.MEDIUM),
        )
    if accepted_slots(reading) and judged.intent is not Intent.MEETING_REQUEST and not reading.has("no"):
        return replace(
            judged,
            intent=Intent.MEETING_REQUEST,
            confidence=max(0.7, intents["meeting_request"]),
            interest=Interest.HIGH,
        )
    return _consistent(judged)


def _consistent(judged: _Judgement) -> _Judgement:
    """Interest cannot contradict the intent it belongs to."""
    if judged.intent in (Intent.NOT_INTERESTED, Intent.UNSUBSCRIBE):
        return replace(judged, interest=Interest.NONE)
    if judged.intent is Intent.MEETING_REQUEST and judged.interest in (
        Interest.NONE,
        Interest.LOW,
        Interest.UNKNOWN,
    ):
        return replace(judged, interest=Interest.MEDIUM)
    if judged.interest is Interest.UNKNOWN and judged.intent is not Intent.OTHER:
        return replace(judged, interest=Interest.LOW)
    return judged


_OTHER_LISTS = ("invite", "invitation", "einladung", "guest", "meeting", "termin", "calendar")


def _stops_something_else(reading: Reading, intents: dict[str, float]) -> bool:
    """As in "Take me off the invite list", "remove me from the calendar series": about a meeting, not about us."""
    sentence = " ".join(
        reading.text[max(0, start - 10) : end + 40].lower() for start, end in reading.marks["unsubscribe"]
    )
    return any(word in sentence for word in _OTHER_LISTS) or (
        _best(intents) == "meeting_request" and intents["unsubscribe"] < 0.02
    )


def _assemble(reading: Reading, kind: MailKind, judged: _Judgement) -> Analysis:
    automatic_mail = kind is not MailKind.PERSON
    intent = judged.intent
    sentiment = round(judged.sentiment, 2)
    raised = [] if automatic_mail else labels.objections(reading, intent)
    queue = labels.queue(reading, intent, judged.interest, kind, sentiment)
    role, role_spans = labels.authority(reading, automatic_mail)
    vendors = [] if automatic_mail else details.find_competitors(reading.text)
    money = None if automatic_mail else details.find_budget(reading.text)
    asked = [] if automatic_mail else details.find_questions(reading.text)
    times, time_spans = _times(reading, intent)
    day, day_spans = _return_date(reading, kind, intent)
    people, people_spans = _referrals(reading, kind, intent)
    objection_names = tuple(objection for objection, _ in raised)
    evidence: dict[str, list[Span]] = {
        "intent": _intent_evidence(reading, intent),
        "objections": [span for _, spans in raised for span in spans],
        "authority": list(role_spans),
        "competitors": [span for _, span in vendors],
        "budget": [money[1]] if money else [],
        "questions": asked,
        "proposed_times": time_spans,
        "return_date": day_spans,
        "referrals": people_spans,
        "urgency": reading.marks["urgent"] if judged.urgency is Urgency.HIGH else [],
    }
    return Analysis(
        language=reading.language,
        text=reading.new.text,
        intent=intent,
        confidence=round(judged.confidence, 3),
        interest=judged.interest,
        sentiment=sentiment,
        urgency=_urgency(reading, judged, queue, automatic_mail=automatic_mail),
        objections=objection_names,
        authority=role,
        buying_stage=labels.buying_stage(reading, intent, judged.interest),
        focus=labels.focus(reading) if not automatic_mail else Focus.UNKNOWN,
        queue=queue,
        return_date=day,
        referrals=people,
        competitors=tuple(name for name, _ in vendors),
        budget=money[0] if money else None,
        proposed_times=times,
        questions=tuple(reading.text[start:end] for start, end in asked),
        needs_person=judged.confidence < _UNSURE and not automatic_mail,
        evidence={name: covering(reading.text, spans) for name, spans in evidence.items() if spans},
        signals=read_signals(reading, intent, queue, objection_names, sentiment, automatic=automatic_mail),
    )


def _intent_evidence(reading: Reading, intent: Intent) -> list[Span]:
    """The words of the intent; where none of them stands, the whole short text."""
    found = [span for cue in _CUE_OF_INTENT.get(intent, ()) for span in reading.marks[cue]]
    absent = (
        automatic.absence_evidence(reading.text)
        if intent in (Intent.OUT_OF_OFFICE, Intent.AUTO_REPLY)
        else None
    )
    return [absent] if absent else found or [(0, min(len(reading.text), 200))]


def _urgency(reading: Reading, judged: _Judgement, queue: Queue, *, automatic_mail: bool) -> Urgency:
    """A stop and the law wait no longer than a day; "urgent" with live interest waits no hour."""
    if automatic_mail:
        return judged.urgency
    live = judged.interest in (Interest.HIGH, Interest.MEDIUM)
    if (
        reading.has("urgent")
        and live
        and judged.intent in (Intent.MEETING_REQUEST, Intent.INFORMATION_REQUEST, Intent.POSITIVE_INTEREST)
    ):
        return Urgency.HIGH
    if (
        queue in (Queue.LEGAL, Queue.SUPPRESSION, Queue.RELATIONSHIP, Queue.EXECUTIVE)
        and judged.urgency is Urgency.LOW
    ):
        return Urgency.MEDIUM
    return judged.urgency


def _times(reading: Reading, intent: Intent) -> tuple[tuple[str, ...], list[Span]]:
    """Their own slots, and slots of ours that they take; only where they speak of meeting."""
    if intent is not Intent.MEETING_REQUEST or reading.zone is None:
        return (), []
    taken = accepted_slots(reading)
    days = {slot.at.date() for slot in taken}
    own = [slot for slot in reading.slots if slot.at.date() not in days]
    chosen: list[Slot] = sorted([*own, *taken], key=lambda slot: slot.at)
    return tuple(dict.fromkeys(slot.iso(reading.zone) for slot in chosen)), [
        (slot.start, slot.end) for slot in own
    ]


def _return_date(reading: Reading, kind: MailKind, intent: Intent) -> tuple[str | None, list[Span]]:
    reply = reading.reply
    if kind is MailKind.OUT_OF_OFFICE:
        found = read_automatic(kind, reading.text, received_at=reply.received_at, from_email=reply.from_email)
        return found.return_date, []
    if intent is Intent.TIMING and reading.come_back:
        return reading.come_back.day.isoformat(), [(reading.come_back.start, reading.come_back.end)]
    return None, []


def _referrals(reading: Reading, kind: MailKind, intent: Intent) -> tuple[tuple[Referral, ...], list[Span]]:
    """People count where the reply points to them: referrals, automatic notes, or an address given in any reply."""
    pointing = (
        intent is Intent.REFERRAL
        or kind in (MailKind.OUT_OF_OFFICE, MailKind.AUTO_REPLY)
        or reading.has("referral")
    )
    people = [person for person in reading.people if pointing and kind is not MailKind.BOUNCE]
    return tuple(person.person for person in people), [(person.start, person.end) for person in people]
