"""Runs an installation on one machine: the child processes, their restarts, and their end.

Every child gets a death signal from the kernel when this process dies, so a kill -9 leaves nothing behind.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from cadenza.core.clock import monotonic
from cadenza.core.logs import logger
from cadenza.core.postgres.server import die_with_parent

_log = logger("supervisor")
_STOP_SECONDS = 30.0
_QUICK_DEATH = 5.0
_LONGEST_PAUSE = 30.0


@dataclass
class Child:
    """One ``cadenza`` subcommand that shall always run."""

    arguments: tuple[str, ...]
    deaths: int = 0
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.arguments[0]


async def supervise(children: Sequence[Child], environment: dict[str, str], stop: asyncio.Event) -> None:
    """Keep all children running until ``stop`` is set, then end them in order."""
    tasks = [asyncio.create_task(_keep(child, environment, stop)) for child in children]
    await stop.wait()
    await asyncio.gather(*(_end(child) for child in children))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(child: Child, environment: dict[str, str], stop: asyncio.Event) -> None:
    while not stop.is_set():
        began = monotonic()
        child.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cadenza.app",
            *child.arguments,
            env=os.environ | environment,
            start_new_session=True,  # Ctrl-C comes to us; we pass it on
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        code = await child.process.wait()
        if stop.is_set():
            return
        child.deaths = child.deaths + 1 if monotonic() - began < _QUICK_DEATH else 0
        pause = min(2.0**child.deaths - 1, _LONGEST_PAUSE)
        _log.error("process_ended", process=child.name, exit_code=code, restart_in_seconds=pause)
        await asyncio.sleep(pause)


async def _end(child: Child) -> None:
    if child.process is None or child.process.returncode is not None:
        return
    child.process.terminate()
    try:
        await asyncio.wait_for(child.process.wait(), _STOP_SECONDS)
    except TimeoutError:
        child.process.kill()


def stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C or SIGTERM sets."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
