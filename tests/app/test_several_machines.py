"""docs/operating.md, "Several machines": its commands as they are written, against a server that is not ours."""

import asyncio
import base64
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

from cadenza.core.postgres.server import EmbeddedServer
from tests.support.shell import Shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

_GUIDE = Path(__file__).parents[2] / "docs" / "operating.md"


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="cadenza-elsewhere-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "database", {"fsync": "off"}) as running:
            yield running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@dataclass
class Machine:
    """A folder of its own, the shared settings, and what runs there."""

    shell: Shell
    port: int
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self, name: str) -> None:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("CADENZA_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cadenza.app", name, env=plain | self.shell.settings,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.running.append(process)

    async def stop(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGTERM)
            _, said = await asyncio.wait_for(process.communicate(), 40)
            assert process.returncode == 0, said.decode()
            assert b"Traceback" not in said, said.decode()

    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.read() == b"ok")
        except OSError:
            return False


@asynccontextmanager
async def _machines(server: EmbeddedServer, count: int, folder: Path) -> AsyncIterator[list[Machine]]:
    shared = {
        "CADENZA_DATABASE_URL": server.url.replace("://cadenza:", "://campaigns:"),
        "CADENZA_SECRET_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode(),
        "CADENZA_LOG_LEVEL": "warning",
    }
    made = []
    for number in range(count):
        port, home = _free_port(), folder / f"machine{number}"
        home.mkdir()
        own = {"CADENZA_HOME": str(home), "CADENZA_PORT": str(port)}
        made.append(
            Machine(Shell(home, shared | own | {"CADENZA_PUBLIC_URL": f"http://127.0.0.1:{port}"}), port)
        )
    try:
        yield made
    finally:
        for machine in made:
            await machine.stop()


def _documented() -> list[str]:
    part = _GUIDE.read_text().split("## Several machines", 1)[1].split("\n## ", 1)[0]
    (block,) = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
    return [line.removeprefix("cadenza ") for line in block.splitlines()]


@pytest.mark.asvs("13.2.2")
async def test_the_documented_commands_run_it_on_two_machines(server: EmbeddedServer, tmp_path: Path) -> None:
    migrate, setup_link, web, worker = _documented()
    assert (migrate, setup_link, web, worker) == ("migrate", "setup-link", "web", "worker")
    async with _machines(server, 2, tmp_path) as (first, second):
        early = await first.shell(web)
        assert early.code == 1
        lacking = await first.shell(migrate)
        assert lacking.code == 1
        ready = await first.shell(migrate, CADENZA_DATABASE_OWNER_URL=server.url)
        assert ready.code == 0, ready.err
        as_owner = await second.shell(worker, CADENZA_DATABASE_URL=server.url)
        assert (as_owner.code, "owns its tables" in as_owner.err) == (1, True)
        link = await second.shell(setup_link)
        assert f"127.0.0.1:{second.port}/setup/" in link.out
        for machine in (first, second):
            await machine.start(web)
            await machine.start(worker)
        for machine in (first, second):
            for _ in range(300):
                if await asyncio.to_thread(machine.answers):
                    break
                await asyncio.sleep(0.1)
            else:
                raise AssertionError("the pages do not answer")
        found = await _processes(first)
        assert found == "2 web, 2 worker"
        other = await second.shell("up", "--sandbox")
        assert (other.code, "production installation" in other.err) == (1, True)
    left = await first.shell("doctor", "--json")
    by_id = {check["id"]: check for check in left.only["checks"]}
    assert by_id["work.processes"]["found"] == "0 web, 0 worker", "they took their lines away"
    assert by_id["database.login"]["status"] == "pass"


async def _processes(machine: Machine) -> str:
    found = ""
    for _ in range(20):
        checks = (await machine.shell("doctor", "--json")).only["checks"]
        (found,) = [check["found"] for check in checks if check["id"] == "work.processes"]
        if found == "2 web, 2 worker":
            break
        await asyncio.sleep(0.5)
    return found
