"""One reply in, one analysis out."""

from dataclasses import dataclass, replace

from cadenza.understanding import automatic, details, labels, precedence
from cadenza.understanding.absence import read_automatic
from cadenza.understanding.answers import accepted_slots, read_answer
from cadenza.understanding.carrying import carrying, frame, outside
from cadenza.understanding.contracts import (
    Analysis,
    Authority,
    Budget,
    FailureType,
    Focus,
    Intent,
    Interest,
    MailKind,
    Objection,
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

_UNSURE = 0.55  # below this a person looks
_TWO_FIT = 0.7  # where the words of two intents stand and a rule says which of them counts; a guess as well
_RULE = 0.95  # for stop requests in words and for automatic mail; a guess on the careful side, too few texts to measure
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
    """What surely is more than a tendency: a stop in words, an answer to our question, a slot that is taken."""
    if reading.has("unsubscribe") and not _stops_something_else(reading, intents):
        tone = min(judged.sentiment, 0.0)
        return _consistent(replace(judged, intent=Intent.UNSUBSCRIBE, confidence=_RULE, sentiment=tone))
    answer = read_answer(reading)
    if answer and (answer.intent is not judged.intent or answer.confidence > judged.confidence):
        interest = Interest.HIGH if answer.intent is Intent.MEETING_REQUEST else Interest.MEDIUM
        answered = replace(judged, intent=answer.intent, confidence=answer.confidence, interest=interest)
        return _consistent(answered)
    if judged.intent is not Intent.MEETING_REQUEST and accepted_slots(reading) and not reading.has("no"):
        confidence = max(_TWO_FIT, intents[Intent.MEETING_REQUEST])
        return replace(judged, intent=Intent.MEETING_REQUEST, confidence=confidence, interest=Interest.HIGH)
    return _consistent(_weightier(reading, judged, intents))


def _weightier(reading: Reading, judged: _Judgement, intents: dict[str, float]) -> _Judgement:
    """When two fit, the one that changes what we do next, by the precedence of docs/reply-analysis.md."""
    if judged.intent in (Intent.INFORMATION_REQUEST, Intent.POSITIVE_INTEREST) and precedence.offers_meeting(
        reading
    ):
        other = Intent.MEETING_REQUEST
    elif judged.intent is Intent.OBJECTION and precedence.names_a_later_time(reading):
        other = Intent.TIMING
    else:
        return judged
    return replace(judged, intent=other, confidence=max(_TWO_FIT, intents[other]))


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


_OTHER_LISTS = ("invite", "invitation", "einladung", "guest", "meeting", "termin", "calendar", "thread", "cc")


def _stops_something_else(reading: Reading, intents: dict[str, float]) -> bool:
    """As in "Take me off the invite list", "remove me from the calendar series": about a meeting, not about us."""
    sentence = " ".join(
        reading.text[max(0, start - 10) : end + 40].lower() for start, end in reading.marks["unsubscribe"]
    )
    return any(word in sentence for word in _OTHER_LISTS) or (
        _best(intents) == "meeting_request" and intents["unsubscribe"] < 0.02
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """Values with the places that they were read from."""

    objections: list[tuple[Objection, tuple[Span, ...]]]
    authority: tuple[Authority, tuple[Span, ...]]
    vendors: list[tuple[str, Span]]
    budget: tuple[Budget, Span] | None
    questions: list[Span]
    times: tuple[tuple[str, ...], list[Span]]
    day: tuple[str | None, list[Span]]
    people: tuple[tuple[Referral, ...], list[Span]]


def _facts(reading: Reading, kind: MailKind, intent: Intent) -> _Facts:
    person = kind is MailKind.PERSON
    return _Facts(
        objections=labels.objections(reading, intent) if person else [],
        authority=labels.authority(reading, automatic=not person),
        vendors=details.find_competitors(reading.text) if person else [],
        budget=details.find_budget(reading.text) if person else None,
        questions=details.find_questions(reading.text) if person else [],
        times=_times(reading, intent),
        day=_return_date(reading, kind, intent),
        people=_referrals(reading, kind, intent),
    )


def _assemble(reading: Reading, kind: MailKind, judged: _Judgement) -> Analysis:
    person, intent, sentiment = kind is MailKind.PERSON, judged.intent, round(judged.sentiment, 2)
    facts = _facts(reading, kind, intent)
    raised = tuple(objection for objection, _ in facts.objections)
    queue = labels.queue(reading, intent, judged.interest, kind, sentiment)
    return Analysis(
        language=reading.language,
        text=reading.new.text,
        intent=intent,
        confidence=round(judged.confidence, 3),
        interest=judged.interest,
        sentiment=sentiment,
        urgency=_urgency(reading, judged, queue, automatic_mail=not person),
        objections=raised,
        authority=facts.authority[0],
        buying_stage=labels.buying_stage(reading, intent, judged.interest),
        focus=labels.focus(reading) if person else Focus.UNKNOWN,
        queue=queue,
        return_date=facts.day[0],
        referrals=facts.people[0],
        competitors=tuple(name for name, _ in facts.vendors),
        budget=facts.budget[0] if facts.budget else None,
        proposed_times=facts.times[0],
        questions=tuple(reading.text[start:end] for start, end in facts.questions),
        needs_person=judged.confidence < _UNSURE and person,
        evidence=_evidence(reading, judged, facts),
        signals=read_signals(reading, intent, queue, raised, sentiment, automatic=not person),
    )


def _evidence(reading: Reading, judged: _Judgement, facts: _Facts) -> dict[str, tuple[Span, ...]]:
    places: dict[str, list[Span]] = {
        "intent": _intent_evidence(reading, judged.intent),
        "objections": [span for _, spans in facts.objections for span in spans],
        "authority": list(facts.authority[1]),
        "competitors": [span for _, span in facts.vendors],
        "budget": [facts.budget[1]] if facts.budget else [],
        "questions": facts.questions,
        "proposed_times": facts.times[1],
        "return_date": facts.day[1],
        "referrals": facts.people[1],
        "urgency": outside(reading.marks["urgent"], frame(reading)) if judged.urgency is Urgency.HIGH else [],
    }
    covered = {name: covering(reading.text, spans) for name, spans in places.items()}
    return {name: spans for name, spans in covered.items() if spans}


def _intent_evidence(reading: Reading, intent: Intent) -> list[Span]:
    """The words of the intent; where none of them stands, the sentence that speaks most for it."""
    marks = [span for cue in _CUE_OF_INTENT.get(intent, ()) for span in reading.marks[cue]]
    found = outside(marks, frame(reading))
    absent = (
        automatic.absence_evidence(reading.text)
        if intent in (Intent.OUT_OF_OFFICE, Intent.AUTO_REPLY)
        else None
    )
    return [absent] if absent else found or carrying(reading, intent.value)


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
