"""A whole contact file: bytes in, people and a report of every row out. Needs no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cadenza.audience.columns import CUSTOM, Field, column_names, guess, map_columns
from cadenza.audience.csv_text import MAX_ROWS, Record, decode, find_delimiter, records, refuse
from cadenza.audience.places import zone_of
from cadenza.audience.rows import Fault, Person, RowReader

_PREVIEW_ROWS = 100


@dataclass(slots=True)
class ParsedFile:
    """What a file holds. ``people`` are in file order, repeated rows merged into the first."""

    encoding: str
    delimiter: str
    mapping: dict[str, str]
    rows: int = 0
    people: list[Person] = field(default_factory=list)
    merged: list[dict[str, int]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def custom_fields(self) -> frozenset[str]:
        return frozenset(f.removeprefix(CUSTOM) for f in self.mapping.values() if f.startswith(CUSTOM))


def read_mapping(data: bytes, wanted: Mapping[str, str]) -> ParsedFile:
    """Encoding, delimiter and mapping of a file without its rows. Raises ``CadenzaError``."""
    return _open(data, wanted)[0]


def parse_file(data: bytes, wanted: Mapping[str, str]) -> ParsedFile:
    """Read a file as a whole. Raises ``CadenzaError`` only for what keeps it from being read at all."""
    parsed, names, rest = _open(data, wanted)
    reader, seen = RowReader(names, parsed.mapping), _Seen()
    for number, record in enumerate(rest, 1):
        if number > MAX_ROWS:
            raise refuse(
                "too_many_rows", f"The file has more than {MAX_ROWS} rows.", "Split it and import the parts."
            )
        parsed.rows = number
        person, faults = reader.read(number, record)
        told = parsed.rejected if person is None else parsed.warnings
        told += [_fault(number, record.line, fault) for fault in (faults[:1] if person is None else faults)]
        if person is not None:
            _keep(parsed, seen, person)
    return parsed


def _open(data: bytes, wanted: Mapping[str, str]) -> tuple[ParsedFile, list[str], Iterable[Record]]:
    text, encoding = decode(data)
    delimiter, announced = find_delimiter(text)
    rest = records(text[announced:], delimiter, first_line=2 if announced else 1)
    header = next(rest, None)
    if header is None or header.fault:
        raise refuse(
            "header_unreadable",
            "The line of column names cannot be read.",
            "Check the quotes in its first line.",
        )
    names = column_names(header.cells)
    if not wanted and not any(guess(name) for name in names):
        raise refuse(
            "header_unknown",
            f"No column is known by its name: {', '.join(names[:10])}.",
            "Name the column of addresses with --map COLUMN=email.",
        )
    return ParsedFile(encoding, delimiter, map_columns(names, wanted)), names, rest


def _fault(row: int, line: int, fault: Fault) -> dict[str, Any]:
    return {"row": row, "line": line, "column": fault.column, "code": fault.code, "reason": fault.reason}


@dataclass(slots=True)
class _Seen:
    """The people of the file so far, by each thing that makes two rows one person."""

    people: dict[tuple[str, ...], Person] = field(default_factory=dict)

    def earlier(self, person: Person) -> Person | None:
        return next((self.people[key] for key in _keys(person) if key in self.people), None)

    def remember(self, person: Person) -> None:
        for key in _keys(person):
            self.people.setdefault(key, person)


def _keys(person: Person) -> list[tuple[str, ...]]:
    """An e-mail address or a LinkedIn profile is one person's; a telephone number only together with the name."""
    keys: list[tuple[str, ...]] = [("email", email) for email in person.emails]
    if person.linkedin_url:
        keys.append(("linkedin", person.linkedin_url))
    if person.phone_e164 and not keys:
        name = f"{person.first_name or ''} {person.last_name or ''}".casefold()
        keys.append(("phone", person.phone_e164, name))
    return keys


def _keep(parsed: ParsedFile, seen: _Seen, person: Person) -> None:
    first = seen.earlier(person)
    if first is None:
        parsed.people.append(person)
        seen.remember(person)
        return
    parsed.merged.append({"row": person.row, "into": first.row})
    _merge(first, person)
    seen.remember(first)


def _merge(first: Person, later: Person) -> None:
    """The earlier row wins; the later one fills what it left empty."""
    first.emails += [email for email in later.emails if email not in first.emails]
    for target in Field:
        if target not in {Field.EMAIL, Field.FULL_NAME} and getattr(first, target) is None:
            setattr(first, target, getattr(later, target))
    first.custom = {**later.custom, **first.custom}


def preview(people: Iterable[Person]) -> tuple[dict[str, Any], ...]:
    """The first accepted rows, flat, as the report prints them."""
    shown = []
    for person in people:
        row: dict[str, Any] = {"row": person.row, "email": person.email}
        row |= {
            target.value: getattr(person, target)
            for target in Field
            if target not in {Field.EMAIL, Field.FULL_NAME}
        }
        row["timezone"] = person.timezone or zone_of(person.country)
        shown.append({**row, "custom": person.custom})
        if len(shown) == _PREVIEW_ROWS:
            break
    return tuple(shown)
