"""docs/importing.md: its example is imported, and each code in it comes from the row it shows."""

import re
from pathlib import Path

import pytest

from cadenza.audience.columns import CUSTOM, IGNORE, Field
from cadenza.audience.contracts import FieldKind
from cadenza.audience.csv_text import MAX_COLUMNS, MAX_ROWS
from cadenza.audience.import_file import parse_file
from cadenza.audience.text_source import MAX_BYTES

_ROOT = Path(__file__).parents[2]
GUIDE = (_ROOT / "docs" / "importing.md").read_text()
COLUMNS = [
    "email",
    "first_name",
    "phone_e164",
    "linkedin_url",
    "website",
    "country",
    "language",
    "seats",
    "timezone",
]


def part(heading: str) -> str:
    return GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[tuple[str, str, str]]:
    """(code, column, example) of a table."""
    found = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (?:`([^`]*)`)? ?\|", part(heading), re.MULTILINE)
    return [(code, column, example) for code, column, example in found]


def test_its_example_does_what_it_says() -> None:
    (example,) = re.findall(r"```csv\n(.*?)```", GUIDE, re.DOTALL)
    parsed = parse_file(example.encode(), {})
    assert (parsed.rows, len(parsed.people), parsed.rejected, parsed.warnings) == (3, 2, [], [])
    assert parsed.merged == [{"row": 3, "into": 1}]
    katrin, luc = parsed.people
    assert (katrin.first_name, katrin.company, katrin.phone_e164, katrin.country) == (
        "Katrin",
        "Alpha GmbH",
        "+4930901820",
        "DE",
    )
    assert (luc.language, luc.country, set(luc.custom.values())) == ("fr", "FR", {"40"})


@pytest.mark.parametrize(
    ("heading", "code", "column", "example"),
    [
        (heading, *row)
        for heading in ("Rows that are rejected", "What is left out with a warning")
        for row in rows(heading)
    ],
)
def test_every_row_in_it_gets_its_code(heading: str, code: str, column: str, example: str) -> None:
    cells = ["ann@alpha.example", "Ann", *[""] * (len(COLUMNS) - 2)]
    cells[COLUMNS.index(column)] = example.replace("␀", "\x07")
    parsed = parse_file(f"{','.join(COLUMNS)}\n{','.join(cells)}\n".encode(), {}, {"seats": FieldKind.NUMBER})
    rejects = heading == "Rows that are rejected"
    assert [fault["code"] for fault in (parsed.rejected if rejects else parsed.warnings)] == [code]
    assert len(parsed.people) == (0 if rejects else 1)


def test_it_names_every_code_and_every_field() -> None:
    source = (_ROOT / "cadenza" / "audience" / "rows.py").read_text()  # needs a defined field
    codes = set(
        re.findall(r'"(\w+_(?:invalid|unknown|missing|unreadable|characters|cells)|too_long)"', source)
    ) | {"too_many_cells"}
    told = {
        code
        for heading in ("Rows that are rejected", "What is left out with a warning")
        for code, _, _ in rows(heading)
    }
    assert told == codes
    fields = set(re.findall(r"^\| `([\w.]+)` \|", part("Columns"), re.MULTILINE))
    assert fields == {*(field.value for field in Field), f"{CUSTOM}NAME", IGNORE}


def test_its_limits_are_those_of_the_program() -> None:
    assert f"{MAX_BYTES // 1024 // 1024} MB, {MAX_ROWS:,} rows and {MAX_COLUMNS} columns" in GUIDE
