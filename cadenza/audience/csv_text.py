"""From the bytes of a CSV file to its rows: encoding, delimiter, records with the line on which each begins."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from cadenza.core.errors import CadenzaError

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 30
_MAX_OPEN_QUOTES = 100  # each makes the reader begin again, so a file of nothing else must not go on for ever
_OPEN_QUOTE = "a quote opens here and never closes"
_AFTER_QUOTE = "text follows a closing quote; double the quotes inside a cell"
_GIVEN_UP = "too many quotes never close; the rest of the file was not read"

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``line`` counts physical lines from 1; ``fault`` says why it could not be read."""

    line: int
    cells: tuple[str, ...]
    fault: str = ""


def refuse(code: str, message: str, fix: str) -> CadenzaError:
    return CadenzaError(code, message, fix=fix)


def decode(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Raises ``CadenzaError`` for what is too large or no text."""
    if len(data) > MAX_BYTES:
        raise refuse(
            "file_too_large",
            f"The file is larger than {MAX_BYTES >> 20} MB.",
            "Split it and import the parts.",
        )
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as wrong:
        raise refuse(
            "encoding_unreadable",
            f"The file says it is {encoding} but is damaged.",
            "Save it again as CSV in UTF-8.",
        ) from wrong
    text = text.removeprefix("\ufeff")
    if text.count("\0") > 10 + len(text) // 100:
        raise refuse("not_text", "This is no text file.", "Export the table as CSV in UTF-8.")
    if not text.strip():
        raise refuse(
            "file_empty",
            "The file is empty.",
            "Export a table with a line of column names and one row a contact.",
        )
    return text, encoding


def _encoding(data: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    if data[:4] in {b"PK\x03\x04", b"%PDF"} or data.startswith(b"\xd0\xcf\x11\xe0"):
        raise refuse(
            "not_text",
            "This is a workbook or document, not a CSV file.",
            "Save it as CSV (UTF-8) and import that.",
        )
    if wide := _wide(data[:4096]):
        return wide
    for name in ("utf-8", "shift_jis", "cp1252"):
        if _decodes(data, name):
            return name
    return "iso-8859-1"


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: in Western text every other byte is nought."""
    if len(head) < 4 or head.count(0) < len(head) // 4:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < 4 * min(even, odd) + 1:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _decodes(data: bytes, name: str) -> bool:
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return False
    return name != "shift_jis" or _looks_japanese(text)


def _looks_japanese(text: str) -> bool:
    """Japanese letters stand in runs; a Western accent misread as one stands alone between Latin letters."""
    foreign = [place for place, character in enumerate(text) if not character.isascii()]
    if not foreign:
        return False
    japanese = {place for place in foreign if _is_japanese(text[place])}
    in_runs = sum(place - 1 in japanese or place + 1 in japanese for place in japanese)
    return len(japanese) >= 0.9 * len(foreign) and in_runs >= 0.7 * len(japanese)


def _is_japanese(character: str) -> bool:
    return (
        "\u3000" <= character <= "\u30ff"
        or "\u4e00" <= character <= "\u9fff"
        or "\uff01" <= character <= "\uff9f"
    )


def find_delimiter(text: str) -> tuple[str, int]:
    """The delimiter, and how many characters of the text only announce it (Excel's ``sep=;`` line)."""
    first = text[:8].lower()
    if first.startswith("sep=") and len(text) > 4 and text[4] in _DELIMITERS:
        return text[4], text.find("\n", 0, 8) + 1 or 5
    scores = {delimiter: _score(text, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: scores[delimiter])
    return (best if scores[best] > (0, 0) else ","), 0


def _score(text: str, delimiter: str) -> tuple[float, int]:
    """How well the first rows agree with the header's number of columns, and that number."""
    head = text[:65_536]
    rows = []
    for record in records(head, delimiter):
        if record.cells:
            rows.append(len(record.cells))
        if len(rows) == _SAMPLE_ROWS:
            break
    columns = rows[0] if rows else 0
    if columns < 2:
        return 0, 0
    return round(sum(count == columns for count in rows) / len(rows), 1), columns


def records(text: str, delimiter: str, first_line: int = 1) -> Iterator[Record]:
    """Every record, blank lines left out. A quote that never closes spoils its own line and no other."""
    lines = list(io.StringIO(text, newline=""))
    reader, start, open_quotes = csv.reader(lines, delimiter=delimiter, strict=True), 0, 0
    while True:
        line = start + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            if "unexpected end" not in str(wrong) and "field limit" not in str(wrong):
                yield Record(line + first_line, (), _AFTER_QUOTE)
                continue
            open_quotes += 1
            yield Record(line + first_line, (), _OPEN_QUOTE if open_quotes <= _MAX_OPEN_QUOTES else _GIVEN_UP)
            start = line + 1 if open_quotes <= _MAX_OPEN_QUOTES else len(lines)
            reader = csv.reader(lines[start:], delimiter=delimiter, strict=True)
            continue
        if any(cell.strip() for cell in cells):
            yield Record(line + first_line, tuple(cells))
