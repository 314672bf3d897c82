"""A filter as a condition on contacts, for one query. Values are bound; nothing of a filter is text of a statement."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Select,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
)

from cadenza.audience.contracts import Channel, FieldKind
from cadenza.audience.models import AccountRow, AddressRow, ContactRow
from cadenza.audience.segment_rules import CUSTOM, EVENT, Condition, Group, Kind, kind_of
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import people_of_events

Clause = ColumnElement[bool]

SAME_ACCOUNT = (AccountRow.workspace_id == ContactRow.workspace_id) & (AccountRow.id == ContactRow.account_id)

_NUMBER = r"^-?\d+(\.\d+)?$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
# A stop on a person, on an address of theirs, or on its domain or one above it.
_STOPPED = text("""
    exists (select from suppressions s where s.workspace_id = contacts.workspace_id and s.kind = 'contact'
              and s.value = cast(contacts.id as text))
    or exists (select from addresses a join suppressions s on s.workspace_id = a.workspace_id and s.kind = 'address'
              and s.value = a.value where a.workspace_id = contacts.workspace_id and a.contact_id = contacts.id)
    or exists (select from addresses a
               cross join lateral (select split_part(a.value, '@', 2) as host) h
               cross join lateral (select substr(h.host, strpos(h.host, '.') + 1) as above) p
               cross join lateral unnest(array[h.host, p.above, substr(p.above, strpos(p.above, '.') + 1)]) d(name)
               join suppressions s on s.workspace_id = a.workspace_id and s.kind = 'domain' and s.value = d.name
               where a.workspace_id = contacts.workspace_id and a.contact_id = contacts.id and a.channel = 'email')
""")


def here(unit: Unit) -> tuple[ColumnElement[bool], ...]:
    """The contacts of the workspace that were not removed or merged."""
    return (ContactRow.workspace_id == unit.workspace_id, ContactRow.gone_at.is_(None))


def clause(unit: Unit, rule: Condition | Group, custom: Mapping[str, FieldKind]) -> Clause:
    """``rule`` as ``segment_rules.read`` made it; days are counted back from world time."""
    if isinstance(rule, Condition):
        return _condition(unit, rule, custom)
    parts = [clause(unit, each, custom) for each in rule.rules]
    if not parts:
        return true() if rule.match == "all" else false()
    return and_(*parts) if rule.match == "all" else or_(*parts)


def _condition(unit: Unit, rule: Condition, custom: Mapping[str, FieldKind]) -> Clause:
    now = unit.world.now()
    kind = kind_of(rule.field, custom)
    if kind is Kind.EVENT:
        return _event(unit, rule, now)
    if kind is Kind.CAMPAIGN:
        enrolled = _happened(people_of_events(unit, EventKind.ENROLLED, campaign_id=UUID(rule.value)))
        return enrolled if rule.operator == "is" else ~enrolled
    if rule.field in _YES_NO:
        holds = _YES_NO[rule.field]()
        return holds if rule.value == "yes" else ~holds
    if rule.field == "email":
        return _email(rule)
    if rule.field == "created":
        return _moment(rule, now)
    if rule.field.startswith("account."):
        value = (
            select(getattr(AccountRow, rule.field.removeprefix("account.")))
            .where(SAME_ACCOUNT)
            .correlate(ContactRow)
            .scalar_subquery()
        )
        return _text(rule, value)
    if rule.field.startswith(CUSTOM):
        return _custom(rule, kind or Kind.TEXT, now)
    return _text(rule, getattr(ContactRow, rule.field))


def _text(rule: Condition, value: Any) -> Clause:
    """Without regard to case. Nothing known is not equal to anything."""
    here, asked = func.lower(func.coalesce(value, "")), rule.value.lower()
    several = [part.strip() for part in asked.split(",")] if _is_code(rule) else [asked]
    operators: dict[str, Callable[[], Clause]] = {
        "is": lambda: here.in_(several),
        "is_not": lambda: here.not_in(several),
        "contains": lambda: func.strpos(here, asked) > 0,
        "starts": lambda: func.starts_with(here, asked),
        "known": lambda: here != "",
        "unknown": lambda: here == "",
    }
    return operators[rule.operator]()


def _is_code(rule: Condition) -> bool:
    return rule.field.rpartition(".")[2] in {"country", "language"} and not rule.field.startswith(CUSTOM)


def _custom(rule: Condition, kind: Kind, now: datetime) -> Clause:
    value: ColumnElement[str] = ContactRow.custom[rule.field.removeprefix(CUSTOM)].astext
    if kind is Kind.YES_NO or rule.operator in ("known", "unknown") or kind is Kind.TEXT:
        return _text(rule, value)
    if kind is Kind.NUMBER:
        number = case((value.regexp_match(_NUMBER), cast(value, Numeric)))
        asked = cast(literal(rule.value), Numeric)
        return {"is": number == asked, "above": number > asked, "below": number < asked}[rule.operator]
    return _day_text(rule, case((value.regexp_match(_DATE), value)), now)


def _day_text(rule: Condition, value: ColumnElement[str], now: datetime) -> Clause:
    """Days as ISO texts compare as days do."""
    if rule.operator == "within":
        return value.between(
            (now - timedelta(days=int(rule.value))).date().isoformat(), now.date().isoformat()
        )
    return value < rule.value if rule.operator == "before" else value > rule.value


def _moment(rule: Condition, now: datetime) -> Clause:
    if rule.operator in ("known", "unknown"):
        return true() if rule.operator == "known" else ~true()
    if rule.operator == "within":
        return ContactRow.created_at >= now - timedelta(days=int(rule.value))
    day = datetime.fromisoformat(rule.value).replace(tzinfo=UTC)
    return (
        ContactRow.created_at < day
        if rule.operator == "before"
        else ContactRow.created_at >= day + timedelta(days=1)
    )


def _addresses(channel: Channel) -> Clause:
    return exists().where(
        AddressRow.workspace_id == ContactRow.workspace_id, AddressRow.contact_id == ContactRow.id,
        AddressRow.channel == channel.value, AddressRow.dead_at.is_(None),
    )  # fmt: skip


_YES_NO: dict[str, Callable[[], Clause]] = {
    "has_email": lambda: _addresses(Channel.EMAIL),
    "has_phone": lambda: _addresses(Channel.PHONE),
    "has_linkedin": lambda: _addresses(Channel.LINKEDIN),
    "stopped": lambda: select(1).where(_STOPPED).correlate(ContactRow).exists(),
}


def _email(rule: Condition) -> Clause:
    mine = (
        (AddressRow.workspace_id == ContactRow.workspace_id)
        & (AddressRow.contact_id == ContactRow.id)
        & (AddressRow.channel == Channel.EMAIL.value)
    )
    if rule.operator in ("known", "unknown", "is_not"):
        positive = Condition(rule.field, "is", rule.value) if rule.operator == "is_not" else None
        found = exists().where(mine, _text(positive, AddressRow.value) if positive else true())
        return found if rule.operator == "known" else ~found
    return exists().where(mine, _text(rule, AddressRow.value))


def _happened(people: Select[UUID | None]) -> Clause:
    """Whether the contact is among the people of these events."""
    return people.where(people.selected_columns[0] == ContactRow.id).correlate(ContactRow).exists()


def _event(unit: Unit, rule: Condition, now: datetime) -> Clause:
    since = now - timedelta(days=int(rule.value)) if rule.value else None
    found = _happened(people_of_events(unit, EventKind(rule.field.removeprefix(EVENT)), since=since))
    return found if rule.operator in ("ever", "within") else ~found
