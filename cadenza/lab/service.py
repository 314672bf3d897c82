"""Doors of the lab: comparing policies in a world whose truth is known."""

import time
from pathlib import Path
from typing import Any

from cadenza.campaigns.contracts import Definition
from cadenza.campaigns.service import read_file
from cadenza.core.errors import CadenzaError
from cadenza.lab.policies import check_policy
from cadenza.lab.report import report
from cadenza.lab.runner import Plan, run_all, run_one
from cadenza.sandbox.service import load_world

__all__ = ["CAMPAIGN", "LETTERS", "WORLDS", "compare", "read_campaign", "seconds_of"]

CAMPAIGN = Path(__file__).parent / "data" / "three-channels.yaml"
LETTERS = CAMPAIGN.with_name("letters-only.yaml")
WORLDS = Path(__file__).parent / "data" / "worlds"


def compare(
    world: Path,
    campaign: Path | None = None,
    *,
    policy: str = "adaptive",
    baseline: str = "fixed",
    runs: int = 20,
    people: int | None = None,
    days: int | None = None,
    processes: int | None = None,
) -> dict[str, Any]:
    """The object of ``cadenza lab run``. ``people`` and ``days`` replace the world's, ``processes`` the number of cores.

    Raises ``world_unreadable``, ``world_invalid``, ``campaign_invalid``, ``policy_unknown`` and ``policy_later``.
    """
    for name in (policy, baseline):
        check_policy(name)
    began = time.perf_counter()
    found = load_world(world)
    plan = Plan(found, read_campaign(campaign or CAMPAIGN), policy, baseline, runs, people, days)
    return report(plan, run_all(plan, processes), world=world.stem, seconds=time.perf_counter() - began)


def seconds_of(world: Path, *, policy: str = "adaptive", people: int | None = None) -> float:
    """How long one policy takes in one run on one core, its people drawn and what left checked again."""
    plan = Plan(load_world(world), read_campaign(CAMPAIGN), policy, policy, 1, people)
    began = time.perf_counter()
    run_one(plan, 0, (policy,))
    return time.perf_counter() - began


def read_campaign(path: Path) -> Definition:
    """A campaign file, checked as when it is applied. Raises ``campaign_invalid`` with a line for each fault."""
    reading = read_file(path)
    if reading.definition is None:
        raise CadenzaError(
            "campaign_invalid",
            f"{path.name} is no campaign that could run; nothing was started.",
            fix="Correct these places.",
            problems=reading.problems,
        )
    return reading.definition
