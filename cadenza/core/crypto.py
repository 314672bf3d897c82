"""Secrets at rest, tokens and opaque ids.

Stored secrets use AES-256-GCM (NIST SP 800-38D) bound to their place by associated data, and name the key
that made them, so that a ciphertext moved to another row or workspace does not open.
Opaque ids use AES-SIV (RFC 5297): deterministic, so the same thing always has the same link.
"""

import base64
import hashlib
import json
import os
import secrets
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings

_NONCE = 12


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token. SHA-256 is enough: the token itself is random, not guessable."""
    return hashlib.sha256(token.encode()).digest()


class SecretBox:
    """Seals and opens stored secrets, and makes opaque ids. Holds named keys; the last one seals."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._current = list(keys)[-1]
        self._siv = AESSIV(self._derive(next(iter(keys.values())), b"opaque ids", 64))

    def _derive(self, key: bytes, purpose: bytes, length: int = 32) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=b"cadenza " + purpose).derive(key)

    def _cipher(self, name: str, workspace_id: UUID) -> AESGCM:
        return AESGCM(self._derive(self._keys[name], b"workspace " + workspace_id.bytes))

    def seal(self, text: str, *, workspace_id: UUID, place: str) -> str:
        """``place`` names table, row and column; the same must be given to open it."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher(self._current, workspace_id).encrypt(nonce, text.encode(), place.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, workspace_id: UUID, place: str) -> str:
        """Raises ``CadenzaError`` when the key is missing or the text was moved or altered."""
        name, _, body = sealed.partition(".")
        if name not in self._keys:
            raise CadenzaError(
                "secret_key_missing",
                f"The key {name} of a stored secret is missing.",
                fix="Restore keys.json.",
            )
        data = base64.urlsafe_b64decode(body)
        try:
            return (
                self._cipher(name, workspace_id)
                .decrypt(data[:_NONCE], data[_NONCE:], place.encode())
                .decode()
            )
        except InvalidTag as wrong:
            raise CadenzaError(
                "secret_damaged", "A stored secret was moved or altered.", fix="Enter it again."
            ) from wrong

    def opaque(self, purpose: str, *ids: UUID) -> str:
        """A link-safe id that reveals nothing; deterministic."""
        sealed = self._siv.encrypt(b"".join(i.bytes for i in ids), [purpose.encode()])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read_opaque(self, purpose: str, token: str) -> tuple[UUID, ...] | None:
        """The ids inside, or None for anything that this installation did not make."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            plain = self._siv.decrypt(data, [purpose.encode()])
        except (ValueError, InvalidTag):
            return None
        return tuple(UUID(bytes=plain[i : i + 16]) for i in range(0, len(plain), 16))


def secret_box(settings: Settings) -> SecretBox:
    """The box of this installation; makes its first key, readable by the owner alone."""
    if settings.secret_key:
        return SecretBox({"env": _key(settings.secret_key)})
    path = settings.home / "keys.json"
    if not path.exists():
        _write_first_key(path)
    return SecretBox({name: _key(value) for name, value in json.loads(path.read_text()).items()})


def _key(text: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise CadenzaError("secret_key_invalid", "CADENZA_SECRET_KEY is not 32 bytes in URL-safe base64.")
    return key


def _write_first_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"k1": base64.urlsafe_b64encode(os.urandom(32)).decode()})
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.touch(mode=0o600)
    scratch.write_text(content)
    try:
        os.link(scratch, path)  # fails if another process was first: then its key is the one
    except FileExistsError:
        return
    finally:
        scratch.unlink()
