"""The language of filters, as data: a condition is field, operator and value; a group is "all" or "any" of them.

    {"match": "all", "rules": [{"field": "country", "operator": "is", "value": "DE, AT"},
                               {"match": "any", "rules": [...]}]}

In the address bar a flat group is ``match=all&f=country|is|DE, AT&f=...``. Nothing in it is ever run as code: fields and
operators come from the lists below, values are bound.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from cadenza.audience.contracts import FieldKind
from cadenza.audience.field_values import normal_value
from cadenza.core.errors import CadenzaError, Problem

MOST_CONDITIONS, MOST_DEPTH, LONGEST_VALUE = 50, 4, 500
CUSTOM = "custom."
EVENT = "event."


class Kind(StrEnum):
    """What a field holds, and so which operators fit it."""

    TEXT = "text"
    CODE = "code"  # ISO codes; several with commas
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    EVENT = "event"
    CAMPAIGN = "campaign"


OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("is", "is_not", "contains", "starts", "known", "unknown"),
    Kind.CODE: ("is", "is_not", "known", "unknown"),
    Kind.NUMBER: ("is", "above", "below", "known", "unknown"),
    Kind.DATE: ("before", "after", "within", "known", "unknown"),
    Kind.YES_NO: ("is",),
    Kind.EVENT: ("ever", "never", "within", "not_within"),
    Kind.CAMPAIGN: ("is", "is_not"),
}
WITHOUT_VALUE = frozenset({"known", "unknown", "ever", "never"})
DAYS = frozenset({"within", "not_within"})
EVENTS = ("sent", "delivered", "opened", "clicked", "replied", "bounced", "unsubscribed", "absent")
FIELDS: dict[str, Kind] = {
    "first_name": Kind.TEXT, "last_name": Kind.TEXT, "title": Kind.TEXT, "email": Kind.TEXT, "country": Kind.CODE,
    "language": Kind.CODE, "timezone": Kind.TEXT, "created": Kind.DATE, "account.name": Kind.TEXT, "account.domain": Kind.TEXT,
    "account.industry": Kind.TEXT, "account.country": Kind.CODE, "has_email": Kind.YES_NO, "has_phone": Kind.YES_NO,
    "has_linkedin": Kind.YES_NO, "stopped": Kind.YES_NO, "campaign": Kind.CAMPAIGN,
    **{EVENT + kind: Kind.EVENT for kind in EVENTS},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """``value`` is in normal form: codes and campaigns with commas, numbers and dates as JSON writes them, days as digits."""

    field: str
    operator: str
    value: str = ""

    @property
    def address(self) -> str:
        return f"{self.field}|{self.operator}|{self.value}".rstrip("|")


@dataclass(frozen=True, slots=True)
class Group:
    match: str  # "all" or "any"
    rules: tuple["Condition | Group", ...] = ()

    def conditions(self) -> Iterator[Condition]:
        for rule in self.rules:
            if isinstance(rule, Condition):
                yield rule
            else:
                yield from rule.conditions()


EVERYBODY = Group("all")
NOBODY = Group("any")


def kind_of(field: str, custom: Mapping[str, FieldKind]) -> Kind | None:
    """What a field holds; None for one that does not exist. ``custom`` are the workspace's own."""
    if field.startswith(CUSTOM) and (kind := custom.get(field.removeprefix(CUSTOM))):
        return Kind(kind.value)
    return FIELDS.get(field)


def read(data: object, custom: Mapping[str, FieldKind]) -> Group:
    """A rule from JSON. Raises ``CadenzaError`` that names every fault by its place, such as ``rules.1.operator``."""
    reader = _Reader(custom)
    group = reader.group(data, "", 1)
    reader.finish(group)
    return group


def read_address(match: str, given: Sequence[str], custom: Mapping[str, FieldKind]) -> Group:
    """A rule from the parts of an address. Raises ``CadenzaError``."""
    rules = [dict(zip(("field", "operator", "value"), part.split("|", 2), strict=False)) for part in given]
    return read({"match": match or "all", "rules": rules}, custom)


def to_json(rule: Condition | Group) -> dict[str, Any]:
    """As it is stored; ``read`` gives an equal rule back."""
    if isinstance(rule, Condition):
        return {"field": rule.field, "operator": rule.operator, "value": rule.value}
    return {"match": rule.match, "rules": [to_json(each) for each in rule.rules]}


def to_address(group: Group) -> list[tuple[str, str]]:
    """The parts of an address, in order; nothing for a group with groups in it, which an address does not hold."""
    if not all(isinstance(rule, Condition) for rule in group.rules):
        return []
    match = [("match", group.match)] if group.match != "all" else []
    return match + [("f", condition.address) for condition in group.conditions()]


class _Reader:
    def __init__(self, custom: Mapping[str, FieldKind]) -> None:
        self._custom = custom
        self._problems: list[Problem] = []

    def finish(self, group: Group) -> None:
        if not self._problems and sum(1 for _ in group.conditions()) > MOST_CONDITIONS:
            self._wrong("rules", f"A filter has at most {MOST_CONDITIONS} conditions.")
        if self._problems:
            raise CadenzaError(
                "filter_invalid",
                " ".join(problem.message for problem in self._problems[:3]),
                fix="Correct the filter.",
                problems=tuple(self._problems),
            )

    def _wrong(self, place: str, message: str) -> None:
        if len(self._problems) < MOST_CONDITIONS:
            self._problems.append(Problem(message, key=place))

    def group(self, data: object, place: str, depth: int) -> Group:
        rules = data.get("rules") if isinstance(data, Mapping) else None
        match = data.get("match", "all") if isinstance(data, Mapping) else None
        if match not in ("all", "any") or not isinstance(rules, Sequence) or isinstance(rules, str):
            self._wrong(place or "match", "A group says match: all or any, and has a list of rules.")
            return EVERYBODY
        if depth > MOST_DEPTH or len(rules) > MOST_CONDITIONS:
            self._wrong(
                place or "rules", f"Groups go {MOST_DEPTH} deep and hold {MOST_CONDITIONS} rules at most."
            )
            return EVERYBODY
        return Group(
            match, tuple(self._rule(rule, f"{place}rules.{n}.", depth) for n, rule in enumerate(rules))
        )

    def _rule(self, data: object, place: str, depth: int) -> Condition | Group:
        if isinstance(data, Mapping) and "rules" in data:
            return self.group(data, place, depth + 1)
        given = data if isinstance(data, Mapping) else {}
        field, operator, value = (given.get(key, "") for key in ("field", "operator", "value"))
        if not all(isinstance(each, str) for each in (field, operator, value)):
            self._wrong(place, "Field, operator and value are texts.")
            return Condition("", "")
        return self._condition(field, operator, value.strip(), place)

    def _condition(self, field: str, operator: str, value: str, place: str) -> Condition:
        kind = kind_of(field, self._custom)
        if kind is None:
            self._wrong(f"{place}field", f"There is no field {field[:60]!r}.")
        elif operator not in OPERATORS[kind]:
            fits = ", ".join(OPERATORS[kind])
            self._wrong(f"{place}operator", f"{operator[:40]!r} does not fit {field}: {fits}.")
        elif operator in WITHOUT_VALUE:
            return Condition(field, operator)
        elif (normal := _normal(kind, operator, value)) is None:
            self._wrong(f"{place}value", f"{value[:80]!r} does not fit {field} {operator}.")
        else:
            return Condition(field, operator, normal)
        return Condition("", "")


def _normal(kind: Kind, operator: str, value: str) -> str | None:
    """The value in the form that is stored and compared; None when it is none of its kind."""
    if not value or len(value) > LONGEST_VALUE or "\0" in value:
        return None
    if operator in DAYS:
        return str(int(value)) if value.isascii() and value.isdigit() and 0 < int(value[:6]) <= 3650 else None
    if kind is Kind.CODE:
        codes = [code.strip() for code in value.split(",")]
        return (
            ", ".join(codes)
            if all(code.isascii() and code.isalpha() and len(code) < 4 for code in codes)
            else None
        )
    if kind is Kind.DATE:
        return _day(value)
    if kind is Kind.CAMPAIGN:
        return _identity(value)
    return normal_value(FieldKind(kind.value), value)


def _day(value: str) -> str | None:
    """ISO 8601, or day, month and year with dots between them."""
    day, dot, rest = value.partition(".")
    month, _, year = rest.partition(".")
    written = f"{year:>04}-{month:>02}-{day:>02}" if dot else value
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        return None


def _identity(value: str) -> str | None:
    try:
        return str(UUID(value))
    except ValueError:
        return None
