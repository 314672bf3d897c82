"""The people of a run: what the program knows about each, what is true, and where they stand in the sequence."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import log

from cadenza.audience.contracts import Suppression
from cadenza.campaigns.contracts import Step, Way
from cadenza.engine.contracts import PastTouch, PersonFacts
from cadenza.sandbox.contracts import Person, World
from cadenza.sandbox.service import Nature, draws, people

RECENT = timedelta(days=14)  # so long an event at a company is news


@dataclass(slots=True)
class Prospect:
    """One person of the world in the campaign. ``turn`` tells the latest plan from those it replaced."""

    number: int
    person: Person
    facts: PersonFacts
    nature: Nature
    news: tuple[datetime, ...] = ()
    step: Step | None = None
    way: Way | None = None
    earliest: datetime | None = None
    turn: int = 0
    over: bool = False
    accepted: bool = False
    email_dead: bool = False
    away: datetime | None = None  # as their note said
    away_truly: datetime | None = None
    instead_of: Step | None = None  # the step that the present one stands in for
    suppression: Suppression | None = None
    touches: list[datetime] = field(default_factory=list)
    history: list[PastTouch] = field(default_factory=list)
    arguments: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)  # steps that stood in for others
    replied: bool = False
    intents: set[str] = field(default_factory=set)
    outcomes: dict[str, set[str]] = field(default_factory=dict)
    last_sign: datetime | None = None

    def fresh(self) -> "Prospect":
        """The same person before anything happened."""
        return Prospect(self.number, self.person, self.facts, self.nature, self.news)

    @property
    def account(self) -> str:
        return self.person.domain

    def note(self, what: str, step: str) -> None:
        self.outcomes.setdefault(what, set()).add(step)


def prospects(world: World) -> list[Prospect]:
    natures = {segment.name: Nature(world, segment) for segment in world.segments}
    news: dict[str, tuple[datetime, ...]] = {}
    found = []
    for number, person in enumerate(people(world)):
        if person.domain not in news:
            news[person.domain] = _news(world, person.domain)
        nature = natures[person.segment]
        found.append(Prospect(number, person, _facts(person), nature, news[person.domain]))
    return found


def _facts(person: Person) -> PersonFacts:
    return PersonFacts(
        key=person.email,
        account=person.domain,
        groups=(person.segment,),
        zone=person.timezone,
        country=person.country or None,
        industry=person.industry or None,
        language=person.language,
    )


def _news(world: World, account: str) -> tuple[datetime, ...]:
    """When something happens at a company: with the world's rate at any moment (a Poisson process)."""
    if world.company_event_rate <= 0:
        return ()
    found: list[datetime] = []
    passed, span = 0.0, (world.days + RECENT.days) / 7
    while True:
        passed += -log(draws(world.seed, account, "news", len(found))["how"]) / world.company_event_rate
        if passed >= span:
            return tuple(found)
        found.append(world.start - RECENT + timedelta(weeks=passed))


def in_proportion(world: World, size: int) -> World:
    """The world with that many people, its segments as large among each other as before (largest remainders)."""
    total = sum(segment.size for segment in world.segments)
    exact = [segment.size * size / total for segment in world.segments]
    sizes = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: sizes[n] - exact[n])
    for place in by_remainder[: size - sum(sizes)]:
        sizes[place] += 1
    kept = [replace(s, size=n) for s, n in zip(world.segments, sizes, strict=True) if n]
    return replace(world, segments=tuple(kept))


def accounts(everybody: Sequence[Prospect]) -> dict[str, list[Prospect]]:
    found: dict[str, list[Prospect]] = {}
    for prospect in everybody:
        found.setdefault(prospect.account, []).append(prospect)
    return found
