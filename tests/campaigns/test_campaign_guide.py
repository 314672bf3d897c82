"""docs/campaign-file.md: every example in it is read by the program, and its tables name what there is."""

import re
from pathlib import Path

import pytest

from cadenza.campaigns.conditions import parse_condition
from cadenza.campaigns.contracts import Caps, Definition
from cadenza.campaigns.document import read_document
from cadenza.campaigns.filters import FILTERS
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.templates import Part, check
from cadenza.campaigns.tokens import ALWAYS, OPTIONAL, SOMETIMES

GUIDE = (Path(__file__).parents[2] / "docs" / "campaign-file.md").read_text()


def part(heading: str) -> str:
    return GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def cells(section: str, column: int = 0) -> list[str]:
    """The code in one column of the tables of a section."""
    rows = re.findall(r"^\| (.+) \|$", section.replace("\\|", "¦"), re.MULTILINE)
    found = [
        re.findall(r"`([^`]+)`", row.split(" | ")[column]) for row in rows if len(row.split(" | ")) > column
    ]
    return [code.replace("¦", "|") for codes in found for code in codes]


def read(source: str) -> Definition:
    reading = read_document(source, Folder(None), lambda _: frozenset())
    assert reading.problems == ()
    assert reading.definition
    return reading.definition


@pytest.mark.parametrize("source", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_every_file_in_it_is_right(source: str) -> None:
    assert read(source).steps


def test_the_defaults_it_names_are_those_of_the_program() -> None:
    short, whole, _ = (read(source) for source in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
    assert (short.window, short.grace_hours, short.stop_person) == (
        whole.window,
        whole.grace_hours,
        whole.stop_person,
    )
    assert short.caps == whole.caps == Caps()
    assert (short.goal_metric, short.experiment_metric) == (whole.goal_metric, whole.experiment_metric)
    assert (short.track_opens, short.track_clicks, short.steps[0].after_days) == (False, False, 0)


@pytest.mark.parametrize("condition", cells(part("Conditions")))
def test_every_condition_in_it_is_read(condition: str) -> None:
    assert parse_condition(condition, ["intro"])


@pytest.mark.parametrize("template", [c for c in cells(part("Templates")) if "{" in c])
def test_every_template_in_it_is_right(template: str) -> None:
    assert check(template, Part.TEXT, frozenset()) == []


def test_its_tokens_and_filters_are_all_there_are() -> None:
    named = {
        c
        for column in (0, 1)
        for c in cells(part("Templates"), column)
        if re.fullmatch(r"[a-z_]+\.[a-z_]+", c)
    }
    assert named == ALWAYS | SOMETIMES | OPTIONAL
    (line,) = re.findall(r"^Filters: (.*)\.$", part("Templates"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", line)) == set(FILTERS)


@pytest.mark.parametrize(
    ("right", "later"),
    [
        ("contacts: people.csv", "query: x"),
        ("steps:\n", "experiment: {allocation: adaptive}\nsteps:\n"),
    ],
)
def test_what_it_says_is_not_supported_is_refused_with_a_clear_word(right: str, later: str) -> None:
    short = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[0]
    assert right in short
    reading = read_document(short.replace(right, later), Folder(None), lambda _: frozenset())
    assert any("for now" in problem.message for problem in reading.problems)
