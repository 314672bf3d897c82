"""``create``, ``verify`` and ``restore``: what an operator does with backups."""

import asyncio
import io
import json
import os
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql
from pyrage import x25519

from cadenza.core.clock import monotonic
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.settings import Settings
from cadenza.operations import archive
from cadenza.operations import backup_database as database
from cadenza.operations.archive import backup_folder
from cadenza.operations.backup_files import (
    KEY_FILE,
    Manifest,
    StoredFile,
    Table,
    check_files,
    decrypt,
    encrypt,
    has_key,
    new_key,
    read_key,
    read_manifest,
    remove,
    whole_or_nothing,
    write_manifest,
)

_DUMP, _KEYS, _SERVER = "database.age", "keys.age", "server.age"
_PASSWORDS = ("password", "password.application")
_STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class Made:
    """``recovery_key`` is there the first time only: whoever keeps the backups keeps it elsewhere."""

    folder: Path
    manifest: Manifest
    bytes: int
    seconds: float
    recovery_key: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    folder: Path
    manifest: Manifest
    seconds: float


@dataclass(frozen=True, slots=True)
class Restored:
    """``kept`` is the name under which the database that was there before still is."""

    folder: Path
    manifest: Manifest
    seconds: float
    kept: str | None


def folders(settings: Settings) -> list[Path]:
    """Complete backups, newest first."""
    place = backup_folder(settings)
    if not place.exists():
        return []
    return sorted((path for path in place.iterdir() if _moment(path) is not None), reverse=True)


def _moment(path: Path) -> str | None:
    try:
        return datetime.strptime(path.name, _STAMP).isoformat()  # noqa: DTZ007 - Z is part of the name
    except ValueError:
        return None


async def create(settings: Settings, owner_url: str, *, keep: int | None = None) -> Made:
    """A backup of now; of the older ones only ``keep - 1`` stay. Raises ``CadenzaError``; then nothing was left."""
    return await asyncio.to_thread(_create, settings, owner_url, keep)


def _create(settings: Settings, url: str, keep: int | None) -> Made:
    began = monotonic()
    recovery = None if has_key(settings.home) else new_key(settings.home)
    key = read_key(settings.home / KEY_FILE)
    with database.snapshot(url) as (connection, shot):
        at, identity, schema, server = database.facts(connection)
        folder = backup_folder(settings) / at.strftime(_STAMP)
        with whole_or_nothing(folder) as scratch:
            stored = database.dump(url, shot, scratch / _DUMP, key)
            tables = database.count(connection)
            files = {_DUMP: stored, _KEYS: encrypt(io.BytesIO(_keys(settings)), scratch / _KEYS, key)}
            wal_from = _base(settings, url, scratch, key, files)
            manifest = Manifest(
                at.isoformat(), identity, version("cadenza"), schema, server, tables, files, wal_from
            )
            write_manifest(scratch, manifest, key)
    _thin_out(settings, keep, key)
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Made(folder, manifest, size, monotonic() - began, recovery)


def _keys(settings: Settings) -> bytes:
    """Without them the stored secrets of the dump could never be opened again."""
    if settings.secret_key:
        return json.dumps({"env": settings.secret_key}).encode()
    return (settings.home / "keys.json").read_bytes()


def _base(
    settings: Settings, url: str, folder: Path, key: x25519.Identity, files: dict[str, StoredFile]
) -> str:
    """With a continuous archive: the copy of the whole server that the archive goes on from, and its passwords."""
    if not settings.continuous_archive or settings.database_url:
        return ""
    files[archive.BASE], first = archive.base_copy(url, folder / archive.BASE, key)
    home = settings.home / "database"
    passwords = {name: (home / name).read_text() for name in _PASSWORDS if (home / name).exists()}
    files[_SERVER] = encrypt(io.BytesIO(json.dumps(passwords).encode()), folder / _SERVER, key)
    return first


def _thin_out(settings: Settings, keep: int | None, key: x25519.Identity) -> None:
    for old in folders(settings)[keep:] if keep else ():
        remove(old)
    starts = [read_manifest(folder, key).wal_from for folder in folders(settings)] if keep else []
    if needed := [first for first in starts if first]:
        archive.drop_older(backup_folder(settings), min(needed))


async def verify(settings: Settings, owner_url: str, folder: Path, key: Path | None = None) -> Verified:
    """Restore into a scratch database and compare every table. Raises ``backup_damaged`` and ``backup_differs``."""
    return await asyncio.to_thread(_verify, settings, owner_url, folder, key)


def _verify(settings: Settings, url: str, folder: Path, key: Path | None) -> Verified:
    began = monotonic()
    identity, manifest = _open(settings, folder, key)
    with database.scratch_database(url) as name:
        _load(url, name, folder, manifest, identity)
    return Verified(folder, manifest, monotonic() - began)


def _open(settings: Settings, folder: Path, key: Path | None) -> tuple[x25519.Identity, Manifest]:
    identity = read_key(key or settings.home / KEY_FILE)
    manifest = read_manifest(folder, identity)
    check_files(folder, manifest)
    return identity, manifest


def _load(url: str, name: str, folder: Path, manifest: Manifest, key: x25519.Identity) -> None:
    """Into that database, equal to what was backed up and with sending held, or an error."""
    database.load(url, name, folder / _DUMP, key)
    _compare(manifest.tables, database.count_all(url, name))
    hold_restored(url, datetime.fromisoformat(manifest.created_at), name)


def hold_restored(url: str, moment: datetime, name: str | None = None) -> None:
    """Nothing leaves until the Sent folders since that moment were compared."""
    with closing(database.connect(url, name)) as connection:
        connection.execute(
            "update installation set held_since = clock_timestamp(), held_reason = 'restored', compared_at = null, "
            "compared = null, held_from = least(held_from, seen_at, %s) - interval '10 minutes'",
            [moment],
        )
        (allowed,) = connection.execute("select sending_allowed()").fetchone() or (True,)
        if allowed:
            raise CadenzaError("restore_unheld", "Sending would not be held after this restore.")


def _compare(expected: dict[str, Table], found: dict[str, Table]) -> None:
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise CadenzaError(
            "backup_differs",
            f"What was restored is not what was backed up: {', '.join(wrong)}.",
            fix="Do not rely on this backup; make another and verify it.",
        )


async def restore(
    settings: Settings, owner_url: str, folder: Path, key: Path | None = None, *, replace_data: bool = False
) -> Restored:
    """Bring the backup back as this installation, with sending held. The database that was there is kept beside it.

    Raises ``backup_damaged`` before anything is touched, and ``not_empty`` unless ``replace_data``.
    """
    return await asyncio.to_thread(_restore, settings, owner_url, folder, key, replace_data)


def _restore(settings: Settings, url: str, folder: Path, key: Path | None, replace_data: bool) -> Restored:
    began = monotonic()
    identity, manifest = _open(settings, folder, key)
    used = _is_used(url)
    if used and not replace_data:
        raise _not_empty()
    _bring_keys(settings, folder, identity)
    with database.scratch_database(url) as name:
        _load(url, name, folder, manifest, identity)
        kept = _swap(url, name, _STAMP)
    _keep_key(settings, key)
    return Restored(folder, manifest, monotonic() - began, kept if used else None)


async def restore_moment(
    settings: Settings, folder: Path, at: datetime, key: Path | None = None, *, replace_data: bool = False
) -> Restored:
    """The embedded server's data as it was at that moment, with sending held; what was there before is kept beside it."""
    return await asyncio.to_thread(_restore_moment, settings, folder, at, key, replace_data)


def _restore_moment(
    settings: Settings, folder: Path, at: datetime, key: Path | None, replace_data: bool
) -> Restored:
    began = monotonic()
    identity, manifest = _open(settings, folder, key)
    if archive.BASE not in manifest.files:
        raise CadenzaError(
            "no_base",
            "This backup holds its own moment only.",
            fix="Set CADENZA_CONTINUOUS_ARCHIVE before the next one.",
        )
    if EmbeddedServer(settings.home / "database").data.exists() and not replace_data:
        raise _not_empty()
    _bring_keys(settings, folder, identity)
    kept = _passwords_of(settings, folder, identity)
    try:
        server, before = archive.restore_base(settings, folder, manifest, identity, at)
    except BaseException:
        _write_passwords(settings, kept)
        raise
    try:
        hold_restored(server.url, at)
    finally:
        server.stop()
    _keep_key(settings, key)
    return Restored(folder, manifest, monotonic() - began, str(before) if before else None)


def _passwords_of(settings: Settings, folder: Path, identity: x25519.Identity) -> dict[str, str]:
    """Those of the backup become ours; the ones that were here are returned."""
    content = io.BytesIO()
    decrypt(folder / _SERVER, content, identity)
    home = settings.home / "database"
    kept = {name: (home / name).read_text() for name in _PASSWORDS if (home / name).exists()}
    _write_passwords(settings, json.loads(content.getvalue()))
    return kept


def _write_passwords(settings: Settings, passwords: dict[str, str]) -> None:
    for name, password in passwords.items():
        path = settings.home / "database" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(password)


def _not_empty() -> CadenzaError:
    return CadenzaError(
        "not_empty",
        "There is an installation with data here already.",
        Kind.CONFLICT,
        fix="Restore into an empty one, or add --replace: then it is kept under another name.",
    )


def _is_used(url: str) -> bool:
    with closing(database.connect(url)) as connection:
        if connection.execute("select to_regclass('public.workspaces')").fetchone() == (None,):
            return False
        return connection.execute("select exists (select from workspaces)").fetchone() == (True,)


def _swap(url: str, name: str, stamp: str) -> str:
    """The scratch database takes our name. The other is renamed, not dropped: what was there is never lost."""
    ours = database.name_of(url)
    with closing(database.connect(url, "postgres")) as connection:
        (moment,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
        kept = f"{ours}_before_{moment.strftime(stamp) if moment else ''}".lower()
        for old, new in ((ours, kept), (name, ours)):
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()",
                [old],
            )
            try:
                connection.execute(
                    sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(new))
                )
            except psycopg.errors.ObjectInUse as busy:
                raise CadenzaError(
                    "database_in_use",
                    "Somebody still uses the database.",
                    Kind.CONFLICT,
                    fix="Stop every `cadenza` process, also on other machines, and restore again.",
                ) from busy
    return kept


def _bring_keys(settings: Settings, folder: Path, identity: x25519.Identity) -> None:
    """The keys of the backup become ours; others that were here stay beside them."""
    content = io.BytesIO()
    decrypt(folder / _KEYS, content, identity)
    if settings.secret_key:
        if settings.secret_key not in json.loads(content.getvalue()).values():
            raise CadenzaError(
                "keys_differ",
                "CADENZA_SECRET_KEY is not the key that the backup's secrets were sealed with.",
                fix="Set it to the one of then, or leave it out: the backup brings its keys.",
            )
        return
    path = settings.home / "keys.json"
    if path.exists() and path.read_bytes() == content.getvalue():
        return
    _write_secret(path, content.getvalue())


def _write_secret(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.rename(path.with_name(f"{path.name}.before-{path.stat().st_mtime_ns}"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _keep_key(settings: Settings, key: Path | None) -> None:
    """The next backup of this installation is made with the same recovery key."""
    if key is not None and not has_key(settings.home):
        _write_secret(settings.home / KEY_FILE, key.read_bytes())
