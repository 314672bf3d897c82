import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cadenza.lab.commands import lab
from cadenza.lab.contracts import METRICS, VIOLATIONS
from cadenza.lab.runner import Plan, run_one
from cadenza.lab.service import CAMPAIGN, WORLDS, read_campaign
from cadenza.sandbox.service import load_world

WORLD = WORLDS / "personal-hours.yaml"
KEYS = {
    "world", "seed", "campaign", "policy", "baseline", "policies", "lifts", "experiments", "forecasts", "violations",
    "runs", "seconds",
}  # fmt: skip


def run(*options: str) -> dict[str, object]:
    done = CliRunner().invoke(lab, ["run", str(WORLD), "--people", "60", *options, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_answer_has_the_keys_of_its_contract() -> None:
    found = run("--policy", "email_only", "--runs", "1")
    assert set(found) == KEYS
    assert set(found["policies"]) == {"email_only", "fixed", "oracle"}
    for each in found["policies"].values():
        assert set(each["all"]) == set(METRICS)
        assert set(each["segments"]) == {"works"}
    assert set(found["lifts"]) == set(METRICS)
    assert set(found["lifts"]["replies"]) == {"lift", "interval", "oracle_lift", "share"}
    assert found["violations"] == dict.fromkeys(VIOLATIONS, 0)
    assert [entry["seed"] for entry in found["runs"]] == [found["seed"]]
    assert (found["experiments"], found["forecasts"]) == ([], [])
    assert found["policies"]["fixed"]["all"]["touches"] > 60


def test_the_same_seed_is_the_same_run_and_another_is_not() -> None:
    plan = Plan(load_world(WORLD), read_campaign(CAMPAIGN), "email_only", people=60)
    assert run_one(plan, 0) == run_one(plan, 0)
    assert run_one(plan, 0).sums != run_one(plan, 1).sums
    moved = replace(plan, world=replace(plan.world, seed=plan.world.seed + 1))
    assert run_one(moved, 0) == run_one(plan, 1)


def test_a_policy_against_itself_has_no_lift() -> None:
    plan = Plan(load_world(WORLD), read_campaign(CAMPAIGN), "fixed", people=60)
    assert {each.lift for each in run_one(plan, 0).lifts.values()} == {0.0}


@pytest.mark.parametrize(("name", "code"), [("even_split", "policy_later"), ("clever", "policy_unknown")])
def test_policies_that_are_not_there_are_refused_in_words(name: str, code: str) -> None:
    done = CliRunner().invoke(lab, ["run", str(WORLD), "--policy", name, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == code


def test_a_campaign_with_a_fault_is_refused_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(CAMPAIGN.read_text().replace("action: connect", "action: conect"))
    done = CliRunner().invoke(lab, ["run", str(WORLD), "--policy", "fixed", "--campaign", str(broken)])
    assert done.exit_code == 1
    assert "conect" in done.stderr
    assert "line" in done.stderr
