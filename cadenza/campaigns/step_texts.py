"""The texts of a step in a working copy, on whatever channel: where each stands, and what a new step begins with."""

from collections.abc import Iterator

from cadenza.campaigns.contracts import SCRIPT, StepText, Tree

_FIRST_TEXT = [{"id": "a", "text": ""}]
STARTS: dict[str, Tree] = {
    "send": {"channel": "email", "action": "send", "thread": "new", "variants": [{"id": "a", "subject": "", "text": ""}]},
    "view_profile": {"channel": "linkedin", "action": "view_profile"},
    "connect": {"channel": "linkedin", "action": "connect", "variants": _FIRST_TEXT},
    "message": {"channel": "linkedin", "action": "message", "variants": _FIRST_TEXT},
    "call": {"channel": "phone", "action": "call", "script": ""},
}  # fmt: skip
"""What a step says at first, by its action."""


def texts_of(step: Tree, number: int) -> list[StepText]:
    """All of them, in the order of the file; none for a step that says nothing. ``number`` is the step's place, from 0."""
    if "options" not in step:
        return list(_of_way(step, f"steps.{number}", ""))
    return [
        text
        for place, way in enumerate(step["options"])
        for text in _of_way(
            way, f"steps.{number}.options.{place}", f"{way.get('channel')}/{way.get('action')}/"
        )
    ]


def _of_way(way: Tree, place: str, name: str) -> Iterator[StepText]:
    channel, action = str(way.get("channel", "email")), str(way.get("action", "send"))
    for number, variant in enumerate(way.get("variants", [])):
        languages = {
            language: (f"{place}.languages.{language}.{variant['id']}", texts[variant["id"]])
            for language, texts in way.get("languages", {}).items()
            if variant["id"] in texts
        }
        where = f"{place}.variants.{number}"
        yield StepText(f"{name}{variant['id']}", where, variant, languages, channel, action)
    if "script" in way:
        script = {"id": SCRIPT, "text": way["script"]}
        yield StepText(f"{name}{SCRIPT}", place, script, {}, channel, action)
