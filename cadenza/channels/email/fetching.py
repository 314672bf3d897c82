"""What the answers to FETCH hold (RFC 3501, 7.4.2)."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cadenza.channels.contracts import Fetched, FolderCursor
from cadenza.channels.email.imap_wire import Answer, Value

LARGEST_MESSAGE = 30 * 1024 * 1024

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"\s*(\d{1,2})-(\w{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-]\d{4})")


@dataclass(slots=True)
class Pending:
    """A message of which the flags are known and the content is arriving."""

    uid: int
    seen: bool
    size: int
    internal_date: datetime | None
    content: bytearray = field(default_factory=bytearray)
    complete: bool = False
    gone: bool = False

    @property
    def settled(self) -> bool:
        return self.complete or self.gone


def _facts(answer: Answer) -> dict[bytes, Value]:
    """The pairs of one FETCH answer, without a partial's ``<n>``."""
    values = answer.values()
    if len(values) < 4 or values[2] != b"FETCH" or not isinstance(values[3], list):
        return {}
    names, contents = values[3][::2], values[3][1::2]
    return {
        name.upper().partition(b"<")[0]: content
        for name, content in zip(names, contents, strict=False)
        if isinstance(name, bytes)
    }


def _number(value: Value | None) -> int | None:
    return int(value) if isinstance(value, bytes) and value.isdigit() else None


def read_pending(answer: Answer) -> Pending | None:
    facts = _facts(answer)
    uid, flags, date = _number(facts.get(b"UID")), facts.get(b"FLAGS"), facts.get(b"INTERNALDATE")
    if uid is None:
        return None
    seen = isinstance(flags, list) and any(isinstance(f, bytes) and f.lower() == b"\\seen" for f in flags)
    moment = _moment(date.decode("ascii", "replace")) if isinstance(date, bytes) else None
    return Pending(uid, seen, _number(facts.get(b"RFC822.SIZE")) or 0, moment)


def take(answer: Answer, by_uid: dict[int, Pending]) -> None:
    facts = _facts(answer)
    pending = by_uid.get(_number(facts.get(b"UID")) or 0)
    content = facts.get(b"BODY[]")
    if pending is not None and isinstance(content, bytes):
        pending.content[:] = content
        pending.complete = True


def take_piece(answer: Answer, pending: Pending, start: int) -> None:
    facts = _facts(answer)
    content = facts.get(b"BODY[]")
    if _number(facts.get(b"UID")) == pending.uid and isinstance(content, bytes):
        pending.content[start:] = content


def fetched(cursor: FolderCursor, pending: Pending) -> Fetched:
    return Fetched(
        cursor.folder,
        cursor.uidvalidity,
        pending.uid,
        bytes(pending.content),
        pending.seen,
        pending.internal_date,
        truncated=len(pending.content) >= LARGEST_MESSAGE,
    )


def _moment(text: str) -> datetime | None:
    """INTERNALDATE (RFC 3501) in UTC; month names are English whatever the locale."""
    found = _DATE.fullmatch(text)
    if found is None or found.group(2).title() not in _MONTHS:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    number = _MONTHS.index(month.title()) + 1
    try:
        return datetime.strptime(
            f"{year}-{number}-{day} {hour}:{minute}:{second} {zone}", "%Y-%m-%d %H:%M:%S %z"
        ).astimezone(UTC)
    except ValueError:
        return None
