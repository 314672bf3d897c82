"""A definition as a campaign file: the other way of ``read_document``. What is written reads back as the same object."""

import re
from dataclasses import asdict
from datetime import time
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from cadenza.campaigns.contracts import Definition, Step, Tree, Variant, Way
from cadenza.timing.contracts import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*(\.[A-Za-z_-]+)*")
_TAKEN = frozenset(
    {"null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE"}
)  # YAML 1.2, core schema
_WIDE = 100_000  # a line is as long as its text: folding would hide where a line of the message ends


def document_text(definition: Definition) -> str:
    """YAML with every value spelled out, defaults too; texts of neighbour files stand in it themselves."""
    return tree_text(tree_of(definition))


def tree_text(tree: Tree) -> str:
    yaml = YAML()
    yaml.width = _WIDE
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    yaml.dump(_styled(tree, depth=0), written)
    return written.getvalue()


def tree_of(found: Definition) -> Tree:
    goal: Tree = {"metric": found.goal_metric}
    if found.goal_target is not None:
        goal["target"] = found.goal_target
    return {
        "version": 1,
        "name": found.name,
        "goal": goal,
        "audience": {"segment": found.segment} if found.segment else {"contacts": found.contacts_file},
        "senders": ({"pool": found.pool} if found.pool else {"mailboxes": list(found.mailboxes)})
        | {"per_person": "sticky"},
        "window": _window(found.window),
        "caps": asdict(found.caps),
        "grace": {"hours": found.grace_hours},
        "stop": {"person": sorted(found.stop_person), "account": sorted(found.stop_account)},
        "tracking": {"opens": found.track_opens, "clicks": found.track_clicks},
        "steps": [_step(step) for step in found.steps],
        "experiment": {"metric": found.experiment_metric, "allocation": "even"},
    }


def _window(window: Window) -> Tree:
    return {
        "days": [DAYS[day - 1] for day in sorted(window.days)],
        "from": _hour(window.start),
        "to": _hour(window.end),
        "zone": window.zone or "recipient",
        "holidays": "recipient" if window.holidays else "none",
    }


def _hour(at: time) -> str:
    return "24:00" if at == time.max else f"{at:%H:%M}"


def _step(step: Step) -> Tree:
    written: Tree = {"id": step.id, "channel": step.channel}
    if not step.options:
        written["action"] = step.action
    written["after"] = {"days": step.after_days}
    if step.when is not None:
        written["when"] = step.when
    if step.otherwise is not None:
        written["else"] = step.otherwise
    if step.fallback is not None:
        written["fallback"] = asdict(step.fallback)
    if step.channel == "email" or step.reply_to is not None:
        written["thread"] = {"reply_to": step.reply_to} if step.reply_to is not None else "new"
    if step.options:
        written["options"] = [{"channel": w.channel, "action": w.action, **_words(w)} for w in step.options]
        return written
    return written | _words(step.ways[0])


def _words(way: Way) -> Tree:
    written: Tree = {}
    if way.variants:
        written["variants"] = [_variant(variant) for variant in way.variants]
    if way.script is not None:
        written["script"] = way.script
    if way.languages:
        written["languages"] = {
            language: {name: _texts(variant) for name, variant in variants.items()}
            for language, variants in way.languages.items()
        }
    return written


def _variant(variant: Variant) -> Tree:
    written = {"id": variant.id, **_texts(variant)}
    return written | ({"attributes": list(variant.attributes)} if variant.attributes else {})


def _texts(variant: Variant) -> Tree:
    parts = {"subject": variant.subject, "text": variant.text, "html": variant.html}
    return {name: part for name, part in parts.items() if part is not None}


def _styled(value: Any, depth: int) -> Any:
    """Sections and rows of words on one line, steps and texts on lines of their own."""
    if isinstance(value, dict):
        made = CommentedMap((_styled(k, depth + 1), _styled(v, depth + 1)) for k, v in value.items())
        if (
            depth
            and not any(isinstance(each, str) and "\n" in each for each in _leaves(value))
            and _short(value)
        ):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        row = CommentedSeq(_styled(each, depth + 1) for each in value)
        if all(isinstance(each, str) for each in value):
            row.fa.set_flow_style()
        return row
    return _text(value) if isinstance(value, str) else value


def _short(value: Tree) -> bool:
    return "id" not in value and all(not isinstance(each, dict) for each in value.values())


def _leaves(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [leaf for each in inner for leaf in _leaves(each)]


def _text(text: str) -> Any:
    """Lines stand as lines where YAML keeps them so; a plain word stays plain; the rest is quoted and stays a text."""
    if _WORD.fullmatch(text) and text not in _TAKEN:
        return text
    lines = text.split("\n")
    if len(lines) > 1 and lines[0] and not lines[0].startswith((" ", "\t")) and all(map(_plain, lines)):
        return LiteralScalarString(text)
    return DoubleQuotedScalarString(text)


def _plain(line: str) -> bool:
    return line.isprintable() and line == line.rstrip()
