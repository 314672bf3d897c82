"""The steps of a campaign file: their conditions, threads, variants and texts."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from cadenza.campaigns.conditions import ConditionError, parse_condition
from cadenza.campaigns.contracts import Step, Variant
from cadenza.campaigns.neighbour_files import Folder, NeighbourFileError
from cadenza.campaigns.reader import Reader, closest
from cadenza.campaigns.templates import MAX_SUBJECT, Part, check
from cadenza.campaigns.yaml_tree import Entry, Value

MAX_STEPS = 50
_MAX_VARIANTS = 10
_MAX_LANGUAGES = 40
_MAX_DAYS = 365
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)*")

_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_EMAIL_ONLY = "for now every step is an e-mail: channel: email, action: send"
_CHANNELS_LATER = dict.fromkeys(("linkedin", "phone", "any"), _EMAIL_ONLY)
_ACTIONS_LATER = dict.fromkeys(("view_profile", "connect", "message", "call"), _EMAIL_ONLY)
_KEYS_LATER = {
    "fallback": "for now a step has no other channel to fall back to; remove it",
    "options": "for now each step is one e-mail; give it variants",
    "script": "for now there are no calls; remove it",
}
_STEP_KEYS = frozenset(
    {"id", "channel", "action", "after", "when", "else", "thread", "variants", "languages"}
)
_VARIANT_KEYS = frozenset({"id", "subject", "text", "text_file", "html", "html_file", "attributes"})
_TEXT_KEYS = _VARIANT_KEYS - {"id", "attributes"}

Line = dict[str, Entry]


@dataclass(slots=True)
class _Raw:
    """A step's entries with its id and place, read before anything that refers to other steps."""

    id: str
    key: str
    line: int
    entries: Line = field(default_factory=dict)


@dataclass(slots=True)
class StepReader:
    """Reads all steps. ``custom_fields`` are the names that templates may use; None when any may exist."""

    reader: Reader
    folder: Folder
    custom_fields: frozenset[str] | None

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
        channel = value.content.get("channel") if isinstance(value.content, dict) else None
        mail = channel is None or channel.value.content == "email"
        required = ("id", "variants") if mail else ("id",)  # of another channel it is enough to say so
        entries = self.reader.mapping(value, key, _STEP_KEYS, required=required, later=_KEYS_LATER)
        return _Raw(self._id(entries.get("id"), f"{key}.id"), key, value.line, entries)

    def _id(self, entry: Entry | None, key: str) -> str:
        text = self.reader.text(entry, key, most=64)
        if entry and text and not _ID.fullmatch(text):
            self.reader.wrong(
                entry.line, key, "An id begins with a letter and has letters, digits, - and _ only."
            )
            return ""
        return text

    def _step(self, number: int, raws: list[_Raw]) -> Step:
        raw, entries, read = raws[number], raws[number].entries, self.reader
        read.word(
            entries.get("channel"), f"{raw.key}.channel", {"email"}, default="email", later=_CHANNELS_LATER
        )
        read.word(entries.get("action"), f"{raw.key}.action", {"send"}, default="send", later=_ACTIONS_LATER)
        earlier = [other.id for other in raws[:number] if other.id]
        reply_to = self._thread(entries.get("thread"), raw.key, earlier)
        variants = self._variants(entries.get("variants"), raw.key, answers=reply_to is not None)
        return Step(
            id=raw.id,
            after_days=self._after(raw, first=number == 0),
            variants=variants,
            reply_to=reply_to,
            when=self._when(entries.get("when"), f"{raw.key}.when", earlier),
            otherwise=self._else(raw, [other.id for other in raws[number + 1 :]]),
            languages=self._languages(
                entries.get("languages"), raw.key, variants, answers=reply_to is not None
            ),
        )

    def _after(self, raw: _Raw, *, first: bool) -> int:
        key, entry = f"{raw.key}.after", raw.entries.get("after")
        if entry is None:
            if not first:
                message = "Say how many working days after the step before: after: {days: 2}."
                self.reader.wrong(raw.line, key, message, "key_missing")
            return 0
        days = self.reader.mapping(entry.value, key, {"days"}, required=("days",))
        return self.reader.whole(days.get("days"), f"{key}.days", least=0, most=_MAX_DAYS, default=0)

    def _when(self, entry: Entry | None, key: str, earlier: list[str]) -> str | None:
        text = self.reader.text(entry, key, most=1000)
        if entry is None or not text:
            return None
        try:
            parse_condition(text, earlier)
        except ConditionError as wrong:
            self.reader.wrong(entry.line, key, str(wrong), "condition_invalid")
        return text

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

    def _thread(self, entry: Entry | None, key: str, earlier: list[str]) -> str | None:
        key = f"{key}.thread"
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

    def _variants(self, entry: Entry | None, key: str, *, answers: bool) -> tuple[Variant, ...]:
        if entry is None:
            return ()
        key = f"{key}.variants"
        values = self.reader.sequence(entry.value, key, least=1, most=_MAX_VARIANTS)
        found: list[Variant] = []
        for number, value in enumerate(values, 1):
            variant = self._variant(value, f"{key}[{number}]", answers=answers)
            if variant.id and variant.id in {other.id for other in found}:
                message = f"Another variant of this step is called {variant.id!r} already."
                self.reader.wrong(value.line, f"{key}[{number}].id", message, "id_repeated")
            found.append(variant)
        return tuple(found)

    def _variant(self, value: Value, key: str, *, answers: bool) -> Variant:
        entries = self.reader.mapping(value, key, _VARIANT_KEYS, required=("id",))
        identity = self._id(entries.get("id"), f"{key}.id")
        variant = self._texts(identity, value.line, entries, key, answers=answers)
        return replace(variant, attributes=self._attributes(entries.get("attributes"), f"{key}.attributes"))

    def _attributes(self, entry: Entry | None, key: str) -> tuple[str, ...]:
        if entry is None:
            return ()
        words: list[str] = []
        for value in self.reader.sequence(entry.value, key, most=20):
            content: Any = value.content
            if isinstance(content, str) and len(content) <= 100 and _ATTRIBUTE.fullmatch(content):
                words.append(content)
            else:
                self.reader.wrong(
                    value.line, key, "An attribute is a word such as subject.question or body.short."
                )
        return tuple(words)

    def _texts(self, identity: str, line: int, entries: Line, key: str, *, answers: bool) -> Variant:
        return Variant(
            id=identity,
            subject=self._subject(entries.get("subject"), line, f"{key}.subject", answers=answers),
            text=self._part(entries, Part.TEXT, line, key) or "",
            html=self._part(entries, Part.HTML, line, key),
        )

    def _subject(self, entry: Entry | None, line: int, key: str, *, answers: bool) -> str | None:
        if answers:
            if entry is not None:
                message = "A step that answers in a thread keeps its subject; remove this one."
                self.reader.wrong(entry.line, key, message)
            return None
        if entry is None:
            self.reader.wrong(line, key, "A new thread needs a subject.", "key_missing")
            return None
        text = self.reader.text(entry, key, most=MAX_SUBJECT)
        if _NOT_ONE_LINE.search(text.rstrip("\n")):
            message = "A subject is one line of plain characters; remove line breaks and control characters."
            self.reader.wrong(entry.line, key, message, "subject_not_one_line")
        self._check(text, Part.SUBJECT, entry.value, key)
        return text

    def _part(self, entries: Line, part: Part, line: int, key: str) -> str | None:
        """The text under ``text`` or ``text_file`` (``html`` or ``html_file``); both at once is an error."""
        here, there = entries.get(part.value), entries.get(f"{part.value}_file")
        if here and there:
            self.reader.wrong(
                there.line, f"{key}.{part.value}_file", f"Give {part.value} or {part.value}_file, not both."
            )
        if here:
            text = self.reader.text(here, f"{key}.{part.value}", most=100_000)
            self._check(text, part, here.value, f"{key}.{part.value}")
            return text or None
        if there:
            return self._file(there, part, f"{key}.{part.value}_file")
        if part is Part.TEXT:
            self.reader.wrong(line, f"{key}.text", "Give the message as text or text_file.", "key_missing")
        return None

    def _file(self, entry: Entry, part: Part, key: str) -> str | None:
        name = self.reader.text(entry, key, most=255)
        try:
            text = self.folder.read(name) if name else ""
        except NeighbourFileError as wrong:
            self.reader.wrong(entry.line, key, str(wrong), "file_invalid")
            return None
        for problem in check(text, part, self.custom_fields) if name else ():
            self.reader.wrong(entry.line, key, f"{name} line {problem.line}: {problem.message}", problem.code)
        return text or None

    def _check(self, text: str, part: Part, value: Value, key: str) -> None:
        if not text:
            return
        block = value.first_text_line > value.line
        for problem in check(text, part, self.custom_fields):
            line = value.first_text_line + (problem.line or 1) - 1 if block else value.line
            self.reader.wrong(line, key, problem.message, problem.code)

    def _languages(
        self, entry: Entry | None, key: str, variants: tuple[Variant, ...], *, answers: bool
    ) -> dict[str, dict[str, Variant]]:
        if entry is None:
            return {}
        key = f"{key}.languages"
        if not isinstance(entry.value.content, dict) or len(entry.value.content) > _MAX_LANGUAGES:
            message = f"Write languages: {{de: {{a: {{text: ...}}}}}}, at most {_MAX_LANGUAGES} of them."
            self.reader.wrong(entry.line, key, message, "type_invalid")
            return {}
        return {
            language: self._language(language, inside, f"{key}.{language[:10]}", variants, answers=answers)
            for language, inside in entry.value.content.items()
        }

    def _language(
        self, language: str, entry: Entry, key: str, variants: tuple[Variant, ...], *, answers: bool
    ) -> dict[str, Variant]:
        if not _LANGUAGE.fullmatch(language):
            self.reader.wrong(entry.line, key, "A language is its ISO 639 code in small letters, such as de.")
        known = {variant.id: variant for variant in variants if variant.id}
        found = {}
        for identity, inside in self.reader.mapping(entry.value, key, known.keys()).items():
            place = f"{key}.{identity}"
            entries = self.reader.mapping(inside.value, place, _TEXT_KEYS)
            variant = self._texts(identity, inside.line, entries, place, answers=answers)
            found[identity] = replace(variant, attributes=known[identity].attributes)
        return found
