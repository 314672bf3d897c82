"""YAML 1.2 text as a tree in which every key and value knows its line. Bounded in size, depth and aliases.

The YAML library only cuts the text into events; the types of plain words follow the core schema of YAML 1.2
(chapter 10.3), so ``on`` and ``NO`` are words. Nothing in the text can name a class.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from cadenza.core.errors import Problem

MAX_BYTES = 512 * 1024
_MAX_DEPTH = 16
_MAX_VALUES = 20_000  # with every alias counted in full

_NULL = re.compile(r"|null|Null|NULL|~")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,18}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")


@dataclass(slots=True)
class Value:
    """One place of the file. ``content`` is None, bool, int, float, str, a list of values or a dict of entries."""

    line: int
    content: Any = None
    size: int = 1
    first_text_line: int = 0  # where a text begins: one line below for a block


@dataclass(slots=True)
class Entry:
    line: int
    value: Value


@dataclass(slots=True)
class _Open:
    value: Value
    anchor: str | None
    key: tuple[str, int] | None = None
    aliases: bool = False


class _RefusedError(Exception):
    def __init__(self, message: str, line: int | None) -> None:
        self.problem = Problem(message, line=line, code="yaml_invalid")


# What the library says of a fault, and what a person does about it.
_IN_WORDS = (
    ("'\\t'", "a tab stands where only spaces may; indent with spaces"),
    ("found unexpected end of stream", "a quote or bracket is opened and never closed; close it"),
    ("mapping values are not allowed", "a colon stands inside a plain text, or the line is indented too far; put the text in quotes or correct the indent"),
    ("expected <block end>", "this line is indented otherwise than its neighbours, or the line above lacks a quote or dash; give lines of one list or mapping the same indent"),
    ("cannot start any token", "a text begins with a sign that YAML reserves (such as @, ` or %); put it in quotes"),
    ("expected ',' or", "a comma or closing bracket is missing; compare the brackets of this line"),
)  # fmt: skip


def read_tree(source: str) -> tuple[Value | None, list[Problem]]:
    """The tree, or None with the fault that keeps the text from being read. Repeated keys are problems beside it."""
    if len(source.encode("utf-8", "replace")) > MAX_BYTES:
        return None, [Problem(f"The file is larger than {MAX_BYTES // 1024} kB.", code="file_too_large")]
    try:
        return _Builder().build(YAML(typ="safe", pure=True).parse(source.removeprefix("\ufeff")))
    except _RefusedError as refused:
        return None, [refused.problem]
    except MarkedYAMLError as wrong:
        return None, [_syntax_problem(wrong)]
    except (YAMLError, ValueError, IndexError) as wrong:
        return None, [_character_problem(source, wrong)]


def _syntax_problem(wrong: MarkedYAMLError) -> Problem:
    what = (wrong.problem or wrong.context or "it cannot be read").splitlines()[0]
    opened = wrong.context_mark if "end of stream" in what else None  # the end is no place to look at
    mark = opened or wrong.problem_mark or wrong.context_mark
    plain = next((words for sign, words in _IN_WORDS if sign in what), None)
    line = mark.line + 1 if mark else None
    message = f"This is no valid YAML: {plain or f'{what}; compare the line with the example in docs/campaign-file.md'}."
    return Problem(message, line=line, code="yaml_invalid")


def _character_problem(source: str, wrong: Exception) -> Problem:
    position = getattr(wrong, "position", None)
    line = source.count("\n", 0, position) + 1 if isinstance(position, int) else None
    return Problem(
        "The file holds a character that no text has; save it as UTF-8 text.", line=line, code="yaml_invalid"
    )


@dataclass(slots=True)
class _Builder:
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    root: Value | None = None
    documents: int = 0

    def build(self, events: Iterator[Any]) -> tuple[Value | None, list[Problem]]:
        for event in events:
            self._take(event)
        if self.root is None or self.root.content is None:
            raise _RefusedError("The file is empty; a campaign begins with version: 1 and name:.", None)
        return self.root, self.problems

    def _take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _RefusedError(
                    "The file holds more than one document; remove everything from this '---' on.", line
                )
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open(event, line)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            done = self.stack.pop()
            self._keep(event, done.anchor, done.value)
        elif isinstance(event, ScalarEvent):
            self._refuse_tag(event, line)
            self._keep(event, event.anchor, _scalar(event, line))
        elif isinstance(event, AliasEvent):
            self._alias(event, line)

    def _open(self, event: Any, line: int) -> None:
        self._refuse_tag(event, line)
        if len(self.stack) >= _MAX_DEPTH:
            raise _RefusedError(
                f"Values are nested deeper than {_MAX_DEPTH} levels, and no campaign needs that; take the inner ones out.",
                line,
            )
        if self._waits_for_key():
            raise _RefusedError("A key must be a word, not a list or mapping.", line)
        content: Any = {} if isinstance(event, MappingStartEvent) else []
        self.stack.append(_Open(Value(line, content), event.anchor))

    def _alias(self, event: Any, line: int) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            raise _RefusedError(f"*{event.anchor} names no value above it; write the value itself.", line)
        self._keep(event, None, Value(line, known.content, known.size, known.first_text_line))

    def _keep(self, event: Any, anchor: str | None, value: Value) -> None:
        if anchor:
            self.anchors[anchor] = value
        if not self.stack:
            self.root = value
            return
        parent = self.stack[-1]
        if self._waits_for_key():
            parent.key = (self._key(event, value), value.line)
            return
        parent.value.size += value.size
        if sum(level.value.size for level in self.stack) > _MAX_VALUES:
            raise _RefusedError(
                f"The file holds more than {_MAX_VALUES} values, aliases counted; write fewer steps or texts.",
                value.line,
            )
        self._add(parent, value)

    def _add(self, parent: _Open, value: Value) -> None:
        content = parent.value.content
        if parent.key is None:
            content.append(value)
            return
        (name, line), parent.key = parent.key, None
        if name in content:
            message = f"{name!r} is already set on line {content[name].line}; keep one of them."
            self.problems.append(Problem(message, line=line, key=name, code="key_repeated"))
            return
        content[name] = Entry(line, value)

    def _waits_for_key(self) -> bool:
        return (
            bool(self.stack) and isinstance(self.stack[-1].value.content, dict) and self.stack[-1].key is None
        )

    def _key(self, event: Any, value: Value) -> str:
        if isinstance(event, ScalarEvent):
            return str(event.value)
        if isinstance(value.content, str):
            return value.content
        raise _RefusedError("A key must be a word, not a list or mapping.", value.line)

    @staticmethod
    def _refuse_tag(event: NodeEvent, line: int) -> None:
        if tag := getattr(event, "tag", None):
            raise _RefusedError(f"Tags such as {str(tag)[:40]} are not allowed; remove it.", line)


def _scalar(event: Any, line: int) -> Value:
    text = str(event.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _RefusedError(
            "The text holds half a character (a lone surrogate); write the character itself.", line
        )
    block = event.style in {"|", ">"}
    content = text if event.style else _plain(text)
    return Value(line, content, 1, line + 1 if block else line)


def _plain(text: str) -> Any:
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
