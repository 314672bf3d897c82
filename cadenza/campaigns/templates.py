"""Templates of users: checked when a campaign is saved, compiled once, printed without surprises."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cadenza.campaigns import template_nodes as nodes
from cadenza.campaigns import tokens
from cadenza.campaigns.contracts import CompiledVariant, Rendered, Variant
from cadenza.campaigns.template_checks import html_problems, names, token_problems
from cadenza.campaigns.template_parser import TemplateError, parse_template
from cadenza.core.errors import Problem

MAX_SUBJECT = 300

_Nodes = tuple[nodes.Node, ...]


class Part(StrEnum):
    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"


def check(source: str, part: Part, custom_fields: frozenset[str] | None) -> list[Problem]:
    """Everything wrong with one template; lines count from 1 in its source.

    ``custom_fields`` are the names that contacts have; None when any name may exist.
    """
    try:
        parsed = parse_template(source)
    except TemplateError as wrong:
        return [wrong.problem(source)]
    found = token_problems(parsed, custom_fields)
    if part is Part.HTML:
        found += html_problems(parsed)
    return [wrong.problem(source) for wrong in found] or _empty(parsed, part)


def _empty(parsed: _Nodes, part: Part) -> list[Problem]:
    """A part that says nothing for somebody of whom nothing is known."""
    bare = dict.fromkeys(tokens.ALWAYS, "x")
    full = dict.fromkeys(names(parsed), "x")
    if all(nodes.render(parsed, values, escape=False).strip() for values in (bare, full)):
        return []
    return [
        Problem(
            f"The {part.value} can come out empty; say something in every case.", line=1, code="part_empty"
        )
    ]


@dataclass(frozen=True, slots=True)
class _Compiled:
    subject: _Nodes | None
    text: _Nodes
    html: _Nodes | None
    names: frozenset[str]

    def render(self, facts: Mapping[str, Any]) -> Rendered:
        values = tokens.values(self.names, facts)
        return Rendered(
            subject=_subject(nodes.render(self.subject, values, escape=False)) if self.subject else None,
            text=nodes.render(self.text, values, escape=False),
            html=nodes.render(self.html, values, escape=True, ready=tokens.ready(facts))
            if self.html
            else None,
        )


def _subject(text: str) -> str:
    return " ".join(text.split())[:MAX_SUBJECT]


def compile_variant(variant: Variant) -> CompiledVariant:
    """Parse a variant's parts once. Raises ``TemplateError`` for what ``check`` refuses as unreadable."""
    subject = parse_template(variant.subject) if variant.subject is not None else None
    text = parse_template(variant.text)
    html = parse_template(variant.html) if variant.html is not None else None
    every = names((*(subject or ()), *text, *(html or ())))
    return _Compiled(subject, text, html, every)
