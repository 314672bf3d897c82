"""How many people a filter lets through, without counting a hundred thousand of them at every look at the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from cadenza.audience.models import ContactRow
from cadenza.audience.segment_rules import Group
from cadenza.core.unit import Unit

LARGE = 10_000  # fewer are counted each time
KEPT = timedelta(seconds=10)
_MOST_KEPT = 1000

_Key = tuple[UUID, Group, str]


@dataclass(frozen=True, slots=True)
class _Total:
    people: int
    at: datetime


_known: dict[_Key, _Total] = {}


async def total(unit: Unit, rule: Group, query: str, fits: Sequence[ColumnElement[bool]]) -> int:
    """How many people meet ``fits``, which is what ``rule`` and ``query`` come to. A large number may be ten seconds old."""
    key, now = (unit.workspace_id, rule, query), unit.machine.now()
    known = _known.get(key)
    if known and timedelta() <= now - known.at < KEPT:
        return known.people
    people = await unit.session.scalar(select(func.count()).select_from(ContactRow).where(*fits)) or 0
    _known.pop(key, None)
    if people >= LARGE:
        if len(_known) >= _MOST_KEPT:
            _known.clear()
        _known[key] = _Total(people, now)
    return people
