"""A backup as files: encrypted with age (age-encryption.org/v1), streamed, each file's SHA-256 in an encrypted manifest.

A folder holds ``database.age``, ``keys.age`` and ``manifest.age``. It is written beside and renamed when it is whole, so
a folder with the final name is complete. The manifest authenticates itself, and the others by their checksums.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyrage
from pyrage import x25519

from cadenza.core.errors import CadenzaError, Kind

KEY_FILE = "backup.key"
MANIFEST = "manifest.age"
_PIECE = 1024 * 1024


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Table:
    """How many rows, and a sum over the rows' hashes that does not depend on their order."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. ``created_at`` is the moment of its snapshot, machine time in ISO 8601."""

    created_at: str
    identity: str
    version: str
    schema: str
    server: str
    tables: dict[str, Table]
    files: dict[str, StoredFile] = field(default_factory=dict)
    wal_from: str = ""  # with a base copy: the piece of log that recovery begins with
    format: int = 1

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def new_key(home: Path) -> str:
    """The installation's recovery key, made once and readable by its owner alone; returned to be shown to a person."""
    path, identity = home / KEY_FILE, x25519.Identity.generate()
    home.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{identity}\n")
    return str(identity)


def has_key(home: Path) -> bool:
    return (home / KEY_FILE).exists()


def read_key(path: Path) -> x25519.Identity:
    """Raises ``backup_key_missing`` and ``backup_key_invalid``."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as missing:
        raise CadenzaError(
            "backup_key_missing",
            f"The recovery key cannot be read from {path}.",
            Kind.NOT_FOUND,
            fix="Write the key that was shown at the first backup into a file and name it by --key.",
        ) from missing
    try:
        return x25519.Identity.from_str(next(line for line in lines if line.startswith("AGE-SECRET-KEY-")))
    except (StopIteration, pyrage.IdentityError) as wrong:
        raise CadenzaError(
            "backup_key_invalid", f"{path} holds no recovery key.", fix="It begins with AGE-SECRET-KEY-."
        ) from wrong


class _Hashing:
    """Writes on, and counts and hashes what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._bytes += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def stored(self) -> StoredFile:
        return StoredFile(self._hash.hexdigest(), self._bytes)


def encrypt(source: Readable, path: Path, key: x25519.Identity) -> StoredFile:
    """Stream ``source`` into a file that only the key opens; on disk before it returns."""
    with path.open("xb") as file:
        target = _Hashing(file)
        pyrage.encrypt_io(source, target, [key.to_public()])
        file.flush()
        os.fsync(file.fileno())
    return target.stored


def decrypt(path: Path, target: Writable, key: x25519.Identity) -> None:
    """Raises ``backup_damaged`` when a byte of it was changed, or the key is another one's."""
    try:
        with path.open("rb") as file:
            pyrage.decrypt_io(file, target, [key])
    except (OSError, pyrage.DecryptError) as wrong:
        raise damaged(path, str(wrong)) from wrong


def damaged(path: Path, why: str) -> CadenzaError:
    return CadenzaError(
        "backup_damaged",
        f"{path} is damaged, or was made with another key: {why}",
        fix="Nothing was changed. Take another backup, or the key that belongs to this one.",
    )


def write_manifest(folder: Path, manifest: Manifest, key: x25519.Identity) -> None:
    encrypt(io.BytesIO(json.dumps(asdict(manifest)).encode()), folder / MANIFEST, key)


def read_manifest(folder: Path, key: x25519.Identity) -> Manifest:
    content = io.BytesIO()
    decrypt(folder / MANIFEST, content, key)
    given: dict[str, Any] = json.loads(content.getvalue())
    tables = {name: Table(**value) for name, value in given.pop("tables").items()}
    files = {name: StoredFile(**value) for name, value in given.pop("files").items()}
    return Manifest(**given, tables=tables, files=files)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every byte of every file, before anything is done with them. Raises ``backup_damaged``."""
    for name, stored in manifest.files.items():
        path = folder / name
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as missing:
            raise damaged(path, str(missing)) from missing
        if found != stored.sha256:
            raise damaged(path, "its checksum is not that of the manifest")


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder to write into, which gets its name only when the block ends well."""
    scratch = folder.with_suffix(".partial")
    scratch.mkdir(mode=0o700, parents=True)
    try:
        yield scratch
    except BaseException:
        remove(scratch)
        raise
    scratch.rename(folder)
    handle = os.open(folder.parent, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def remove(folder: Path) -> None:
    """A backup's folder: plain files, nothing below."""
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
