"""What a template may name, which of it is always there, and facts made safe to print.

A custom field is ``contact.custom.NAME``. The engine fills ``account.name`` for everybody (company, else domain,
else a neutral word), so it counts as always there; what may be missing needs a fallback when a template is saved.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cadenza.campaigns.reader import closest

ALWAYS = frozenset({"contact.email", "account.name", "sender.name", "sender.address"})
SOMETIMES = frozenset(
    {
        "contact.first_name",
        "contact.last_name",
        "contact.title",
        "contact.language",
        "contact.country",
        "account.domain",
        "account.industry",
        "account.country",
    }
)
OPTIONAL = frozenset({"sender.signature"})  # may be empty without a fallback: nothing is said then
CUSTOM = "contact.custom."

_MAX_VALUE = 2000
_CONTROL = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


def known(name: str, custom_fields: frozenset[str] | None) -> bool:
    """Whether templates may name it. None as the custom fields means that any may exist."""
    if name.startswith(CUSTOM):
        field = name.removeprefix(CUSTOM)
        return bool(field) and (custom_fields is None or field in custom_fields)
    return name in ALWAYS or name in SOMETIMES or name in OPTIONAL


def token_names() -> tuple[frozenset[str], frozenset[str]]:
    """Those with a value for everybody, and those that may be missing; without custom fields and the signature."""
    return ALWAYS, SOMETIMES


def suggestion(name: str, custom_fields: frozenset[str] | None) -> str:
    every = ALWAYS | SOMETIMES | OPTIONAL | {CUSTOM + field for field in custom_fields or ()}
    return closest(name, every) or f" Known: {', '.join(sorted(every))}."


def values(names: Iterable[str], facts: Mapping[str, Any]) -> dict[str, str]:
    """The value of each name that has one: plain text, bounded, without control characters.

    Line breaks become spaces, except in the signature. A missing or empty value is left out.
    """
    found = {}
    for name in names:
        if text := _text(_look_up(name, facts), lines=name == "sender.signature"):
            found[name] = text
    return found


def ready(facts: Mapping[str, Any]) -> dict[str, str]:
    """Values that are HTML already: the sender's signature, checked when it was entered and never imported."""
    html = _look_up("sender.signature_html", facts)
    return {"sender.signature": html} if isinstance(html, str) and html else {}


def _look_up(name: str, facts: Mapping[str, Any]) -> Any:
    value: Any = facts
    parts = name.split(".", 2)
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text(value: Any, *, lines: bool) -> str:
    if value is None or isinstance(value, Mapping | list | tuple | set | bytes):
        return ""
    text = str(value)[:_MAX_VALUE]
    text = _CONTROL.sub(" ", text) if not text.isprintable() else text
    return text.strip() if lines else " ".join(text.split())
