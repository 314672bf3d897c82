"""Rooms are entered by their doors: service, contracts and errors; nothing else crosses a border."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cadenza

_PACKAGE = Path(cadenza.__path__[0])
_DOORS = {"service", "contracts", "errors"}
_OPEN = {"core", "web"}  # every module of these two is for all
_FILES = sorted(_PACKAGE.rglob("*.py"))


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cadenza."):
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("cadenza."):
                    yield name.name, node.lineno


def _room(path: Path) -> str:
    return path.relative_to(_PACKAGE).parts[0]


@pytest.mark.parametrize(
    "path", [p for p in _FILES if _room(p) != "app"], ids=lambda p: str(p.relative_to(_PACKAGE))
)
def test_other_rooms_are_entered_by_their_doors(path: Path) -> None:
    own = _room(path)
    for name, line in _imports(path):
        _, room, *rest = name.split(".")
        if room in (own, *_OPEN) or not rest:
            continue
        assert rest[0] in _DOORS, f"{path}:{line} imports {name} past the doors of {room}"


def test_only_the_clock_reads_a_clock() -> None:
    allowed = {_PACKAGE / "core" / "clock.py", _PACKAGE / "core" / "ids.py"}
    forbidden = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
    for path in _FILES:
        if path in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in forbidden, f"{path}:{node.lineno} reads a clock"
