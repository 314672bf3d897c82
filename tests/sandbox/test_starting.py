"""`cadenza up --sandbox` with a world or a speed that it cannot take, and with a speed that changes."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cadenza.core.clock import ManualClock, WorldClock
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.installation import continue_world, follow_world, read_anchor, set_world
from cadenza.core.settings import Settings
from cadenza.sandbox.service import check_world, demo_login, open_state, serve
from cadenza.sandbox.world import DEMO

GOOD = DEMO.read_text("utf-8")


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cadenza-world-") as folder:
        Path(folder).chmod(0o755)  # the database's user must enter it
        yield Path(folder)


def up(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CADENZA_")}
    return subprocess.run(
        [sys.executable, "-m", "cadenza.app", "up", *arguments],
        env=environment | {"CADENZA_HOME": str(home), "CADENZA_PORT": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def processes_of(home: Path) -> list[str]:
    """What still works for this home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in about and process.name != str(os.getpid()):
            found.append(process.name)
    return found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed:", "seeed:", "seeed"),
        ("days:", "weeks:", "weeks"),
        ("size:", "sise:", "sise"),
        ("Europe/Berlin", "Europe/Berlinn", "Europe/Berlinn"),
    ],
)
def test_a_wrong_world_is_named_by_line_and_key_and_leaves_nothing_behind(
    home: Path, tmp_path: Path, old: str, new: str, words: str
) -> None:
    bad = tmp_path / "bad.yaml"
    assert old in GOOD
    bad.write_text(GOOD.replace(old, new, 1), "utf-8")
    line = GOOD[: GOOD.index(old)].count("\n") + 1
    said = up(home, "--sandbox", "--world", str(bad))
    assert said.returncode == 1
    assert "bad.yaml" in said.stderr
    assert any(f"line {line}: " in part and words in part for part in said.stderr.splitlines()), said.stderr
    assert "Traceback" not in said.stderr
    assert said.stdout == ""
    assert list(home.iterdir()) == []
    assert processes_of(home) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a: [", b"- x\n", b"{" * 3000, b"a: &x [*x]\n"])
def test_what_is_no_world_at_all_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(content)
    with pytest.raises(CadenzaError) as refused:
        check_world(tmp_path / "home", bad)
    assert refused.value.code in {"world_invalid", "world_unreadable"}
    assert "bad.yaml" in refused.value.message
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sandbox", "--world", "/nowhere/world.yaml"], "/nowhere/world.yaml"),
        (["--sandbox", "--world", "/tmp"], "/tmp"),  # noqa: S108 - any folder
        (["--sandbox", "--speed", "fast"], "fast"),
        (["--sandbox", "--speed", "0"], "0"),
        (["--sandbox", "--speed", "nan"], "nan"),
        (["--sandbox", "--speed", "inf"], "inf"),
        (["--speed", "60"], "--sandbox"),
    ],
)
def test_wrong_options_are_called_wrongly(home: Path, arguments: list[str], words: str) -> None:
    said = up(home, *arguments)
    assert said.returncode == 2
    assert words in said.stderr
    assert "Traceback" not in said.stderr
    assert list(home.iterdir()) == []


def test_a_second_world_is_refused_and_the_first_stays(home: Path, tmp_path: Path) -> None:
    state = open_state(home)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    other = tmp_path / "other.yaml"
    other.write_text(GOOD.replace("seed: 20260302", "seed: 5"), "utf-8")
    said = up(home, "--sandbox", "--world", str(other))
    assert said.returncode == 1
    assert "another world" in said.stderr
    assert "CADENZA_HOME" in said.stderr
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert processes_of(home) == []
    again = tmp_path / "again.yaml"
    again.write_text("# the same world, with a remark\n" + GOOD, "utf-8")
    assert check_world(home, again) == state


@pytest.mark.parametrize("damage", ["", "{}x", '{"people": 3}', "[1]"])
def test_a_damaged_state_is_named(tmp_path: Path, damage: str) -> None:
    path = open_state(tmp_path).path
    path.write_text(damage)
    with pytest.raises(CadenzaError) as refused:
        check_world(tmp_path)
    assert refused.value.code == "sandbox_damaged"
    assert str(path) in refused.value.message


# Speed.


@pytest.fixture
def database(database: Database, machine: ManualClock) -> Database:
    database.world = WorldClock(machine)
    return database


async def _start(database: Database, settings: Settings, speed: float | None, after: float) -> None:
    """The sandbox starts, has the speed that it should have then, and ends."""
    running = asyncio.create_task(serve(database, settings, speed=speed))
    try:
        await demo_login(settings.home)
        await _until(lambda: isinstance(database.world, WorldClock) and database.world.speed == after)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_start_with_another_speed_goes_on_from_where_the_world_was(
    database: Database, machine: ManualClock, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    await _start(database, settings, 60.0, after=60.0)
    began = database.world.now()
    machine.move(timedelta(minutes=1))
    assert database.world.now() - began == timedelta(hours=1)
    await continue_world(database)  # as `up` does; nobody noted the hour, so it did not happen
    assert database.world.now() == began
    await _start(database, settings, 3600.0, after=3600.0)
    assert database.world.now() == began
    machine.move(timedelta(seconds=1))
    assert database.world.now() - began == timedelta(hours=1)
    await _start(database, settings, None, after=3600.0)
    assert database.world.now() - began == timedelta(hours=1)
    machine.move(timedelta(seconds=1))
    assert database.world.now() - began == timedelta(hours=2)


async def test_every_process_takes_over_a_change_of_speed_without_a_jump(
    database: Database, database_url: str, machine: ManualClock, secrets: SecretBox, tmp_path: Path
) -> None:
    await _start(database, Settings(home=tmp_path), 60.0, after=60.0)
    other = Database(database_url, secrets=secrets, machine=machine, world=WorldClock(machine))
    following = asyncio.create_task(follow_world(other))
    try:
        await _until(lambda: other.world.now() == database.world.now())
        began = database.world.now()
        machine.move(timedelta(minutes=1))
        await set_world(database, speed=1440.0)
        assert database.world.now() - began == timedelta(hours=1)
        await _until(lambda: isinstance(other.world, WorldClock) and other.world.speed == 1440.0)
        assert other.world.now() == database.world.now()
        machine.move(timedelta(minutes=1))
        assert other.world.now() - began == timedelta(hours=25)
        assert await read_anchor(other) == await read_anchor(database)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await other.close()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.05)
