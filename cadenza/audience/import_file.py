"""A whole contact file: bytes in, people and a report of every row out. Needs no database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from cadenza.audience.columns import CUSTOM, Field, column_names, guess, map_columns, repeated_columns
from cadenza.audience.contracts import FieldKind
from cadenza.audience.csv_text import MAX_ROWS, Record, find_delimiter, records
from cadenza.audience.places import zone_of
from cadenza.audience.rows import Fault, Person, RowReader
from cadenza.audience.text_source import Source, from_bytes, refuse

_PREVIEW_ROWS = 100
_PLAIN: Mapping[str, FieldKind] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read: the person, or None where it is rejected."""

    number: int  # from 1, header and blank lines left out
    line: int
    person: Person | None
    faults: list[Fault]

    @property
    def told(self) -> list[Fault]:
        """Of a rejected row the first fault, of an accepted one every value that was left out."""
        return self.faults[:1] if self.person is None else self.faults


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read row by row, as often as one likes."""

    source: Source
    delimiter: str
    announced: int  # lines before the header
    names: list[str]
    mapping: dict[str, str]
    kinds: Mapping[str, FieldKind] = field(default_factory=dict)

    @property
    def custom_fields(self) -> frozenset[str]:
        return frozenset(f.removeprefix(CUSTOM) for f in self.mapping.values() if f.startswith(CUSTOM))

    def records(self) -> Iterator[Record]:
        """The records without the header."""
        return islice(records(self.source, self.delimiter, self.announced), 1, None)

    def rows(self) -> Iterator[Row]:
        """Raises ``CadenzaError`` where there are more rows than one import takes."""
        reader = RowReader(self.names, self.mapping, self.kinds)
        for number, record in enumerate(self.records(), 1):
            if number > MAX_ROWS:
                raise refuse(
                    "too_many_rows",
                    f"The file has more than {MAX_ROWS} rows.",
                    "Split it and import the parts.",
                )
            person, faults = reader.read(number, record)
            yield Row(number, record.line, person, faults)


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


def open_table(source: Source, wanted: Mapping[str, str], kinds: Mapping[str, FieldKind] = _PLAIN) -> Table:
    """Delimiter and mapping of a file. Raises ``CadenzaError`` for a header that cannot be used.

    ``kinds`` are those of the custom fields that are known; others hold text.
    """
    delimiter, announced = find_delimiter(source.head())
    header = next(records(source, delimiter, announced), None)
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
    return Table(source, delimiter, announced, names, map_columns(names, wanted), kinds)


def parse_file(data: bytes, wanted: Mapping[str, str], kinds: Mapping[str, FieldKind] = _PLAIN) -> ParsedFile:
    """Read a file as a whole. Raises ``CadenzaError`` only for what keeps it from being read at all."""
    table = open_table(from_bytes(data), wanted, kinds)
    parsed, seen = ParsedFile(table.source.encoding, table.delimiter, table.mapping), _Seen()
    for row in table.rows():
        parsed.rows = row.number
        told = parsed.rejected if row.person is None else parsed.warnings
        told += [_fault(row.number, row.line, fault) for fault in row.told]
        if row.person is not None:
            _keep(parsed, seen, row.person)
    parsed.warnings[:0] = _about_the_file(table, parsed.rows, wanted)
    return parsed


def _about_the_file(table: Table, rows: int, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is odd about the file as a whole and keeps nothing from being imported."""
    line = table.announced + 1
    odd = [
        _fault(
            0,
            line,
            Fault(name, "column_repeated", f"another column of this name stands before it; kept as {target}"),
        )
        for name, target in repeated_columns(table.mapping, wanted).items()
    ]
    if rows == 0:
        odd.append(_fault(0, line, Fault("", "no_rows", "the file has column names and no rows below them")))
    return odd


def _fault(row: int, line: int, fault: Fault) -> dict[str, Any]:
    return {"row": row, "line": line, "column": fault.column, "code": fault.code, "reason": fault.reason}


@dataclass(slots=True)
class _Seen:
    """The people of the file so far, by each thing that makes two rows one person."""

    people: dict[tuple[str, ...], Person] = field(default_factory=dict)

    def earlier(self, person: Person) -> Person | None:
        return next((self.people[key] for key in keys_of(person) if key in self.people), None)

    def merge(self, person: Person) -> Person | None:
        """The earlier row of the same person, into which this one is merged now; None for somebody who comes up first."""
        first = self.earlier(person)
        if first is not None:
            merge_rows(first, person)
        self.remember(first or person)
        return first

    def remember(self, person: Person) -> None:
        for key in keys_of(person):
            self.people.setdefault(key, person)


def keys_of(person: Person) -> list[tuple[str, ...]]:
    """An e-mail address or a LinkedIn profile is one person's; a telephone number only together with the name."""
    keys: list[tuple[str, ...]] = [("email", email) for email in person.emails]
    if person.linkedin_url:
        keys.append(("linkedin", person.linkedin_url))
    if person.phone_e164 and not keys:
        name = f"{person.first_name or ''} {person.last_name or ''}".casefold()
        keys.append(("phone", person.phone_e164, name))
    return keys


def _keep(parsed: ParsedFile, seen: _Seen, person: Person) -> None:
    first = seen.merge(person)
    if first is None:
        parsed.people.append(person)
    else:
        parsed.merged.append({"row": person.row, "into": first.row})


def distinct(people: Iterable[Person]) -> list[Person]:
    """One for each person, in file order; repeated rows are merged into the first."""
    seen = _Seen()
    return [person for person in people if seen.merge(person) is None]


def merge_rows(first: Person, later: Person) -> None:
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
