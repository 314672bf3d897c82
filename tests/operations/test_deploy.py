"""The files that start it: what can be checked without a machine to give them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cadenza.core.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def _analyze(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """As it is installed, with a program and a user that exist here."""
    text = (DEPLOY / "cadenza.service").read_text()
    for ours, here in (("/opt/cadenza/bin/cadenza", "/bin/true"), ("=cadenza\n", "=daemon\n")):
        text = text.replace(ours, here)
    path = tmp_path / "cadenza.service"
    path.write_text(text.replace("Directory=daemon", "Directory=cadenza"))
    return path


def test_systemd_reads_the_unit_without_a_word(unit: Path) -> None:
    assert _analyze("verify", str(unit)) == ""


def test_the_unit_is_hardened(unit: Path) -> None:
    """systemd's own score of exposure, 0 to 10; under 2.5 counts as little exposed."""
    _analyze("security", "--offline=yes", "--threshold=25", str(unit))


@pytest.mark.parametrize(
    "name", ["cadenza.service", "cadenza.env", "Containerfile", "cadenza-backup.service"]
)
def test_every_setting_named_exists(name: str) -> None:
    known = {f"CADENZA_{field.upper()}" for field in Settings.model_fields}
    named = set(re.findall(r"CADENZA_[A-Z_]+[A-Z]", (DEPLOY / name).read_text()))
    assert named <= known, named - known


def test_the_container_copies_what_is_there_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users
    assert users[-1] not in ("root", "0")
    assert not any("secret" in line.lower() or "password" in line.lower() for line in lines)
    assert 'ENTRYPOINT ["cadenza"]' in lines


@pytest.mark.slow
def test_a_wheel_brings_everything_that_is_no_code(tmp_path: Path) -> None:
    """What the container installs: templates, texts, schema, fonts and scripts of the pages."""
    subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "-w", tmp_path, ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    folder = tmp_path / "unpacked"
    shutil.unpack_archive(wheel, folder, "zip")
    for path in (ROOT / "cadenza").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert (folder / path.relative_to(ROOT)).exists(), path
