"""``cadenza replies`` and ``cadenza mail``: read files without a database, a server or a network."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cadenza.core.errors import CadenzaError

if TYPE_CHECKING:
    from cadenza.inbox.detection.contracts import Mail
    from cadenza.understanding.contracts import Analysis

Row = dict[str, Any]
_OF_MAIL = frozenset(
    {"from", "to", "subject", "date", "message-id", "received", "return-path", "sender", "reply-to", "cc", "content-type", "mime-version"}
)  # fmt: skip


@click.group()
def replies() -> None:
    """What replies say."""


@click.group()
def mail() -> None:
    """What kind of mail a file holds."""


@replies.command()
@click.option("--format", "form", type=click.Choice(["eml", "jsonl"]), help="Default: by the file's ending.")
@click.option(
    "--json", "_json", is_flag=True, help="Accepted for uniformity: the output is always JSON lines."
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def analyze(files: tuple[str, ...], form: str | None, *, _json: bool) -> None:
    """Analyse replies: one JSON line per mail file, or per line of a JSONL file."""

    def rows(file: str) -> Iterator[Row]:
        lines = form == "jsonl" or (form is None and file.lower().endswith((".jsonl", ".ndjson", ".json")))
        return _analyze_lines(file) if lines else iter([_analyze_mail(file)])

    _print_all(files, rows)


@mail.command()
@click.option(
    "--own", multiple=True, metavar="ADDRESS", help="An address of ours; may be given several times."
)
@click.option(
    "--json", "_json", is_flag=True, help="Accepted for uniformity: the output is always JSON lines."
)
@click.argument("files", nargs=-1, required=True, metavar="FILE.eml...")
def classify(files: tuple[str, ...], own: tuple[str, ...], *, _json: bool) -> None:
    """Tell people from machines: one JSON line per mail file."""

    def rows(file: str) -> Iterator[Row]:
        from cadenza.inbox.detection import detect  # noqa: PLC0415 - keeps --help fast

        yield {"file": file, **detect(_message(file), own).to_dict()}

    _print_all(files, rows)


def _print_all(files: tuple[str, ...], rows: Callable[[str], Iterator[Row]]) -> None:
    """Every row of every file in order; a refusal is a row too, and makes the exit code 1."""
    failed = False
    for file in files:
        try:
            for row in rows(file):
                failed = failed or "error" in row
                _print(row)
        except CadenzaError as error:
            failed = True
            _print({"file": file, "error": {"code": error.code, "message": str(error)}})
    if failed:
        raise SystemExit(1)


def _print(row: Row) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _read(file: str) -> bytes:
    try:
        content = Path(file).read_bytes()
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or "not a usable file name"
        raise CadenzaError(
            "file_unreadable", f"{file} cannot be read: {reason}.", fix="Check its name and rights."
        ) from cause
    if not content.strip():
        raise CadenzaError("file_empty", f"{file} is empty.", fix="Give a file that holds a message.")
    return content


def _message(file: str) -> "Mail":
    """The mail in a file. Raises ``CadenzaError`` where not one header says that it is a mail at all."""
    from cadenza.inbox.detection import read_mail  # noqa: PLC0415 - keeps --help fast

    message = read_mail(_read(file))
    if not _OF_MAIL & message.headers.keys():
        raise CadenzaError(
            "file_not_mail",
            f"{file} holds no mail: it begins with no header such as From or Date.",
            fix="Save the whole message with its headers, as .eml.",
        )
    return message


def _analyze_mail(file: str) -> Row:
    from cadenza.inbox.detection import detect, reply_from  # noqa: PLC0415 - keeps --help fast
    from cadenza.understanding.service import analyze as analyze_reply  # noqa: PLC0415

    message = _message(file)
    return {"file": file, **_flat(analyze_reply(reply_from(message, detect(message))))}


def _analyze_lines(file: str) -> Iterator[Row]:
    from cadenza.understanding.service import analyze as analyze_reply  # noqa: PLC0415 - keeps --help fast
    from cadenza.understanding.service import reply_from_json  # noqa: PLC0415

    for number, line in enumerate(_read(file).decode("utf-8-sig", "replace").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            reply = reply_from_json(line, number)
        except CadenzaError as error:
            message = str(error)
            yield {"file": file, "line": number, "error": {"code": error.code, "message": message}}
            continue
        yield {"id": reply.id, **_flat(analyze_reply(reply))}


def _flat(analysis: "Analysis") -> Row:
    return analysis.to_dict()
