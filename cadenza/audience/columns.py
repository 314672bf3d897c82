"""Which column of a file holds what: guessed from its name in English, German, French and as common tools export it."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from cadenza.audience.csv_text import MAX_COLUMNS
from cadenza.audience.places import plain_words
from cadenza.audience.text_source import refuse
from cadenza.core.errors import CadenzaError, Problem


class Field(StrEnum):
    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    TITLE = "title"
    COMPANY = "company"
    PHONE = "phone_e164"
    LINKEDIN = "linkedin_url"
    WEBSITE = "website"
    COUNTRY = "country"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    INDUSTRY = "industry"


CUSTOM = "custom."
IGNORE = "ignore"

_NAMES: dict[Field, str] = {
    Field.EMAIL: "email|e mail|mail|email address|e mail address|emailadresse|e mail adresse|mailadresse|adresse email|"
    "adresse e mail|adresse mail|courriel|adresse electronique|work email|business email|primary email|email work|"
    "geschaftliche e mail|e mail geschaftlich|correo|correo electronico|indirizzo email|person email work|"
    "e mail 1 value|email 1 value|contact email|prospect email|lead email",
    Field.FIRST_NAME: "first name|firstname|given name|forename|vorname|prenom|nombre|nome|voornaam|contact first name|"
    "person first name|first",
    Field.LAST_NAME: "last name|lastname|surname|family name|nachname|familienname|zuname|nom|nom de famille|apellido|"
    "apellidos|cognome|achternaam|contact last name|person last name|last",
    Field.FULL_NAME: "full name|fullname|contact name|person name|ansprechpartner|kontakt|contact|nom complet|nom et prenom|"
    "prenom et nom|vor und nachname|vollstandiger name|display name|name",
    Field.TITLE: "title|job title|jobtitle|position|role|job|job role|titel|stelle|funktion|berufsbezeichnung|poste|fonction|"
    "intitule du poste|cargo|puesto|ruolo|functie|organization 1 title|occupation|headline",
    Field.COMPANY: "company|company name|companyname|organization|organisation|organization name|organisation name|account|"
    "account name|employer|firma|firmenname|unternehmen|unternehmensname|arbeitgeber|gesellschaft|societe|entreprise|"
    "nom de l entreprise|nom de la societe|empresa|azienda|bedrijf|current company|organization 1 name|company name for emails|associated company|primary associated company",
    Field.PHONE: "phone|phone number|telephone|telephone number|tel|mobile|mobile phone|mobile number|cell|cell phone|"
    "work phone|business phone|direct phone|work direct phone|corporate phone|phone e164|telefon|telefonnummer|handy|"
    "mobiltelefon|mobil|rufnummer|telefon geschaftlich|numero de telephone|telephone portable|portable|mobile phone number|"
    "telefono|phone 1 value|person phone work|primary phone",
    Field.LINKEDIN: "linkedin|linkedin url|linkedinurl|linkedin profile|linkedin profile url|linkedin profil|profil linkedin|"
    "person linkedin url|contact linkedin url|linkedin link|linkedin address|url linkedin|profile url",
    Field.WEBSITE: "website|web site|web|homepage|url|company website|company url|website url|domain|company domain|"
    "company domain name|account website|webseite|internetseite|internetadresse|site web|site internet|site|domaine|sitio web|sito web",
    Field.COUNTRY: "country|country code|country region|land|staat|landercode|landerkennzeichen|pays|code pays|pais|paese|"
    "mailing country|business country region|person country|company country|contact country|billing country",
    Field.LANGUAGE: "language|preferred language|locale|lang|sprache|bevorzugte sprache|langue|langue preferee|idioma|lingua|"
    "language code|korrespondenzsprache",
    Field.TIMEZONE: "timezone|time zone|tz|zeitzone|fuseau horaire|fuseau|zona horaria|iana timezone|time zone name",
    Field.INDUSTRY: "industry|sector|branche|industrie|wirtschaftszweig|secteur|secteur d activite|company industry|account industry|industria",
}  # fmt: skip
_GUESSES = {name: field for field, names in _NAMES.items() for name in names.split("|")}
# Some exports write names in capitals without spaces: MAILINGCOUNTRY.
_JOINED = {name.replace(" ", ""): field for name, field in _GUESSES.items()}
_ALIASES = {
    "phone": Field.PHONE,
    "linkedin": Field.LINKEDIN,
    "name": Field.FULL_NAME,
    "job_title": Field.TITLE,
}
_AGAIN = re.compile(r" \(\d+\)$")  # as ``column_names`` tells repeated ones apart
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EMAIL_LIKE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MAX_NAME = 100


def column_names(header: Sequence[str]) -> list[str]:
    """The names as the report shows them: trimmed, the empty ones numbered, repeated ones told apart."""
    if len(header) > MAX_COLUMNS:
        raise refuse(
            "too_many_columns",
            f"The file has more than {MAX_COLUMNS} columns.",
            "Leave out those you do not need.",
        )
    if any(_EMAIL_LIKE.fullmatch(cell.strip()) for cell in header):
        raise refuse(
            "header_missing", "The first line holds a contact, not column names.",
            "Add a first line with column names, such as email,first_name,company.",
        )  # fmt: skip
    names: list[str] = []
    for number, cell in enumerate(header, 1):
        base = (
            " ".join("".join(c if c.isprintable() else " " for c in cell).split())[:_MAX_NAME]
            or f"column {number}"
        )
        name, again = base, 2
        while name in names:
            name, again = f"{base} ({again})", again + 1
        names.append(name)
    return names


def guess(name: str) -> Field | None:
    """The field that a column of this name holds, if its name tells."""
    spellings = plain_words(name), plain_words(_CAMEL.sub(" ", name))
    found = next((_GUESSES[words] for words in spellings if words in _GUESSES), None)
    return found or _JOINED.get(spellings[0])


def map_columns(names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Column to field: as wanted, else guessed, else a custom field of the column's name.

    Raises ``CadenzaError`` for a wanted column or field that does not exist, and for a field given twice.
    """
    mapping = _wanted(names, wanted)
    taken = set(mapping.values())
    for name in names:
        if name in mapping:
            continue
        field = guess(name)
        if field is None or field in taken:
            mapping[name] = _custom(name, set(mapping.values()))
        else:
            mapping[name] = field.value
            taken.add(field)
    _tell_names_apart(mapping)
    return {name: mapping[name] for name in names}


def repeated_columns(mapping: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Columns of a name that an earlier column has too, with what became of them."""
    return {
        name: target
        for name, target in mapping.items()
        if name not in wanted and _AGAIN.search(name) and _AGAIN.sub("", name) in mapping
    }


def _tell_names_apart(mapping: dict[str, str]) -> None:
    """Beside a first name, a column called only "Name" is the last name, as in German and French lists."""
    fields = {field: name for name, field in mapping.items()}
    if Field.FIRST_NAME in fields and Field.LAST_NAME not in fields and Field.FULL_NAME in fields:
        mapping[fields[Field.FULL_NAME]] = Field.LAST_NAME.value


def _wanted(names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, str]:
    problems: list[Problem] = []
    mapping: dict[str, str] = {}
    for column, field in wanted.items():
        if column not in names:
            problems.append(
                Problem(f"The file has no column {column!r}. It has: {', '.join(names[:30])}.", key=column)
            )
            continue
        target = _target(field)
        if target is None:
            known = ", ".join([*(f.value for f in Field), "custom.NAME", IGNORE])
            problems.append(Problem(f"{field!r} is no field. Known: {known}.", key=column))
        elif target != IGNORE and target in mapping.values():
            problems.append(Problem(f"Two columns are mapped to {target!r}; leave one out.", key=column))
        else:
            mapping[column] = target
    if problems:
        raise CadenzaError(
            "map_invalid",
            " ".join(p.message for p in problems),
            fix="Correct --map column=field.",
            problems=tuple(problems),
        )
    return mapping


def _target(wanted: str) -> str | None:
    word = wanted.strip()
    if word.startswith(CUSTOM) and (name := field_name(word.removeprefix(CUSTOM))):
        return CUSTOM + name
    if word == IGNORE or word in {field.value for field in Field}:
        return word
    return _ALIASES[word].value if word in _ALIASES else None


def field_name(name: str) -> str:
    """A column's name as templates write it: ``Renewal date`` is ``renewal_date``."""
    return plain_words(_CAMEL.sub(" ", name)).replace(" ", "_")[:60]


def _custom(name: str, taken: set[str]) -> str:
    base = CUSTOM + (field_name(name.strip().removeprefix(CUSTOM)) or "column")
    target, again = base, 2
    while target in taken:
        target, again = f"{base}_{again}", again + 1
    return target
