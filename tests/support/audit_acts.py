"""Every name under which something can stand in the audit trail, found in the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

_PLACE = {"audit": 2, "_note": 3}
_MORE = {  # names that are values of an enumeration, or made from one, where they are recorded
    "engine/lifecycle.py": {"launched", "paused", "resumed", "campaign_stopped"},
    "inbox/service.py": {"assigned", "closed"},
}


def recorded_acts(package: Path) -> set[str]:
    """By name."""
    found = {act for file in package.rglob("*.py") for act in _of_file(file)}
    return found.union(*_MORE.values())


def _of_file(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            place = _PLACE.get(getattr(node.func, "id", ""), len(node.args))
            if place < len(node.args):
                yield from _names(node.args[place])


def _names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _names(node.body)
        yield from _names(node.orelse)
