"""What else can be read from a reply: tone, style, terms, who else is involved."""

import re

from cadenza.understanding import cues, details
from cadenza.understanding.contracts import Bant, Intent, Objection, Queue, Signals, Stakeholder
from cadenza.understanding.reading import Reading

_ANXIOUS = re.compile(
    r"\b(?:worr(?:y|ied)|nervous|afraid|anxious|concerned|besorgt|sorge\w*|inquiet|inquiète|preocupad\w+|preoccupat\w+|bezorgd|беспоко\w+)\b|不安|心配|担心|걱정|قلق",
    re.IGNORECASE,
)
_FORMAL = re.compile(
    r"\b(?:dear (?:mr|ms|mrs|dr|sir|madam)|sehr geehrte\w*|sincerely|madame, monsieur|monsieur|estimad[oa]|gentile|egregio|prezad[oa]|geachte|уважаем\w+|kindly|hochachtungsvoll|veuillez)\b|お世話になって|いただけ|尊敬的|您好|안녕하십니까|السيد",
    re.IGNORECASE,
)
_CASUAL = re.compile(
    r"\b(?:hey|hi there|yep|nope|thx|pls|cool|gonna|wanna|btw|lol|moin|servus|nö|jo|salut|bof|vale|ciao|oi|hoi|привет)\b|:\)|;\)|!!|😀|👍",
    re.IGNORECASE,
)
_SATISFIED = re.compile(
    r"\b(?:happy|satisfied|pleased|content|delighted) with|zufrieden|satisfaits?|contents? de|content\w+ con|satisfech\w+|soddisfatt\w+|tevreden|довольны|устраивает|満足|满意|만족|راض",
    re.IGNORECASE,
)
_UNSATISFIED = re.compile(
    r"\b(?:unhappy|not happy|dissatisfied|frustrated|fed up|struggl\w+|let us down|disappointed) ?(?:with|by)?|unzufrieden|nicht zufrieden|genervt von|pas satisfait|mécontent|insatisfech\w+|no estamos content\w+|insoddisfatt\w+|ontevreden|недовольны|不満|不满|불만",
    re.IGNORECASE,
)
_NEED_WORDS = re.compile(
    r"\b(?:we need|we['’]re looking for|we are looking for|struggl\w+|our problem|wir (?:brauchen|suchen)|nous (?:cherchons|avons besoin)|(?:necesitamos|buscamos)|cerchiamo|precisamos de|zoeken)\b[^.?!\n]{0,80}",
    re.IGNORECASE,
)
_STAKEHOLDER = re.compile(
    r"\b(?:our|my|unser\w*|mein\w*|notre|mon|ma|nuestr[oa]|mi|il nostro|nosso)\s+((?:cto|ceo|cfo|coo|cio|ciso|cmo|cro|boss|chef(?:in)?|manager|head of \w+(?: \w+)?|it[- ](?:team|leiter(?:in)?|department|abteilung)|procurement(?: team)?|einkauf|legal(?: team)?|rechtsabteilung|security team|works council|betriebsrat|board|vorstand|geschäftsführung|vertriebsleiter(?:in)?|directeur \w+|dsi|direction|jef[ea]|director(?:a)? \w+|dpo|datenschutzbeauftragte[r]?))\b",
    re.IGNORECASE,
)


def read_signals(
    reading: Reading,
    intent: Intent,
    queue: Queue,
    objections: tuple[Objection, ...],
    sentiment: float,
    *,
    automatic: bool,
) -> Signals:
    text = reading.text
    if automatic or not text:
        return Signals()
    decision_by = (
        reading.come_back
        if reading.come_back
        and details.speaks_of_deadline(text, reading.come_back.start)
        and intent is not Intent.TIMING
        else None
    )
    return Signals(
        tone=_tone(reading, sentiment),
        style=_style(text),
        terms=details.find_terms(text),
        vendor_satisfaction="low"
        if _UNSATISFIED.search(text)
        else "high"
        if _SATISFIED.search(text)
        else "unknown",
        criteria=details.find_criteria(text),
        decision_by=decision_by.day.isoformat() if decision_by else None,
        stakeholders=_stakeholders(reading),
        deal_size=details.find_deal_size(text),
        bant=_bant(reading),
        complexity=_complexity(reading, queue, objections),
    )


def _tone(reading: Reading, sentiment: float) -> str:
    if reading.has("anger") and sentiment < -0.25:
        return "angry"
    if _ANXIOUS.search(reading.text):
        return "anxious"
    return "warm" if sentiment >= 0.25 else "cold" if sentiment <= -0.2 else "neutral"


def _style(text: str) -> str:
    if _FORMAL.search(text):
        return "formal"
    if _CASUAL.search(text):
        return "casual"
    return "detailed" if len(text) > 400 else "direct"


def _stakeholders(reading: Reading) -> tuple[Stakeholder, ...]:
    roles = dict.fromkeys(match.group(1) for match in _STAKEHOLDER.finditer(reading.text))
    named = {
        person.person.title.lower(): person.person.name for person in reading.people if person.person.title
    }
    found = [Stakeholder(named.get(role.lower()), role) for role in roles]
    known = {stakeholder.name for stakeholder in found}
    found += [
        Stakeholder(p.person.name, p.person.title)
        for p in reading.people
        if p.person.name and p.person.name not in known
    ]
    return tuple(found[:10])


def _bant(reading: Reading) -> Bant:
    text = reading.text
    money = details.find_budget(text)
    said = cues.authority_span(text)
    need = _NEED_WORDS.search(text)
    when = reading.come_back
    budget = text[slice(*money[1])] if money else _words(reading, "budget")
    return Bant(
        budget=budget,
        authority=text[slice(*said[1])] if said else _words(reading, "authority"),
        need=need.group().strip() if need else None,
        timeline=text[when.start : when.end] if when else None,
    )


def _words(reading: Reading, cue: str) -> str | None:
    spans = reading.marks[cue]
    return reading.text[slice(*spans[0])] if spans else None


def _complexity(reading: Reading, queue: Queue, objections: tuple[Objection, ...]) -> str:
    by_queue = {
        Queue.LEGAL: "legal",
        Queue.RELATIONSHIP: "sensitive",
        Queue.PRICING: "pricing",
        Queue.TECHNICAL: "technical",
        Queue.EXECUTIVE: "strategic",
    }
    if queue in by_queue:
        return by_queue[queue]
    return (
        "objection"
        if objections
        else "technical"
        if reading.has("technical") and len(reading.text) > 200
        else "simple"
    )
