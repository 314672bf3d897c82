"""Slows down guessing of passwords and codes, without a way for strangers to lock an owner out (ASVS 6.3.1)."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity import repository
from cadenza.identity.models import LoginFailureRow

_MEMORY = timedelta(minutes=15)
_FREE_TRIES = 5
_LONGEST_WAIT = 300.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Where tries come from and which account they are for, as hashes."""

    by_source: bytes
    by_account: bytes

    @classmethod
    def of(cls, source: str, account: str) -> "Pace":
        return cls(_key("source", source), _key("account", account))


async def tries(database: Database, pace: Pace) -> int:
    """How often this account was tried within the last quarter of an hour."""
    async with database.installation() as session:
        found = await repository.failures(session, (pace.by_account,), database.machine.now() - _MEMORY)
    return found[pace.by_account][0] if found else 0


def _key(kind: str, value: str) -> bytes:
    return sha256(f"{kind}:{value}".encode()).digest()


async def check_pace(database: Database, pace: Pace) -> float:
    """Seconds to wait before answering. Raises ``CadenzaError`` (too many) while this source has to wait."""
    now = database.machine.now()
    async with database.installation() as session:
        found = await repository.failures(session, (pace.by_source, pace.by_account), now - _MEMORY)
    count, last = found.get(pace.by_source, (0, now))
    wait = min(2.0 ** (count - _FREE_TRIES), _LONGEST_WAIT) if count >= _FREE_TRIES else 0.0
    left = wait - (now - last).total_seconds()
    if left > 0:
        raise CadenzaError(
            "too_many_tries",
            "Too many wrong tries from here.",
            Kind.TOO_MANY,
            fix=f"Wait {int(left) + 1} seconds.",
        )
    failed = found.get(pace.by_account, (0, now))[0]
    return min(max(failed - _FREE_TRIES, 0) * 0.2, 2.0)


async def remember_failure(database: Database, pace: Pace) -> None:
    async with database.installation() as session:
        session.add_all(
            LoginFailureRow(key=key, at=database.machine.now()) for key in (pace.by_source, pace.by_account)
        )


async def forget(database: Database, pace: Pace) -> None:
    """After a right proof: the account starts anew; the source does not, else one own account would free it."""
    async with database.installation() as session:
        await repository.forget_failures(session, (pace.by_account,), database.machine.now() - _MEMORY)
