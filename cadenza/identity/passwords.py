"""Passwords: Argon2id hashes, and what a new one must be."""

from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cadenza.core.errors import CadenzaError

_MINIMUM, _MAXIMUM = 8, 200
_hasher = PasswordHasher()
_ABSENT = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Takes as long for an unknown user (``stored`` is None) as for a known one."""
    try:
        _hasher.verify(stored or _ABSENT, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    return _hasher.check_needs_rehash(stored)


def check_new_password(password: str) -> None:
    """Length only, any characters (ASVS 6.2.1, 6.2.9), and not one that everybody tries first (6.2.4)."""
    if not _MINIMUM <= len(password) <= _MAXIMUM:
        raise CadenzaError(
            "password_length",
            f"A password has {_MINIMUM} to {_MAXIMUM} characters.",
            fix="15 or more are advised.",
        )
    if password.lower() in _common():
        raise CadenzaError(
            "password_common", "This password is among the first that anybody tries.", fix="Choose another."
        )


@cache
def _common() -> frozenset[str]:
    return frozenset(files("cadenza.identity").joinpath("common_passwords.txt").read_text().split())
