"""What differs between two versions of a campaign, in words."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from cadenza.campaigns.contracts import Definition, Step, Way

_LONG = 60
_TEXTS = frozenset({"text", "html", "subject", "script"})


def first_version(definition: Definition) -> str:
    count = len(definition.steps)
    if count == 1:
        return "new campaign with 1 step"
    return f"new campaign with {count} steps"


def changes(old: Definition, new: Definition) -> tuple[str, ...]:
    """One line for each difference, in the order of the file; empty when they are the same."""
    return (*_plain_changes(old, new), *_step_changes(old, new))


def _plain_changes(old: Any, new: Any) -> Iterator[str]:
    """Differences of everything that is not a list of named things."""
    for each in fields(old):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before == after or each.name in {"steps", "variants", "languages", "options", "fallback"}:
            continue
        if is_dataclass(before):
            yield from _inner_changes(each.name, before, after)
        elif each.name in _TEXTS:
            yield _verb(TOLD_CHANGES[each.name], before, after)
        else:
            yield _became(TOLD_CHANGES[each.name], _shown(before), _shown(after))


def _inner_changes(outer: str, old: Any, new: Any) -> Iterator[str]:
    for each in fields(old):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before != after:
            yield _became(TOLD_CHANGES[f"{outer}.{each.name}"], _shown(before), _shown(after))


def _became(words: str, before: str, after: str) -> str:
    return f"{words}: {before} is now {after}"


def _verb(words: str, before: Any, after: Any) -> str:
    if before is None:
        return f"{words} added"
    return f"{words} removed" if after is None else f"{words} changed"


def _shown(value: Any) -> str:
    if isinstance(value, frozenset):
        return ", ".join(str(v) for v in sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _step_changes(old: Definition, new: Definition) -> Iterator[str]:
    before, after = {s.id: s for s in old.steps}, {s.id: s for s in new.steps}
    for step_id in before:
        if step_id not in after:
            yield f"step {step_id} removed"
    for step_id in after:
        if step_id not in before:
            yield f"step {step_id} added"
    kept_before = [name for name in before if name in after]
    kept_after = [name for name in after if name in before]
    if kept_before != kept_after:
        yield _became(TOLD_CHANGES["steps"], _shown(tuple(kept_before)), _shown(tuple(kept_after)))
    for step_id in kept_after:
        for what in _within(before[step_id], after[step_id]):
            yield f"step {step_id}: {what}"


def _within(old: Step, new: Step) -> Iterator[str]:
    yield from _plain_changes(old, new)
    if old.fallback != new.fallback:
        yield _became(TOLD_CHANGES["fallback"], _fallback(old), _fallback(new))
    yield from _option_changes(old, new)
    before, after = _variants(old), _variants(new)
    for name in [*before, *(n for n in after if n not in before)]:
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield _verb(name, one, other)
        else:
            for what in _plain_changes(one, other):
                yield _of_variant(name, what)


def _of_variant(variant: str, what: str) -> str:
    """``variant`` as ``_variants`` names it."""
    _, variant_id, *language = variant.split(" ")
    if language:
        return f"variant {variant_id} in {language[-1]} {what}"
    return f"variant {variant_id} {what}"


def _fallback(step: Step) -> str:
    return _shown(step.fallback.step if step.fallback else None)


def _option_changes(old: Step, new: Step) -> Iterator[str]:
    before, after = _options(old), _options(new)
    if list(before) != list(after):
        yield _became(TOLD_CHANGES["options"], _shown(tuple(before)), _shown(tuple(after)))
    for name in before:
        if name in after and before[name].script != after[name].script:
            yield _verb(TOLD_CHANGES["script"], before[name].script, after[name].script)


def _options(step: Step) -> dict[str, Way]:
    return {f"{way.channel}/{way.action}": way for way in step.options}


def _variants(step: Step) -> dict[str, Any]:
    """Each text under its name; those of options are told apart by what they belong to."""
    found: dict[str, Any] = {}
    for way in step.ways:
        place = f"{way.channel}/{way.action}/" if step.options else ""
        found |= {f"variant {place}{variant.id}": variant for variant in way.variants}
        found |= {
            f"variant {place}{name} in {language}": variant
            for language, variants in way.languages.items()
            for name, variant in variants.items()
        }
    return found


# What each place of a campaign is called where a change of it is told.
TOLD_CHANGES = {
    "name": "name", "contacts_file": "contacts file", "mailboxes": "mailboxes", "goal_metric": "goal metric",
    "goal_target": "goal target", "grace_hours": "grace hours", "stop_person": "stop person", "stop_account": "stop account",
    "track_opens": "track opens", "track_clicks": "track clicks", "experiment_metric": "experiment metric", "segment": "segment",
    "pool": "pool", "window.days": "window: days", "window.start": "window: start", "window.end": "window: end",
    "window.zone": "window: zone", "window.holidays": "window: holidays", "caps.per_person_per_week": "caps: per person per week",
    "caps.per_account_per_day": "caps: per account per day", "caps.per_sender_per_day": "caps: per sender per day", "id": "id", "steps": "order of steps",
    "after_days": "after days", "channel": "channel", "action": "action", "reply_to": "reply to", "when": "when",
    "otherwise": "otherwise", "text": "text", "subject": "subject", "html": "html", "attributes": "attributes",
    "script": "script", "options": "options", "fallback": "fallback",
}  # fmt: skip
