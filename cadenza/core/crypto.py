"""Secrets at rest, tokens and opaque ids.

Stored secrets use AES-256-GCM (NIST SP 800-38D) bound to their place by associated data, and name the key
that made them, so that a ciphertext moved to another row or workspace does not open.
Opaque ids use AES-SIV (RFC 5297): deterministic, so the same thing always has the same link.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from cadenza.core.errors import CadenzaError
from cadenza.core.keys import KeyFile, KeyRing, derive, read_key
from cadenza.core.settings import Settings

_NONCE = 12


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token. SHA-256 is enough: the token itself is random, not guessable."""
    return hashlib.sha256(token.encode()).digest()


class SecretBox:
    """Seals and opens stored secrets, and makes opaque ids. Holds named keys; the last one seals.

    With a key file the keys are those of the file at each moment, so that a rotation by another process counts at once.
    """

    def __init__(self, keys: Mapping[str, bytes], *, file: KeyFile | None = None) -> None:
        self._given = KeyRing(dict(keys))
        self._file = file
        self._siv = AESSIV(self.ring.opaque or derive(next(iter(self.ring.keys.values())), b"opaque ids", 64))

    @property
    def ring(self) -> KeyRing:
        return self._file.ring() if self._file else self._given

    def _cipher(self, key: bytes, workspace_id: UUID) -> AESGCM:
        return AESGCM(derive(key, b"workspace " + workspace_id.bytes))

    def seal(self, text: str, *, workspace_id: UUID, place: str) -> str:
        """``place`` names table, row and column; the same must be given to open it."""
        nonce = os.urandom(_NONCE)
        name, key = self.ring.newest
        sealed = self._cipher(key, workspace_id).encrypt(nonce, text.encode(), place.encode())
        return f"{name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, workspace_id: UUID, place: str) -> str:
        """Raises ``CadenzaError`` when the key is missing or the text was moved or altered."""
        name, _, body = sealed.partition(".")
        key = self.ring.keys.get(name)
        if key is None:
            raise CadenzaError(
                "secret_key_missing",
                f"The key {name} of a stored secret is missing.",
                fix="Restore keys.json.",
            )
        try:
            data = base64.urlsafe_b64decode(body)
            return (
                self._cipher(key, workspace_id).decrypt(data[:_NONCE], data[_NONCE:], place.encode()).decode()
            )
        except (InvalidTag, ValueError) as wrong:
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
        return SecretBox({"env": read_key(settings.secret_key)})
    file = KeyFile(settings.home / "keys.json")
    file.make()
    return SecretBox({}, file=file)
