"""What is wrong with a template besides its syntax: unknown values, missing fallbacks, dangerous places in HTML."""

import re
from collections.abc import Iterator

from cadenza.campaigns import template_nodes as nodes
from cadenza.campaigns import tokens
from cadenza.campaigns.filters import FILTERS
from cadenza.campaigns.template_parser import TemplateError

_VALUE = "\0"
_HTML_RULES = (
    (re.compile(r"<\s*script", re.IGNORECASE), "Mail programs run no scripts; remove the <script> element."),
    (
        re.compile(r"\b(?:href|src|srcset|action|background|formaction)\s*=\s*[\"']?\s*\0", re.IGNORECASE),
        "An address must begin with fixed text such as https://; a value may only follow.",
    ),
    (
        re.compile(r"<[a-zA-Z](?:[^\"'<>]|\"[^\"]*\"|'[^']*')*?=\s*\0"),
        "Put quotes around an attribute that holds a value.",
    ),
    (
        re.compile(r"<[^<>]*\bon\w+\s*=\s*(?:\"[^\"]*\0|'[^']*\0)", re.IGNORECASE),
        "A value must not stand in an event attribute such as onclick.",
    ),
    (re.compile(r"<style[^<]*\0", re.IGNORECASE), "A value must not stand in a <style> element."),
)

Names = frozenset[str]


def names(parsed: tuple[nodes.Node, ...]) -> Names:
    """Every value that the template names, in output, filters and conditions."""
    return frozenset(token.name for token in _tokens(parsed))


def token_problems(parsed: tuple[nodes.Node, ...], custom_fields: Names | None) -> list[TemplateError]:
    """Unknown names first, each place of them; then values that may be missing and have no fallback."""
    unknown = [
        TemplateError(
            f"{token.name[:80]!r} is no known value.{tokens.suggestion(token.name, custom_fields)}",
            token.at,
            "token_unknown",
        )
        for token in _tokens(parsed)
        if not tokens.known(token.name, custom_fields)
    ]
    return unknown or list(_unguarded(parsed, tokens.ALWAYS))


def html_problems(parsed: tuple[nodes.Node, ...]) -> list[TemplateError]:
    """Places in HTML where an escaped value could still act."""
    source = "".join(_skeleton(parsed))
    return [TemplateError(message, 0, "html_unsafe") for rule, message in _HTML_RULES if rule.search(source)]


def _skeleton(parsed: tuple[nodes.Node, ...]) -> Iterator[str]:
    """The fixed text of every branch, with a mark where a value is printed."""
    for node in parsed:
        if isinstance(node, nodes.Text):
            yield node.text
        elif isinstance(node, nodes.Output):
            yield _VALUE
        else:
            for branch in node.branches:
                yield from _skeleton(branch.nodes)


def _tokens(parsed: tuple[nodes.Node, ...]) -> Iterator[nodes.Token]:
    for node in parsed:
        if isinstance(node, nodes.Output):
            yield from _operands(
                node.value, *(argument for each in node.filters for argument in each.arguments)
            )
        elif isinstance(node, nodes.Choice):
            for branch in node.branches:
                yield from _tested(branch.test)
                yield from _tokens(branch.nodes)


def _operands(*operands: nodes.Operand | None) -> Iterator[nodes.Token]:
    yield from (operand for operand in operands if isinstance(operand, nodes.Token))


def _tested(test: nodes.Test | None) -> Iterator[nodes.Token]:
    match test:
        case nodes.Both(left, right) | nodes.Either(left, right):
            yield from _tested(left)
            yield from _tested(right)
        case nodes.Truth(value):
            yield from _operands(value)
        case nodes.Comparison(_, first, second):
            yield from _operands(first, second)


def _unguarded(parsed: tuple[nodes.Node, ...], present: Names) -> Iterator[TemplateError]:
    for node in parsed:
        if isinstance(node, nodes.Output):
            yield from _missing(node, present)
        elif isinstance(node, nodes.Choice):
            left_over = present
            for branch in node.branches:
                yield from _unguarded(branch.nodes, left_over | _present_inside(branch))
                left_over |= _present_after(branch)


def _present_inside(branch: nodes.Branch) -> Names:
    if branch.test is None:
        return frozenset()
    return _when_false(branch.test) if branch.unless else _when_true(branch.test)


def _present_after(branch: nodes.Branch) -> Names:
    if branch.test is None:
        return frozenset()
    return _when_true(branch.test) if branch.unless else _when_false(branch.test)


def _when_true(test: nodes.Test) -> Names:
    """The values that must be there if the test holds."""
    match test:
        case nodes.Both(left, right):
            return _when_true(left) | _when_true(right)
        case nodes.Either(left, right):
            return _when_true(left) & _when_true(right)
        case nodes.Truth(value):
            return _named(value)
        case nodes.Comparison("!=", left, right):
            return _named(left) if _nothing(right) else _named(right) if _nothing(left) else frozenset()
        case nodes.Comparison("==", left, right):
            return frozenset() if _nothing(left) or _nothing(right) else _named(left, beside=right)
        case nodes.Comparison(_, left, right):
            return _named(left) | _named(right)


def _when_false(test: nodes.Test) -> Names:
    match test:
        case nodes.Both(left, right):
            return _when_false(left) & _when_false(right)
        case nodes.Either(left, right):
            return _when_false(left) | _when_false(right)
        case nodes.Comparison("==", left, right):
            return _named(left) if _nothing(right) else _named(right) if _nothing(left) else frozenset()
    return frozenset()


def _named(value: nodes.Operand | None, *, beside: nodes.Operand | None = None) -> Names:
    """The token's name. Two tokens that are equal may both be missing, so neither counts as there."""
    if isinstance(value, nodes.Token) and not isinstance(beside, nodes.Token):
        return frozenset({value.name})
    if isinstance(beside, nodes.Token) and not isinstance(value, nodes.Token):
        return frozenset({beside.name})
    return frozenset()


def _nothing(value: nodes.Operand | None) -> bool:
    return value is None or (isinstance(value, nodes.Constant) and not value.text)


def _missing(output: nodes.Output, present: Names) -> Iterator[TemplateError]:
    """The value itself and every value in its filters must be there, or have a fallback."""
    if not _sure(output.value, present) and not _falls_back(output, present):
        yield _no_fallback(output.value)
    for applied in output.filters:
        if applied.name != "default":
            yield from (_no_fallback(value) for value in applied.arguments if not _sure(value, present))


def _falls_back(output: nodes.Output, present: Names) -> bool:
    for applied in output.filters:
        if applied.name == "default" and _sure(applied.arguments[0], present, filled=True):
            return True
        if not FILTERS[applied.name].keeps_empty:
            return False
    return False


def _sure(value: nodes.Operand, present: Names, *, filled: bool = False) -> bool:
    if isinstance(value, nodes.Constant):
        return bool(value.text.strip()) or not filled
    return value.name in present or (value.name in tokens.OPTIONAL and not filled)


def _no_fallback(value: nodes.Operand) -> TemplateError:
    name = value.name if isinstance(value, nodes.Token) else ""
    return TemplateError(
        f"{name} may be missing. Add a fallback, as in {{{{ {name} | default: 'there' }}}}, "
        f"or put it inside {{% if {name} %}} ... {{% endif %}}.",
        value.at if isinstance(value, nodes.Token) else 0,
        "fallback_missing",
    )
