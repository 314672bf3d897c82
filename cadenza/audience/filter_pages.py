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
    Kind,
    kind_of,
    read_address,
    to_address,
)
from cadenza.audience.segments import segment
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor


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
class Draft:
    """What the form of a new condition holds. ``wrong`` is the part that does not fit: field, operator, value or none."""

    field: str
    operator: str = ""
    value: str = ""
    kind: Kind = Kind.TEXT
    wrong: str = ""

    @property
    def operators(self) -> tuple[str, ...]:
        """The comparisons that fit the field."""
        return OPERATORS[self.kind]

    @property
    def condition(self) -> Condition:
        return Condition(self.field, self.operator, self.value)


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
    draft: Draft = Draft(next(iter(FIELDS)))

    @property
    def fitting(self) -> Asked:
        """What was asked, without the condition that is being corrected."""
        kept = tuple(
            part for part in self.asked.f if not self.wrong or not _draft_of(part, self.custom).wrong
        )
        return Asked(self.asked.q, self.asked.match, kept, self.asked.segment)

    def joined(self, match: str) -> str:
        """The address of the same conditions joined otherwise."""
        return Asked(self.asked.q, match, self.asked.f).address()

    @property
    def as_filter(self) -> str:
        """A segment's filter in the address, to be changed."""
        return Asked(self.asked.q).address(to_address(self.rule))


async def chosen_by(unit: Unit, actor: Actor, asked: Asked, new: Condition | None = None) -> Chosen:
    """``new`` is what the form of one more condition holds; it chooses nobody yet.

    Raises ``CadenzaError`` (not found) for a segment that does not exist.
    """
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
        nested=bool(rule.rules) and not parts, wrong=wrong, custom=custom, draft=_draft(asked, new, custom),
    )  # fmt: skip


def _draft(asked: Asked, new: Condition | None, custom: Mapping[str, FieldKind]) -> Draft:
    """The new condition, else the first of the address that cannot be used, else an empty one."""
    if new:
        return draft(new, custom)
    drafts = (_draft_of(part, custom) for part in asked.f)
    return next((each for each in drafts if each.wrong), Draft(next(iter(FIELDS))))


def _draft_of(part: str, custom: Mapping[str, FieldKind]) -> Draft:
    field, operator, value = (*part.split("|", 2), "", "")[:3]
    return draft(Condition(field, operator or "|", value), custom)


def draft(given: Condition, custom: Mapping[str, FieldKind]) -> Draft:
    """Says what does not fit; a field without an operator is only chosen, and nothing of it is wrong but itself."""
    kind = kind_of(given.field, custom)
    if kind is None:
        return Draft(given.field, given.operator, given.value, wrong="field")
    wrong = ""
    if given.operator:
        try:
            read_address("all", [given.address], custom)
        except CadenzaError as error:
            wrong = (error.problems[0].key or "").rpartition(".")[2]
    return Draft(given.field, given.operator, given.value, kind, wrong)


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


def with_added(asked: Asked, added: Condition) -> str:
    """The address with one more condition."""
    return Asked(asked.q, asked.match, (*asked.f, added.address)).address()
