"""What a person has done so far, as a step's condition asks it; derived from events and nothing else."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import known_as
from cadenza.campaigns.contracts import ConditionFacts
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import Event, EventKind
from cadenza.ledger.service import events_of_contacts

_SIGNS = {
    EventKind.OPENED, EventKind.CLICKED, EventKind.REPLIED, EventKind.ACCEPTED, EventKind.CONNECTED, EventKind.REACTED,
}  # fmt: skip
_OF_STEP = {
    EventKind.DELIVERED: "delivered",
    EventKind.OPENED: "opened",
    EventKind.CLICKED: "clicked",
    EventKind.BOUNCED: "bounced",
    EventKind.ACCEPTED: "accepted",
    EventKind.CONNECTED: "connected",
}
_KINDS = [*_OF_STEP, EventKind.REACTED, EventKind.REPLIED, EventKind.ANALYSED, EventKind.SENT]


@dataclass(slots=True)
class History:
    events: list[Event] = field(default_factory=list)

    def facts(self, recipient: Recipient, campaign_id: UUID, now: datetime) -> ConditionFacts:
        """Machines' opens and clicks count for nothing (M5)."""
        mine = [e for e in self.events if e.campaign_id == campaign_id and not e.machine]
        steps: dict[str, set[str]] = defaultdict(set)
        for event in mine:
            if event.kind in _OF_STEP and event.step:
                steps[_OF_STEP[event.kind]].add(event.step)
        replies = [e for e in mine if e.kind is EventKind.REPLIED]
        meanings = [e for e in mine if e.kind is EventKind.ANALYSED]
        signs = [e.at for e in mine if e.kind in _SIGNS and e.at] or [e.at for e in mine[-1:] if e.at]
        return ConditionFacts(
            replied=bool(replies),
            intents=frozenset(str(e.data["intent"]) for e in meanings if e.data.get("intent")),
            delivered=frozenset(steps["delivered"] - steps["bounced"]),
            opened=frozenset(steps["opened"]),
            clicked=frozenset(steps["clicked"]),
            bounced=frozenset(steps["bounced"]),
            accepted=frozenset(steps["accepted"]),
            connected=frozenset(steps["connected"]),
            silent_days=(now - max(signs)).total_seconds() / 86_400 if signs else 0.0,
            language=recipient.language,
            country=recipient.country,
            fields=recipient.facts.get("contact", {}).get("custom", {}),
        )


async def load_history(unit: Unit, contact_ids: Sequence[UUID]) -> dict[UUID, History]:
    """Two queries for all; people without any event have an empty history. What happened to whoever was merged into them
    happened to them.
    """
    histories: dict[UUID, History] = defaultdict(History)
    if contact_ids:
        same = await known_as(unit, contact_ids)
        for event in await events_of_contacts(unit, [*contact_ids, *same], _KINDS):
            if event.contact_id:
                histories[same.get(event.contact_id, event.contact_id)].events.append(event)
    return histories
