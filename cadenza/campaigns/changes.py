"""What differs between two versions of a campaign, in words."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from cadenza.campaigns.contracts import Definition, Step

_LONG = 60
_TEXTS = frozenset({"text", "html", "subject"})


def first_version(definition: Definition) -> str:
    count = len(definition.steps)
    return f"new campaign with {count} step{'s' if count != 1 else ''}"


def changes(old: Definition, new: Definition) -> tuple[str, ...]:
    """One line for each difference, in the order of the file; empty when they are the same."""
    return (*_plain(old, new), *_steps(old, new))


def _plain(old: Any, new: Any, prefix: str = "") -> Iterator[str]:
    """Differences of everything that is not a list of named things."""
    for each in fields(old):
        before, after = getattr(old, each.name), getattr(new, each.name)
        words = f"{prefix}{each.name.replace('_', ' ')}"
        if before == after or each.name in {"steps", "variants", "languages"}:
            continue
        if is_dataclass(before):
            yield from _plain(before, after, f"{words}: ")
        elif each.name in _TEXTS:
            yield f"{words} {_verb(before, after)}"
        else:
            yield f"{words}: {_shown(before)} is now {_shown(after)}"


def _verb(before: Any, after: Any) -> str:
    return "added" if before is None else "removed" if after is None else "changed"


def _shown(value: Any) -> str:
    if isinstance(value, frozenset):
        return ", ".join(str(v) for v in sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _steps(old: Definition, new: Definition) -> Iterator[str]:
    before, after = {s.id: s for s in old.steps}, {s.id: s for s in new.steps}
    yield from (f"step {name} removed" for name in before if name not in after)
    yield from (f"step {name} added" for name in after if name not in before)
    kept_before = [name for name in before if name in after]
    kept_after = [name for name in after if name in before]
    if kept_before != kept_after:
        yield f"order of steps: {_shown(tuple(kept_before))} is now {_shown(tuple(kept_after))}"
    for name in kept_after:
        yield from _step(before[name], after[name])


def _step(old: Step, new: Step) -> Iterator[str]:
    prefix = f"step {new.id}: "
    yield from _plain(old, new, prefix)
    yield from _named(_variants(old), _variants(new), prefix)


def _variants(step: Step) -> dict[str, Any]:
    own = {f"variant {variant.id}": variant for variant in step.variants}
    translated = {
        f"variant {name} in {language}": variant
        for language, variants in step.languages.items()
        for name, variant in variants.items()
    }
    return own | translated


def _named(old: dict[str, Any], new: dict[str, Any], prefix: str) -> Iterator[str]:
    for name in [*old, *(n for n in new if n not in old)]:
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield f"{prefix}{name} {_verb(before, after)}"
        else:
            yield from _plain(before, after, f"{prefix}{name} ")
