"""Conditions of a step: parsed by hand into frozen nodes, answered from facts, never evaluated as code.

or      := and { "or" and }
and     := not { "and" not }
not     := "not" not | "(" or ")" | test
test    := "replied" [ "(" intent ")" ] | ("delivered" | "opened" | "clicked" | "bounced"
           | "accepted" | "connected") "(" step ")"
         | "silent" "(" days ")" | subject compare value | subject ["not"] "in" "[" value { "," value } "]"
subject := "score" | "language" | "country" | "field" "(" text ")"
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cadenza.campaigns.contracts import ConditionFacts
from cadenza.campaigns.reader import closest, either
from cadenza.understanding.contracts import Intent

_MAX_LENGTH = 1000
_MAX_DEPTH = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"[^\"]*\"|'[^']*')|(?P<number>-?\d{1,15}(?:\.\d{1,15})?)(?![\w])"
    r"|(?P<word>[^\W\d][\w-]*)|(?P<sign>==|!=|>=|<=|[()\[\],<>]))"
)
_OF_STEP = frozenset({"delivered", "opened", "clicked", "bounced", "accepted", "connected"})
_SUBJECTS = frozenset({"score", "language", "country", "field"})
_COMPARE = frozenset({"==", "!=", ">=", "<=", ">", "<"})
_TESTS = _OF_STEP | _SUBJECTS | {"replied", "silent"}
_INTENTS = frozenset(intent.value for intent in Intent)

Literal = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Replied:
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """``what`` (delivered, opened, clicked, bounced, accepted or connected) for the touch of ``step``."""

    what: str
    step: str


@dataclass(frozen=True, slots=True)
class Silent:
    days: float


@dataclass(frozen=True, slots=True)
class Compare:
    """``operator`` is one of == != >= <= > < in; for ``in``, ``value`` is a tuple. ``name`` is the field's, if one."""

    subject: str
    operator: str
    value: Literal | tuple[Literal, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple["Condition", ...]


Condition = Replied | Happened | Silent | Compare | Not | All | Some


class ConditionError(Exception):
    """Why a condition cannot be read, in words for its author."""


def parse_condition(source: str, earlier_steps: Collection[str]) -> Condition:
    """Raises ``ConditionError`` for anything outside the grammar and for steps that are not among the earlier ones."""
    if len(source) > _MAX_LENGTH:
        raise ConditionError(f"A condition has at most {_MAX_LENGTH} characters.")
    return _Parser(list(_tokens(source)), frozenset(earlier_steps)).whole()


@lru_cache(maxsize=4096)
def saved_condition(source: str) -> Condition:
    """A condition that was checked when its campaign was saved."""
    named = [word for _, word in _tokens(source)]
    return parse_condition(source, named)


def evaluate(condition: Condition, facts: ConditionFacts) -> bool:
    match condition:
        case Not(part):
            return not evaluate(part, facts)
        case All(parts):
            return all(evaluate(part, facts) for part in parts)
        case Some(parts):
            return any(evaluate(part, facts) for part in parts)
        case Replied(intent):
            return facts.replied if intent is None else intent in facts.intents
        case Happened(what, step):
            return step in getattr(facts, what)
        case Silent(days):
            return not facts.replied and facts.silent_days >= days
        case Compare():
            return _compare(condition, facts)


def steps_named(condition: Condition) -> frozenset[str]:
    """The steps whose outcome the condition asks about."""
    return frozenset(step for _, step in happenings(condition))


def happenings(condition: Condition) -> Iterator[tuple[str, str]]:
    """(what, step) of everything that the condition asks about steps."""
    match condition:
        case Not(part):
            yield from happenings(part)
        case All(parts) | Some(parts):
            for part in parts:
                yield from happenings(part)
        case Happened(what, step):
            yield what, step


def _compare(test: Compare, facts: ConditionFacts) -> bool:
    known = facts.fields.get(test.name) if test.subject == "field" else getattr(facts, test.subject)
    if isinstance(test.value, tuple):
        return any(_equal(known, value) for value in test.value)
    if test.operator in {"==", "!="}:
        return _equal(known, test.value) is (test.operator == "==")
    left, right = _number(known), _number(test.value)
    if left is None or right is None:
        return False
    return {">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right}[test.operator]


def _equal(known: Any, value: Literal) -> bool:
    """Texts without regard to case; a number equals its text, since imported fields are texts."""
    if known is None or value is None or isinstance(known, bool) or isinstance(value, bool):
        return _word(known) == _word(value)
    left, right = _number(known), _number(value)
    if left is not None and right is not None:
        return left == right
    return str(known).strip().casefold() == str(value).strip().casefold()


def _word(value: Any) -> str | None:
    return None if value is None else str(value).strip().casefold()


def _number(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    here = 0
    while here < len(source.rstrip()):
        found = _TOKEN.match(source, here)
        if not found or not found.lastgroup:
            raise ConditionError(f"{source[here:].strip()[:20]!r} cannot be read in a condition.")
        yield found.lastgroup, found.group(found.lastgroup)
        here = found.end()


@dataclass(slots=True)
class _Parser:
    tokens: list[tuple[str, str]]
    steps: frozenset[str]
    at: int = 0
    depth: int = 0

    def whole(self) -> Condition:
        condition = self._some()
        if self.at < len(self.tokens):
            raise ConditionError(
                f"{self.tokens[self.at][1]!r} is not expected here; join tests by and, or, not."
            )
        return condition

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _next(self, what: str) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise ConditionError(f"The condition ends where {what} is expected.")
        self.at += 1
        return self.tokens[self.at - 1]

    def _expect(self, sign: str) -> None:
        kind, word = self._next(repr(sign))
        if word != sign or kind == "text":
            raise ConditionError(f"Expected {sign!r} instead of {word!r}.")

    def _accept(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] in {("word", word), ("sign", word)}:
            self.at += 1
            return True
        return False

    def _some(self) -> Condition:
        parts = [self._all()]
        while self._accept("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._accept("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Condition:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ConditionError(f"The condition is nested deeper than {_MAX_DEPTH} levels.")
        try:
            if self._accept("not"):
                return Not(self._one())
            if self._accept("("):
                inside = self._some()
                self._expect(")")
                return inside
            return self._test()
        finally:
            self.depth -= 1

    def _test(self) -> Condition:
        kind, word = self._next("a test")
        if kind != "word" or word not in _TESTS:
            raise ConditionError(
                f"{word!r} is no known test.{closest(word, _TESTS)} Known: {either(_TESTS)}."
            )
        if word == "replied":
            return Replied(self._intent() if self._accept("(") else None)
        if word in _OF_STEP:
            return Happened(word, self._step(word))
        return self._silent() if word == "silent" else self._comparison(word)

    def _intent(self) -> str:
        _, word = self._next("an intent")
        if word not in _INTENTS:
            raise ConditionError(
                f"{word!r} is no intent.{closest(word, _INTENTS)} Known: {either(_INTENTS)}."
            )
        self._expect(")")
        return word

    def _step(self, test: str) -> str:
        self._expect("(")
        _, word = self._next("a step's id")
        if word not in self.steps:
            known = (
                f" Earlier steps: {', '.join(sorted(self.steps))}."
                if self.steps
                else " No step comes before."
            )
            raise ConditionError(f"{test}({word}) names no earlier step.{closest(word, self.steps) or known}")
        self._expect(")")
        return word

    def _silent(self) -> Condition:
        self._expect("(")
        kind, word = self._next("a number of days")
        if kind != "number" or float(word) < 0:
            raise ConditionError(f"silent() takes a number of days, not {word!r}.")
        self._expect(")")
        return Silent(float(word))

    def _comparison(self, subject: str) -> Condition:
        name = self._field_name() if subject == "field" else ""
        turned = self._accept("not")
        if self._accept("in"):
            inside = Compare(subject, "in", self._list(), name)
            return Not(inside) if turned else inside
        _, operator = self._next("a comparison")
        if turned or operator not in _COMPARE:
            raise ConditionError(f"Expected {either(_COMPARE)} or 'in' after {subject!r}.")
        value = self._literal()
        if subject == "score" and (isinstance(value, bool) or not isinstance(value, float)):
            raise ConditionError("score is compared with a number, as in: score >= 40.")
        return Compare(subject, operator, value, name)

    def _field_name(self) -> str:
        self._expect("(")
        kind, word = self._next("the field's name")
        if kind != "text":
            raise ConditionError(f'Write the name of the field in quotes: field("{word}").')
        self._expect(")")
        return word[1:-1]

    def _list(self) -> tuple[Literal, ...]:
        self._expect("[")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect("]")
        return tuple(values)

    def _literal(self) -> Literal:
        kind, word = self._next("a value")
        if kind == "text":
            return word[1:-1]
        if kind == "number":
            return float(word)
        words: dict[str, Literal] = {"true": True, "false": False, "null": None}
        if kind != "word" or word in {"and", "or", "not", "in"}:
            raise ConditionError(f"Expected a value instead of {word!r}.")
        return words.get(word, word)
