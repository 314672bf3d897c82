"""Liquid source to nodes. The Liquid library reads the syntax; what is allowed, and printing, are ours.

Loops, assignments, inclusion and every other tag that could hang or fill the memory are not registered, and the
source is scanned before the library sees it, so that its patterns run over short stretches only.
"""

import re
from collections.abc import Iterator
from typing import Any

from liquid import Environment
from liquid.ast import BlockNode
from liquid.builtin import expressions as le
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import logical, primitive
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidError

from cadenza.campaigns import template_nodes as nodes
from cadenza.campaigns.filters import FILTERS, MAX_FILTERS, wrong_arguments
from cadenza.campaigns.reader import closest, either
from cadenza.core.errors import Problem

MAX_SOURCE = 100_000
_MAX_MARKS = 300
_MAX_MARK_LENGTH = 500
_TAGS = frozenset({"if", "unless", "case", "comment"})
_INNER = frozenset({"elsif", "else", "when", "endif", "endunless", "endcase", "endcomment"})
_MARK = re.compile(r"\{\{|\{%")
_TAG_NAME = re.compile(r"-?\s*([#\w]*)")
_UNKNOWN_TAG = "{word!r} is no tag that a template may use. Allowed: {known}.{hint}"
_COMPARE = {
    logical.EqExpression: "==", logical.NeExpression: "!=", logical.LtExpression: "<", logical.GtExpression: ">",
    logical.LeExpression: "<=", logical.GeExpression: ">=", logical.ContainsExpression: "contains",
}  # fmt: skip

_EXAMPLE = "{{ contact.first_name | default: 'there' }}"
# What the library says of a fault, and what a person does about it.
_IN_WORDS = tuple((re.compile(f"^.*{sign}.*$"), words) for sign, words in (
    ("expected a primitive expression", f"the brackets hold no name; write one, as in {_EXAMPLE}"),
    ("expected word", "after | stands no filter; name one or remove the |"),
    ("missing expression", "the tag names nothing to look at; write it, as in {% if contact.title %}"),
    ("expected tag (end[a-z]+)", r"a tag is not closed; add {% \1 %}"),
    ("unexpected tag '([a-z]+)'", r"{% \1 %} belongs to no tag above it; remove it, or add the tag that it belongs to"),
    ("unexpected '[\"']", "a quote is opened and never closed; close it"),
    ("expected end of expression, found (.+)", rf"\1 stands where nothing more may stand; values are written like {_EXAMPLE}, comparisons with =="),
))  # fmt: skip


class TemplateError(Exception):
    """A template that cannot be used: why, in words, and where in its source."""

    def __init__(self, message: str, at: int = 0, code: str = "template_invalid") -> None:
        super().__init__(message)
        self.message, self.at, self.code = message, at, code

    def problem(self, source: str) -> Problem:
        return Problem(self.message, line=source.count("\n", 0, self.at) + 1, code=self.code)


class _Environment(Environment):
    block_nesting_limit = 20

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        marks = {name: tag for name, tag in self.tags.items() if not name.isidentifier()}
        internal = {name: tag for name, tag in self.tags.items() if name in {"content", "output", "illegal"}}
        self.tags = marks | internal | {name: self.tags[name] for name in _TAGS}
        self.filters = {name: rule.apply for name, rule in FILTERS.items()}


_ENVIRONMENT = _Environment()


def parse_template(source: str) -> tuple[nodes.Node, ...]:
    """Raises ``TemplateError`` for anything that is not allowed. The names of tokens are not looked at."""
    _scan(source)
    try:
        parsed = _ENVIRONMENT.from_string(source)
        return tuple(_nodes(parsed.nodes))
    except LiquidError as wrong:
        raise _unreadable(wrong, source) from wrong
    except RecursionError as wrong:
        raise TemplateError("The template is nested too deeply.") from wrong


def _unreadable(wrong: LiquidError, source: str) -> TemplateError:
    said = str(wrong).splitlines()[0]
    found = (sign.sub(words, said) for sign, words in _IN_WORDS if sign.search(said))
    what = next(found, f"{said}; write it like {_EXAMPLE}")
    if wrong.token and wrong.token.start_index >= 0:
        return TemplateError(f"The template cannot be read: {what}.", wrong.token.start_index)
    return TemplateError(f"The template cannot be read: {what}.", max(0, source.rfind("{%")))


def _scan(source: str) -> None:
    """Refuse what the library would take long over, and say plainly what is wrong with marks and tags."""
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"A template has at most {MAX_SOURCE} characters.")
    here, count = 0, 0
    while mark := _MARK.search(source, here):
        close = "}}" if mark[0] == "{{" else "%}"
        end = source.find(close, mark.end(), mark.end() + _MAX_MARK_LENGTH)
        count += 1
        if end < 0:
            raise TemplateError(
                f"{mark[0]} is not closed by {close} within {_MAX_MARK_LENGTH} characters.", mark.start()
            )
        if count > _MAX_MARKS:
            raise TemplateError(f"A template has at most {_MAX_MARKS} values and tags.", mark.start())
        if close == "%}":
            _scan_tag(source, mark)
        here = end + 2


def _scan_tag(source: str, mark: re.Match[str]) -> None:
    found = _TAG_NAME.match(source, mark.end())
    word = found[1] if found else ""
    if word not in _TAGS and word not in _INNER:
        known = either(_TAGS | {"elsif", "else", "when"})
        message = _UNKNOWN_TAG.format(word=word[:40], known=known, hint=closest(word, _TAGS | _INNER))
        raise TemplateError(message, mark.start(), "tag_not_allowed")


def _nodes(parsed: list[Any]) -> Iterator[nodes.Node]:
    for node in parsed:
        if isinstance(node, ContentNode):
            yield nodes.Text(node.text)
        elif isinstance(node, OutputNode):
            yield _output(node)
        elif isinstance(node, IfNode):
            yield _if(node, unless=False)
        elif isinstance(node, UnlessNode):
            yield _if(node, unless=True)
        elif isinstance(node, CaseNode):
            yield _case(node)
        elif not isinstance(node, CommentNode):
            raise TemplateError("This is not allowed in a template.", max(0, node.token.start_index))


def _output(node: OutputNode) -> nodes.Output:
    expression: Any = node.expression
    filters = expression.filters or []
    if len(filters) > MAX_FILTERS:
        raise TemplateError(f"A value has at most {MAX_FILTERS} filters.", node.token.start_index)
    return nodes.Output(_operand(expression.left), tuple(_filter(each) for each in filters))


def _filter(each: Any) -> nodes.Applied:
    at = each.token.start_index
    if each.name not in FILTERS:
        message = f"{each.name[:40]!r} is no filter that a template may use. Allowed: {either(FILTERS)}."
        raise TemplateError(message + closest(each.name, FILTERS), at, "filter_not_allowed")
    if any(isinstance(argument, le.KeywordArgument) for argument in each.args):
        raise TemplateError(f"The filter {each.name!r} takes no named values.", at)
    arguments = tuple(_operand(argument.value) for argument in each.args)
    known = [argument.text if isinstance(argument, nodes.Constant) else None for argument in arguments]
    if wrong := wrong_arguments(each.name, known):
        raise TemplateError(wrong, at)
    return nodes.Applied(each.name, arguments, FILTERS[each.name].apply)


def _operand(expression: Any) -> nodes.Operand:
    if isinstance(expression, le.Path):
        return _token(expression)
    if isinstance(expression, primitive.StringLiteral | primitive.IntegerLiteral | primitive.FloatLiteral):
        return nodes.Constant(str(expression.value)[:_MAX_MARK_LENGTH])
    if isinstance(expression, primitive.TrueLiteral | primitive.FalseLiteral):
        return nodes.Constant(str(expression.value).lower())
    raise TemplateError(
        "Ranges and the like are not allowed in a template.", max(0, expression.token.start_index)
    )


def _token(path: Any) -> nodes.Token:
    at = max(0, path.token.start_index)
    if not all(isinstance(segment, str) for segment in path.path):
        raise TemplateError("A value is named by words with dots, such as contact.first_name.", at)
    return nodes.Token(".".join(path.path), at)


def _if(node: Any, *, unless: bool) -> nodes.Choice:
    branches = [nodes.Branch(_test(node.condition.expression), tuple(_nodes(node.consequence.nodes)), unless)]
    branches += [
        nodes.Branch(_test(other.expression.expression), tuple(_nodes(other.block.nodes)))
        for other in node.alternatives
    ]
    if node.default:
        branches.append(nodes.Branch(None, tuple(_nodes(node.default.nodes))))
    return nodes.Choice(tuple(branches))


def _test(expression: Any) -> nodes.Test:
    if isinstance(expression, logical.BooleanExpression):
        return _test(expression.expression)
    if isinstance(expression, logical.LogicalAndExpression):
        return nodes.Both(_test(expression.left), _test(expression.right))
    if isinstance(expression, logical.LogicalOrExpression):
        return nodes.Either(_test(expression.left), _test(expression.right))
    if operator := _COMPARE.get(type(expression)):
        return nodes.Comparison(operator, _side(expression.left), _side(expression.right))
    return nodes.Truth(_operand(expression))


def _side(expression: Any) -> nodes.Operand | None:
    """One side of a comparison; nil, blank, empty and the empty text all mean that there is no value."""
    if isinstance(expression, primitive.Nil | primitive.Blank | primitive.Empty):
        return None
    return _operand(expression)


def _case(node: CaseNode) -> nodes.Choice:
    left = _operand(node.expression)
    branches, otherwise = [], None
    for block in node.blocks:
        if isinstance(block, MultiExpressionBlockNode):
            tests = [nodes.Comparison("==", left, _side(value)) for value in block.expression.expressions]
            branches.append(nodes.Branch(_any(tests), tuple(_nodes(block.block.nodes))))
        elif isinstance(block, BlockNode):
            otherwise = nodes.Branch(None, tuple(_nodes(block.nodes)))
    return nodes.Choice((*branches, otherwise) if otherwise else tuple(branches))


def _any(tests: list[nodes.Comparison]) -> nodes.Test:
    test: nodes.Test = tests[0]
    for other in tests[1:]:
        test = nodes.Either(test, other)
    return test
