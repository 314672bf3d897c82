"""``lab``: what the adaptive policy reaches in worlds whose truth is known, against what was promised, and how fast a run is.

The value is the seconds of one policy among 10,000 people in four weeks on one core.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.lab.service import LETTERS, WORLDS, compare, seconds_of

_SPEED_PEOPLE, _MOST_SECONDS = 10_000, 20.0
_EVEN_RUNS, _EVEN_LEAST = 200, 0.925  # runs, and the share of them whose own interval has to cover 0


@dataclass(frozen=True, slots=True)
class Promise:
    """``least`` is the lift of each metric that has to be reached; a negative one has to fall by as much. ``share`` of the oracle's."""

    world: str
    baseline: str
    least: dict[str, float]
    share: float = 0.0


_PROMISES = (
    Promise("personal-hours", "fixed", {"human_opens": 0.20, "replies": 0.15}, 0.6),
    Promise("fatigue", "fixed", {"unsubscribes": -0.15, "replies": 0.0}),
    Promise("channels", "email_only", {"replies": 0.30, "meetings": 0.30}),
    Promise("market-events", "no_market", {"replies": 0.15}),
    Promise("progress", "repeat", {"replies": 0.20}),
)


async def run(size: int = 5_000) -> Result:
    """``size`` people in each of 20 paired runs."""
    return await asyncio.to_thread(_run, size)


def _run(size: int) -> Result:
    seconds = seconds_of(WORLDS / "personal-hours.yaml", people=_SPEED_PEOPLE)
    wrong = [f"a run took longer than {_MOST_SECONDS:.0f} s"] if seconds > _MOST_SECONDS else []
    detail: dict[str, Any] = {"wanted_seconds": _MOST_SECONDS, "people": size}
    for promise in _PROMISES:
        began = time.perf_counter()
        found = compare(WORLDS / f"{promise.world}.yaml", baseline=promise.baseline, people=size)
        wrong += _broken(promise, found)
        detail[promise.world] = _told(promise, found) | {"seconds": round(time.perf_counter() - began, 1)}
    covered = _covered(WORLDS / "nothing-differs.yaml")
    detail["nothing-differs"] = {"runs": _EVEN_RUNS, "wanted": _EVEN_LEAST, "intervals that cover 0": covered}
    wrong += [
        f"nothing differs: {m}: {n} of {_EVEN_RUNS}"
        for m, n in covered.items()
        if n < _EVEN_LEAST * _EVEN_RUNS
    ]
    return Result(
        name="lab",
        value=round(seconds, 1),
        unit="s",
        baselines=(Baseline("wanted seconds", _MOST_SECONDS, round(seconds / _MOST_SECONDS, 3)),),
        detail=detail,
        failed=tuple(wrong),
    )


def _told(promise: Promise, found: dict[str, Any]) -> dict[str, Any]:
    lifts = {metric: found["lifts"][metric] | {"wanted": promise.least[metric]} for metric in promise.least}
    touches = {name: each["all"]["touches"] for name, each in found["policies"].items()}
    return {
        "baseline": promise.baseline,
        "lifts": lifts,
        "touches": touches,
        "violations": found["violations"],
    }


def _broken(promise: Promise, found: dict[str, Any]) -> list[str]:
    wrong = [
        f"{promise.world}: {times} outside {what}" for what, times in found["violations"].items() if times
    ]
    for metric, least in promise.least.items():
        each = found["lifts"][metric]
        reached = each["lift"] is not None and (each["lift"] <= least if least < 0 else each["lift"] >= least)
        if not reached:
            wrong.append(f"{promise.world}: {metric} {each['lift']} instead of {least}")
        if promise.share and (
            each["share"] is None or each["share"] < promise.share or each["interval"][0] <= 0
        ):
            wrong.append(
                f"{promise.world}: {metric} is {each['share']} of the oracle's, interval {each['interval']}"
            )
    return wrong


def _covered(world: Path) -> dict[str, int]:
    """Of the runs of 1,000 people whose own interval covers 0, by metric."""
    found = compare(world, LETTERS, runs=_EVEN_RUNS)
    counted = {"human_opens": 0, "clicks": 0, "replies": 0, "positive_replies": 0, "meetings": 0}
    for each in found["runs"]:
        for metric in counted:
            low, high = each["lifts"][metric]["interval"] or (0.0, 0.0)
            counted[metric] += low <= 0 <= high
    return counted
