"""Labels that follow from what was found: objections, role, stage, focus, queue."""

import re

from cadenza.understanding import cues
from cadenza.understanding.contracts import (
    Authority,
    BuyingStage,
    FailureType,
    Focus,
    Intent,
    Interest,
    MailKind,
    Objection,
    Queue,
)
from cadenza.understanding.cues import Span
from cadenza.understanding.reading import Reading

_AUTOMATIC = (Intent.OUT_OF_OFFICE, Intent.AUTO_REPLY, Intent.BOUNCE)
_PUSHING_BACK = (Intent.OBJECTION, Intent.TIMING, Intent.NOT_INTERESTED)
# Cues plain enough to be an objection next to a live interest; the others need a reply that pushes back.
_PLAIN = (Objection.BUDGET, Objection.AUTHORITY, Objection.RISK)
_GDPR_QUESTION = re.compile(
    r"questionnaire|fragebogen|questionnaire de sécurité|cuestionario|質問票|问卷", re.IGNORECASE
)
_HOSTILE_LAW = re.compile(
    r"gdpr|dsgvo|rgpd|ccpa|lgpd|where did you|how did you (?:get|obtain|find)|woher haben|lawyer|attorney|legal|anwalt|avocat|abogad|avvocat|report you|authority|"
    r"sue\b|abmahn|behörde|cnil|aepd|garante|regulator|rechtlich|unlawful|illegal|denunci|de dónde|où avez|comment avez|律师|投诉|弁護士|違法|법적|신고|суд|роскомнадзор|قانون",
    re.IGNORECASE,
)
_DEAD_MAILBOX = re.compile(
    r"no longer (?:monitored|in use|active|checked|with|works?|employed|valid)|not monitored|unmonitored|left the company|has left|nicht mehr (?:gelesen|betreut|aktiv|im unternehmen|gültig|tätig|verwendet)|"
    r"n'est plus|ne travaille plus|a quitté|ya no (?:trabaja|se utiliza|está)|non (?:è|lavora) più|niet meer|больше не|退職|使われておりません|离职|停用|퇴사",
    re.IGNORECASE,
)


def objections(reading: Reading, intent: Intent) -> list[tuple[Objection, tuple[Span, ...]]]:
    """Those raised, in the order of the text; ``timing`` only where nothing else is the reason."""
    if intent in (*_AUTOMATIC, Intent.UNSUBSCRIBE, Intent.ACKNOWLEDGMENT, Intent.OTHER):
        return []
    found: list[tuple[Objection, tuple[Span, ...]]] = []
    for objection in Objection:
        if objection is Objection.TIMING or not reading.marks[objection.value]:
            continue
        if intent in _PUSHING_BACK or objection in _PLAIN:
            found.append((objection, _spans_of(reading, objection)))
    found = [
        item
        for item in found
        if item[1] and not (item[0] is Objection.TECHNICAL and intent is not Intent.OBJECTION)
    ]
    found = [item for item in found if item[0] is not Objection.RISK or not _only_asks(reading)]
    found.sort(key=lambda item: item[1][0])
    if intent is Intent.TIMING and not found:
        found = [
            (
                Objection.TIMING,
                cues.covering(reading.text, reading.marks["later"]) or ((0, len(reading.text)),),
            )
        ]
    return found


def _spans_of(reading: Reading, objection: Objection) -> tuple[Span, ...]:
    return cues.covering(reading.text, reading.marks[objection.value])


def _only_asks(reading: Reading) -> bool:
    """A request to delete data, a questionnaire or a plain question about hosting is no objection."""
    return (
        bool(_GDPR_QUESTION.search(reading.text))
        or reading.has("unsubscribe")
        or all(
            reading.text[end - 1 : end] in "?？؟"
            for start, end in cues.sentences(reading.text)
            if cues.spans("risk", reading.text[start:end], reading.language or "en")
        )
    )


def authority(reading: Reading, *, automatic: bool) -> tuple[Authority, tuple[Span, ...]]:
    """By the words first, then by the title in the signature."""
    if automatic:
        return Authority.UNKNOWN, ()
    said = cues.authority_span(reading.text)
    if said:
        return Authority(said[0]), (said[1],)
    if reading.has("authority"):
        return Authority.INFLUENCER, ()
    signature = reading.new.signature
    for role in ("gatekeeper", "executive", "decision_maker", "influencer", "user"):
        if signature and cues.has_role(role, signature):
            return Authority("decision_maker" if role == "executive" else role), ()
    return Authority.UNKNOWN, ()


def is_executive(reading: Reading, *, automatic: bool) -> bool:
    """A C-level or the like who writes personally."""
    signature = reading.new.signature
    return (
        not automatic and cues.has_role("executive", signature) and not cues.has_role("gatekeeper", signature)
    )


_SIGNING = re.compile(
    r"\b(?:sign|order|purchase order|contract|invoice|quote|vertrag|bestell\w+|angebot über|devis|signer|contrato|firmar|po)\b|契約|注文|合同|계약",
    re.IGNORECASE,
)
_ASKING = (Intent.INFORMATION_REQUEST, Intent.MEETING_REQUEST, Intent.POSITIVE_INTEREST)
_NO_STAGE = (*_AUTOMATIC, Intent.NOT_INTERESTED, Intent.UNSUBSCRIBE, Intent.OTHER)


def buying_stage(reading: Reading, intent: Intent, interest: Interest) -> BuyingStage:
    """How far they are: signing words, then prices and technology, then plain questions."""
    if interest is Interest.NONE or intent in _NO_STAGE:
        return BuyingStage.NONE
    if intent in _ASKING and reading.has("price") and _SIGNING.search(reading.text):
        return BuyingStage.DECISION
    if intent in (Intent.INFORMATION_REQUEST, Intent.MEETING_REQUEST):
        compares = reading.has("price") or reading.has("technical") or reading.has("legal")
        return BuyingStage.EVALUATION if compares else BuyingStage.CONSIDERATION
    live = interest in (Interest.HIGH, Interest.MEDIUM)
    considers = live and intent in (Intent.POSITIVE_INTEREST, Intent.OBJECTION)
    return BuyingStage.CONSIDERATION if considers else BuyingStage.AWARENESS


def focus(reading: Reading) -> Focus:
    technical = reading.has("technical")
    business = (
        reading.has("price")
        or reading.has("budget")
        or bool(
            re.search(
                r"\b(?:roi|revenue|growth|sales|cost|savings|business case|umsatz|wachstum|vertrieb|croissance|ventas|ingresos|kpi)\b|売上|营收|매출",
                reading.text,
                re.IGNORECASE,
            )
        )
    )
    if technical and business:
        return Focus.MIXED
    return Focus.TECHNICAL if technical else Focus.BUSINESS if business else Focus.UNKNOWN


def queue(reading: Reading, intent: Intent, interest: Interest, kind: MailKind, sentiment: float) -> Queue:
    """Who handles it next, by the precedence of the contract."""
    if intent in _AUTOMATIC:
        return _automatic_queue(reading, intent)
    hostile = bool(_HOSTILE_LAW.search(reading.text)) and reading.has("legal")
    if intent is Intent.UNSUBSCRIBE:
        return Queue.LEGAL if hostile and kind is not MailKind.COMPLAINT else Queue.SUPPRESSION
    if reading.has("legal") and (
        hostile or intent in (Intent.INFORMATION_REQUEST, Intent.OBJECTION, Intent.OTHER)
    ):
        return Queue.LEGAL
    if reading.has("delicate") or (reading.has("anger") and sentiment < -0.2):
        return Queue.RELATIONSHIP
    if kind is MailKind.OWN_COPY or not reading.text:
        return Queue.SEQUENCE
    return _person_queue(reading, intent, interest)


def _person_queue(reading: Reading, intent: Intent, interest: Interest) -> Queue:
    live = interest in (Interest.HIGH, Interest.MEDIUM)
    if is_executive(reading, automatic=False) and intent not in (
        Intent.NOT_INTERESTED,
        Intent.ACKNOWLEDGMENT,
        Intent.TIMING,
        Intent.REFERRAL,
    ):
        return Queue.EXECUTIVE
    if reading.has("price") and intent in _ASKING and intent is not Intent.MEETING_REQUEST:
        return Queue.PRICING
    if reading.has("technical") and intent is Intent.INFORMATION_REQUEST:
        return Queue.TECHNICAL
    plain = {
        Intent.OBJECTION: Queue.OBJECTIONS,
        Intent.MEETING_REQUEST: Queue.SALES,
        Intent.POSITIVE_INTEREST: Queue.SALES,
        Intent.INFORMATION_REQUEST: Queue.SALES,
        Intent.REFERRAL: Queue.SALES if live and interest is Interest.HIGH else Queue.AUTOMATION,
        Intent.TIMING: Queue.AUTOMATION if reading.come_back else Queue.SEQUENCE,
    }
    return plain.get(intent, Queue.SEQUENCE)


def _automatic_queue(reading: Reading, intent: Intent) -> Queue:
    if intent is Intent.BOUNCE:
        return Queue.SUPPRESSION if reading.reply.failure is FailureType.HARD else Queue.SEQUENCE
    if intent is Intent.AUTO_REPLY and _DEAD_MAILBOX.search(reading.text):
        return Queue.AUTOMATION
    return Queue.SEQUENCE
