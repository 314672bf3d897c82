"""Errors and reasons in the reader's language. Rooms speak English; what pages show of it is read back here.

The English templates are found in the source: the texts of errors, gate answers and reasons of all but the silent files, an
f-string with named places for its values. They stand in the catalogue under the context ``told``. A page's text is
matched against them, so that also reasons that were stored long ago are said in whatever language is asked for.
JSON, the command line and the log keep the English words.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from babel.messages.pofile import read_po

CONTEXT = "told"
# What no page tells: programs, the command line, the operator's machine and the servers of the sandbox speak English.
SILENT = (
    "app/**/*.py", "*/commands.py", "*/*_commands.py", "*/*_work.py", "*/endpoints.py", "*/*_endpoints.py", "*/tools.py", "core/admission.py",
    "core/connecting.py", "core/crypto.py", "core/installation.py", "core/keys.py", "core/postgres/*.py", "core/rotation.py",
    "core/settings.py", "campaigns/yaml_tree.py", "campaigns/neighbour_files.py", "operations/archive.py", "operations/backup*.py",
    "operations/doctor.py", "sandbox/*.py", "understanding/*.py", "experiments/*.py", "web/api.py", "web/assets.py", "web/forwarding.py", "web/once.py",
)  # fmt: skip
THINGS = (
    "country",
    "language",
    "IANA time zone",
    "contact",
    "campaign",
    "conversation",
    "touch",
    "member",
    "mailbox",
    "pool",
    "segment",
    "none",
    "added",
    "removed",
)  # names and values in sentences

_PLACE = re.compile(r"(%\(\w+\)s)")
_WORD = re.compile(r"[^\W\d_]{2}")
_ARGUMENTS = {
    "CadenzaError": (1,),
    "WireLostError": (0,),
    "AddressError": (0,),
    "Fault": (2,),
    "GateResult": (2,),
    "Choice": (1,),
    "AccountChoice": (1,),
    "Limit": (1,),
    "not_found": (),
    "Problem": (0,),
    "register": (1,),
    "fine": (0,),
    "warn": (0, 1),
    "fail": (0, 1),
    "skipped": (0,),
}
_NAMES = {
    "why",
    "days",
    "detail",
    "waiting_for",
    "fix",
    "message",
    "reason",
    "words",
}  # variables and named arguments that are told
_METHODS = {"wrong": (0,)}  # of a reader that collects faults
_FUNCTIONS = {
    "_after", "_waiting", "_missing_pool", "_missing_sender", "_smtp_problem", "first_version", "_became", "_verb", "_step_changes",
    "_of_variant", "_why_none", "_out_of_order",
}  # fmt: skip  # what these return or yield is told
# Constants of which each text is told, also a single word.
_CONSTANTS = re.compile(r"_?TOLD_[A-Z_]+")
_NESTED = {
    "days",
    "why",
    "sender_why",
    "what",
    "limit_why",
    "facts_sender_why",
    "touch_why",
    "words",
    "before",
    "after",
    "wrong",
    "kind",
    "kind_words",
    "FieldKind_words",
    "stop_reason_words",
    "action_words",
    "actor_role_words",
}  # values that are words of ours again

_BARE = {"step_id", "variant_id"}  # values without spaces, so that a longer text is not taken for one


def texts(package: Path) -> Iterator[tuple[str, str]]:
    """Each file with each English template in it."""
    silent = {file for pattern in SILENT for file in package.glob(pattern)}
    for file in sorted(set(package.rglob("*.py")) - silent):
        for node in ast.walk(ast.parse(file.read_text())):
            for text in _told(node):
                yield file.relative_to(package).as_posix(), text
    yield from (("web/spoken.py", thing) for thing in THINGS)


def _told(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        for place in _places(node.func):
            yield from _templates(node.args[place]) if place < len(node.args) else ()
        for keyword in node.keywords:
            yield from _templates(keyword.value) if keyword.arg in _NAMES else ()
    elif isinstance(node, ast.Assign) and any(
        isinstance(t, ast.Name) and t.id in _NAMES for t in node.targets
    ):
        yield from _templates(node.value)
    elif isinstance(node, ast.Assign) and any(
        isinstance(t, ast.Name) and _CONSTANTS.fullmatch(t.id) for t in node.targets
    ):
        yield from _constants(node.value)
    elif isinstance(node, ast.FunctionDef) and node.name in _FUNCTIONS:
        for value in _returned(node):
            yield from _templates(value)


def _constants(node: ast.expr) -> Iterator[str]:
    for value in node.values if isinstance(node, ast.Dict) else (node,):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def _places(called: ast.expr) -> tuple[int, ...]:
    """Which arguments of this call are told."""
    if isinstance(called, ast.Attribute):
        return _METHODS.get(called.attr, ())
    return _ARGUMENTS.get(called.id, ()) if isinstance(called, ast.Name) else ()


def _returned(node: ast.FunctionDef) -> Iterator[ast.expr]:
    for child in ast.walk(node):
        if isinstance(child, ast.Return | ast.Yield) and child.value is not None:
            yield child.value


def _templates(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        template = "".join(_piece(piece) for piece in node.values)
        if _WORD.search(_PLACE.sub("", template)):  # without words of its own it would fit any text
            yield template
    elif isinstance(node, ast.BoolOp | ast.IfExp):
        for child in node.values if isinstance(node, ast.BoolOp) else (node.body, node.orelse):
            yield from _templates(child)


def _piece(piece: ast.expr) -> str:
    if isinstance(piece, ast.FormattedValue):
        return f"%({_place(piece.value)})s"
    return str(piece.value).replace("%", "%%") if isinstance(piece, ast.Constant) else ""


def _place(value: ast.expr) -> str:
    """A name for a value: its variable with its attributes, or the first of them that it is made of."""
    if isinstance(value, ast.Attribute):
        return f"{_place(value.value)}_{value.attr}"
    return next((node.id for node in ast.walk(value) if isinstance(node, ast.Name)), "value")


@cache
def _patterns(file: Path) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Templates of a catalogue as patterns, those with the most words of their own first."""
    with file.open("rb") as opened:
        known = [str(m.id) for m in read_po(opened) if m.context == CONTEXT and "%(" in str(m.id)]
    known.sort(key=lambda text: -len(_PLACE.sub("", text)))
    return tuple((_pattern(text), text) for text in known)


def _pattern(text: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for piece in _PLACE.split(text):
        name = piece[2:-2] if piece.startswith("%(") else ""
        any_text = r"[\w-]+" if name in _BARE else ".*?"
        again = f"(?P={name})" if name in seen else f"(?P<{name}>{any_text})"
        parts.append(again if name else re.escape(piece.replace("%%", "%")))
        seen.add(name)
    return re.compile("".join(parts), re.DOTALL)


@lru_cache(maxsize=4000)
def read_back(text: str, file: Path) -> tuple[str, dict[str, str], frozenset[str]] | None:
    """The template that made this text, its values, and the names of those that are words again; None for others."""
    for pattern, template in _patterns(file):
        if found := pattern.fullmatch(text):
            values = found.groupdict()
            return template, values, frozenset(_NESTED & values.keys())
    return None
