"""A mailbox's hours, warm-up and stop as its row keeps them: JSON one way, frozen values the other."""

from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from cadenza.channels.contracts import Stop, WarmUp
from cadenza.timing.contracts import Window

_MIDNIGHT = "24:00"


def hours_json(hours: Window) -> dict[str, Any]:
    return {
        "days": sorted(hours.days),
        "from": f"{hours.start:%H:%M}",
        "to": _MIDNIGHT if hours.end == time.max else f"{hours.end:%H:%M}",
        "zone": hours.zone,
    }


def read_hours(kept: dict[str, Any]) -> Window:
    return _window(tuple(kept["days"]), kept["from"], kept["to"], kept["zone"])


@lru_cache(
    maxsize=1024
)  # five hundred mailboxes are read in every turn of the dispatcher, and few hours differ
def _window(days: tuple[int, ...], start: str, end: str, zone: str) -> Window:
    closes = time.max if end == _MIDNIGHT else time.fromisoformat(end)
    return Window(frozenset(days), time.fromisoformat(start), closes, zone, holidays=False)


def warm_up_json(warm_up: WarmUp) -> dict[str, Any]:
    judged = warm_up.judged.isoformat() if warm_up.judged else None
    return {
        "start": warm_up.start, "growth": warm_up.growth, "target": warm_up.target, "since": warm_up.since.isoformat(),
        "step": warm_up.step, "judged": judged,
    }  # fmt: skip


def read_warm_up(kept: dict[str, Any]) -> WarmUp:
    return WarmUp(
        kept["start"],
        kept["growth"],
        kept["target"],
        date.fromisoformat(kept["since"]),
        kept["step"],
        date.fromisoformat(kept["judged"]) if kept["judged"] else None,
    )


def stop_json(stop: Stop) -> dict[str, Any]:
    until = stop.until.isoformat() if stop.until else None
    return {"rule": stop.rule, "reason": stop.reason, "at": stop.at.isoformat(), "until": until}


def read_stop(kept: dict[str, Any]) -> Stop:
    until = datetime.fromisoformat(kept["until"]) if kept["until"] else None
    return Stop(kept["rule"], kept["reason"], datetime.fromisoformat(kept["at"]), until)
