"""From the text of a CSV file to its rows: delimiter, and records with the line on which each begins."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from cadenza.audience.text_source import Source

MAX_ROWS = 200_000
MAX_COLUMNS = 200
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 30
_MAX_OPEN_QUOTES = 100  # each makes the reader begin again, so a file of nothing else must not go on for ever
_TOLD_OPEN_QUOTE = "a quote opens here and never closes"
_TOLD_AFTER_QUOTE = "text follows a closing quote; double the quotes inside a cell"
_TOLD_GIVEN_UP = "too many quotes never close; the rest of the file was not read"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``line`` counts physical lines from 1; ``fault`` says why it could not be read."""

    line: int
    cells: tuple[str, ...]
    fault: str = ""


def find_delimiter(head: str) -> tuple[str, int]:
    """The delimiter, and how many lines of the text only announce it (Excel's ``sep=;`` line)."""
    if head[:4].lower() == "sep=" and len(head) > 4 and head[4] in _DELIMITERS:
        return head[4], 1
    scores = {delimiter: _score(head, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: scores[delimiter])
    return (best if scores[best] > (0, 0) else ","), 0


def _score(head: str, delimiter: str) -> tuple[float, int]:
    """How well the first rows agree with the header's number of columns, and that number."""
    source, rows = Source(lambda: io.BytesIO(head.encode("utf-8", "surrogatepass")), "utf-8"), list[int]()
    for record in records(source, delimiter):
        if record.cells:
            rows.append(len(record.cells))
        if len(rows) == _SAMPLE_ROWS:
            break
    columns = rows[0] if rows else 0
    if columns < 2:
        return 0, 0
    return round(sum(count == columns for count in rows) / len(rows), 1), columns


def records(source: Source, delimiter: str, skipped: int = 0) -> Iterator[Record]:
    """Every record after the skipped lines, blank ones left out. A quote that never closes spoils its own line only."""
    start, open_quotes = skipped, 0
    reader = csv.reader(source.lines(start), delimiter=delimiter, strict=True)
    while True:
        line = start + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            if "unexpected end" not in str(wrong) and "field limit" not in str(wrong):
                yield Record(line + 1, (), _TOLD_AFTER_QUOTE)
                continue
            open_quotes += 1
            if open_quotes > _MAX_OPEN_QUOTES:
                yield Record(line + 1, (), _TOLD_GIVEN_UP)
                return
            yield Record(line + 1, (), _TOLD_OPEN_QUOTE)
            start = line + 1
            reader = csv.reader(source.lines(start), delimiter=delimiter, strict=True)
            continue
        if any(cell.strip() for cell in cells):
            yield Record(line + 1, tuple(cells))
