"""`cadenza up --sandbox` as a user starts and stops it, and as a crash stops it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

_READY = re.compile(r"Cadenza runs at (http://\S+)\n.*Sign in as (\S+) with the password (\S+)", re.DOTALL)


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cadenza-up-") as folder:
        Path(folder).chmod(0o755)  # the database's user must enter it
        yield Path(folder)


class Up:
    def __init__(self, home: Path) -> None:
        self.log = home / f"up-{time.monotonic_ns()}.log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CADENZA_")}
        settings = {"CADENZA_HOME": str(home), "CADENZA_PORT": "0", "CADENZA_LOG_LEVEL": "warning"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cadenza.app", "up", "--sandbox"],
                env=environment | settings,
                stdout=log,
                stderr=log,
            )

    def ready(self) -> tuple[str, str, str]:
        for _ in range(600):
            if found := _READY.search(self.log.read_text()):
                return found[1], found[2], found[3]
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(self.said())

    def said(self) -> str:
        return self.log.read_text()[-4000:]


def _left(home: Path) -> list[str]:
    """Processes that still work for this home."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            name = (process / "comm").read_text().strip()
        except OSError:
            continue
        if str(home).encode() in about and process.name != str(os.getpid()):
            left.append(f"{process.name} {name}")
    return left


def _all_gone(home: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not _left(home):
            return True
        time.sleep(0.2)
    return False


def test_it_starts_stops_survives_a_kill_and_goes_on_where_it_was(home: Path) -> None:
    first = Up(home)
    address, email, password = first.ready()
    with urllib.request.urlopen(f"{address}/login", timeout=10) as page:  # noqa: S310 - loopback
        assert page.status == 200
    another = Up(home)
    assert another.process.wait(20) == 1
    assert "runs already" in another.said()
    assert "Traceback" not in another.said()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(40) == 0, first.said()
    assert _all_gone(home, 5), _left(home)

    second = Up(home)
    began = time.monotonic()
    assert second.ready()[1:] == (email, password)
    assert time.monotonic() - began < 15
    second.process.kill()
    second.process.wait()
    assert _all_gone(home, 40), _left(home)

    third = Up(home)
    assert third.ready()[1:] == (email, password)
    third.process.send_signal(signal.SIGTERM)
    assert third.process.wait(40) == 0, third.said()
    assert "Traceback" not in third.said()
    assert _all_gone(home, 5), _left(home)
