"""Passwords: Argon2id hashes, and what a new one must be."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from cadenza.core.errors import CadenzaError

_MINIMUM, _MAXIMUM = 8, 200
_BASES = 3_000  # words so common that decorating them with digits and signs helps nobody
_DECORATION = 6  # characters
_SIGNS = str.maketrans("@4310$5!7", "aaeiossit")  # how people write letters
_hasher = PasswordHasher()
_SALT, _HASH = "A" * 22, "A" * 43  # of nobody's password, as Argon2 writes 16 and 32 bytes


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Takes as long for an unknown user (``stored`` is None) as for a known one."""
    try:
        _hasher.verify(stored or _absent(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _absent() -> str:
    """A hash that costs as much to look at as a real one and fits no password."""
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${cost}${_SALT}${_HASH}"


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
    if _is_common(password.lower()):
        raise CadenzaError(
            "password_common", "This password is among the first that anybody tries.", fix="Choose another."
        )


def _is_common(password: str) -> bool:
    """Leaked and common passwords (the list of zxcvbn), and the commonest ones with digits or signs around them."""
    ranks = _ranks()
    core = password.strip("0123456789!?.,-_#*+$@&% ").translate(_SIGNS)
    decorated = len(password) - len(core) <= _DECORATION and ranks.get(core, _BASES) < _BASES
    return password in ranks or password.translate(_SIGNS) in ranks or (len(core) > 3 and decorated)


@cache
def _ranks() -> dict[str, int]:
    return {word: rank for rank, word in enumerate(FREQUENCY_LISTS["passwords"])}
