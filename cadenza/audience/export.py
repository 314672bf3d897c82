"""Tables that leave as CSV: streamed, and inert in any spreadsheet."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence

from starlette.responses import StreamingResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_PIECE = 64 * 1024  # characters

Cell = str | int | float | None


def safe_cell(value: Cell) -> str:
    """The text of a cell; what a spreadsheet would take for a formula gets an apostrophe before it (ASVS 1.2.10).

    Every text cell is quoted by the writer, as OWASP advises; numbers of our own stay numbers.
    """
    if value is None:
        return ""
    text = str(value)
    risky = isinstance(value, str) and text.lstrip(" ").startswith(_FORMULA)
    return f"'{text}" if risky else text


async def csv_pieces(header: Sequence[str], rows: AsyncIterable[Sequence[Cell]]) -> AsyncIterator[str]:
    """The file in pieces, with a byte order mark, so that spreadsheets read it as UTF-8."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    async for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        if buffer.tell() > _PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


async def _each(rows: Iterable[Sequence[Cell]]) -> AsyncIterator[Sequence[Cell]]:
    for row in rows:
        yield row


def csv_answer(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]] | AsyncIterable[Sequence[Cell]]
) -> StreamingResponse:
    """An answer that a browser saves under this name; the name is one of ours (ASVS 5.4.2)."""
    source = rows if isinstance(rows, AsyncIterable) else _each(rows)
    return StreamingResponse(
        csv_pieces(header, source),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
