"""Short answers read with the question of ours that they answer, and slots of ours that they take."""

import re
from dataclasses import dataclass

from cadenza.understanding import cues
from cadenza.understanding.calendar_tokens import tokenize
from cadenza.understanding.contracts import Intent
from cadenza.understanding.language import detect_language
from cadenza.understanding.reading import Reading
from cadenza.understanding.slots import Slot, find_slots

_SHORT = 90  # characters: longer answers speak for themselves
_YES = re.compile(
    r"^\W*(?:yes|yep|yeah|sure|of course|please do|absolutely|definitely|ok(?:ay)?|sounds good|go ahead|perfect|great|fine|works(?: for me)?|that works|"
    r"ja|gerne?|klar|natürlich|passt|einverstanden|in ordnung|perfekt|oui|volontiers|bien sûr|d['’]accord|parfait|avec plaisir|ça marche|"
    r"sí|si|claro|por supuesto|vale|perfecto|de acuerdo|sì|certo|volentieri|va bene|sim|claro|pode ser|graag|prima|goed|да|конечно|давайте|хорошо)\b|^\W*(?:はい|ぜひ|お願い|大丈夫です|好的?|可以|行|没问题|네|예|좋습니다|نعم|بالتأكيد|موافق)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no|nope|nah|nein|nö|non|não|nee|нет)\b(?!\s*(?:problem|worries))|^\W*(?:いいえ|いえ|不|아니|لا)",
    re.IGNORECASE,
)
_OFFERS_DOCUMENT = re.compile(
    r"(?:send|share|forward|e-?mail)(?: you)?[^?]{0,60}|schicken|senden|zusenden|envoy\w+|envi\w+|mand\w+|invi\w+|sturen|прислать|отправить|送(?:り|付)|お送り|发(?:给|送)|보내|أرسل",
    re.IGNORECASE,
)
_ASKS_TO_STOP = re.compile(
    r"close (?:your|the) file|stop (?:writing|reaching|e-?mail)|leave you alone|remove you|nicht mehr (?:schreiben|melden)|take you off|arrêter|dejar de",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"\b(?:first|former|erste[rn]?|premi(?:er|ère)|primer[oa]?|prim[oa])\b|最初|第一", re.IGNORECASE
)
_SECOND = re.compile(
    r"\b(?:second|latter|zweite[rn]?|deuxième|second[oa]?|segund[oa])\b|二つ目|第二", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a short answer means once the question is known, and how sure that is."""

    intent: Intent
    confidence: float


def read_answer(reading: Reading) -> Answer | None:
    """None when the words stand for themselves or no question of ours came before."""
    question = _last_question(reading)
    if not question or len(reading.text) > _SHORT:
        return None
    if _YES.search(reading.text):
        return _agreed(question)
    return (
        Answer(Intent.NOT_INTERESTED, 0.7)
        if _NO.search(reading.text) and not reading.people and len(reading.text) < 25
        else None
    )


def _agreed(question: str) -> Answer | None:
    language = detect_language(question) or "en"
    if _ASKS_TO_STOP.search(question):
        return Answer(Intent.UNSUBSCRIBE, 0.8)
    if cues.spans("meeting", question, language) and not _last_clause_offers_document(question):
        return Answer(Intent.MEETING_REQUEST, 0.85)
    if _OFFERS_DOCUMENT.search(question):
        return Answer(Intent.INFORMATION_REQUEST, 0.85)
    return Answer(Intent.POSITIVE_INTEREST, 0.6)


def _last_clause_offers_document(question: str) -> bool:
    spans = cues.sentences(question)
    last = question[spans[-1][0] :] if spans else question
    return bool(_OFFERS_DOCUMENT.search(last)) and not re.search(
        r"invit|einlad|call|meeting|termin|rendez|reuni", last, re.IGNORECASE
    )


def _last_question(reading: Reading) -> str | None:
    ours = [message.text for message in reading.reply.thread if message.by == "us"]
    if not ours:
        return None
    asked = [
        ours[-1][start:end]
        for start, end in cues.sentences(ours[-1])
        if ours[-1][start:end].endswith(("?", "？", "؟"))
    ]
    return " ".join(asked[-2:]) or None


def accepted_slots(reading: Reading) -> list[Slot]:
    """Slots of our last message that this reply takes: the day they name again, the ordinal, or the only one."""
    ours = [message for message in reading.reply.thread if message.by == "us"]
    if not ours or reading.today is None:
        return []
    text = ours[-1].text
    asked_on = ours[-1].at.date() if ours[-1].at else reading.today
    offered = find_slots(text, tokenize(text, detect_language(text) or "en"), asked_on)
    if not offered:
        return []
    if reading.slots:
        return _matching_days(reading, offered)
    if _FIRST.search(reading.text) or (len(offered) == 1 and _YES.search(reading.text)):
        return offered[:1]
    return offered[1:2] if _SECOND.search(reading.text) else []


def _matching_days(reading: Reading, offered: list[Slot]) -> list[Slot]:
    """As in "Thursday works" takes our Thursday at 14:00; an hour of their own stands."""
    whole_days = {
        slot.at.date() for slot in reading.slots if slot.until and slot.at.hour == 9 and slot.until.hour == 18
    }
    return [slot for slot in offered if slot.at.date() in whole_days]
