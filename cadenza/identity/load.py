"""How much each member has open. Rooms above say what counts, each by one line at its import."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from cadenza.core.unit import Unit

Count = Callable[[Unit], Awaitable[Mapping[UUID, int]]]

_counts: list[Count] = []


def counts_as_load(count: Count) -> Count:
    """Decorates a function that tells how many open things each member has."""
    _counts.append(count)
    return count


async def load(unit: Unit) -> dict[UUID, int]:
    total: Counter[UUID] = Counter()
    for count in _counts:
        total.update(await count(unit))
    return dict(total)
