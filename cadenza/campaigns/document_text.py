"""A definition as a campaign file: the other way of ``read_document``. What is written reads back as the same object."""

from collections.abc import Mapping
from datetime import time
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from cadenza.campaigns.contracts import Definition, Step, Variant
from cadenza.timing.contracts import Window

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WIDE = 100_000  # a line is as long as its text: folding would hide where a line of the message ends


def document_text(definition: Definition) -> str:
    """YAML with every value spelled out, defaults too; texts of neighbour files stand in it themselves."""
    yaml = YAML()
    yaml.width = _WIDE
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    yaml.dump(_document(definition), written)
    return written.getvalue()


def _document(found: Definition) -> CommentedMap:
    goal: dict[str, Any] = {"metric": found.goal_metric}
    if found.goal_target is not None:
        goal["target"] = found.goal_target
    caps = found.caps
    return CommentedMap(
        version=1,
        name=_text(found.name),
        goal=_flow(goal),
        audience=_flow(
            {"segment": _text(found.segment)} if found.segment else {"contacts": _text(found.contacts_file)}
        ),
        senders=_flow({"mailboxes": _row(found.mailboxes), "per_person": "sticky"}),
        window=_window(found.window),
        caps=_flow(
            {
                "per_person_per_week": caps.per_person_per_week,
                "per_account_per_day": caps.per_account_per_day,
                "per_sender_per_day": caps.per_sender_per_day,
            }
        ),
        grace=_flow({"hours": found.grace_hours}),
        stop=_flow({"person": _row(sorted(found.stop_person)), "account": _row(sorted(found.stop_account))}),
        tracking=_flow({"opens": found.track_opens, "clicks": found.track_clicks}),
        steps=CommentedSeq(_step(step) for step in found.steps),
        experiment=_flow({"metric": found.experiment_metric, "allocation": "even"}),
    )


def _window(window: Window) -> CommentedMap:
    return _flow(
        {
            "days": _row(_DAYS[day - 1] for day in sorted(window.days)),
            "from": _hour(window.start),
            "to": _hour(window.end),
            "zone": _text(window.zone or "recipient"),
            "holidays": "recipient" if window.holidays else "none",
        }
    )


def _hour(at: time) -> Any:
    return DoubleQuotedScalarString("24:00" if at == time.max else f"{at:%H:%M}")


def _step(step: Step) -> CommentedMap:
    written = CommentedMap(
        id=_text(step.id), channel=step.channel, action=step.action, after=_flow({"days": step.after_days})
    )
    if step.when is not None:
        written["when"] = _text(step.when)
    if step.otherwise is not None:
        written["else"] = _text(step.otherwise)
    written["thread"] = _flow({"reply_to": _text(step.reply_to)}) if step.reply_to is not None else "new"
    written["variants"] = CommentedSeq(_variant(variant) for variant in step.variants)
    if step.languages:
        written["languages"] = _languages(step.languages)
    return written


def _languages(languages: Mapping[str, Mapping[str, Variant]]) -> CommentedMap:
    return CommentedMap(
        (_text(language), CommentedMap((_text(name), _texts(v)) for name, v in variants.items()))
        for language, variants in languages.items()
    )


def _variant(variant: Variant) -> CommentedMap:
    written = CommentedMap(id=_text(variant.id))
    written.update(_texts(variant))
    if variant.attributes:
        written["attributes"] = _row(variant.attributes)
    return written


def _texts(variant: Variant) -> CommentedMap:
    parts = {"subject": variant.subject, "text": variant.text, "html": variant.html}
    return CommentedMap((name, _text(part)) for name, part in parts.items() if part is not None)


def _text(text: str) -> Any:
    """Lines stand as lines where YAML keeps them so; the rest is quoted, so that no word becomes a number or a truth."""
    lines = text.split("\n")
    if len(lines) > 1 and lines[0] and not lines[0].startswith((" ", "\t")) and all(map(_plain, lines)):
        return LiteralScalarString(text)
    return DoubleQuotedScalarString(text)


def _plain(line: str) -> bool:
    return line.isprintable() and line == line.rstrip()


def _row(words: Any) -> CommentedSeq:
    row = CommentedSeq(_text(word) if word not in _DAYS else word for word in words)
    row.fa.set_flow_style()
    return row


def _flow(values: dict[str, Any]) -> CommentedMap:
    made = CommentedMap(values)
    made.fa.set_flow_style()
    return made
