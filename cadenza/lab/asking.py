"""What the program knows when it decides: usable channels, the words of a variant, the facts of conditions and of the gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cadenza.campaigns.contracts import ConditionFacts, Definition, Step, Way
from cadenza.engine.contracts import Policy
from cadenza.engine.service import Facts
from cadenza.lab.prospects import Prospect

CHANNELS = ("email", "linkedin", "phone")
_ARGUMENT = "argument."
_NEWS = "opening.company_event"  # the attribute of a variant whose opening line uses news of the company


@dataclass(frozen=True, slots=True)
class Words:
    """What one variant says, as far as a world knows of it."""

    attributes: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    arguments: frozenset[str] = frozenset()
    links: bool = False

    @property
    def uses_news(self) -> bool:
        return _NEWS in self.features


_NOTHING = Words()


class Ways:
    """The ways of a campaign's steps, looked at once."""

    def __init__(self, definition: Definition) -> None:
        self._words: dict[tuple[int, str], Words] = {}
        self._kept: list[Way] = []
        self._messages = {s.id for s in definition.steps if any(_is_message(way) for way in s.ways)}
        self._invites = {
            s.id for s in definition.steps
            if any(way.channel == "linkedin" and way.action != "message" for way in s.ways)
        }  # fmt: skip

    def may_message(self, step: Step | None) -> bool:
        return step is not None and step.id in self._messages

    def usable(self, prospect: Prospect, step: Step) -> frozenset[str]:
        """Where the person can be reached; on LinkedIn a message needs an accepted invitation."""
        found = set(prospect.nature.segment.channels)
        if prospect.email_dead:
            found.discard("email")
        if not prospect.accepted and step.id in self._messages and step.id not in self._invites:
            found.discard("linkedin")
        return frozenset(found)

    def words(self, way: Way, variant: str | None) -> Words:
        """A policy may make ways of its own, so they are known by identity and kept."""
        if variant is None:
            return _NOTHING
        key = (id(way), variant)
        if key not in self._words:
            self._kept.append(way)
            self._words[key] = _read(way, variant)
        return self._words[key]


def _is_message(way: Way) -> bool:
    return way.channel == "linkedin" and way.action == "message"


def _read(way: Way, variant: str) -> Words:
    found = next((v for v in way.variants if v.id == variant), None)
    if found is None:
        return _NOTHING
    said = frozenset(a for a in found.attributes if a.startswith(_ARGUMENT))
    links = "http" in f"{found.text}{found.html or ''}" or "cta.calendar_link" in found.attributes
    return Words(found.attributes, frozenset(found.attributes), said, links)


def condition_facts(
    prospect: Prospect, now: datetime, definition: Definition, policy: Policy
) -> ConditionFacts:
    """What is known of one person. ``email_only`` never asks anybody to accept or to answer a call, so its conditions on
    that are taken as met: it would not have as many touches otherwise.
    """
    known, person = prospect.outcomes, prospect.person
    delivered = frozenset(known.get("delivered", ()))
    letters_only = policy.name == "email_only"
    signs = prospect.last_sign or (prospect.touches[0] if prospect.touches else None)
    return ConditionFacts(
        replied=prospect.replied,
        intents=frozenset(prospect.intents),
        delivered=delivered - known.get("bounced", set()),
        opened=frozenset(known.get("opened", ())) if definition.track_opens else frozenset(),
        clicked=frozenset(known.get("clicked", ())) if definition.track_clicks else frozenset(),
        bounced=frozenset(known.get("bounced", ())),
        accepted=delivered if letters_only else frozenset(known.get("accepted", ())),
        connected=delivered if letters_only else frozenset(known.get("connected", ())),
        silent_days=(now - signs).total_seconds() / 86_400 if signs else 0.0,
        language=person.language,
        country=person.country,
        fields={"industry": person.industry, "company_size": person.company_size},
    )


def gate_facts(
    prospect: Prospect, now: datetime, definition: Definition, *, condition: bool, account: Sequence[datetime]
) -> Facts:
    """Sender caps do not apply in the lab, so a sender is always free."""
    who, step = prospect.facts, prospect.step
    return Facts(
        key=f"{who.key}/{step.id if step else ''}",
        now=now,
        due_at=now,
        window=definition.window,
        zone=who.zone,
        country=who.country,
        grace=timedelta(hours=definition.grace_hours),
        address=who.key,
        suppression=prospect.suppression,
        condition=condition,
        person_touches=prospect.touches,
        person_cap=definition.caps.per_person_per_week,
        account_touches=account,
        account_cap=definition.caps.per_account_per_day,
    )
