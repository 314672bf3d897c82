"""World files: read, checked, and every missing key filled with its neutral value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from cadenza.core.errors import CadenzaError, Problem
from cadenza.sandbox.contracts import (
    INTENTS,
    RESPONSES,
    Announced,
    Deal,
    Fatigue,
    HourFactor,
    Segment,
    Shock,
    World,
)
from cadenza.sandbox.world_nodes import (
    Node,
    by_name,
    chance,
    day,
    factor,
    flag,
    load,
    moment,
    number,
    pair,
    shares,
    weekdays,
    whole,
    word,
)

DEMO = Path(__file__).parent / "data" / "demo.yaml"

_CHANNELS = {
    "email": RESPONSES,
    "linkedin": ("accept", "reply"),
    "phone": ("connect", "converse", "meeting"),
}
_YEARS = 10


def load_world(path: Path) -> World:
    """Raises ``world_unreadable`` or ``world_invalid``, the latter with a line for each fault."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise CadenzaError("world_unreadable", f"{path} cannot be read: {wrong}.") from wrong
    return read_world(text, path.name)


def read_world(text: str, file: str = "world") -> World:
    root = load(text, file)
    found = root.fields(_WORLD, required=("version", "seed", "start", "days", "segments"))
    if not root.problems and found["version"] != 1:
        root.wrong(f"version {found['version']} is unknown; this program reads version 1")
    if not root.problems:
        _check_names(root, found)
    if root.problems:
        raise _invalid(file, root.problems)
    return _world(found)


def _invalid(file: str, problems: list[Problem]) -> CadenzaError:
    first = problems[0]
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return CadenzaError(
        "world_invalid",
        f"{file} is no world file: line {first.line}: {first.message}{more}.",
        fix="Correct these places.",
        problems=tuple(problems),
    )


def _check_names(root: Node, found: Mapping[str, Any]) -> None:
    """Segments are named once, and whoever names one names one that exists."""
    names = [segment.name for segment in found["segments"]]
    for name in {name for name in names if names.count(name) > 1}:
        root.wrong(f"two segments are called {name}")
    for what in (*found.get("events", ()), *found.get("shocks", ())):
        for name in sorted((what.segments or frozenset()) - set(names)):
            root.wrong(f"there is no segment {name}")


def _world(found: Mapping[str, Any]) -> World:
    reputation, company = found.get("reputation", {}), found.get("company_events", {})
    return World(
        seed=found["seed"],
        start=found["start"],
        days=found["days"],
        segments=tuple(found["segments"]),
        safe_per_domain_day=reputation.get("safe_per_domain_day"),
        recovery_days=reputation.get("recovery_days", 1),
        company_event_rate=company.get("rate_per_account_week", 0.0),
        company_event_factor=company.get("relevant_factor", 1.0),
        announced=tuple(found.get("events", ())),
        holidays=found.get("holidays", False),
        shocks=tuple(found.get("shocks", ())),
    )


def _segments(node: Node) -> list[Segment]:
    return [_segment(entry) for entry in node.entries()]


def _segment(node: Node) -> Segment:
    found = node.fields(_SEGMENT, required=("name", "size", "channels"))
    inner = {
        key: found.pop(key, {}) for key in ("unsubscribe", "out_of_office", "machine", "warmth", "progress")
    }
    absent_days = inner["out_of_office"].get("days", (2, 14))
    if absent_days[0] > absent_days[1]:
        node.wrong("out_of_office days: the first is the smaller one")
    found["hours"] = tuple(found.get("hours", ()))
    return Segment(
        name=found.pop("name", ""),
        size=found.pop("size", 0),
        channels=found.pop("channels", {}),
        unsubscribe_base=inner["unsubscribe"].get("base", 0.0),
        unsubscribe_per_touch=inner["unsubscribe"].get("per_touch_in_window", 0.0),
        absent_share=inner["out_of_office"].get("share", 0.0),
        absent_days=absent_days,
        machine_open=inner["machine"].get("open", 0.0),
        machine_click=inner["machine"].get("click", 0.0),
        warmth_mean=inner["warmth"].get("mean", 0.0),
        warmth_sigma=inner["warmth"].get("sigma", 0.0),
        repeat=inner["progress"].get("repeat", 1.0),
        build=inner["progress"].get("build", 1.0),
        **found,
    )


def _channels(node: Node) -> dict[str, dict[str, float]]:
    known = {name: by_name(chance, keys) for name, keys in _CHANNELS.items()}
    found = node.fields(known)
    if "email" in found:
        found["email"] = {"deliver": 1.0, **found["email"]}
    return found


def _zones(node: Node) -> dict[str, float]:
    found = shares(node)
    for zone in found:
        if zone not in available_timezones():
            node.wrong(f"{zone} is no time zone")
    return found


def _attributes(node: Node) -> dict[str, dict[str, float]]:
    return {key: shares(inner) for key, inner in node.items()}


def _hours(node: Node) -> list[HourFactor]:
    keys = {"days": weekdays, "from": whole(0, 24), "to": whole(0, 24), "factor": factor}
    found = [entry.fields(keys, required=("from", "to", "factor")) for entry in node.entries()]
    every_day = frozenset(range(1, 8))
    return [
        HourFactor(h.get("days", every_day), h.get("from", 0), h.get("to", 24), h.get("factor", 1.0))
        for h in found
    ]


def _fatigue(node: Node) -> Fatigue:
    return Fatigue(**node.fields({"window_days": whole(1, 365), "factor": factor}))


def _deal(node: Node) -> Deal:
    keys = {"median": number(0), "sigma": number(0, 10), "currency": word, "win": chance}
    return Deal(**node.fields(keys))


def _segment_names(node: Node) -> frozenset[str] | None:
    if node.value == "all":
        return None
    return frozenset(word(entry) for entry in node.entries())


def _announced(node: Node) -> list[Announced]:
    keys = {"kind": word, "from": day, "to": day, "segments": _segment_names, "respond": factor}
    events = []
    for entry in node.entries():
        found = entry.fields(keys, required=("kind", "from", "to"))
        if {"kind", "from", "to"} <= set(found):
            events.append(
                Announced(
                    found["kind"],
                    found["from"],
                    found["to"],
                    found.get("segments"),
                    found.get("respond", 1.0),
                )
            )
    return events


def _shocks(node: Node) -> list[Shock]:
    keys = {
        "day": whole(0, 3650), "hours": number(0), "segments": _segment_names, "channel": word,
        "deliver": factor, "respond": factor,
    }  # fmt: skip
    shocks = []
    for entry in node.entries():
        found = entry.fields(keys, required=("day", "hours"))
        if found.get("channel") not in {None, *_CHANNELS}:
            entry.wrong(f"channel {found['channel']} is unknown")
        shocks.append(Shock(**{"day": 0, "hours": 0.0, "segments": None, **found}))
    return shocks


_SEGMENT = {
    "name": word,
    "size": whole(1, 1_000_000),
    "attributes": _attributes,
    "timezones": _zones,
    "languages": shares,
    "channels": _channels,
    "prefers": by_name(factor, tuple(_CHANNELS)),
    "hours": _hours,
    "personal_hours": chance,
    "effects": by_name(factor),
    "fatigue": _fatigue,
    "unsubscribe": by_name(chance, ("base", "per_touch_in_window")),
    "complain": chance,
    "out_of_office": lambda node: node.fields({"share": chance, "days": pair(whole(1, 365))}),
    "machine": by_name(chance, ("open", "click")),
    "reply_mix": by_name(chance, INTENTS),
    "meeting_from": by_name(chance, INTENTS),
    "opportunity_from_meeting": chance,
    "deal": _deal,
    "warmth": lambda node: node.fields({"mean": number(-10, 10), "sigma": number(0, 10)}),
    "progress": by_name(factor, ("repeat", "build")),
}

_WORLD = {
    "version": whole(0, 1000),
    "seed": whole(0, 2**63),
    "start": moment,
    "days": whole(1, 366 * _YEARS),
    "segments": _segments,
    "reputation": lambda node: node.fields(
        {"safe_per_domain_day": whole(1, 10**9), "recovery_days": whole(1, 365)}
    ),
    "company_events": lambda node: node.fields({"rate_per_account_week": chance, "relevant_factor": factor}),
    "events": _announced,
    "holidays": flag,
    "shocks": _shocks,
}
