"""Marks name what exists."""

import ast
import re
from pathlib import Path

from tests.stories import stories, unknown

_ROOT = Path(__file__).parent.parent


def test_the_list_of_stories_is_whole() -> None:
    assert len(stories()) == 83
    assert sum(criteria for _, criteria in stories().values()) == 581


def test_every_story_mark_names_a_criterion() -> None:
    assert unknown() == []


def test_every_must_not_mark_names_a_line() -> None:
    lines = set(re.findall(r"^\| (M\d+) \|", (_ROOT / "docs" / "must-not.md").read_text(), re.MULTILINE))
    for path in (_ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "must_not"
            ):
                assert {ast.literal_eval(a) for a in node.args} <= lines, f"{path}:{node.lineno}"


def _marked(name: str) -> set[str]:
    """Every word that a mark of this name carries, in all tests."""
    found: set[str] = set()
    for path in (_ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                found |= {ast.literal_eval(argument) for argument in node.args}
    return found


def test_every_requirement_of_security_has_a_test_or_a_reason() -> None:
    """And not both: a reason goes when the test comes."""
    table = re.findall(
        r"^\| ([\d.]+) \| .+ \| (.*?) ?\|$", (_ROOT / "docs" / "asvs.md").read_text(), re.MULTILINE
    )
    marked, excused = _marked("asvs"), {number for number, reason in table if reason}
    assert len(table) == 126
    assert {number for number, _ in table} - marked - excused == set()
    assert marked & excused == set()
