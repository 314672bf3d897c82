"""Commands as a user types them, each in a process of its own."""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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


@dataclass
class Shell:
    """Where commands run: a folder of the user's, and settings as environment variables."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *arguments: object, stdin: str = "", **settings: str) -> Ran:
        """``cadenza ARGUMENTS``; whatever happens, no traceback."""
        return await self.python("-m", "cadenza.app", *arguments, stdin=stdin, **settings)

    async def python(self, *arguments: object, stdin: str = "", **settings: str) -> Ran:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CADENZA_")}
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *map(str, arguments), cwd=self.folder, env=plain | self.settings | settings,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(stdin.encode())
        ran = Ran(process.returncode or 0, out.decode(), err.decode(), time.monotonic() - started)
        assert "Traceback" not in ran.out + ran.err, ran.err
        assert ran.code in (0, 1, 2), ran.err
        return ran

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
