"""``cadenza lab run``."""

from pathlib import Path
from typing import Any

import click

from cadenza.core.command import echo_json, json_option, run_async

_SHOWN = ("touches", "human_opens", "clicks", "replies", "positive_replies", "meetings", "unsubscribes")


@click.group()
def lab() -> None:
    """Compare policies in a world whose truth is known."""


@lab.command("run")
@click.argument("world", metavar="WORLD.yaml", type=click.Path(path_type=Path))
@click.option(
    "--campaign",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Not the one that comes with the program.",
)
@click.option("--policy", default="adaptive", show_default=True, help="What is tested.")
@click.option("--baseline", default="fixed", show_default=True, help="What it is compared with.")
@click.option(
    "--runs", type=click.IntRange(1, 10_000), default=20, show_default=True, help="With as many seeds."
)
@click.option(
    "--people",
    type=click.IntRange(1, 1_000_000),
    help="Not as many as the world has; segments in proportion.",
)
@click.option("--days", type=click.IntRange(1, 3660), help="Not as many as the world has.")
@json_option
@run_async
async def run(*, world: Path, campaign: Path | None, as_json: bool, **options: Any) -> None:
    """Play a campaign among the people of WORLD.yaml, under the tested policy, the baseline and the oracle.

    Nothing is sent: it needs no database, server or network. Each run has the same people and the same luck under every
    policy; what differs is what the policies decide.
    """
    from cadenza.lab.service import compare  # noqa: PLC0415 - `--help` stays quick

    found = compare(world, campaign, **options)
    if as_json:
        echo_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    click.echo(
        f"{found['campaign']} in {found['world']}: {found['policy']} against {found['baseline']}, {len(found['runs'])} runs"
    )
    names = list(found["policies"])
    click.echo("".join([f"{'':18}", *(f"{name:>14}" for name in names), f"{'lift':>10}  interval"]))
    for metric in _SHOWN:
        means = "".join(f"{found['policies'][name]['all'][metric]:>14,.1f}" for name in names)
        click.echo(
            f"{metric:18}{means}{_percent(found['lifts'][metric]['lift']):>10}  {_interval(found['lifts'][metric])}"
        )
    broken = {what: times for what, times in found["violations"].items() if times}
    click.echo(f"outside window, holiday, cap or stop: {broken or 'none'}; {found['seconds']:.1f} s")


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:+.1%}"


def _interval(lift: dict[str, Any]) -> str:
    if lift["interval"] is None:
        return ""
    low, high = lift["interval"]
    return f"{_percent(low)} to {_percent(high)}"
