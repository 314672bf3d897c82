"""Point in time, for the server that we run: base copies, and every piece of the write-ahead log since, encrypted.

The server leaves finished pieces in a spool beside its data; they are encrypted into the backups' folder and then taken
out of the spool. Without the recovery key's file nothing is taken: the first `cadenza backup create` makes it.
"""

import asyncio
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from pyrage import x25519

from cadenza.core.clock import monotonic
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.logs import logger
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.settings import Settings
from cadenza.operations import backup_database as database
from cadenza.operations.backup_files import (
    KEY_FILE,
    Manifest,
    StoredFile,
    decrypt,
    encrypt,
    has_key,
    read_key,
)

BASE = "base.age"
_log = logger("archive")
_ROUND_SECONDS = 5.0
_LONGEST_RECOVERY = 3600.0


def backup_folder(settings: Settings) -> Path:
    return settings.backup_folder or settings.home / "backups"


def wal_folder(backups: Path) -> Path:
    return backups / "wal"


async def keep_archive(settings: Settings) -> None:
    """The loop of `cadenza up`; also when a piece cannot be written now, the spool keeps it."""
    while True:
        try:
            await asyncio.to_thread(ship, settings)
        except (OSError, CadenzaError) as wrong:
            _log.error("archive_waits", why=str(wrong))
        await asyncio.sleep(_ROUND_SECONDS)


def ship(settings: Settings) -> int:
    """Encrypt what lies in the spool, oldest first; how many pieces that were."""
    spool = EmbeddedServer(settings.home / "database").spool
    if not spool.exists() or not has_key(settings.home):
        return 0
    key = read_key(settings.home / KEY_FILE)
    target = wal_folder(backup_folder(settings))
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    pieces = sorted(path for path in spool.iterdir() if path.suffix != ".part")
    for piece in pieces:
        scratch = target / f"{piece.name}.partial"
        scratch.unlink(missing_ok=True)
        with piece.open("rb") as source:
            encrypt(source, scratch, key)
        scratch.rename(target / f"{piece.name}.age")
        piece.unlink()
    return len(pieces)


def base_copy(url: str, path: Path, key: x25519.Identity) -> tuple[StoredFile, str]:
    """The whole cluster as pg_basebackup streams it, and the piece of log that its recovery begins with."""
    with closing(database.connect(url)) as connection:
        (first,) = connection.execute("select pg_walfile_name(pg_current_wal_lsn())").fetchone() or ("",)
    command = [
        "--pgdata=-",
        "--format=tar",
        "--wal-method=fetch",
        "--checkpoint=fast",
        "--compress=client-gzip:1",
    ]
    return database.stream("pg_basebackup", command, url, path, key), first


def drop_older(backups: Path, first: str) -> None:
    """Pieces that no kept backup needs any more."""
    for path in wal_folder(backups).glob("*.age"):
        if path.name[:24] < first:
            path.unlink()


def restore_base(
    settings: Settings, folder: Path, manifest: Manifest, key: x25519.Identity, at: datetime
) -> tuple[EmbeddedServer, Path | None]:
    """The cluster as it was at that moment, running, and where the data that was there before lies now.

    Raises ``recovery_failed`` with everything put back as it was.
    """
    server = EmbeddedServer(settings.home / "database")
    server.folder.mkdir(parents=True, exist_ok=True)
    fresh, wal = server.folder / "data.restoring", server.folder / "wal-restoring"
    for path in (fresh, wal):
        shutil.rmtree(path, ignore_errors=True)
        server.own(path, 0o700)
    try:
        _unpack(folder / BASE, fresh, key)
        _bring_wal(folder.parent, wal, manifest.wal_from, key)
        _aim(fresh, wal, at)
        _give(server, fresh, wal)
        return server, _start(server, fresh)
    finally:
        shutil.rmtree(wal, ignore_errors=True)
        shutil.rmtree(fresh, ignore_errors=True)


def _unpack(path: Path, folder: Path, key: x25519.Identity) -> None:
    """Decrypted and unpacked as a stream. Members that would lie outside the folder are refused."""
    with _decrypted(path, key) as source, tarfile.open(fileobj=source, mode="r|gz") as packed:
        packed.extractall(folder, filter="tar")


@contextmanager
def _decrypted(path: Path, key: x25519.Identity) -> Iterator[IO[bytes]]:
    reading, writing = os.pipe()
    wrong: list[Exception] = []

    def work() -> None:
        try:
            with os.fdopen(writing, "wb") as target:
                decrypt(path, target, key)
        except (CadenzaError, OSError) as error:
            wrong.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    with os.fdopen(reading, "rb") as source:
        yield source
        while source.read(1 << 20):
            continue  # what follows the archive's end, so that the writer is not left hanging
    thread.join()
    if wrong:
        raise wrong[0]


def _bring_wal(backups: Path, target: Path, first: str, key: x25519.Identity) -> None:
    for path in sorted(wal_folder(backups).glob("*.age")):
        if path.name[:24] >= first or ".history" in path.name:
            with (target / path.name.removesuffix(".age")).open("wb") as file:
                decrypt(path, file, key)


def _aim(data: Path, wal: Path, at: datetime) -> None:
    lines = {
        "restore_command": f'cp "{wal}/%f" "%p"',
        "recovery_target_time": at.isoformat(),
        "recovery_target_action": "promote",
        "archive_mode": "off",
    }
    with (data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
    (data / "recovery.signal").touch()


def _give(server: EmbeddedServer, *folders: Path) -> None:
    """Everything to the server's user, as it was."""
    owner = server.folder.stat() if server.user is None else None
    uid, gid = (server.user.pw_uid, server.user.pw_gid) if server.user else (owner.st_uid, owner.st_gid)  # type: ignore[union-attr]
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, gid, follow_symlinks=False)


def _start(server: EmbeddedServer, fresh: Path) -> Path | None:
    before = None
    if server.data.exists():
        before = server.data.with_name(f"data.before-{fresh.stat().st_mtime_ns}")
        server.data.rename(before)
    fresh.rename(server.data)
    try:
        server.start()
        _wait_for_promotion(server)
    except CadenzaError as wrong:
        server.stop()
        shutil.rmtree(server.data)
        if before:
            before.rename(server.data)
        raise CadenzaError(
            "recovery_failed",
            f"That moment could not be reached: {wrong.message}",
            fix="Choose one after the backup was made and before the last piece of the archive. Everything is as it was.",
        ) from wrong
    return before


def _wait_for_promotion(server: EmbeddedServer) -> None:
    began = monotonic()
    pause = threading.Event()
    while monotonic() - began < _LONGEST_RECOVERY:
        if not server.is_running():
            break
        with closing(database.connect(server.url)) as connection:
            if connection.execute("select pg_is_in_recovery()").fetchone() == (False,):
                for name in (
                    "restore_command",
                    "recovery_target_time",
                    "recovery_target_action",
                    "archive_mode",
                ):
                    connection.execute(f"alter system reset {name}")
                return
        pause.wait(0.2)
    raise CadenzaError("recovery_failed", "the log ends before it", Kind.INVALID)
