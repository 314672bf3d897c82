"""How a person of the sandbox responds to letters: the world's truth, with what a mailbox adds to it.

Pure, and the same again for the same seed and the same letters in the same order.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cadenza.sandbox.contracts import Person, Segment, World
from cadenza.sandbox.letters import Letter
from cadenza.sandbox.local_time import after_working_hours, day_of
from cadenza.sandbox.luck import choice, draws, normal
from cadenza.sandbox.responding import Arrival, Nature, Reaction

_ANSWER_HOURS, _SIGMA = 1.5, 0.9  # the median until somebody goes on in a conversation
_GOES_ON = (0.75, 0.4)  # chance that a person answers our first and second answer
_AFTER_ANSWER = {
    "meeting_request": 0.4, "acknowledgment": 0.25, "positive_interest": 0.15, "information_request": 0.1,
    "objection": 0.1,
}  # fmt: skip
_FINAL = frozenset({"unsubscribe", "not_interested"})
_READ_PART = 0.6  # of the time until a reply is over when a letter is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One thing that a person, or a machine of theirs, does because of a letter. ``at`` is world time.

    ``kind``: reply, absence, bounce, complaint, stop_mail, stop_post, open, click, machine_open, machine_click.
    ``returns`` is the first day back of an absence.
    """

    key: str
    kind: str
    at: datetime
    letter: Letter
    intent: str = ""
    returns: date | None = None


@dataclass(slots=True)
class Mind:
    """One person, with what was written to them so far. ``receive`` takes letters in the order they came."""

    world: World
    segment: Segment
    person: Person
    letters: list[Letter] = field(default_factory=list)
    absent_until: datetime | None = None
    stopped: bool = False
    last_intent: str = ""
    answers: int = 0
    own_ids: set[str] = field(default_factory=set)
    _nature: Nature = field(init=False)

    def __post_init__(self) -> None:
        self._nature = Nature(self.world, self.segment)

    def receive(self, letter: Letter, reputation: float = 1.0) -> list[Response]:
        """What will come of it. ``reputation`` multiplies the chance of delivery."""
        answered = letter.in_reply_to in self.own_ids
        touch = sum(earlier.in_reply_to not in self.own_ids for earlier in self.letters)
        stream = f"answer {self.answers}" if answered else f"touch {touch}"
        luck = draws(self.world.seed, self.person.email, stream)
        arrival = self._arrival(letter)
        self.letters = [*self.letters, letter]
        if self.person.dead:
            return [self._response("bounce", letter, letter.at + timedelta(minutes=1 + 9 * luck["how"]))]
        chances = self._nature.chances(self.person, arrival, reputation)
        if self.stopped or luck["deliver"] >= chances.deliver:
            return []
        found = self._nature.react(self.person, arrival, chances, luck, self.absent_until)
        machines = self._machines(letter, found, luck)
        if answered:
            return [*machines, *self._answer(letter, luck)]
        return [*machines, *self._absence(letter, found), *self._person(letter, found, luck)]

    def _arrival(self, letter: Letter) -> Arrival:
        window = timedelta(days=self.segment.fatigue.window_days)
        return Arrival(
            channel="email",
            action="send",
            at=letter.at,
            features=letter.features,
            earlier=sum(letter.at - other.at < window for other in self.letters),
            repeats=any(map(letter.repeats, self.letters)) if self.letters else None,
        )

    def _response(
        self, kind: str, letter: Letter, at: datetime, intent: str = "", returns: date | None = None
    ) -> Response:
        key = f"{letter.number} {self.person.number} {kind}"
        return Response(key=key, kind=kind, at=at, letter=letter, intent=intent, returns=returns)

    def _machines(self, letter: Letter, found: Reaction, luck: Mapping[str, float]) -> list[Response]:
        """Proxies and scanners come within seconds."""
        soon = letter.at + timedelta(seconds=2 + 5 * luck["how"])
        responses = []
        if letter.images and found.machine_open:
            responses.append(self._response("machine_open", letter, soon))
        if found.machine_click:
            responses.append(self._response("machine_click", letter, soon + timedelta(seconds=2)))
        return responses

    def _absence(self, letter: Letter, found: Reaction) -> list[Response]:
        if found.returns is None:
            return []
        self.absent_until = found.present
        back = day_of(found.returns)
        return [self._response("absence", letter, letter.at + timedelta(minutes=1), returns=back)]

    def _person(self, letter: Letter, found: Reaction, luck: Mapping[str, float]) -> list[Response]:
        responses = []
        read = self._nature.when(self.person, found, _READ_PART)
        if letter.images and found.opened:
            responses.append(self._response("open", letter, read))
        if letter.links and found.clicked:
            responses.append(self._response("click", letter, read + timedelta(minutes=2)))
        when = self._nature.when(self.person, found)
        if found.ending:
            responses.append(self._ending(found.ending, letter, luck, when))
        elif found.replied:
            responses.append(self._reply(letter, when, self._nature.intent(luck)))
        return responses

    def _reply(self, letter: Letter, when: datetime, intent: str) -> Response:
        self.last_intent = intent
        self.stopped = self.stopped or intent == "unsubscribe"
        return self._response("reply", letter, when, intent)

    def _answer(self, letter: Letter, luck: Mapping[str, float]) -> list[Response]:
        """People answer our answers, a turn or two, and then go back to work."""
        turn, self.answers = self.answers, self.answers + 1
        if self.last_intent in _FINAL or turn >= len(_GOES_ON) or luck["answer"] >= _GOES_ON[turn]:
            return []
        hours = _ANSWER_HOURS * math.exp(_SIGMA * normal(luck["answer_delay"]))
        who = self.person
        when = after_working_hours(
            letter.at, hours, who.timezone, who.country, with_holidays=self.world.holidays
        )
        return [self._reply(letter, when, choice(luck["intent"], _AFTER_ANSWER))]

    def _ending(self, ending: str, letter: Letter, luck: Mapping[str, float], when: datetime) -> Response:
        """The ways of saying no that are no reply, as far as the letter offers them."""
        self.stopped = True
        if ending == "complaint":
            return self._response("complaint", letter, when)
        if letter.unsubscribe_url is not None and luck["how"] < 0.5:
            return self._response("stop_post", letter, when)
        if letter.unsubscribe_mail is not None and luck["how"] < 0.75:
            return self._response("stop_mail", letter, when)
        return self._reply(letter, when, "unsubscribe")
