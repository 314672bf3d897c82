"""Reads a tree of values key by key and collects every fault with its place, instead of stopping at the first."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cadenza.campaigns.yaml_tree import Entry, Value
from cadenza.core.errors import Problem

Later = Mapping[str, str]
"""Keys or words that are known but not supported yet, each with what to use instead."""


def closest(word: str, known: Iterable[str]) -> str:
    """A suggestion in words, or nothing when no known word is near."""
    near = difflib.get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def either(words: Collection[str]) -> str:
    *first, last = sorted(words)
    return f"{', '.join(first)} or {last}" if first else last


@dataclass(slots=True)
class Reader:
    """Each method gives the checked value, or the default after having noted a problem."""

    problems: list[Problem] = field(default_factory=list)

    def wrong(self, line: int | None, key: str, message: str, code: str = "value_invalid") -> None:
        self.problems.append(Problem(message, line=line, key=key, code=code))

    def mapping(
        self,
        value: Value,
        key: str,
        known: Collection[str],
        *,
        required: Collection[str] = (),
        later: Later | None = None,
    ) -> dict[str, Entry]:
        """The known entries of a mapping; unknown, unsupported and missing ones are problems."""
        if not isinstance(value.content, dict):
            self.wrong(
                value.line, key, f"Write keys and values here ({', '.join(sorted(known))}).", "type_invalid"
            )
            return {}
        found: dict[str, Entry] = {}
        for name, entry in value.content.items():
            if name in known:
                found[name] = entry
            else:
                self._unexpected(name, entry.line, _join(key, name), known, later or {})
        for name in sorted(set(required) - set(found)):
            self.wrong(value.line, _join(key, name), f"{name!r} is missing.", "key_missing")
        return found

    def _unexpected(self, name: str, line: int, key: str, known: Collection[str], later: Later) -> None:
        if name in later:
            self.wrong(line, key, f"{name!r} is not supported yet; {later[name]}.", "not_supported_yet")
            return
        hint = closest(name, known) or f" Known here: {', '.join(sorted(known))}."
        self.wrong(line, key, f"{name[:60]!r} is no known key.{hint}", "key_unknown")

    def sequence(self, value: Value, key: str, *, most: int, least: int = 0) -> list[Value]:
        if not isinstance(value.content, list):
            self.wrong(value.line, key, "Write a list here: [a, b], or one '- ' line each.", "type_invalid")
            return []
        if not least <= len(value.content) <= most:
            self.wrong(value.line, key, f"Give between {least} and {most} of them, not {len(value.content)}.")
            return value.content[:most]
        return value.content

    def text(self, entry: Entry | None, key: str, *, most: int, default: str = "") -> str:
        if entry is None:
            return default
        content = entry.value.content
        if not isinstance(content, str):
            self.wrong(
                entry.line,
                key,
                f"Write a text here, not {_kind(content)}; quotes make it one.",
                "type_invalid",
            )
            return default
        if "\0" in content:
            self.wrong(entry.line, key, "This is no usable text: it holds a NUL character; remove it.")
            return default
        if not content.strip() or len(content) > most:
            self.wrong(entry.line, key, f"Give a text of 1 to {most} characters, not {len(content)}.")
            return default
        return content

    def whole(self, entry: Entry | None, key: str, *, least: int, most: int, default: int) -> int:
        if entry is None:
            return default
        content = entry.value.content
        if isinstance(content, bool) or not isinstance(content, int) or not least <= content <= most:
            self.wrong(entry.line, key, f"Give a whole number from {least} to {most}.")
            return default
        return content

    def truth(self, entry: Entry | None, key: str, *, default: bool) -> bool:
        if entry is None:
            return default
        if not isinstance(entry.value.content, bool):
            self.wrong(entry.line, key, "Write true or false.", "type_invalid")
            return default
        return entry.value.content

    def word(
        self,
        entry: Entry | None,
        key: str,
        known: Collection[str],
        *,
        default: str,
        later: Later | None = None,
    ) -> str:
        """One of the known words."""
        return (
            self.known_word(entry.value, entry.line, key, known, later or {}) or default if entry else default
        )

    def words(self, entry: Entry | None, key: str, known: Collection[str]) -> list[str] | None:
        """A list of known words; None when the key is absent."""
        if entry is None:
            return None
        values = self.sequence(entry.value, key, most=len(known))
        return [word for value in values if (word := self.known_word(value, value.line, key, known, {}))]

    def known_word(
        self, value: Value, line: int, key: str, known: Collection[str], later: Later
    ) -> str | None:
        content = value.content
        if isinstance(content, str) and content in known:
            return content
        if isinstance(content, str) and content in later:
            self.wrong(line, key, f"{content!r} is not supported yet; {later[content]}.", "not_supported_yet")
            return None
        hint = closest(content, known) if isinstance(content, str) else ""
        self.wrong(line, key, f"Write {either(known)} here, not {_shown(content)}.{hint}")
        return None


def _join(key: str, name: str) -> str:
    return f"{key}.{name[:60]}" if key else name[:60]


def _kind(content: Any) -> str:
    names: dict[type, str] = {
        type(None): "nothing",
        bool: "true or false",
        list: "a list",
        dict: "keys and values",
    }
    return names.get(type(content), "a number")


def _shown(content: Any) -> str:
    return repr(content[:40]) if isinstance(content, str) else _kind(content)
