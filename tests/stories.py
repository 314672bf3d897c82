"""`make stories`: which acceptance criteria no test names yet."""

import ast
import re
from collections import defaultdict
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_ROW = re.compile(r"^\| ([\w.-]+\d) \| (.+?) \| (\d+) \|$", re.MULTILINE)


def stories() -> dict[str, tuple[str, int]]:
    """Story -> (what it is about, how many criteria it has)."""
    text = (_ROOT / "docs" / "stories.md").read_text()
    return {story: (about, int(criteria)) for story, about, criteria in _ROW.findall(text)}


def named() -> dict[str, set[int]]:
    """Story -> the criteria that tests name in their marks."""
    found: dict[str, set[int]] = defaultdict(set)
    for path in (_ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "story"
            ):
                story, *criteria = (ast.literal_eval(argument) for argument in node.args)
                found[story].update(criteria)
    return found


def unknown() -> list[str]:
    """Marks that name a story or a criterion that does not exist."""
    known = stories()
    return [
        f"{story} {number}"
        for story, numbers in named().items()
        for number in numbers
        if story not in known or not 1 <= number <= known[story][1]
    ]


def main() -> None:
    tested, every = named(), stories()
    for story, (about, criteria) in every.items():
        holes = [str(n) for n in range(1, criteria + 1) if n not in tested.get(story, ())]
        if holes:
            print(f"{story} {about}: {', '.join(holes)}")
    done = sum(len(numbers) for numbers in tested.values())
    print(f"{done} of {sum(criteria for _, criteria in every.values())}")


if __name__ == "__main__":
    main()
