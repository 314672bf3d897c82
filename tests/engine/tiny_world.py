"""A world of one page to try policies in: steps, people, responses after some hours. The lab's worlds are the real ones."""

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cadenza.campaigns.contracts import Step, Variant, Way
from cadenza.engine.contracts import Observation, PastTouch, PersonFacts, Planned, Policy, Question, Worded
from cadenza.engine.schedule import next_moment, share
from cadenza.timing.contracts import Window
from cadenza.timing.service import add_working_days, opening

START = datetime(2026, 3, 2, tzinfo=UTC)
ZONE = "Europe/Berlin"
BERLIN = ZoneInfo(ZONE)
OFFICE = Window()
DAY = Window(start=OFFICE.start.replace(9, 0), end=OFFICE.end.replace(17, 0))


@dataclass(kw_only=True)
class Truth:
    """Base chances by way, and odds factors."""

    base: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"email": {"opened": 0.42, "replied": 0.05}}
    )
    hours: Callable[[datetime], float] = lambda _: 1.0
    personal: float = 0.0
    fatigue: float = 1.0
    stop: tuple[float, float] = (0.0, 0.0)  # unsubscribes: base, per touch of the last week
    on: Callable[[datetime], float] = lambda _: 1.0  # market, by local moment
    repeat: float = 1.0
    build: float = 1.0


@dataclass
class Life:
    facts: PersonFacts
    hour: int | None
    history: list[PastTouch] = field(default_factory=list)
    step: int = 0
    over: bool = False


class Fixed:
    """A random hour between 9 and 17; the first of the ways."""

    name, version = "fixed", 1

    def plan(self, question: Question) -> Planned:
        at = next_moment(question.earliest, DAY, question.person.zone, "DE", question.key)
        return Planned(at, question.step.ways[0], ())

    def word(self, question: Question, way: Way) -> Worded:
        return Worded(way.variants[int(share(question.key + "/v") * len(way.variants))].id, None)

    def learn(self, observation: Observation) -> None:
        pass


def odds(chance: float, factor: float) -> float:
    return chance * factor / (1 - chance + chance * factor)


class Run:
    def __init__(self, policy: Policy, truth: Truth, steps: tuple[Step, ...], *, people: int, seed: int, days: int = 28) -> None:  # fmt: skip
        self.policy, self.truth, self.steps, self.seed = policy, truth, steps, seed
        self.until = START + timedelta(days=days)
        self.counts: Counter[str] = Counter()
        self.queue: list[tuple[datetime, int, str, int, Any]] = []
        self.number = 0
        luck = random.Random(f"{seed}/people")
        self.lives = []
        for number in range(people):
            hour = luck.randrange(7, 20) if luck.random() < truth.personal else None
            facts = PersonFacts(key=f"{seed}/{number}", account=str(number // 3), groups=("s",), zone=ZONE, country="DE")  # fmt: skip
            self.lives.append(Life(facts, hour))

    def go(self) -> Counter[str]:
        for who in range(len(self.lives)):
            self._put(START, "plan", who, START)
        while self.queue:
            at, _, what, who, detail = heapq.heappop(self.queue)
            if at >= self.until:
                break
            getattr(self, f"_{what}")(at, who, detail)
        return self.counts

    def _put(self, at: datetime, what: str, who: int, detail: Any) -> None:
        self.number += 1
        heapq.heappush(self.queue, (at, self.number, what, who, detail))

    def _question(self, who: int, earliest: datetime, now: datetime) -> Question:
        life = self.lives[who]
        step = self.steps[life.step]
        return Question(
            person=life.facts,
            step=step,
            key=f"{life.facts.key}/{step.id}",
            earliest=earliest,
            window=OFFICE,
            history=tuple(life.history),
            usable=frozenset(self.truth.base),
            now=now,
            steps_left=len(self.steps) - life.step - 1,
        )

    def _plan(self, at: datetime, who: int, earliest: datetime) -> None:
        if self.lives[who].over:
            return
        planned = self.policy.plan(self._question(who, earliest, at))
        if planned.again is not None:
            self._put(planned.again, "plan", who, earliest)
        else:
            self._put(planned.at, "send", who, (planned.way, earliest))

    def _send(self, at: datetime, who: int, detail: tuple[Way, datetime]) -> None:
        life, (way, earliest) = self.lives[who], detail
        if life.over:
            return
        question = self._question(who, earliest, at)
        step = self.steps[life.step]
        variant = self.policy.word(question, way).variant
        attributes = next((v.attributes for v in way.variants if v.id == variant), ())
        self.counts["touches"] += 1
        self.counts[f"{way.channel}"] += 1
        said = {a for touch in life.history for a in touch.attributes}
        repeats = bool(said & set(attributes))
        recent = sum(t.at > at - timedelta(days=7) for t in life.history)
        life.history.append(PastTouch(step=step.id, channel=way.channel, action=way.action, at=at, attributes=attributes))  # fmt: skip
        self._observe(who, at, way, None)
        self._answer(at, who, way, recent, (bool(said), repeats))
        life.step += 1
        if life.step < len(self.steps):
            day = add_working_days(at, self.steps[life.step].after_days, OFFICE, ZONE, "DE")
            self._put(at, "plan", who, opening(day.astimezone(BERLIN).date(), OFFICE, ZONE, "DE"))

    def _answer(self, at: datetime, who: int, way: Way, recent: int, said: tuple[bool, bool]) -> None:
        life, truth = self.lives[who], self.truth
        luck = random.Random(f"{life.facts.key}/{life.step}")
        local = at.astimezone(BERLIN)
        factor = truth.hours(local) * truth.on(local) * truth.fatigue**recent
        factor *= 3.0 if life.hour == local.hour else 1.0
        told = 1.0 if not said[0] else truth.repeat if said[1] else truth.build
        delay = timedelta(hours=3 * math.exp(luck.gauss(0, 0.9)))
        stops = luck.random() < truth.stop[0] + truth.stop[1] * recent
        for response in ("opened", "replied"):
            drawn = luck.random()
            chance = truth.base[way.channel].get(response, 0.0)
            if chance and drawn < odds(chance, factor * (told if response == "replied" else 1)):
                self._put(at + delay * (0.6 if response == "opened" else 1), "respond", who, (at, way, response))  # fmt: skip
                self.counts[response] += 1
        if stops:
            self._put(at + delay, "respond", who, (at, way, "unsubscribed"))
            self.counts["unsubscribed"] += 1

    def _respond(self, _: datetime, who: int, detail: tuple[datetime, Way, str]) -> None:
        sent, way, response = detail
        life = self.lives[who]
        place = next(n for n, touch in enumerate(life.history) if touch.at == sent)
        touch = life.history[place]
        life.history[place] = replace(touch, responses=touch.responses | {response})
        life.over = life.over or response in {"replied", "unsubscribed"}
        self._observe(who, sent, way, response)

    def _observe(self, who: int, at: datetime, way: Way, response: str | None) -> None:
        self.policy.learn(Observation(person=self.lives[who].facts, channel=way.channel, action=way.action, at=at, response=response))  # fmt: skip


def mails(*after: int, arguments: int = 1) -> tuple[Step, ...]:
    variants = tuple(Variant(f"v{n}", "text", attributes=(f"argument.a{n}",)) for n in range(arguments))
    return tuple(Step(f"s{place}", days, variants) for place, days in enumerate(after))
