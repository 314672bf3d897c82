"""Once more on a PostgreSQL that is not ours: what `CADENZA_DATABASE_URL` promises."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
_ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(400)]


@pytest.fixture
def url() -> Iterator[str]:
    if not _INSTALLED or not (_INSTALLED[-1] / "initdb").exists():
        pytest.skip("Debian's PostgreSQL is not installed: the second database is NOT tested")
    binaries = _INSTALLED[-1]
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(prefix="cadenza-debian-") as folder:
        shutil.chown(folder, user)
        as_user = (
            {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
            if os.geteuid() == 0
            else {}
        )
        subprocess.run(
            [binaries / "initdb", "-D", f"{folder}/data", "-U", "cadenza", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
            check=True, capture_output=True, cwd="/", **as_user,  # type: ignore[call-overload]
        )  # fmt: skip
        server = subprocess.Popen(
            [binaries / "postgres", "-D", f"{folder}/data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
            stderr=subprocess.DEVNULL, cwd="/", **as_user,  # type: ignore[call-overload]
        )  # fmt: skip
        try:
            for _ in range(100):
                ready = subprocess.run(
                    [binaries / "pg_isready", "-h", folder, "-U", "cadenza"], capture_output=True, check=False
                )
                if ready.returncode == 0:
                    break
                time.sleep(0.1)
            yield f"postgresql://cadenza@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait()


def test_the_tests_of_the_database_pass_on_debians_server(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "postgres", "-n", "0", "tests"],
        cwd=_ROOT, env=os.environ | {"CADENZA_DATABASE_URL": url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
