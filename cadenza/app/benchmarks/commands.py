"""The command, and the list of benchmarks."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from inspect import signature
from typing import Any

import click

from cadenza.core import logs
from cadenza.core.command import echo_json, json_option, run_async
from cadenza.core.errors import CadenzaError

# Name: where its coroutine is. Imported when asked for.
BENCHMARKS = {
    "dispatch": "cadenza.app.benchmarks.dispatch:run",
    "crashes": "cadenza.app.benchmarks.crashes:run",
    "restarts": "cadenza.app.benchmarks.restarts:run",
    "database-restarts": "cadenza.app.benchmarks.database_restarts:run",
    "lost-commits": "cadenza.app.benchmarks.lost_commits:run",
    "import": "cadenza.app.benchmarks.imports:run",
    "bulk": "cadenza.app.benchmarks.bulk:run",
    "mailbox-cuts": "cadenza.app.benchmarks.mailbox_cuts:run",
    "backup": "cadenza.app.benchmarks.backup:run",
    "pages": "cadenza.app.benchmarks.pages:run",
    "api": "cadenza.app.benchmarks.api:run",
    "lab": "cadenza.app.benchmarks.lab:run",
    "tokens": "cadenza.app.benchmarks.tokens:run",
}


@dataclass(frozen=True, slots=True)
class Baseline:
    name: str
    value: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure. ``failed`` says in words which promise did not hold; empty when all did."""

    name: str
    value: float
    unit: str
    baselines: tuple[Baseline, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


@click.command()
@click.argument("name", type=click.Choice([*BENCHMARKS, "all"]))
@click.option(
    "--size", type=click.IntRange(min=1), help="How many rows, for benchmarks that can be made smaller."
)
@json_option
@run_async
async def bench(*, name: str, size: int | None, as_json: bool) -> int:
    """Measure this machine: one JSON line per benchmark, with its ratio to a baseline of the same run."""
    logs.configure("warning")  # on standard error: standard output holds the figures
    broken = False
    for chosen in BENCHMARKS if name == "all" else [name]:
        module, _, function = BENCHMARKS[chosen].partition(":")
        run: Callable[..., Awaitable[Result]] = getattr(import_module(module), function)
        sized = {"size": size} if size and "size" in signature(run).parameters else {}
        try:
            result = await run(**sized)
        except CadenzaError as wrong:
            echo_json({"name": chosen, "error": {"code": wrong.code, "message": str(wrong)}})
            broken = True
            continue
        _show(result, as_json=as_json)
        broken = broken or bool(result.failed)
    return int(broken)


def _show(result: Result, *, as_json: bool) -> None:
    whole = {**asdict(result), "cores": os.cpu_count()}
    if as_json:
        echo_json(whole)
        return
    click.echo(f"{result.name}: {result.value:,.1f} {result.unit}")
    for baseline in result.baselines:
        click.echo(f"  {baseline.ratio:.2f} times {baseline.name} ({baseline.value:,.1f})")
    for key, value in result.detail.items():
        click.echo(f"  {key}: {value}")
    for words in result.failed:
        click.echo(f"  FAILED: {words}")
