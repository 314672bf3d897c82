"""People that a text points to, with their address, number and job where it says so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers

from cadenza.understanding.contracts import Referral

_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_NAME = (
    r"(?:(?:Dr|Prof|Mr|Mrs|Ms|Herrn?|Frau|M|Mme|Sr|Sra|Sig|Dott|Dhr|Mevr)\.?\s+){0,2}"
    r"[A-ZÀ-ÞА-Я][\w'’-]+(?:\s+(?:von|van|de|der|den|del|della|di|da|dos|la|le|zu|bin|al)){0,2}(?:\s+[A-ZÀ-ÞА-Я][\w'’.-]*){0,2}"
)
_TITLE = (
    r"(?:chief [\w ]{3,20} officer|c[a-z]o\b|vp(?: of)?(?: \w+){0,2}|vice president(?: of)?(?: \w+){0,2}|head of (?:[\w&]+ ?){1,3}|"
    r"director(?: of (?:[\w&]+ ?){1,2})?|managing director|(?:[\w&-]+ )?(?:manager|lead|director|engineer|buyer|owner|assistant|partner)|"
    r"(?:\w+)?leiter(?:in)?(?: (?:der|des|für|it|einkauf|vertrieb|marketing)(?: \w+)?)?|geschäftsführer(?:in)?|einkäufer(?:in)?|assistent(?:in)?|"
    r"responsable (?:\w+ ?){1,3}|directeur (?:\w+ ?){0,2}|directrice (?:\w+ ?){0,2}|director[a]? de \w+|jef[ea] de \w+|"
    r"responsabile (?:\w+ ?){1,2}|direttore \w+|diretora? de \w+|gerente de \w+|hoofd \w+|it[- ]leiter(?:in)?)"
)
_POINTS = re.compile(
    r"\b(?:contact|speak (?:to|with)|talk (?:to|with)|reach out to|get in touch with|reach|ask|e-?mail|write to|try|ping|(?:right|best|better) person (?:is|would be|to \w+ (?:to|with) (?:is|would be))|"
    r"connect(?:ing)? (?:you )?(?:with|to)|cc['’]?(?:ing|ed|d)?|copying(?: in)?|copied|looping in|adding|belongs to|handled by|responsible is|looks after|now with|successor is|"
    r"replaced by|refer you to|forward(?:ed|ing)? (?:this|your \w+|it)? ?(?:on )?to|passed (?:this|it|your \w+)? ?(?:on )?to|directly to|in charge is|"
    r"wenden sie sich (?:bitte )?(?:direkt )?an|wende dich (?:bitte )?an|ansprechpartner(?:in)? (?:ist|dafür ist|hierfür ist|für \w+ ist)?|zuständig (?:ist|dafür ist|hierfür ist)|kontaktieren sie|melden sie sich (?:bitte )?bei|"
    r"sprechen sie (?:bitte )?mit|schreiben sie (?:bitte )?(?:an)?|(?:weitergeleitet|leite \w+ weiter) an|nachfolger(?:in)? ist|vertretung (?:ist|übernimmt|durch)|vertritt mich|"
    r"contactez|contacter|adressez-vous à|voyez avec|voir avec|vous rapprocher de|rapprochez-vous de|écrivez à|transmis à|transfère à|interlocuteur est|interlocutrice est|s'occupe|parlez à|"
    r"contacte (?:a|con)?|contactar (?:a|con)?|póngase en contacto con|hable con|diríjase a|dirigirse a|escriba a|escríbale a|persona (?:indicada|adecuada|responsable) es|lo lleva|reenviado a|"
    r"contatti|contattare|rivolgersi a|si rivolga a|scriva a|parli con|referente è|responsabile è|"
    r"contacte|contate|fale com|entre em contato com|falar com|responsável é|contact op met|contact opnemen met|neem contact op met|wend u tot|spreek met|"
    r"обратитесь к|свяжитесь с|напишите)\s+"
    r"(?:please |bitte |directly |direkt |an )?(?:(?i:my|our|the|meine[nrm]?|unsere[nrm]?|mon|ma|notre|nuestr[oa]|mi|al|a la|il|la|el|our new|my former|mijn|onze)\s+)?"
    rf"(?:(?i:colleague|kollegin|kollegen|kollege|collègue|compañer[oa]|collega|colega|boss|chef(?:in)?|successor)[, ]*)?(?P<title>(?i:{_TITLE})[, ]+)?(?P<name>{_NAME})",
)
_POINTS = re.compile(_POINTS.pattern.replace(r"\b(?:contact|", r"\b(?i:contact|", 1))
_CJK_POINTS = re.compile(
    r"(?:担当は|担当者は|後任は|後任の|弊社の)(?P<ja>[\w一-龥ァ-ヶ]{1,8}?)(?:さん|様|部長|課長|です|が|に|まで|へ)|(?:请联系|联系|请找|负责人是)(?:我(?:的)?同事|我们的)?(?P<zh>[一-龥]{2,4}?)(?=[（(，。,\s]|经理|总监|主管|$)|(?P<ko>[가-힣]{2,4}) ?(?:팀장|부장|과장|대리|님|이사)(?:님)?(?:에게|께|으로|이|가|을|를|과|와)"
)
_LABEL_BEFORE_ADDRESS = re.compile(
    rf"({_NAME})\s*(?:,\s*(?i:({_TITLE}))\s*)?[\s:,–(<\[-]*(?:[a-zà-ÿа-я]{{1,6}}\s)?[(<\[:]*\s*$"
)
_AFTER_NAME_TITLE = re.compile(rf"^\s*[,(–-]\s*(?i:(?:our|the|unsere?[rn]?|notre|nuestr[oa])?\s*({_TITLE}))")
# At the beginning of a sentence such a word is written like a name.
_VERB_FIRST = re.compile(
    r"^(?:Contactez|Contacter|Contacte|Contacta|Contactar|Contate|Contatti|Contattare|Contattate|Contact|Kontaktieren|"
    r"Schreiben|Fragen|Kollegin|Kollege|Kollegen|Colleague|Collègue|Ask|Email|Ping|Try|Call|Write|Reach|Voir|Voyez|Écrivez|Scriva|Escriba)\s+(?=[A-ZÀ-ÞА-Я])"
)
_NO_NAMES = re.compile(
    r"^(?:If|Please|In|For|The|This|Our|My|You|We|I|It|Bitte|In|Für|Bei|Ihre?|Mein|Pour|En|Para|Por|Per|Si|Se|Or|And|Und|Oder|Hi|Hello|Hallo|Best|Kind|Thanks|Thank|Sie|Ich|Email|E-Mail|Mail|Tel|Phone|Contact|Kontakt)$"
)


@dataclass(frozen=True, slots=True)
class FoundPerson:
    person: Referral
    start: int
    end: int


def find_people(text: str, *, sender: str = "", region: str | None = None) -> list[FoundPerson]:
    """Everybody named with an address, or by words that point to them; the sender's own address never."""
    found = _by_address(text, sender.lower()) + _by_words(text)
    merged: list[FoundPerson] = []
    for person in sorted(found, key=lambda item: (item.person.email is None, item.start)):
        if not any(_same(person, other) for other in merged):
            merged.append(person)
    merged.sort(key=lambda item: item.start)
    return _with_phones(text, merged, region)


def _same(person: FoundPerson, other: FoundPerson) -> bool:
    if person.person.email and other.person.email:
        return person.person.email == other.person.email
    overlaps = person.start < other.end and other.start < person.end
    first, second = _surname(person.person.name), _surname(other.person.name)
    return overlaps or bool(first and second and first == second)


def _surname(name: str | None) -> str:
    return name.split()[-1].casefold() if name else ""


def _by_address(text: str, sender: str) -> list[FoundPerson]:
    people = []
    for match in _EMAIL.finditer(text):
        address = match.group().strip(".'-").lower()
        if address == sender:
            continue
        before = text[max(0, match.start() - 90) : match.start()]
        label = _LABEL_BEFORE_ADDRESS.search(before)
        name = _clean(_VERB_FIRST.sub("", label.group(1))) if label else None
        start = match.start() - len(before) + label.start(1) if label and name else match.start()
        title = label.group(2) if label else None
        people.append(
            FoundPerson(
                Referral(
                    name,
                    address,
                    None,
                    _tidy(title) or _title_near(text, start) or _title_after(text, match.end()),
                ),
                start,
                match.end(),
            )
        )
    for place, person in enumerate(people):
        if person.person.name is None:
            named = _named_in_sentence(text, person)
            if named:
                people[place] = named
    return people


def _named_in_sentence(text: str, person: FoundPerson) -> FoundPerson | None:
    """As in "Anna Berg is in charge, her address is anna.berg@x.com": the address repeats the name."""
    local = re.split(r"[._-]", (person.person.email or "").partition("@")[0])
    for match in re.finditer(_NAME, text[: person.end]):
        parts = match.group().split()
        fits = (
            any(len(part) > 2 and part.casefold() in local for part in parts)
            or "".join(parts).casefold() in local
        )
        name = _clean(match.group()) if fits else None
        if name:
            title = _AFTER_NAME_TITLE.match(text[match.end() : match.end() + 60])
            known = _tidy(title.group(1)) if title else None
            return FoundPerson(Referral(name, person.person.email, None, known), match.start(), person.end)
    return None


def _title_after(text: str, end: int) -> str | None:
    """As in "Jane Doe <jane@acme.com>, VP Sales"."""
    after = re.match(rf"[>)\]]?\s*,\s*(?i:({_TITLE}))\b", text[end : end + 60])
    return _tidy(after.group(1)) if after else None


def _title_near(text: str, start: int) -> str | None:
    before = re.search(rf"(?i:({_TITLE}))[,\s]+$", text[max(0, start - 50) : start])
    return _tidy(before.group(1)) if before else None


def _by_words(text: str) -> list[FoundPerson]:
    people = []
    for match in _POINTS.finditer(text):
        name = _clean(match.group("name"))
        if not name:
            continue
        after = _AFTER_NAME_TITLE.match(text[match.end() : match.end() + 60])
        title = _tidy(match.group("title")) or (_tidy(after.group(1)) if after else None)
        people.append(FoundPerson(Referral(name, None, None, title), match.start("name"), match.end()))
    for match in _CJK_POINTS.finditer(text):
        name = next(group for group in match.groups() if group)
        people.append(FoundPerson(Referral(name), match.start(), match.end()))
    return people


def _tidy(title: str | None) -> str | None:
    return re.sub(r"\s+", " ", title).strip(" ,") or None if title else None


def _clean(name: str) -> str | None:
    name = re.sub(
        r"^(?:(?:Dr|Prof|Mr|Mrs|Ms|Herrn?|Frau|M|Mme|Sr|Sra|Sig|Dott|Dhr|Mevr)\.?\s+)+", "", name
    ).strip(" .,'’")
    words = name.split()
    while words and _NO_NAMES.match(words[0]):
        words = words[1:]
    if (
        not words
        or len(words[0]) < 2
        or words[0].lower() in ("it", "hr", "sales", "marketing", "einkauf", "support", "finance")
    ):
        return None
    return " ".join(words)


def _with_phones(text: str, people: Sequence[FoundPerson], region: str | None) -> list[FoundPerson]:
    """A number belongs to the last person named before it."""
    result = list(people)
    if not result:
        return result
    for match in phonenumbers.PhoneNumberMatcher(text[:5_000], region or "ZZ"):
        owner = max(
            (place for place, person in enumerate(result) if person.start <= match.start), default=None
        )
        if owner is None or result[owner].person.phone:
            continue
        known = result[owner].person
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        result[owner] = FoundPerson(
            Referral(known.name, known.email, number, known.title), result[owner].start, result[owner].end
        )
    return result
