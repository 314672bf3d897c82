"""When and in which way a step is done that becomes somebody's next one. Asked where a person goes on, answered by a policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.campaigns.contracts import Definition, Step, Way
from cadenza.channels.service import working_accounts
from cadenza.core.unit import Unit
from cadenza.engine.contracts import PersonFacts, Policy, Question
from cadenza.engine.ids import touch_id
from cadenza.engine.prompt import Prompt
from cadenza.engine.schedule import delay_over, step_due
from cadenza.ledger.contracts import Decision, Option

Plan = dict[str, Any]
"""What an enrolment keeps of its next step: ``way`` by its place, ``decisions``, and ``instead``: which steps it stands in for and why."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A step that is about to become somebody's next one, counted from ``since``. ``behind``: the step it stands in for."""

    enrolment_id: UUID
    definition: Definition
    step: Step
    person: Recipient
    since: datetime
    behind: str | None = None
    why: str = ""
    instead: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Planner:
    """The policy of a workspace and the channels that work there now; read once for all who go on together."""

    working: frozenset[str] = frozenset({"email"})
    policy: Policy = field(default_factory=Prompt)

    def row(self, ahead: Ahead) -> dict[str, Any]:
        """The enrolment's next step, as ``repository.next_steps`` takes it."""
        at, plan = self._plan(ahead)
        if ahead.instead:
            plan = {**(plan or {}), "instead": dict(ahead.instead)}
        return {
            "id": ahead.enrolment_id, "step": ahead.step.id, "at": at, "why": ahead.why, "behind": ahead.behind, "plan": plan,
        }  # fmt: skip

    def _plan(self, ahead: Ahead) -> tuple[datetime, Plan | None]:
        person, step, window = ahead.person, ahead.step, ahead.definition.window
        days = 0 if ahead.behind else step.after_days
        key = f"{ahead.enrolment_id}/{step.id}"
        if not step.options:
            return step_due(ahead.since, days, window, person.timezone, person.country, key), None
        planned = self.policy.plan(
            Question(
                person=person_facts(person),
                step=step,
                key=key,
                earliest=delay_over(ahead.since, days, window, person.timezone, person.country),
                window=window,
                usable=frozenset(c for c in self.working if person.reached_at(c)),
                now=ahead.since,
            )
        )
        way = step.ways.index(planned.way) if planned.way in step.ways else 0
        return planned.at, {"way": way, "decisions": [_kept(each) for each in planned.decisions]}


async def planner_of(unit: Unit, steps: Iterable[Step]) -> Planner:
    """For steps without a choice nothing has to be read."""
    if not any(step.options for step in steps):
        return Planner()
    found = {account.channel for account in await working_accounts(unit) if account.can_send}
    return Planner(frozenset({"email", *found}))


def person_facts(person: Recipient) -> PersonFacts:
    """Who it is about, in the policies' words."""
    account = person.facts.get("account", {})
    industry = account.get("industry")
    return PersonFacts(
        key=str(person.contact_id),
        account=str(person.account_id or person.contact_id),
        groups=tuple(each for each in (industry, person.country) if each),
        zone=person.timezone,
        country=person.country,
        industry=industry,
        language=person.language,
    )


def way_of(step: Step, plan: Plan | None) -> Way:
    """The way that was planned; the first one where the step was changed since."""
    place = (plan or {}).get("way", 0)
    return step.ways[place] if 0 <= place < len(step.ways) else step.ways[0]


def decided(plan: Plan | None, enrolment_id: UUID, step: str, contact_id: UUID) -> Sequence[Decision]:
    """What was decided when the step was planned, for the touch that has come of it."""
    return [
        Decision(
            what=each["what"],
            options=tuple(Option(name, chance) for name, chance in each["options"]),
            taken=each["taken"],
            reason=each["reason"],
            policy=each["policy"],
            version=each["version"],
            touch_id=touch_id(enrolment_id, step),
            contact_id=contact_id,
        )
        for each in (plan or {}).get("decisions", ())
    ]


def _kept(decision: Decision) -> dict[str, Any]:
    return {
        "what": decision.what,
        "options": [[each.option, each.probability] for each in decision.options],
        "taken": decision.taken,
        "reason": decision.reason,
        "policy": decision.policy,
        "version": decision.version,
    }
