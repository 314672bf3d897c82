"""Tables that leave as CSV: written while they are sent, and inert in any spreadsheet."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import StreamingResponse

from cadenza.identity.contracts import Actor
from cadenza.web.service import download

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_PIECE = 64 * 1024  # characters

Cell = str | int | float | None
Table = tuple[Sequence[str], AsyncIterable[Sequence[Cell]]]
"""The header, and the rows."""


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


async def csv_answer(
    request: Request,
    actor: Actor,
    name: str,
    begin: Callable[[], Awaitable[Table]],
) -> StreamingResponse:
    """A CSV file that a browser saves under this name. ``begin`` gives its header and its rows, once there is room for it."""

    async def pieces() -> AsyncIterator[str]:
        header, rows = await begin()
        return csv_pieces(header, rows)

    return await download(request, actor.workspace_id, name, "text/csv; charset=utf-8", pieces)
