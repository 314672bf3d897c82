"""The filter of a page as its address tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID

from cadenza.audience.contracts import FieldKind
from cadenza.audience.fields import known_fields
from cadenza.audience.hooks import campaign_names
from cadenza.audience.segment_rules import (
    CUSTOM,
    EVERYBODY,
    FIELDS,
    OPERATORS,
    Condition,
    Group,
    kind_of,
    read_address,
    to_address,
)
from cadenza.audience.segments import segment
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor

_DEFAULT_OPERATOR = "is"


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of the address that choose people."""

    q: str = ""
    match: str = "all"
    f: tuple[str, ...] = ()
    segment: UUID | None = None

    def address(self, parts: Sequence[tuple[str, str]] | None = None) -> str:
        """The address of the list for these people; with other filter parts in place of its own where they are given."""
        own = [("match", self.match)] * (self.match != "all") + [("f", each) for each in self.f]
        own += [("segment", str(self.segment))] if self.segment else []
        query = [("q", self.q)] * bool(self.q) + (own if parts is None else list(parts))
        return "/contacts" + (f"?{urlencode(query)}" if query else "")


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition on the page: its parts, the name that its value stands for, and the address without it."""

    field: str
    operator: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address means. ``wrong`` says in words why it means nothing; then everybody is chosen."""

    asked: Asked
    rule: Group
    chips: tuple[Chip, ...]
    fields: tuple[str, ...]
    campaigns: dict[UUID, str]
    segment_name: str = ""
    nested: bool = False
    wrong: str = ""
    custom: Mapping[str, FieldKind] = field(default_factory=dict)

    def joined(self, match: str) -> str:
        """The address of the same conditions joined otherwise."""
        return Asked(self.asked.q, match, self.asked.f).address()

    @property
    def as_filter(self) -> str:
        """A segment's filter in the address, to be changed."""
        return Asked(self.asked.q).address(to_address(self.rule))


async def chosen_by(unit: Unit, actor: Actor, asked: Asked) -> Chosen:
    """Raises ``CadenzaError`` (not found) for a segment that does not exist."""
    known = await known_fields(unit)
    custom = {field.name: field.kind for field in known}
    rule, name, wrong, names = EVERYBODY, "", "", dict[UUID, str]()
    if asked.segment:
        found = await segment(unit, actor, asked.segment, custom)
        rule, name = found.rule, found.name
    else:
        try:
            rule = read_address(asked.match, asked.f, custom)
        except CadenzaError as error:
            wrong = error.message
    parts = to_address(rule)
    if not asked.segment or any(condition.field == "campaign" for condition in rule.conditions()):
        names = await campaign_names(unit)
    return Chosen(
        asked, rule, _chips(asked, rule, names), (*FIELDS, *(CUSTOM + each.name for each in known if each.shown)), names, name,
        nested=bool(rule.rules) and not parts, wrong=wrong, custom=custom,
    )  # fmt: skip


def _chips(asked: Asked, rule: Group, names: dict[UUID, str]) -> tuple[Chip, ...]:
    parts = to_address(rule)
    filters = [part for part in parts if part[0] == "f"]
    rest = [part for part in parts if part[0] != "f"]
    chips = []
    for number, condition in enumerate(rule.conditions()):
        others = rest + [part for place, part in enumerate(filters) if place != number]
        value = (
            names.get(UUID(condition.value), condition.value)
            if condition.field == "campaign"
            else condition.value
        )
        chips.append(Chip(condition.field, condition.operator, value, asked.address(others)))
    return tuple(chips)


async def with_added(unit: Unit, asked: Asked, field: str, operator: str, value: str) -> str:
    """The address with one more condition. An operator that does not fit the field becomes the field's first one."""
    custom = {each.name: each.kind for each in await known_fields(unit)}
    kind = kind_of(field, custom)
    if kind and operator not in OPERATORS[kind]:
        operator = _DEFAULT_OPERATOR if _DEFAULT_OPERATOR in OPERATORS[kind] else OPERATORS[kind][0]
    if kind and operator not in ("known", "unknown") and not value and "known" in OPERATORS[kind]:
        operator = "known"
    added = Condition(field, operator, value).address
    return Asked(asked.q, asked.match, (*asked.f, added)).address()
