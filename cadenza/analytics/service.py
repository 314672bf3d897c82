"""Counts and rates of campaigns, from events and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from cadenza.analytics import repository
from cadenza.analytics.contracts import RATES, Figures, Rate
from cadenza.analytics.intervals import wilson
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import EventKind as E

__all__ = ["counts", "counts_of", "rates", "wilson"]

# Event kind -> metric. Opens and clicks of machines are counted apart and are no part of any rate (M5).
_METRICS = {
    E.ENROLLED: "enrolled",
    E.SENT: "sent",
    E.DEFERRED: "deferred",
    E.REFUSED: "refused",
    E.FAILED: "failed",
    E.IN_DOUBT: "in_doubt",
    E.SKIPPED: "skipped",
    E.BOUNCED: "bounced",
    E.OPENED: "opened",
    E.CLICKED: "clicked",
    E.REPLIED: "replied",
    E.UNSUBSCRIBED: "unsubscribed",
    E.COMPLAINED: "complained",
    E.ABSENT: "absent",
    E.AUTO_REPLIED: "auto_replied",
}


# A touch is sent and taken over by the relay once, and a person joins a campaign once: the engine's keys see to it.
_ONCE = (E.ENROLLED, E.SENT, E.DELIVERED)
_REPEATED = tuple(kind for kind in (*_METRICS, E.ANALYSED) if kind not in _ONCE)


async def counts(unit: Unit, campaign_id: UUID) -> Figures:
    """All metrics of one campaign in one query. ``delivered`` is what relays took less what came back for good."""
    return (await counts_of(unit, [campaign_id]))[campaign_id]


async def counts_of(unit: Unit, campaign_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """``counts`` of each of these campaigns, in one query for all of them."""
    found: dict[UUID, list[repository.Counted]] = {each: [] for each in campaign_ids}
    for row in await repository.counts(unit, campaign_ids, _ONCE, _REPEATED) if campaign_ids else ():
        found[row[0]].append(row)
    return {each: _figures(rows) for each, rows in found.items()}


def _figures(rows: Sequence[repository.Counted]) -> Figures:
    steps: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for _, step, variant, kind, machine, things, positive, hard in rows:
        here = steps[(step, variant)]
        if kind == E.DELIVERED:
            here["delivered"] += things
        elif kind == E.ANALYSED:
            here["positive_replies"] += positive
        elif metric := _METRICS.get(E(kind)):
            here[f"machine_{metric}" if machine else metric] += things
            here["delivered"] -= hard if kind == E.BOUNCED else 0
    total: Counter[str] = sum(steps.values(), Counter())
    return Figures(dict(total), {key: dict(+c) for key, c in sorted(steps.items()) if key[0] and +c})


def rates(figures: Mapping[str, int]) -> list[Rate]:
    """Every rate of ``RATES`` with its 95 % Wilson interval."""
    return [_rate(metric, figures.get(metric, 0), figures.get(base, 0)) for metric, base in RATES.items()]


def _rate(metric: str, successes: int, trials: int) -> Rate:
    successes = min(successes, trials)
    return Rate(metric, successes, trials, successes / trials if trials else None, wilson(successes, trials))
