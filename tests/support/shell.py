"""Commands as a user types them, each in a process of its own."""

import array
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from tests.support.forking import ask

_ROOT = Path(__file__).parents[2]
_Ended = tuple[int, bytes, bytes]  # exit code, standard output and error


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str
    seconds: float

    @property
    def lines(self) -> list[Any]:
        """Standard output, of which every line must be JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def only(self) -> Any:
        (line,) = self.lines
        return line


async def _timed(running: Coroutine[Any, Any, _Ended]) -> Ran:
    started = time.monotonic()
    code, out, err = await running
    ran = Ran(code, out.decode(), err.decode(), time.monotonic() - started)
    assert "Traceback" not in ran.out + ran.err, ran.err
    assert ran.code in (0, 1, 2), ran.err
    return ran


@cache
def _forking() -> tuple[str, subprocess.Popen[bytes]]:
    """Where the process that forks is asked. It ends when this one does and its standard input with it."""
    place = f"{tempfile.mkdtemp(prefix='cadenza-fork-')}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        return place, subprocess.Popen(
            [sys.executable, "-m", "tests.support.forking", str(listener.fileno())],
            cwd=_ROOT, stdin=subprocess.PIPE, pass_fds=[listener.fileno()],
        )  # fmt: skip


async def _fork(task: dict[str, Any], stdin: bytes) -> _Ended:
    loop = asyncio.get_running_loop()
    (given, ours), (out, their_out), (err, their_err) = os.pipe(), os.pipe(), os.pipe()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(_forking()[0])
        ask(connection, task, (given, their_out, their_err))
        for end in (given, their_out, their_err):
            os.close(end)
        writing, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(ours, "wb"))
        writing.write(stdin)
        writing.close()
        said = await asyncio.gather(_everything(out), _everything(err))
        connection.settimeout(0)
        (code,) = array.array("i", await loop.sock_recv(connection, 4))
    return code, *said


async def _everything(end: int) -> bytes:
    reader = asyncio.StreamReader()
    reading, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(end, "rb")
    )
    try:
        return await reader.read()
    finally:
        reading.close()


@dataclass
class Shell:
    """Where commands run: a folder of the user's, and settings as environment variables."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    begun: ClassVar[set[str]] = (
        set()
    )  # groups of commands that this run of the tests has started from nothing

    async def __call__(self, *arguments: object, stdin: str = "", **settings: str) -> Ran:
        """``cadenza ARGUMENTS``; whatever happens, no traceback. The first of each group starts from nothing, the others
        are forked by a process that knows the libraries."""
        group = str(arguments[0]) if arguments else ""
        if group not in self.begun:
            self.begun.add(group)
            return await self.alone(*arguments, stdin=stdin, **settings)
        task = {
            "arguments": [os.fsdecode(str(one)) for one in arguments], "folder": str(self.folder),
            "environment": self._environment(settings),
        }  # fmt: skip
        return await _timed(_fork(task, stdin.encode()))

    async def alone(self, *arguments: object, stdin: str = "", **settings: str) -> Ran:
        """``cadenza ARGUMENTS`` by an interpreter of its own, as a user starts it."""
        return await self.python("-m", "cadenza.app", *arguments, stdin=stdin, **settings)

    async def python(self, *arguments: object, stdin: str = "", **settings: str) -> Ran:
        return await _timed(self._start([*map(str, arguments)], stdin.encode(), self._environment(settings)))

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CADENZA_")}
        return plain | self.settings | settings

    async def _start(self, arguments: list[str], stdin: bytes, environment: dict[str, str]) -> _Ended:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=self.folder, env=environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(stdin)
        return process.returncode or 0, out, err

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
