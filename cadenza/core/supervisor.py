"""Runs an installation on one machine: the child processes, their restarts, their renewal one by one, and their end.

Every child gets a death signal from the kernel when this process dies, so a kill -9 leaves nothing behind.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from cadenza.core.clock import monotonic
from cadenza.core.logs import logger
from cadenza.core.postgres.server import die_with_parent

_log = logger("supervisor")
_STOP_SECONDS = 30.0
_READY_SECONDS = 60.0
_QUICK_DEATH = 5.0
_LONGEST_PAUSE = 30.0
_READY, _LISTENER = "CADENZA_READY_FD", "CADENZA_LISTENER_FD"  # numbers of open files that a child is given


@dataclass
class Child:
    """One ``cadenza`` subcommand that shall always run.

    ``listener`` is kept open here and given to each process that runs in this place, so that who connects while one of
    them ends and another begins waits a moment and is not refused.
    """

    arguments: tuple[str, ...]
    listener: socket.socket | None = field(default=None, repr=False)
    deaths: int = 0
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def name(self) -> str:
        return self.arguments[0]


async def supervise(
    children: Sequence[Child],
    environment: dict[str, str],
    stop: asyncio.Event,
    renew: asyncio.Event | None = None,
) -> None:
    """Keep all children running until ``stop`` is set, then end them.

    Whenever ``renew`` is set, each is replaced in turn: its successor begins, and only then it ends.
    """
    tasks = [asyncio.create_task(_keep(child, environment, stop)) for child in children]
    renewing = asyncio.create_task(_renew(children, environment, stop, renew or asyncio.Event()))
    await stop.wait()
    await asyncio.gather(*(_end(child.process, signal.SIGINT) for child in children), renewing)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(child: Child, environment: dict[str, str], stop: asyncio.Event) -> None:
    pause = 0.0
    while not stop.is_set():
        began = monotonic()
        async with child.changing:
            if child.process is None or child.process.returncode is not None:
                child.process = await _start(child, environment)
            process = child.process
        code = await process.wait()
        if stop.is_set():
            return
        if child.process is not process:  # its successor runs
            continue
        child.deaths = child.deaths + 1 if monotonic() - began < _QUICK_DEATH else 0
        pause = min(2.0**child.deaths - 1, _LONGEST_PAUSE)
        _log.error("process_ended", process=child.name, exit_code=code, restart_in_seconds=pause)
        await asyncio.sleep(pause)


async def _start(
    child: Child, environment: dict[str, str], ready: int | None = None
) -> asyncio.subprocess.Process:
    given = {_READY: ready, _LISTENER: child.listener.fileno() if child.listener else None}
    numbers = {name: number for name, number in given.items() if number is not None}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cadenza.app",
        *child.arguments,
        env=os.environ | environment | {name: str(number) for name, number in numbers.items()},
        pass_fds=tuple(numbers.values()),
        start_new_session=True,  # Ctrl-C comes to us; we pass it on
        preexec_fn=die_with_parent(signal.SIGTERM),
    )


async def _renew(
    children: Sequence[Child], environment: dict[str, str], stop: asyncio.Event, renew: asyncio.Event
) -> None:
    while await _first(stop, renew) is renew:
        renew.clear()
        for child in children:
            if stop.is_set() or not await _replace(child, environment, stop):
                break


async def _replace(child: Child, environment: dict[str, str], stop: asyncio.Event) -> bool:
    """False when the successor did not come up: who was there stays."""
    async with child.changing:
        successor = await _successor(child, environment, stop)
        if successor is None:
            if not stop.is_set():
                _log.error("process_not_renewed", process=child.name)
            return False
        before, child.process = child.process, successor
    await _end(before, signal.SIGTERM)
    _log.info("process_renewed", process=child.name)
    return True


async def _successor(
    child: Child, environment: dict[str, str], stop: asyncio.Event
) -> asyncio.subprocess.Process | None:
    """A process that said that it is ready; None when it ended, was silent for a minute, or all shall stop."""
    reading, writing = os.pipe()
    spoken = asyncio.Event()
    try:
        try:
            process = await _start(child, environment, writing)
        finally:
            os.close(writing)  # so that its end is heard too
        asyncio.get_running_loop().add_reader(reading, spoken.set)
        heard = await _first(stop, spoken, seconds=_READY_SECONDS)
        asyncio.get_running_loop().remove_reader(reading)
        if heard is spoken and os.read(reading, 1):
            return process
        await _end(process, signal.SIGKILL)
        return None
    finally:
        os.close(reading)


async def _first(*events: asyncio.Event, seconds: float | None = None) -> asyncio.Event | None:
    """The earliest in the list that is set by now; None when the time is over before any is."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    return next((event for event in events if event.is_set()), None)


async def _end(process: asyncio.subprocess.Process | None, number: signal.Signals) -> None:
    if process is None or process.returncode is not None:
        return
    process.send_signal(number)
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def given_listener() -> int | None:
    """In a child: the number of the socket on which it shall listen, if it was given one."""
    number = os.environ.get(_LISTENER)
    return int(number) if number else None


def say_ready() -> None:
    """In a child: from now on it does its work, so that whoever it replaces may end. Nothing where nobody asked."""
    if number := os.environ.pop(_READY, None):
        os.write(int(number), b"1")
        os.close(int(number))


def stop_on_signals(handing_over: asyncio.Event | None = None) -> asyncio.Event:
    """An event that Ctrl-C or SIGTERM sets; SIGTERM sets ``handing_over`` first: others go on with what comes."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def hand_over() -> None:
        if handing_over is not None:
            handing_over.set()
        stop.set()

    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGTERM, hand_over)
    return stop


def renew_on_signal() -> asyncio.Event:
    """An event that SIGHUP sets."""
    renew = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew.set)
    return renew
