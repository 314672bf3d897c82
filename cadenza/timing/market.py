"""What dated events do to a day: the product of their factors, and the days on which to keep quiet."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from cadenza.timing.calendars import quiet_rules
from cadenza.timing.contracts import DatedEvent, MarketFactor, Quiet

_AHEAD = 60  # days; quiet periods that overlap for longer are no longer waited for


def market_factor(
    events: Iterable[DatedEvent],
    groups: Iterable[str],
    day: date,
    effect: Callable[[DatedEvent], float | None] = lambda event: event.factor,
) -> MarketFactor:
    """The factor of the odds of a response on a local ``day`` for somebody of ``groups``, and a sentence for each event.

    ``effect`` says what an event does, where more is known than the event itself says. Events about which nothing is known
    (None) change nothing and are told; a kind that is named twice on one day counts once, by its strongest factor.
    """
    known = frozenset(groups)
    strongest: dict[str, tuple[float, DatedEvent]] = {}
    reasons = []
    for event in events:
        if not event.concerns(day, known):
            continue
        factor = effect(event)
        reasons.append(_sentence(event, factor))
        if factor is not None and abs(factor - 1) >= abs(strongest.get(event.kind, (1.0,))[0] - 1):
            strongest[event.kind] = (factor, event)
    product = 1.0
    for factor, _ in strongest.values():
        product *= factor
    return MarketFactor(product, tuple(reasons))


def quiet_until(
    day: date,
    events: Sequence[DatedEvent],
    groups: Iterable[str],
    rules: Sequence[Quiet] | None = None,
) -> tuple[date, str] | None:
    """The first day that no quiet period covers, and why; None when ``day`` is none. ``rules`` None means the shipped ones."""
    known = frozenset(groups)
    by_kind = {rule.kind: rule for rule in (quiet_rules() if rules is None else rules)}
    concerned = [e for e in events if e.kind in by_kind and (e.groups is None or e.groups & known)]
    at, why = day, ""
    while (event := _covering(at, concerned, by_kind)) and at - day < timedelta(days=_AHEAD):
        at = event.end + timedelta(days=by_kind[event.kind].after + 1)
        why = f"quiet around {_name(event)} until {at}"
    return (at, why) if why else None


def _covering(day: date, events: Sequence[DatedEvent], rules: dict[str, Quiet]) -> DatedEvent | None:
    for event in events:
        rule = rules[event.kind]
        begins, ends = (
            event.start - timedelta(days=rule.before),
            event.end + timedelta(days=rule.after),
        )
        if begins <= day <= ends:
            return event
    return None


def _sentence(event: DatedEvent, factor: float | None) -> str:
    effect = "effect unknown" if factor is None else f"responses times {factor:.2f}"
    return f"{_name(event)}, {event.start} to {event.end}: {effect}"


def _name(event: DatedEvent) -> str:
    words = event.kind.replace("_", " ")
    return f"{words}, {event.source.partition(' (')[0]}" if event.source else words
