"""One row of a file: its cells made into a person in normal form, or the reason why not.

What cannot be used beside the address (a telephone number that cannot exist, an unknown country) is left out of
the contact and told as a warning: the person can still be written to. A row is rejected when its e-mail address is
wrong, when it has no address at all, or when a cell is too long or holds control characters.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cadenza.audience.addresses import (
    AddressError,
    normal_email,
    normal_linkedin,
    normal_phone,
    normal_website,
)
from cadenza.audience.columns import CUSTOM, IGNORE, Field
from cadenza.audience.contracts import FieldKind
from cadenza.audience.csv_text import Record
from cadenza.audience.field_values import normal_value
from cadenza.audience.places import country_of, language_of, timezone_of

_LONGEST = {
    Field.EMAIL: 320, Field.FIRST_NAME: 100, Field.LAST_NAME: 100, Field.FULL_NAME: 200, Field.TITLE: 200, Field.COMPANY: 200,
    Field.PHONE: 60, Field.LINKEDIN: 500, Field.WEBSITE: 500, Field.COUNTRY: 100, Field.LANGUAGE: 60, Field.TIMEZONE: 64,
    Field.INDUSTRY: 200,
}  # fmt: skip
_LONGEST_CUSTOM = 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_INVISIBLE = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACE = re.compile(r"\s+")
_PARTICLES = frozenset(
    {
        "von",
        "van",
        "de",
        "der",
        "den",
        "zu",
        "zur",
        "da",
        "di",
        "del",
        "della",
        "la",
        "le",
        "du",
        "dos",
        "ten",
    }
)


@dataclass(slots=True)
class Person:
    """An accepted row. Empty texts are None; ``emails`` holds more than one only after merging rows."""

    row: int
    emails: list[str] = field(default_factory=list)
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    company: str | None = None
    phone_e164: str | None = None
    linkedin_url: str | None = None
    website: str | None = None
    country: str | None = None
    language: str | None = None
    timezone: str | None = None
    industry: str | None = None
    custom: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str | None:
        return self.emails[0] if self.emails else None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell or row. ``column`` is the file's name of it, empty for the whole row."""

    column: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of one file: ``names`` are its columns, ``mapping`` says what each holds."""

    names: Sequence[str]
    mapping: Mapping[str, str]
    kinds: Mapping[str, FieldKind] = field(default_factory=dict)  # of custom fields that are no plain text

    def read(self, number: int, record: Record) -> tuple[Person | None, list[Fault]]:
        """The person with warnings, or None with the faults for which the row is rejected."""
        if record.fault:
            return None, [Fault("", "row_unreadable", record.fault)]
        if any(cell.strip() for cell in record.cells[len(self.names) :]):
            reason = f"the row has {len(record.cells)} cells, the header {len(self.names)}; put cells with delimiters in quotes"
            return None, [Fault("", "too_many_cells", reason)]
        cells = list(zip(self.names, record.cells, strict=False))
        if faults := [fault for name, cell in cells if (fault := self._unfit(name, cell))]:
            return None, faults
        return self._person(number, {self.mapping[name]: (name, _clean(cell)) for name, cell in cells})

    def _unfit(self, name: str, cell: str) -> Fault | None:
        target = self.mapping[name]
        if target == IGNORE:
            return None
        if _CONTROL.search(cell):
            return Fault(name, "control_characters", "the cell holds control characters; remove them")
        longest = _LONGEST_CUSTOM if target.startswith(CUSTOM) else _LONGEST[Field(target)]
        if len(cell.strip()) > longest:
            return Fault(
                name, "too_long", f"the cell has {len(cell.strip())} characters; at most {longest} fit"
            )
        return None

    def _person(self, number: int, cells: dict[str, tuple[str, str]]) -> tuple[Person | None, list[Fault]]:
        person, warnings = Person(number), list[Fault]()
        name, text = cells.get(Field.EMAIL, ("", ""))
        try:
            person.emails = [normal_email(text)] if text else []
        except AddressError as wrong:
            return None, [Fault(name, "email_invalid", f"{text[:80]!r} is no e-mail address: {wrong}")]
        _plain_cells(person, cells)
        _custom_cells(person, cells, self.kinds, warnings)
        _places(person, cells, warnings)
        _other_addresses(person, cells, warnings)
        if not (person.emails or person.linkedin_url or person.phone_e164):
            missing = Fault(
                name, "address_missing", "the row has no e-mail address and no other usable address"
            )
            return None, [missing, *warnings]
        return person, warnings


def _clean(cell: str) -> str:
    """Invisible marks removed, spaces at the ends and line breaks reduced; formulas and markup stay the text they are."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", cell)).strip()


def _plain_cells(person: Person, cells: Mapping[str, tuple[str, str]]) -> None:
    for target, (_, text) in cells.items():
        if not text:
            continue
        if target in {Field.FIRST_NAME, Field.LAST_NAME, Field.TITLE, Field.COMPANY, Field.INDUSTRY}:
            setattr(person, target, text)
    full = cells.get(Field.FULL_NAME, ("", ""))[1]
    if full and not (person.first_name or person.last_name):
        person.first_name, person.last_name = split_name(full)


def _custom_cells(
    person: Person,
    cells: Mapping[str, tuple[str, str]],
    kinds: Mapping[str, FieldKind],
    warnings: list[Fault],
) -> None:
    for target, (column, text) in cells.items():
        if not text or not target.startswith(CUSTOM):
            continue
        name = target.removeprefix(CUSTOM)
        kind = kinds.get(name, FieldKind.TEXT)
        if (value := normal_value(kind, text)) is not None:
            person.custom[name] = value
        else:
            warnings.append(Fault(column, "custom_invalid", f"{text[:80]!r} is no {kind.words}; left out"))


def split_name(full: str) -> tuple[str | None, str | None]:
    """First and last name of a whole one: ``Berg, Ann`` and ``Ann van der Berg`` alike. A single word is a first name."""
    last, comma, first = full.partition(",")
    if comma:
        return first.strip() or None, last.strip() or None
    words = full.split()
    if len(words) < 2:
        return full or None, None
    start = len(words) - 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[:start])[:100], " ".join(words[start:])[:100]


def _places(person: Person, cells: Mapping[str, tuple[str, str]], warnings: list[Fault]) -> None:
    for target, read, code, kind in (
        (Field.COUNTRY, country_of, "country_unknown", "country"),
        (Field.LANGUAGE, language_of, "language_unknown", "language"),
        (Field.TIMEZONE, timezone_of, "timezone_unknown", "IANA time zone"),
    ):
        name, text = cells.get(target, ("", ""))
        if not text:
            continue
        if found := read(text):
            setattr(person, target, found)
        else:
            warnings.append(Fault(name, code, f"{text[:80]!r} is no known {kind}; left out"))


def _other_addresses(person: Person, cells: Mapping[str, tuple[str, str]], warnings: list[Fault]) -> None:
    readers: tuple[tuple[Field, Callable[[str], str], str], ...] = (
        (Field.PHONE, lambda text: normal_phone(text, person.country), "phone_invalid"),
        (Field.LINKEDIN, normal_linkedin, "linkedin_invalid"),
        (Field.WEBSITE, normal_website, "website_invalid"),
    )
    for target, read, code in readers:
        name, text = cells.get(target, ("", ""))
        if not text:
            continue
        try:
            setattr(person, target, read(text))
        except AddressError as wrong:
            warnings.append(Fault(name, code, f"{text[:80]!r} is left out: {wrong}"))
