"""`cadenza up` for real: as an operator starts it, and as the first owner comes in."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.servers.certificates import Authority

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PASSWORD = "a long enough password of ours"
_LINK = re.compile(r"(https?://\S+/setup/\S+)")
_EVERYBODYS = [
    ("demo@nordwerk.example", "demo"), ("admin", "admin"), ("admin@example.com", "admin"),
    ("admin@localhost", "password"), ("cadenza", "cadenza"), ("root", "root"), ("test@example.com", "test"),
    ("owner@example.com", "changeme"),
]  # fmt: skip


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cadenza-production-") as folder:
        Path(folder).chmod(0o755)  # the database's user must enter it
        yield Path(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@dataclass
class Up:
    home: Path
    settings: dict[str, str]
    arguments: tuple[str, ...] = ("up",)
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        plain = {k: v for k, v in os.environ.items() if not k.startswith("CADENZA_")}
        ours = {"CADENZA_HOME": str(self.home), "CADENZA_LOG_LEVEL": "warning"}
        self.log = self.home / f"up-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cadenza.app", *self.arguments],
                env=plain | ours | self.settings, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) in (0, 1), self.said()
        assert "Traceback" not in self.said()

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, pattern: str | re.Pattern[str]) -> str:
        for _ in range(600):
            if found := re.search(pattern, self.said()):
                return found[1] if found.groups() else found[0]
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(self.said())


def _here(port: int) -> dict[str, str]:
    return {"CADENZA_PORT": str(port), "CADENZA_PUBLIC_URL": f"http://127.0.0.1:{port}"}


@pytest.mark.asvs("6.3.2", "6.4.1", "13.4.2")
def test_the_first_owner_comes_in_by_a_link_that_works_once(home: Path) -> None:
    port = _free_port()
    with Up(home, _here(port)) as up:
        link = up.wait_for(_LINK)
        form = {"workspace": "Halden", "name": "Nora", "email": "nora@halden.example", "password": PASSWORD}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"accept": "text/html"}) as browser:
            for email, password in _EVERYBODYS:
                assert browser.post("/login", data={"email": email, "password": password}).status_code in (
                    401,
                    429,
                )
            assert browser.get("/sandbox").status_code == 404
            assert browser.get("/setup/guessed").status_code == 404
            assert browser.get(link).status_code == 200
            weak = browser.post(link, data=form | {"password": "password", "email": "no address"})
            assert weak.status_code == 422
            assert "Nora" in weak.text
            assert browser.post(link, data=form).status_code == 303
            assert browser.get(link).status_code == 404
            assert browser.post(link, data=form).status_code == 404
        keys = home / "keys.json"
        assert keys.stat().st_mode & 0o077 == 0
        env = {k: v for k, v in os.environ.items() if not k.startswith("CADENZA_")}
        again = subprocess.run(
            [sys.executable, "-m", "cadenza.app", "setup-link"], capture_output=True, text=True, check=False,
            env=env | _here(port) | {"CADENZA_HOME": str(home)},
        )  # fmt: skip
        assert again.returncode == 1
        assert "has its owner already" in again.stderr
    with Up(home, {"CADENZA_PORT": "0"}, ("up", "--sandbox")) as sandbox:
        assert sandbox.process.wait(60) == 1
        assert "production installation and cannot become a sandbox one" in sandbox.said()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.asvs("12.1.1", "3.4.1")
def test_its_own_certificate_serves_tls_of_today_only(home: Path, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).files("cadenza.example")
    port = _free_port()
    settings = {
        "CADENZA_PORT": str(port), "CADENZA_PUBLIC_URL": f"https://cadenza.example:{port}",
        "CADENZA_TLS_CERTIFICATE": str(certificate), "CADENZA_TLS_KEY": str(key),
    }  # fmt: skip
    with Up(home, settings) as up:
        up.wait_for(_LINK)
        answer, version = _ask(port, tmp_path / "ca.pem", ssl.TLSVersion.TLSv1_2)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"strict-transport-security: max-age=31536000" in answer.lower()
        assert version in ("TLSv1.2", "TLSv1.3")
        with pytest.raises(ssl.SSLError, match="ALERT"):
            _ask(port, tmp_path / "ca.pem", ssl.TLSVersion.TLSv1_1)


def _ask(port: int, authority: Path, highest: ssl.TLSVersion) -> tuple[bytes, str | None]:
    context = ssl.create_default_context(cafile=authority)
    if highest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else our own side refuses, which proves nothing
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = highest
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="cadenza.example") as safe,
    ):
        safe.sendall(
            b"GET /login HTTP/1.1\r\nHost: cadenza.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        )
        answer = b""
        while part := safe.recv(65536):
            answer += part
        return answer, safe.version()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "CADENZA_PUBLIC_URL is not set"),
        ({"CADENZA_PUBLIC_URL": "http://cadenza.example.com"}, "must start with https://"),
        ({"CADENZA_PUBLIC_URL": "https://cadenza.example.com/app"}, "no path"),
        ({"CADENZA_PUBLIC_URL": "https://10.0.0.256"}, "no name or address"),
        ({"CADENZA_PUBLIC_URL": "https://a b.example"}, "no name or address"),
        ({"CADENZA_PUBLIC_URL": "cadenza.example.com"}, "must look like"),
        ({"CADENZA_PUBLIC_URL": "https://cadenza.example.com"}, "needs TLS"),
        ({"CADENZA_PUBLIC_URL": "https://cadenza.example.com", "CADENZA_TLS_KEY": "/x"}, "belong together"),
        (
            {"CADENZA_PUBLIC_URL": "https://c.example", "CADENZA_TLS_KEY": "/x", "CADENZA_TLS_CERTIFICATE": "/x"},
            "cannot be used",
        ),
        ({"CADENZA_PUBLIC_URL": "https://c.example", "CADENZA_TRUSTED_PROXIES": "10.0.0.300"}, "TRUSTED_PROXIES"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_before_anything_is_made(
    home: Path, settings: dict[str, str], words: str
) -> None:
    with Up(home, settings) as up:
        assert up.process.wait(30) == 1
        assert words in up.said()
    assert [path for path in home.iterdir() if path.suffix != ".log"] == []
