"""A parsed template as frozen nodes. Each is printed at most once, so the result is bounded by its source.

The nodes know values only as plain texts by token name; a token without a value is absent.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cadenza.campaigns.filters import FILTERS, MAX_RESULT

Values = Mapping[str, str]
_NOTHING: Values = {}


@dataclass(frozen=True, slots=True)
class Token:
    """A value by its name, such as ``contact.first_name``. ``at`` is its place in the source."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Constant:
    text: str


Operand = Token | Constant


@dataclass(frozen=True, slots=True)
class Applied:
    """One filter with its arguments."""

    name: str
    arguments: tuple[Operand, ...]
    apply: Callable[..., str]


@dataclass(frozen=True, slots=True)
class Output:
    value: Operand
    filters: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Truth:
    """True when the operand has a value. Constants: the words true and false, and any text."""

    value: Operand


@dataclass(frozen=True, slots=True)
class Comparison:
    """``operator`` is one of == != < > <= >= contains. An absent value equals nothing but absence (None)."""

    operator: str
    left: Operand | None
    right: Operand | None


@dataclass(frozen=True, slots=True)
class Both:
    left: "Test"
    right: "Test"


@dataclass(frozen=True, slots=True)
class Either:
    left: "Test"
    right: "Test"


Test = Truth | Comparison | Both | Either


@dataclass(frozen=True, slots=True)
class Branch:
    """Printed when its test holds (when it does not, if ``unless``); None always holds."""

    test: Test | None
    nodes: tuple["Node", ...]
    unless: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The first branch whose test holds."""

    branches: tuple[Branch, ...]


Node = Text | Output | Choice


def render(nodes: tuple[Node, ...], values: Values, *, escape: bool, ready: Values = _NOTHING) -> str:
    """The text of the nodes. ``escape`` makes every printed value inert in HTML, but for those that are ``ready`` HTML.

    A ready value stands only where nothing is done to it; a filter gets the plain one.
    """
    pieces: list[str] = []
    _print(nodes, values, ready if escape else None, pieces)
    return "".join(pieces)


def _print(nodes: tuple[Node, ...], values: Values, ready: Values | None, pieces: list[str]) -> None:
    for node in nodes:
        if isinstance(node, Text):
            pieces.append(node.text)
        elif isinstance(node, Output):
            pieces.append(_output(node, values, ready))
        else:
            for branch in node.branches:
                if branch.test is None or _holds(branch.test, values) is not branch.unless:
                    _print(branch.nodes, values, ready, pieces)
                    break


def _output(node: Output, values: Values, ready: Values | None) -> str:
    """``ready`` is None for plain text, where nothing is escaped."""
    escape = ready is not None
    if ready and not node.filters and isinstance(node.value, Token) and node.value.name in ready:
        return ready[node.value.name]
    text = _value(node.value, values) or ""
    for applied in node.filters:
        if escape and applied.apply is html.escape:
            continue  # everything is escaped once, below
        text = applied.apply(text, *(_value(argument, values) or "" for argument in applied.arguments))
        text = text[:MAX_RESULT]
    return html.escape(text).replace("\n", "<br>\n") if escape else text


def _value(operand: Operand | None, values: Values) -> str | None:
    if isinstance(operand, Token):
        return values.get(operand.name)
    return operand.text if operand else None


def _holds(test: Test, values: Values) -> bool:
    match test:
        case Both(left, right):
            return _holds(left, values) and _holds(right, values)
        case Either(left, right):
            return _holds(left, values) or _holds(right, values)
        case Truth(value):
            return _value(value, values) not in {None, "false"}
        case Comparison():
            return _compare(test, values)


def _compare(test: Comparison, values: Values) -> bool:
    left, right = _value(test.left, values) or None, _value(test.right, values) or None
    if test.operator in {"==", "!="}:
        return (left == right) is (test.operator == "==")
    if left is None or right is None:
        return False
    if test.operator == "contains":
        return right in left
    return _ordered(test.operator, left, right)


def _ordered(operator: str, left: str, right: str) -> bool:
    """Numbers by size; anything else has no order."""
    try:
        first, second = float(left), float(right)
    except ValueError:
        return False
    return {"<": first < second, ">": first > second, "<=": first <= second, ">=": first >= second}[operator]


assert FILTERS["escape"].apply is html.escape  # noqa: S101 - ``_output`` relies on it
