"""What IMAP clients write, and what they ask to see of a message (RFC 3501). Pure."""

import re
from collections.abc import Sequence
from datetime import datetime

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\()|(\))|((?:\[[^\]]*\]|[^\s()"\[])+)')
_ESCAPED = re.compile(rb"\\(.)")
_ITEM = re.compile(r"(BODY(?:\.PEEK)?)\[([^\]]*)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIELD_LIST = re.compile(r"HEADER\.FIELDS \((.*)\)", re.IGNORECASE)

Argument = bytes | list["Argument"]


class BadCommandError(Exception):
    """What the client wrote is not understood; the text is the answer behind BAD."""


def arguments(parts: Sequence[bytes], literals: Sequence[bytes]) -> list[Argument]:
    """Nested lists from the pieces of a command between its literals."""
    stack: list[list[Argument]] = [[]]
    for number, part in enumerate(parts):
        for text, opening, closing, atom in _TOKEN.findall(part):
            if opening:
                stack.append([])
            elif closing:
                if len(stack) == 1:
                    raise BadCommandError("unbalanced brackets")
                inner = stack.pop()
                stack[-1].append(inner)
            else:
                stack[-1].append(atom or _ESCAPED.sub(rb"\1", text))
        if number < len(literals):
            stack[-1].append(literals[number])
    if len(stack) != 1:
        raise BadCommandError("unbalanced brackets")
    return stack[0]


def word(argument: Argument) -> str:
    if isinstance(argument, list):
        raise BadCommandError("a word was expected, not a list")
    return argument.decode("utf-8", "replace")


def numbers(text: str, known: Sequence[int]) -> list[int]:
    """Which of the known numbers (ascending) a set such as ``1:3,7,9:*`` names."""
    wanted: set[int] = set()
    last = known[-1] if known else 0
    for part in text.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":") if end == "*" or end.isdigit()]
        if not ends or len(ends) > 2:
            raise BadCommandError("no set of numbers")
        low, high = min(ends), max(ends)
        wanted.update(number for number in known if low <= number <= high)
    return sorted(wanted)


def internal_date(date: datetime) -> str:
    return f"{date.day:2d}-{_MONTHS[date.month - 1]}-{date.year} {date:%H:%M:%S} +0000"


def read_date(text: str) -> datetime:
    """A date-time as APPEND has it."""
    day, month, rest = text.strip().split("-", 2)
    try:
        number = _MONTHS.index(month.title()) + 1
        return datetime.strptime(f"{day} {number} {rest}", "%d %m %Y %H:%M:%S %z")
    except ValueError as wrong:
        raise BadCommandError("no date") from wrong


def header_of(content: bytes) -> bytes:
    head, blank, _ = content.partition(b"\r\n\r\n")
    return head + blank


def header_values(content: bytes, name: str) -> list[str]:
    """The values of one header, unfolded."""
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", header_of(content)).decode("utf-8", "replace")
    start = f"{name.lower()}:"
    return [line[len(start) :].strip() for line in unfolded.splitlines() if line.lower().startswith(start)]


def section(item: str, content: bytes) -> tuple[str, bytes, bool] | None:
    """``(name in the answer, bytes, marks as seen)`` of a body item; None when the item is no body item."""
    upper = item.upper()
    if upper in {"RFC822", "RFC822.HEADER"}:
        return (upper, content if upper == "RFC822" else header_of(content), upper == "RFC822")
    found = _ITEM.fullmatch(item)
    if found is None:
        return None
    part = _part(found[2], content)
    name = f"BODY[{found[2].upper()}]"
    if found[3] is not None:
        start = int(found[3])
        part = part[start : start + int(found[4])]
        name += f"<{start}>"
    return name, part, not found[1].upper().endswith("PEEK")


def _part(name: str, content: bytes) -> bytes:
    upper = name.upper()
    if not upper:
        return content
    if upper == "HEADER":
        return header_of(content)
    if upper == "TEXT":
        return content.partition(b"\r\n\r\n")[2]
    if fields := _FIELD_LIST.fullmatch(upper):
        lines = [
            f"{name}: {value}\r\n" for name in fields[1].split() for value in header_values(content, name)
        ]
        return "".join(lines).encode() + b"\r\n"
    raise BadCommandError(f"no section {name}")
