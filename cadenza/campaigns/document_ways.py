"""The ways of a step in a campaign file: on which channel, what is done there, and with which words."""

import re
from dataclasses import dataclass, replace
from typing import Any

from cadenza.campaigns.contracts import Variant, Way
from cadenza.campaigns.neighbour_files import Folder, NeighbourFileError
from cadenza.campaigns.reader import Reader
from cadenza.campaigns.templates import MAX_SUBJECT, Part, check
from cadenza.campaigns.yaml_tree import Entry, Value

ACTIONS = {
    "email": ("send",),
    "linkedin": ("view_profile", "connect", "message"),
    "phone": ("call",),
}
MOST_NOTE = 300  # characters that LinkedIn takes with an invitation
_MOST_TEXT = 100_000
_MAX_VARIANTS = 10
_MAX_LANGUAGES = 40
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)*")
_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PLAIN_KEYS = frozenset({"id", "text", "text_file", "attributes"})
_MAIL_KEYS = _PLAIN_KEYS | {"subject", "html", "html_file"}
WAY_KEYS = frozenset({"channel", "action", "variants", "languages", "script"})

Line = dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Words:
    """What the texts of one action may hold."""

    keys: frozenset[str] = _PLAIN_KEYS
    answers: bool = False  # a letter in the thread of another one, hence without a subject of its own
    most: int = _MOST_TEXT

    @property
    def mail(self) -> bool:
        return "subject" in self.keys


@dataclass(slots=True)
class WayReader:
    """``custom_fields`` are the names that templates may use; None when any may exist."""

    reader: Reader
    folder: Folder
    custom_fields: frozenset[str] | None

    def way(self, entries: Line, key: str, line: int, *, answers: bool) -> Way:
        """One way, from the entries of a step or of one of its options."""
        channel = self.reader.word(entries.get("channel"), f"{key}.channel", ACTIONS, default="email")
        known = ACTIONS[channel]
        action = self.reader.word(entries.get("action"), f"{key}.action", known, default=known[0])
        if "action" not in entries and len(known) > 1:
            self.reader.wrong(line, f"{key}.action", f"Say which: {', '.join(known)}.", "key_missing")
        words = self._words(channel, action, answers=answers)
        variants = self._said(entries, key, line, action, words)
        return Way(
            channel, action, variants, self._script(entries, key, line, action),
            self._languages(entries.get("languages"), key, variants, words),
        )  # fmt: skip

    def _words(self, channel: str, action: str, *, answers: bool) -> Words:
        if channel == "email":
            return Words(_MAIL_KEYS, answers)
        return Words(most=MOST_NOTE) if action == "connect" else Words()

    def _said(self, entries: Line, key: str, line: int, action: str, words: Words) -> tuple[Variant, ...]:
        """The variants, where the action says something; an invitation may go without a note."""
        entry = entries.get("variants")
        if action in ("view_profile", "call"):
            for name in ("variants", "languages"):
                if name in entries:
                    message = f"{action} says nothing in writing; remove {name}."
                    self.reader.wrong(entries[name].line, f"{key}.{name}", message)
            return ()
        if entry is None and action != "connect":
            self.reader.wrong(line, f"{key}.variants", "'variants' is missing.", "key_missing")
        return self._variants(entry, key, words)

    def _script(self, entries: Line, key: str, line: int, action: str) -> str | None:
        entry, key = entries.get("script"), f"{key}.script"
        if action != "call":
            if entry is not None:
                self.reader.wrong(entry.line, key, "Only a call has a script; remove it.")
            return None
        if entry is None:
            self.reader.wrong(
                line, key, "Say what the caller should know and ask: script: ...", "key_missing"
            )
            return None
        text = self.reader.text(entry, key, most=_MOST_TEXT)
        self._check(text, Part.TEXT, entry.value, key)
        return text or None

    def identity(self, entry: Entry | None, key: str) -> str:
        text = self.reader.text(entry, key, most=64)
        if entry and text and not _ID.fullmatch(text):
            self.reader.wrong(
                entry.line, key, "An id begins with a letter and has letters, digits, - and _ only."
            )
            return ""
        return text

    def _variants(self, entry: Entry | None, key: str, words: Words) -> tuple[Variant, ...]:
        if entry is None:
            return ()
        key = f"{key}.variants"
        values = self.reader.sequence(entry.value, key, least=1, most=_MAX_VARIANTS)
        found: list[Variant] = []
        for number, value in enumerate(values, 1):
            variant = self._variant(value, f"{key}[{number}]", words)
            if variant.id and variant.id in {other.id for other in found}:
                message = f"Another variant of this step is called {variant.id!r} already."
                self.reader.wrong(value.line, f"{key}[{number}].id", message, "id_repeated")
            found.append(variant)
        return tuple(found)

    def _variant(self, value: Value, key: str, words: Words) -> Variant:
        entries = self.reader.mapping(value, key, words.keys, required=("id",))
        identity = self.identity(entries.get("id"), f"{key}.id")
        variant = self._texts(identity, value.line, entries, key, words)
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

    def _texts(self, identity: str, line: int, entries: Line, key: str, words: Words) -> Variant:
        return Variant(
            id=identity,
            subject=self._subject(entries.get("subject"), line, f"{key}.subject", words),
            text=self._part(entries, Part.TEXT, line, key, words.most) or "",
            html=self._part(entries, Part.HTML, line, key, words.most),
        )

    def _subject(self, entry: Entry | None, line: int, key: str, words: Words) -> str | None:
        if not words.mail:
            return None
        if words.answers:
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

    def _part(self, entries: Line, part: Part, line: int, key: str, most: int) -> str | None:
        """The text under ``text`` or ``text_file`` (``html`` or ``html_file``); both at once is an error."""
        here, there = entries.get(part.value), entries.get(f"{part.value}_file")
        if here and there:
            self.reader.wrong(
                there.line, f"{key}.{part.value}_file", f"Give {part.value} or {part.value}_file, not both."
            )
        if here:
            text = self.reader.text(here, f"{key}.{part.value}", most=most)
            self._check(text, part, here.value, f"{key}.{part.value}")
            return text or None
        if there:
            return self._file(there, part, f"{key}.{part.value}_file", most)
        if part is Part.TEXT:
            self.reader.wrong(line, f"{key}.text", "Give the message as text or text_file.", "key_missing")
        return None

    def _file(self, entry: Entry, part: Part, key: str, most: int) -> str | None:
        name = self.reader.text(entry, key, most=255)
        try:
            text = self.folder.read(name) if name else ""
        except NeighbourFileError as wrong:
            self.reader.wrong(entry.line, key, str(wrong), "file_invalid")
            return None
        if len(text) > most:
            self.reader.wrong(entry.line, key, f"{name} has {len(text)} characters; here it may have {most}.")
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
        self, entry: Entry | None, key: str, variants: tuple[Variant, ...], words: Words
    ) -> dict[str, dict[str, Variant]]:
        if entry is None:
            return {}
        key = f"{key}.languages"
        if not isinstance(entry.value.content, dict) or len(entry.value.content) > _MAX_LANGUAGES:
            message = f"Write languages: {{de: {{a: {{text: ...}}}}}}, at most {_MAX_LANGUAGES} of them."
            self.reader.wrong(entry.line, key, message, "type_invalid")
            return {}
        return {
            language: self._language(language, inside, f"{key}.{language[:10]}", variants, words)
            for language, inside in entry.value.content.items()
        }

    def _language(
        self, language: str, entry: Entry, key: str, variants: tuple[Variant, ...], words: Words
    ) -> dict[str, Variant]:
        if not _LANGUAGE.fullmatch(language):
            self.reader.wrong(entry.line, key, "A language is its ISO 639 code in small letters, such as de.")
        known = {variant.id: variant for variant in variants if variant.id}
        found = {}
        for identity, inside in self.reader.mapping(entry.value, key, known.keys()).items():
            place = f"{key}.{identity}"
            entries = self.reader.mapping(inside.value, place, words.keys - {"id", "attributes"})
            variant = self._texts(identity, inside.line, entries, place, words)
            found[identity] = replace(variant, attributes=known[identity].attributes)
        return found
