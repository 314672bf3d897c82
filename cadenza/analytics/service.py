"""Counts and rates of campaigns, from events and nothing else: they are counted as the events are added."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from cadenza.analytics import repository
from cadenza.analytics.contracts import RATES, Figures, Rate
from cadenza.analytics.folding import keep_counts
from cadenza.analytics.intervals import wilson
from cadenza.analytics.senders import sender_counts, sender_days
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize
from cadenza.ledger.contracts import EventKind as E

__all__ = [
    "counts", "keep_counts", "rates", "recount", "sender_counts", "sender_days", "totals_of", "wilson", "wrong_counts",
]  # fmt: skip

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
    E.ACCEPTED: "accepted",
    E.CONNECTED: "connected",
    E.UNSUBSCRIBED: "unsubscribed",
    E.COMPLAINED: "complained",
    E.ABSENT: "absent",
    E.AUTO_REPLIED: "auto_replied",
}
# A touch is sent and taken over by the relay once, and a person joins a campaign once: the engine's keys see to it.
_ONCE = (E.ENROLLED, E.SENT, E.DELIVERED)
_COUNTED = (*_METRICS, E.DELIVERED, E.ANALYSED)


async def counts(unit: Unit, campaign_id: UUID) -> Figures:
    """All metrics of one campaign in one query. ``delivered`` is what relays took less what came back for good."""
    return _figures(await repository.counts(unit, [campaign_id], by_step=True))


async def totals_of(unit: Unit, campaign_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """``counts(...).total`` of each of these campaigns, in one query for all of them."""
    found: dict[UUID, list[repository.Counted]] = {each: [] for each in campaign_ids}
    for row in await repository.counts(unit, campaign_ids, by_step=False) if campaign_ids else ():
        found[row[0]].append(row)
    return {each: _figures(rows).total for each, rows in found.items()}


def _figures(rows: Iterable[repository.Counted]) -> Figures:
    total: Counter[str] = Counter()
    steps: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for _, step, variant, measure, machine, things in rows:
        for here in (total, steps[(step, variant)]):
            _add(here, measure, things, machine=machine)
    return Figures(dict(+total), {key: dict(+c) for key, c in sorted(steps.items()) if key[0] and +c})


def _add(here: Counter[str], measure: str, things: int, *, machine: bool) -> None:
    if measure == "hard_bounces":
        here["delivered"] -= things
    elif measure in {E.DELIVERED, "positive_replies"}:
        here[measure] += things
    else:
        metric = _METRICS[E(measure)]
        here[f"machine_{metric}" if machine else metric] += things


async def wrong_counts(unit: Unit) -> int:
    """How many kept counts of this workspace differ from counting its events anew; reads them all."""
    kept = await repository.all_counts(unit)
    return len({row[:5] for row in kept ^ await repository.counted_from_events(unit, _COUNTED, _ONCE)})


async def recount(unit: Unit, actor: Actor) -> int:
    """Count all events of this workspace anew; how many counts were wrong. Whoever adds events meanwhile waits."""
    authorize(actor, Action.RUN_CAMPAIGNS)
    await repository.shut_out_others(unit)
    wrong = await wrong_counts(unit)
    await repository.replace(unit, await repository.counted_from_events(unit, _COUNTED, _ONCE))
    return wrong


def rates(figures: Mapping[str, int]) -> list[Rate]:
    """Every rate of ``RATES`` with its 95 % Wilson interval."""
    return [_rate(metric, figures.get(metric, 0), figures.get(base, 0)) for metric, base in RATES.items()]


def _rate(metric: str, successes: int, trials: int) -> Rate:
    successes = min(successes, trials)
    return Rate(metric, successes, trials, successes / trials if trials else None, wilson(successes, trials))
