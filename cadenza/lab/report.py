"""What a comparison of policies says, in the words of the command's contract."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from cadenza.lab.contracts import METRICS, VIOLATIONS, Lift, RunResult
from cadenza.lab.lifts import lift
from cadenza.lab.policies import ORACLE
from cadenza.lab.runner import ALL, Plan

_DIGITS = 4


def report(plan: Plan, results: Sequence[RunResult], *, world: str, seconds: float) -> dict[str, Any]:
    """One object; every figure is a mean over the runs, each lift has its interval over them."""
    return {
        "world": world,
        "seed": plan.world.seed,
        "campaign": plan.definition.name,
        "policy": plan.policy,
        "baseline": plan.baseline,
        "policies": {name: _means(name, results) for name in plan.policies},
        "lifts": {metric: _lift(plan, results, metric) for metric in METRICS},
        "experiments": [],
        "forecasts": [],
        "violations": {what: sum(result.violations[what] for result in results) for what in VIOLATIONS},
        "runs": [{"seed": r.seed, "lifts": {m: _told(each) for m, each in r.lifts.items()}} for r in results],
        "seconds": round(seconds, 2),
    }


def _means(name: str, results: Sequence[RunResult]) -> dict[str, Any]:
    segments = [segment for segment in results[0].sums[name] if segment != ALL]
    return {
        "all": _mean(name, ALL, results),
        "segments": {segment: _mean(name, segment, results) for segment in segments},
    }


def _mean(name: str, segment: str, results: Sequence[RunResult]) -> dict[str, float]:
    return {
        metric: round(fmean(r.sums[name][segment][metric] for r in results), _DIGITS) for metric in METRICS
    }


def _lift(plan: Plan, results: Sequence[RunResult], metric: str) -> dict[str, Any]:
    """Over the runs; a single run has the interval over its companies."""
    sums = {name: [r.sums[name][ALL][metric] for r in results] for name in plan.policies}
    own = results[0].lifts[metric] if len(results) == 1 else lift(sums[plan.policy], sums[plan.baseline])
    best = lift(sums[ORACLE], sums[plan.baseline]).lift
    share = own.lift / best if own.lift is not None and best else None
    return {**_told(own), "oracle_lift": _rounded(best), "share": _rounded(share)}


def _told(found: Lift) -> Mapping[str, Any]:
    interval = [round(bound, _DIGITS) for bound in found.interval] if found.interval else None
    return {"lift": _rounded(found.lift), "interval": interval}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
