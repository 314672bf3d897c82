"""Runs of a campaign in a world: the tested policy, the baseline and the oracle, paired by the same people and luck."""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from cadenza.campaigns.contracts import Definition
from cadenza.lab.contracts import METRICS, VIOLATIONS, Diary, Lift, RunResult
from cadenza.lab.lifts import lift
from cadenza.lab.policies import ORACLE, make, prepared
from cadenza.lab.prospects import Prospect, in_proportion, prospects
from cadenza.lab.recheck import violations
from cadenza.lab.simulation import Simulation
from cadenza.sandbox.contracts import World

ALL = ""  # the sums over every segment


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared. ``people`` and ``days`` are None for those of the world."""

    world: World
    definition: Definition
    policy: str = "adaptive"
    baseline: str = "fixed"
    runs: int = 20
    people: int | None = None
    days: int | None = None

    @property
    def policies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.policy, self.baseline, ORACLE)))


def run_all(plan: Plan, processes: int | None = None) -> list[RunResult]:
    """Every run, with the seeds that follow the world's, spread over the processor's cores."""
    workers = min(plan.runs, processes or os.cpu_count() or 1)
    if workers <= 1:
        return [run_one(plan, number) for number in range(plan.runs)]
    # spawned, not forked: the parent has threads of libraries that a copy would lose
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(run_one, [plan] * plan.runs, range(plan.runs)))


def run_one(plan: Plan, number: int, policies: Sequence[str] | None = None) -> RunResult:
    """One run of each policy, among the same people; of the plan's when none are named."""
    world = _world(plan, number)
    everybody = prospects(world)
    diaries, found = {}, dict.fromkeys(VIOLATIONS, 0)
    for name in policies or plan.policies:
        fresh = [prospect.fresh() for prospect in everybody]
        definition = prepared(name, plan.definition)
        diaries[name] = Simulation(world, fresh, definition, make(name, world, fresh, definition)).run()
        for what, times in violations(diaries[name], fresh, definition).items():
            found[what] += times
    sums = {name: _sums(diary, everybody) for name, diary in diaries.items()}
    return RunResult(world.seed, sums, _own_lifts(plan, diaries, everybody), found)


def _world(plan: Plan, number: int) -> World:
    world = replace(plan.world, seed=plan.world.seed + number, days=plan.days or plan.world.days)
    return in_proportion(world, plan.people) if plan.people else world


def _sums(diary: Diary, everybody: Sequence[Prospect]) -> dict[str, dict[str, float]]:
    segments = dict.fromkeys(prospect.person.segment for prospect in everybody)
    found = {name: dict.fromkeys(METRICS, 0.0) for name in (ALL, *segments)}
    for metric, counts in diary.counts.items():
        for prospect, count in zip(everybody, counts, strict=True):
            if count:
                found[ALL][metric] += count
                found[prospect.person.segment][metric] += count
    return found


def _own_lifts(plan: Plan, diaries: Mapping[str, Diary], everybody: Sequence[Prospect]) -> dict[str, Lift]:
    """Of this run alone, over its companies."""
    tested, baseline = diaries[plan.policy], diaries[plan.baseline]
    return {
        metric: lift(
            _by_company(tested.counts[metric], everybody), _by_company(baseline.counts[metric], everybody)
        )
        for metric in METRICS
    }


def _by_company(counts: Iterable[float], everybody: Sequence[Prospect]) -> list[float]:
    found: dict[str, float] = {}
    for prospect, count in zip(everybody, counts, strict=True):
        found[prospect.account] = found.get(prospect.account, 0.0) + count
    return list(found.values())
