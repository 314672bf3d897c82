"""Reading a YAML document with a line for every complaint."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cadenza.core.errors import CadenzaError, Problem

_LARGEST = 1024 * 1024
_DEEPEST = 50
_BRACKET = re.compile(r"[\[\]{}]")
_DAYS = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}

T = TypeVar("T")
Parser = Callable[["Node"], Any]


class Node:
    """One value of the document, the line it stands on, and the list that complaints go to."""

    def __init__(self, value: Any, line: int, key: str, problems: list[Problem]) -> None:
        self.value = value
        self.line = line
        self.key = key
        self.problems = problems

    def wrong(self, message: str) -> None:
        self.problems.append(Problem(f"{self.key}: {message}", line=self.line, key=self.key))

    def fields(self, known: Mapping[str, Parser], required: tuple[str, ...] = ()) -> dict[str, Any]:
        """The parsed values of a mapping by key; unknown and missing keys are complaints, missing ones are left out."""
        if not isinstance(self.value, dict):
            self.wrong("a mapping is expected")
            return {}
        found: dict[str, Any] = {}
        for key, node in self.items():
            if key in known:
                found[key] = known[key](node)
            else:
                node.wrong(f"unknown key; known are {', '.join(known)}")
        for key in required:
            if key not in self.value:
                self.problems.append(Problem(f"{self.key}: {key} is missing", line=self.line, key=key))
        return found

    def items(self) -> list[tuple[str, "Node"]]:
        if not isinstance(self.value, dict):
            self.wrong("a mapping is expected")
            return []
        place = getattr(self.value, "lc", None)
        inner = []
        for key, value in self.value.items():
            line = place.key(key)[0] + 1 if place is not None else self.line
            inner.append((str(key), Node(value, line, str(key), self.problems)))
        return inner

    def entries(self) -> list["Node"]:
        if not isinstance(self.value, list):
            self.wrong("a list is expected")
            return []
        place = getattr(self.value, "lc", None)
        return [
            Node(value, place.item(n)[0] + 1 if place is not None else self.line, self.key, self.problems)
            for n, value in enumerate(self.value)
        ]


def load(text: str, file: str) -> Node:
    """The document's root. Raises ``world_unreadable`` with the line when it is no YAML."""
    if len(text) > _LARGEST:
        raise CadenzaError("world_unreadable", f"{file} is larger than a world file can be.")
    _refuse_deep(text, file)
    yaml = YAML(typ="rt")
    yaml.version = (1, 2)
    try:
        value = yaml.load(text)
    except MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else None
        what = str(wrong.problem or wrong.context or "not readable")
        raise _unreadable(file, what, line) from wrong
    except (YAMLError, ValueError, RecursionError) as wrong:
        raise _unreadable(file, str(wrong).split("\n", 1)[0], None) from wrong
    return Node(value, 1, file, [])


def _refuse_deep(text: str, file: str) -> None:
    """The parser takes seconds for some thousand open brackets, and no world needs more than a few."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > _DEEPEST:
            line = text.count("\n", 0, bracket.start()) + 1
            raise _unreadable(file, f"brackets are nested deeper than {_DEEPEST} levels", line)


def _unreadable(file: str, what: str, line: int | None) -> CadenzaError:
    where = f" in line {line}" if line else ""
    return CadenzaError(
        "world_unreadable",
        f"{file} is no YAML{where}: {what}.",
        fix="Correct this place.",
        problems=(Problem(what, line=line),),
    )


def number(low: float, high: float = float("inf")) -> Parser:
    def parse(node: Node) -> float:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            node.wrong("a number is expected")
            return low
        if not low <= node.value <= high:
            node.wrong(f"{node.value} is not between {low} and {high}")
        return float(node.value)

    return parse


def whole(low: int, high: int) -> Parser:
    def parse(node: Node) -> int:
        if isinstance(node.value, bool) or not isinstance(node.value, int) or not low <= node.value <= high:
            node.wrong(f"a whole number between {low} and {high} is expected")
            return low
        return int(node.value)

    return parse


chance = number(0, 1)
factor = number(0, 1000)


def word(node: Node) -> str:
    if not isinstance(node.value, str) or not node.value:
        node.wrong("a word is expected")
        return ""
    return str(node.value)


def flag(node: Node) -> bool:
    if not isinstance(node.value, bool):
        node.wrong("true or false is expected")
    return bool(node.value)


def moment(node: Node) -> datetime:
    value = node.value
    if isinstance(value, datetime):
        return datetime.fromtimestamp(value.replace(tzinfo=value.tzinfo or UTC).timestamp(), UTC)
    node.wrong("a time such as 2026-03-02T00:00:00Z is expected")
    return datetime(2026, 1, 1, tzinfo=UTC)


def day(node: Node) -> date:
    if isinstance(node.value, date) and not isinstance(node.value, datetime):
        return node.value
    node.wrong("a date such as 2026-03-10 is expected")
    return date(2026, 1, 1)


def weekdays(node: Node) -> frozenset[int]:
    """``mon-fri``, ``sat`` or several with commas between."""
    found: set[int] = set()
    for part in str(node.value).split(","):
        first, _, last = part.strip().partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            node.wrong(f"{part} names no weekdays; write mon-fri")
            continue
        found.update(range(_DAYS[first], _DAYS[last or first] + 1))
    return frozenset(found)


def by_name(parse: Parser, known: tuple[str, ...] | None = None) -> Parser:
    """A mapping of names to values of one kind."""

    def parse_all(node: Node) -> dict[str, Any]:
        found = {}
        for key, inner in node.items():
            if known is not None and key not in known:
                inner.wrong(f"unknown key; known are {', '.join(known)}")
            found[key] = parse(inner)
        return found

    return parse_all


def shares(node: Node) -> dict[str, float]:
    """A mapping of values to shares, made to add up to 1; a single value has them all."""
    if not isinstance(node.value, dict):
        return {str(node.value): 1.0}
    found: dict[str, float] = by_name(chance)(node)
    total = sum(found.values())
    if total <= 0:
        node.wrong("no share is above 0")
        return {"": 1.0}
    return {value: share / total for value, share in found.items()}


def pair(parse: Parser) -> Parser:
    def parse_two(node: Node) -> tuple[Any, Any]:
        entries = node.entries()
        if len(entries) != 2:
            node.wrong("two values are expected")
            return (0, 0)
        return (parse(entries[0]), parse(entries[1]))

    return parse_two
