"""``tokens``: what stands where a letter names a fact, among people of whom a fifth of all fields is missing.

The value is the percentage of places with the person's exact value. Every other place has to hold its fallback, none a raw token.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.campaigns.contracts import CompiledVariant, Variant
from cadenza.campaigns.service import compile_variant, token_names

_MISSING, _WANTED = 0.2, 0.95
_CUSTOM = ("contact.custom.plan", "contact.custom.renewal")
_PLACE = re.compile(r"^(\S+)=(.*)$", re.MULTILINE)
_TRICKY = (
    "{{ contact.email }} {% if x %}"  # what somebody typed into a field is data, and is printed as it is
)

_Values = Mapping[str, str]


async def run(size: int = 10_000) -> Result:
    """``size`` people, each with a letter that names every token once."""
    always, sometimes = token_names()
    names = (*sorted(always), *sorted(sometimes), *_CUSTOM)
    letter = "".join(f"{name}={{{{ {name} | default: 'fallback' }}}}\n" for name in names)
    compiled = compile_variant(Variant("a", letter, "Hello"))
    ours: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for values in _people(size, always, names):
        ours.update(judged(_printed(compiled, values), values, names))
        plain.update(judged(_replaced(letter, values), values, names))
    return _result(ours, plain, size, len(names))


def _result(ours: Counter[str], plain: Counter[str], people: int, tokens: int) -> Result:
    exact = ours["exact"] / ours.total()
    known = ours.total() - ours["fallback"]
    wrong = [f"{ours[what]} places were {what}" for what in ("raw", "wrong") if ours[what]]
    if exact < _WANTED:
        wrong.append(f"the exact value in {exact:.3f} of all places instead of {_WANTED}")
    unaided = plain["exact"] / plain.total()
    return Result(
        name="tokens",
        value=round(exact * 100, 2),
        unit="% of all places hold the exact value",
        baselines=(
            Baseline("values put in without fallbacks", round(unaided * 100, 2), round(exact / unaided, 3)),
        ),
        detail={
            "people": people,
            "tokens in a letter": tokens,
            "missing fields": _MISSING,
            "places": dict(ours),
            "places without fallbacks": dict(plain),
            "exact where a value was known": round(ours["exact"] / known, 4),
        },
        failed=tuple(wrong),
    )


def _people(count: int, always: frozenset[str], names: tuple[str, ...]) -> Iterator[_Values]:
    """The same ones each time. What is always there is never missing; each hundredth value looks like a template."""
    chance = Random(20)
    for number in range(count):
        yield {
            name: _TRICKY if chance.random() < 0.01 else f"{name} of {number}"
            for name in names
            if name in always or chance.random() >= _MISSING
        }


def _printed(compiled: CompiledVariant, values: _Values) -> str:
    return compiled.render(_nested(values)).text


def _nested(values: _Values) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        inside = facts
        for part in path:
            inside = inside.setdefault(part, {})
        inside[last] = value
    return facts


def _replaced(letter: str, values: _Values) -> str:
    """As a mail merge does it: each known value takes its token's place, and what is not known stays as it was written."""
    for name, value in values.items():
        letter = letter.replace(f"{{{{ {name} | default: 'fallback' }}}}", value)
    return letter


def judged(text: str, values: _Values, names: tuple[str, ...]) -> Counter[str]:
    """How many places are exact, fallback, raw (a token as it was written) or wrong (anything else, or not there)."""
    places = dict(_PLACE.findall(text))
    return Counter(_verdict(places.get(name), values.get(name)) for name in names)


def _verdict(printed: str | None, value: str | None) -> str:
    if printed is not None and printed == value:
        return "exact"
    if printed is not None and ("{{" in printed or "{%" in printed):
        return "raw"
    return "fallback" if value is None and printed == "fallback" else "wrong"
