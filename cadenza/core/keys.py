"""The keys of an installation: a file of named keys, the newest last, which can be exchanged while everything runs.

``keys.json`` maps names to 32 bytes in URL-safe base64. The entry ``opaque ids`` (64 bytes) is there from the first
rotation on: links that were sent to people must open for ever, so what makes them outlives the key it came from.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cadenza.core.errors import CadenzaError

OPAQUE = "opaque ids"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by name, the newest last, and the key of opaque ids where it is kept apart."""

    keys: dict[str, bytes]
    opaque: bytes | None = None

    @property
    def newest(self) -> tuple[str, bytes]:
        name = list(self.keys)[-1]
        return name, self.keys[name]


def derive(key: bytes, purpose: bytes, length: int = 32) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"cadenza " + purpose).derive(key)


def read_key(text: str) -> bytes:
    """Raises ``CadenzaError`` for anything but 32 bytes."""
    try:
        key = base64.urlsafe_b64decode(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise CadenzaError("secret_key_invalid", "CADENZA_SECRET_KEY is not 32 bytes in URL-safe base64.")
    return key


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


class KeyFile:
    """The file of keys. Read again whenever it was replaced, which costs one look at its name for each secret."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._ring = KeyRing({})

    def make(self) -> None:
        """The first key, unless there is one; readable by the owner alone."""
        if self._path.exists():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._write({"k1": _text(os.urandom(32))})
        try:
            os.link(scratch, self._path)  # fails if another process was first: then its key is the one
        except FileExistsError:
            return
        finally:
            scratch.unlink()

    def ring(self) -> KeyRing:
        found = self._path.stat()
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        if mark != self._seen:
            content = json.loads(self._path.read_text())
            opaque = content.pop(OPAQUE, None)
            keys = {name: read_key(value) for name, value in content.items()}
            self._ring = KeyRing(keys, base64.urlsafe_b64decode(opaque) if opaque else None)
            self._seen = mark
        return self._ring

    def add(self) -> str:
        """A new key, which seals from now on in every process; its name."""
        with self._alone():
            content = json.loads(self._path.read_text())
            if OPAQUE not in content:
                first = read_key(next(iter(content.values())))
                content = {OPAQUE: _text(derive(first, b"opaque ids", 64))} | content
            name = f"k{len(content)}{secrets.token_hex(3)}"
            self._replace(content | {name: _text(os.urandom(32))})
        return name

    def retire(self, names: Collection[str]) -> None:
        """Forget these keys for ever; the newest stays whatever is asked."""
        with self._alone():
            newest = self.ring().newest[0]
            content = json.loads(self._path.read_text())
            self._replace({n: value for n, value in content.items() if n not in names or n == newest})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _replace(self, content: dict[str, str]) -> None:
        self._write(content).replace(self._path)

    def _write(self, content: dict[str, str]) -> Path:
        scratch = self._path.with_suffix(f".{os.getpid()}")
        scratch.touch(mode=0o600)
        with scratch.open("w") as file:
            file.write(json.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        return scratch
