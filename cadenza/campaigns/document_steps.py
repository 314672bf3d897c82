"""The steps of a campaign file: their order, conditions, threads and fallbacks."""

from dataclasses import dataclass, field
from typing import Any

from cadenza.campaigns.conditions import Condition, ConditionError, happenings, parse_condition
from cadenza.campaigns.contracts import Fallback, Step, Way
from cadenza.campaigns.document_ways import ACTIONS, WAY_KEYS, Line, WayReader
from cadenza.campaigns.reader import Reader, closest
from cadenza.campaigns.yaml_tree import Entry, Value

MAX_STEPS = 50
_MAX_DAYS = 365
_MAX_OPTIONS = 6
_STEP_KEYS = WAY_KEYS | {"id", "after", "when", "else", "thread", "fallback", "options"}
_CHANNELS = {*ACTIONS, "any"}
_ASKS = {"accepted": "connect", "connected": "call"}  # what the step that a condition asks about must do


@dataclass(slots=True)
class _Raw:
    """A step's entries with its id and place, read before anything that refers to other steps."""

    id: str
    key: str
    line: int
    entries: Line = field(default_factory=dict)

    @property
    def channel(self) -> str:
        """As the file says; what it says wrongly is told where it is read."""
        return self._word("channel") or "email"

    def does(self, action: str) -> bool:
        """Whether the step, or one of its options, does this."""
        options = self.entries["options"].value.content if "options" in self.entries else ()
        inner = (
            [v.content.get("action") for v in options if isinstance(v.content, dict)]
            if isinstance(options, list)
            else []
        )
        said = {self._word("action") or ACTIONS.get(self.channel, ("",))[0]}
        return action in said | {
            each.value.content for each in inner if each and isinstance(each.value.content, str)
        }

    def _word(self, name: str) -> str:
        content: Any = self.entries[name].value.content if name in self.entries else None
        return content if isinstance(content, str) else ""


@dataclass(slots=True)
class StepReader:
    """Reads all steps."""

    reader: Reader
    ways: WayReader

    def steps(self, entry: Entry) -> tuple[Step, ...]:
        values = self.reader.sequence(entry.value, "steps", least=1, most=MAX_STEPS)
        raws = [self._raw(value, f"steps[{number}]") for number, value in enumerate(values, 1)]
        for number, raw in enumerate(raws):
            if raw.id in {other.id for other in raws[:number] if other.id}:
                self.reader.wrong(
                    raw.line, f"{raw.key}.id", f"Another step is called {raw.id!r} already.", "id_repeated"
                )
        return tuple(self._step(number, raws) for number in range(len(raws)))

    def _raw(self, value: Value, key: str) -> _Raw:
        entries = self.reader.mapping(value, key, _STEP_KEYS, required=("id",))
        return _Raw(self.ways.identity(entries.get("id"), f"{key}.id"), key, value.line, entries)

    def _step(self, number: int, raws: list[_Raw]) -> Step:
        raw, entries = raws[number], raws[number].entries
        earlier = [other for other in raws[:number] if other.id]
        reply_to = self._thread(entries.get("thread"), raw, [other.id for other in earlier])
        own, options = self._ways(raw, answers=reply_to is not None)
        return Step(
            id=raw.id,
            after_days=self._after(raw, first=number == 0),
            variants=own.variants,
            channel=own.channel,
            action=own.action,
            reply_to=reply_to,
            when=self._when(entries.get("when"), f"{raw.key}.when", earlier),
            otherwise=self._else(raw, [other.id for other in raws[number + 1 :]]),
            languages=own.languages,
            script=own.script,
            options=options,
            fallback=self._fallback(raw, raws[number + 1 :]),
        )

    def _ways(self, raw: _Raw, *, answers: bool) -> tuple[Way, tuple[Way, ...]]:
        """What the step says itself, and its options; one of the two says something."""
        if raw.channel != "any":
            if "options" in raw.entries:
                message = "Options belong to a step whose channel is any; remove them, or write channel: any."
                self.reader.wrong(raw.entries["options"].line, f"{raw.key}.options", message)
            return self.ways.way(raw.entries, raw.key, raw.line, answers=answers), ()
        for name in sorted(WAY_KEYS & set(raw.entries) - {"channel"}):
            message = f"A step on any channel says this in each of its options; remove {name} here."
            self.reader.wrong(raw.entries[name].line, f"{raw.key}.{name}", message)
        return Way("any", "any"), self._options(raw, answers=answers)

    def _options(self, raw: _Raw, *, answers: bool) -> tuple[Way, ...]:
        entry, key = raw.entries.get("options"), f"{raw.key}.options"
        if entry is None:
            self.reader.wrong(
                raw.line, key, "Say between what: options: [{channel: email, ...}].", "key_missing"
            )
            return ()
        found: list[Way] = []
        values = self.reader.sequence(entry.value, key, least=1, most=_MAX_OPTIONS)
        for number, value in enumerate(values, 1):
            place = f"{key}[{number}]"
            inside = self.reader.mapping(value, place, WAY_KEYS, required=("channel",))
            way = self.ways.way(inside, place, value.line, answers=answers)
            if (way.channel, way.action) in {(other.channel, other.action) for other in found}:
                self.reader.wrong(
                    value.line, place, "Another option does the same; give it variants instead."
                )
            found.append(way)
        return tuple(found)

    def _fallback(self, raw: _Raw, later: list[_Raw]) -> Fallback | None:
        """A later step on another channel, or people would go in circles, or fail in the same way again."""
        entry, key = raw.entries.get("fallback"), f"{raw.key}.fallback"
        if entry is None:
            return None
        inside = self.reader.mapping(entry.value, key, {"channel", "step"}, required=("channel", "step"))
        channel = self.reader.word(inside.get("channel"), f"{key}.channel", ACTIONS, default="email")
        name = self.reader.text(inside.get("step"), f"{key}.step", most=64)
        named = next((other for other in later if other.id == name), None)
        if name and named is None:
            hint = closest(name, [other.id for other in later]) or " It must come after this one."
            self.reader.wrong(entry.line, f"{key}.step", f"{name!r} is no later step.{hint}", "step_unknown")
        elif named and named.channel != channel:
            message = f"The step {name!r} is on {named.channel}, not on {channel}."
            self.reader.wrong(entry.line, f"{key}.channel", message)
        if channel == raw.channel:
            message = "A fallback is on another channel than the step itself."
            self.reader.wrong(entry.line, f"{key}.channel", message)
        return Fallback(channel, name)

    def _after(self, raw: _Raw, *, first: bool) -> int:
        key, entry = f"{raw.key}.after", raw.entries.get("after")
        if entry is None:
            if not first:
                message = "Say how many working days after the step before: after: {days: 2}."
                self.reader.wrong(raw.line, key, message, "key_missing")
            return 0
        days = self.reader.mapping(entry.value, key, {"days"}, required=("days",))
        return self.reader.whole(days.get("days"), f"{key}.days", least=0, most=_MAX_DAYS, default=0)

    def _when(self, entry: Entry | None, key: str, earlier: list[_Raw]) -> str | None:
        text = self.reader.text(entry, key, most=1000)
        if entry is None or not text:
            return None
        try:
            condition = parse_condition(text, [other.id for other in earlier])
        except ConditionError as wrong:
            self.reader.wrong(entry.line, key, str(wrong), "condition_invalid")
        else:
            self._asks(condition, entry.line, key, {other.id: other for other in earlier})
        return text

    def _asks(self, condition: Condition, line: int, key: str, earlier: dict[str, _Raw]) -> None:
        """An invitation can be accepted, a call can be connected; of any other step that is never true."""
        for what, step in happenings(condition):
            if what in _ASKS and step in earlier and not earlier[step].does(_ASKS[what]):
                message = f"{what}({step}) is never true: {step!r} does not {_ASKS[what]}."
                self.reader.wrong(line, key, message, "condition_invalid")

    def _else(self, raw: _Raw, later: list[str]) -> str | None:
        key, entry = f"{raw.key}.else", raw.entries.get("else")
        if entry is None:
            return None
        text = self.reader.text(entry, key, most=64)
        if text and text not in later:
            hint = closest(text, later) or " It must come after this one, or people would go in circles."
            self.reader.wrong(entry.line, key, f"{text!r} is no later step.{hint}", "step_unknown")
        if "when" not in raw.entries:
            self.reader.wrong(entry.line, key, "'else' needs a condition: add when: ..., or remove it.")
        return text or None

    def _thread(self, entry: Entry | None, raw: _Raw, earlier: list[str]) -> str | None:
        key = f"{raw.key}.thread"
        if entry is not None and raw.channel not in ("email", "any"):
            self.reader.wrong(entry.line, key, "Only e-mail has threads here; remove it.")
            return None
        if entry is None or not isinstance(entry.value.content, dict):
            self.reader.word(
                entry, key, {"new"}, default="new", later={"reply_to": "write thread: {reply_to: STEP}"}
            )
            return None
        inside = self.reader.mapping(entry.value, key, {"reply_to"}, required=("reply_to",))
        text = self.reader.text(inside.get("reply_to"), f"{key}.reply_to", most=64)
        if text and text not in earlier:
            hint = closest(text, earlier) or " Name a step that comes before this one."
            self.reader.wrong(
                entry.line, f"{key}.reply_to", f"{text!r} is no earlier step.{hint}", "step_unknown"
            )
        return text or None
