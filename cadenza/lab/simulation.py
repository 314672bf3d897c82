"""One run of a campaign in a world under one policy: driven by world time, with no database, network or wire.

What decides is the product's own: the policy, the conditions, the sequence, and the last gate at every claim. What people
do is the world's. Sender caps do not apply, so nobody's domain is ever overloaded either: ``reputation`` stays out.
"""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta

from cadenza.campaigns.contracts import Definition, Step, Way
from cadenza.campaigns.service import evaluate
from cadenza.engine.contracts import GateAnswer, Observation, PastTouch, Policy, Question
from cadenza.engine.service import delay_over, gate, next_step, step_after_skip, verdict
from cadenza.lab.asking import Ways, condition_facts, gate_facts
from cadenza.lab.contracts import METRICS, Diary, Sent
from cadenza.lab.prospects import RECENT, Prospect, accounts
from cadenza.lab.responses import ACTS, Touched
from cadenza.sandbox.contracts import World
from cadenza.sandbox.service import Arrival, Reaction, draws

_WEEK = timedelta(days=7)
_READ_PART = 0.6  # of the time until a reply is over when a letter is read


class Simulation:
    """Give it fresh prospects; ``run`` plays the world's days and gives the diary."""

    def __init__(
        self, world: World, everybody: Sequence[Prospect], definition: Definition, policy: Policy
    ) -> None:
        self.everybody = everybody
        self.definition = definition
        self.policy = policy
        self.accounts = accounts(everybody)
        self.diary = Diary({metric: [0.0] * len(everybody) for metric in METRICS})
        self._world = world
        self._end = world.start + timedelta(days=world.days)
        self._fatigue = {s.name: timedelta(days=s.fatigue.window_days) for s in world.segments}
        self._ways = Ways(definition)
        self._left = {step.id: len(definition.steps) - n - 1 for n, step in enumerate(definition.steps)}
        self._account_touches: dict[str, list[datetime]] = {account: [] for account in self.accounts}
        self._queue: list[tuple[datetime, int, str, Prospect, object]] = []
        self._order = 0

    def run(self) -> Diary:
        for prospect in self.everybody:
            self._go(prospect, self.definition.steps[0], self._world.start)
        acts = {"ask": self._ask, "due": self._due, "respond": self._respond, "back": self._back}
        while self._queue:
            at, _, kind, prospect, payload = heapq.heappop(self._queue)
            acts[kind](prospect, at, payload)
        return self.diary

    def push(self, at: datetime, kind: str, prospect: Prospect, payload: object) -> None:
        if at < self._end:
            self._order += 1
            heapq.heappush(self._queue, (at, self._order, kind, prospect, payload))

    # Planning.

    def _go(self, prospect: Prospect, step: Step | None, now: datetime) -> None:
        """On to that step, or past it when it was done already instead of another."""
        while step is not None and step.id in prospect.done:
            step = next_step(self.definition, step.id)
        prospect.step = step
        if step is None:
            prospect.over = True
            return
        who = prospect.facts
        prospect.earliest = delay_over(now, step.after_days, self.definition.window, who.zone, who.country)
        self._plan(prospect, now)

    def _plan(self, prospect: Prospect, now: datetime) -> None:
        """Ask the policy now; where an invitation might be accepted meanwhile, when the delay is over."""
        prospect.turn += 1
        prospect.earliest = self._not_before(prospect)
        waits = not prospect.accepted and self._ways.may_message(prospect.step)
        if waits and prospect.earliest > now:
            self.push(prospect.earliest, "ask", prospect, prospect.turn)
        else:
            self._ask(prospect, now, prospect.turn)

    def _not_before(self, prospect: Prospect) -> datetime:
        """No touch before the delay is over, the person is back, and their cap has room again."""
        cap = self.definition.caps.per_person_per_week
        bounds = [prospect.earliest or self._world.start]
        if prospect.away:
            bounds.append(prospect.away)
        if len(prospect.touches) >= cap:
            bounds.append(prospect.touches[-cap] + _WEEK)
        return max(bounds)

    def _ask(self, prospect: Prospect, now: datetime, turn: object) -> None:
        if prospect.over or turn != prospect.turn or prospect.step is None:
            return
        planned = self.policy.plan(self._question(prospect, prospect.step, now))
        if planned.way is None:
            self._instead(prospect, prospect.step, now)
            return
        prospect.way = planned.way
        if planned.again is not None and now < planned.again < planned.at:
            self.push(planned.again, "ask", prospect, turn)
        else:
            self.push(max(planned.at, now), "due", prospect, turn)

    def _question(self, prospect: Prospect, step: Step, now: datetime) -> Question:
        return Question(
            person=prospect.facts,
            step=step,
            key=f"{prospect.facts.key}/{step.id}",
            earliest=prospect.earliest or now,
            window=self.definition.window,
            history=tuple(prospect.history),
            usable=self._ways.usable(prospect, step),
            news=tuple(at for at in prospect.news if now - RECENT <= at <= now) if prospect.news else (),
            now=now,
            steps_left=self._left[step.id],
        )

    def _instead(self, prospect: Prospect, step: Step, now: datetime) -> None:
        """No channel of the step is usable: its fallback is done now, otherwise the sequence goes on."""
        fallback = step.fallback.step if step.fallback else None
        found = next(
            (s for s in self.definition.steps if s.id == fallback and s.id not in prospect.done), None
        )
        if found is None:
            self._after(prospect, step, now)
            return
        prospect.instead_of = prospect.instead_of or step
        prospect.done.add(found.id)
        prospect.step = found
        self._plan(prospect, now)

    def _after(self, prospect: Prospect, step: Step, now: datetime, *, skipped: bool = False) -> None:
        """On behind the step; behind the one that it stood in for, if it did."""
        stood_in, prospect.instead_of = prospect.instead_of, None
        if skipped and stood_in is None:
            self._go(prospect, step_after_skip(self.definition, step), now)
        else:
            self._go(prospect, next_step(self.definition, (stood_in or step).id), now)

    # Claiming.

    def _due(self, prospect: Prospect, now: datetime, turn: object) -> None:
        step, way = prospect.step, prospect.way
        if prospect.over or turn != prospect.turn or step is None or way is None:
            return
        if way.channel not in self._ways.usable(prospect, step):
            self._plan(prospect, now)
            return
        condition = step.when is None or evaluate(
            step.when, condition_facts(prospect, now, self.definition, self.policy)
        )
        touched = self._account_touches[prospect.account]
        standing = verdict(
            gate(gate_facts(prospect, now, self.definition, condition=condition, account=touched))
        )
        if standing is None:
            self._send(prospect, step, way, now)
        elif standing.answer is GateAnswer.SKIP:
            self._after(prospect, step, now, skipped=True)
        elif standing.answer is GateAnswer.STOP:
            prospect.over = True
        else:
            prospect.earliest = standing.until
            self._plan(prospect, now)

    def _send(self, prospect: Prospect, step: Step, way: Way, now: datetime) -> None:
        question = self._question(prospect, step, now)
        variant = self.policy.word(question, way).variant
        touched = self._touch(prospect, step, way, variant, now)
        self._wait_for(prospect, touched)
        self._after(prospect, step, now)

    def _touch(self, prospect: Prospect, step: Step, way: Way, variant: str | None, now: datetime) -> Touched:
        words = self._ways.words(way, variant)
        said = words.arguments
        arrival = Arrival(
            channel=way.channel,
            action=way.action,
            at=now,
            features=words.features,
            earlier=self._lately(prospect, now),
            repeats=not said.isdisjoint(prospect.arguments) if said and prospect.arguments else None,
            fits=words.uses_news and any(now - RECENT <= at <= now for at in prospect.news),
        )
        nature, person = prospect.nature, prospect.person
        luck = draws(self._world.seed, person.email, "step", step.id)
        reaction = nature.react(person, arrival, nature.chances(person, arrival), luck, prospect.away_truly)
        past = PastTouch(
            step=step.id, channel=way.channel, action=way.action, at=now, attributes=words.attributes
        )
        self._record(prospect, past, said)
        return Touched(len(prospect.history) - 1, reaction, luck, links=words.links)

    def _lately(self, prospect: Prospect, now: datetime) -> int:
        since = now - self._fatigue[prospect.person.segment]
        return sum(at > since for at in reversed(prospect.touches))

    def _record(self, prospect: Prospect, past: PastTouch, said: frozenset[str]) -> None:
        prospect.touches.append(past.at)
        prospect.history.append(past)
        prospect.arguments |= said
        self._account_touches[prospect.account].append(past.at)
        self.diary.add("touches", prospect.number)
        self.diary.sent.append(Sent(prospect.number, past.at, past.channel, past.step))

    # Responses.

    def _wait_for(self, prospect: Prospect, touched: Touched) -> None:
        """What is known at once, and when the rest will happen."""
        reaction, past = touched.reaction, prospect.history[touched.place]
        if reaction.bounced:
            self._respond(prospect, past.at, ("bounced", touched))
            return
        self.learn(prospect, past, None)
        if reaction.delivered:
            self.diary.add("delivered", prospect.number)
        if past.channel != "phone" or reaction.connected:
            prospect.note("delivered", past.step)
        if reaction.returns is not None:
            prospect.away_truly = reaction.present
            self.push(past.at, "back", prospect, reaction.present)
        self._expect(prospect, past, touched)

    def _expect(self, prospect: Prospect, past: PastTouch, touched: Touched) -> None:
        reaction, nature, person = touched.reaction, prospect.nature, prospect.person
        if not _anything(reaction):
            return
        read = nature.when(person, reaction, _READ_PART) if past.channel != "phone" else past.at
        when = nature.when(person, reaction) if past.channel != "phone" else past.at
        for what, there, at in (
            ("opened", reaction.opened, read),
            ("clicked", reaction.clicked and touched.links, read),
            ("accepted", reaction.accepted, when),
            ("connected", reaction.connected, when),
            ("replied", reaction.replied, when),
            ("met", reaction.met, when),
            (reaction.ending, bool(reaction.ending), when),
        ):
            if there:
                self.push(at, "respond", prospect, (what, touched))

    def _back(self, prospect: Prospect, now: datetime, until: object) -> None:
        """Their note says until when they are away: nothing is sent before, and the next step is timed anew."""
        if isinstance(until, datetime) and not prospect.over:
            prospect.away = until
            self._plan(prospect, now)

    def _respond(self, prospect: Prospect, at: datetime, payload: object) -> None:
        if isinstance(payload, tuple):
            what, touched = payload
            ACTS[what](self, prospect, at, touched)

    def learn(self, prospect: Prospect, past: PastTouch, response: str | None) -> None:
        self.policy.learn(
            Observation(
                person=prospect.facts,
                channel=past.channel,
                action=past.action,
                at=past.at,
                attributes=past.attributes,
                response=response,
            )
        )


def _anything(reaction: Reaction) -> bool:
    return (
        reaction.opened or reaction.clicked or reaction.replied or reaction.accepted or reaction.connected
        or bool(reaction.ending)
    )  # fmt: skip
