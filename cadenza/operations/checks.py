"""The registry of checks on an installation, and the one look at all of them.

A check is a small coroutine with a deadline of its own. One that fails or hangs says so in its own place and hides none
of the others. A room registers its own by ``register``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.logs import logger
from cadenza.core.settings import Settings
from cadenza.ledger.contracts import Check, CheckStatus

_log = logger("checks")
_AT_ONCE = 4  # a pool of connections serves the pages as well


@dataclass(frozen=True, slots=True)
class Scene:
    """What is looked at. ``database`` is None when it cannot be reached, and ``trouble`` then says why."""

    settings: Settings
    database: Database | None = None
    trouble: CadenzaError | None = None

    @property
    def opened(self) -> Database:
        """For checks that need the database. Raises what kept us from it."""
        if self.database is None:
            raise self.trouble or CadenzaError("database_unreachable", "The database does not answer.")
        return self.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found. ``fix`` may be empty only on a pass or where nothing applies."""

    status: CheckStatus
    found: str
    fix: str = ""
    affected: int = 0


def fine(found: str) -> Finding:
    return Finding(status=CheckStatus.PASS, found=found)


def warn(found: str, fix: str, affected: int = 1) -> Finding:
    return Finding(status=CheckStatus.WARN, found=found, fix=fix, affected=affected)


def fail(found: str, fix: str, affected: int = 1) -> Finding:
    return Finding(status=CheckStatus.FAIL, found=found, fix=fix, affected=affected)


def skipped(found: str) -> Finding:
    return Finding(status=CheckStatus.SKIPPED, found=found)


@dataclass(frozen=True, slots=True)
class Probe:
    """``look`` gets the scene; with ``needs_database`` it is left out while there is none."""

    id: str
    group: str
    looked_at: str
    look: Callable[[Scene], Awaitable[Finding]] = field(repr=False)
    seconds: float
    blocking: bool
    needs_database: bool
    costly: bool = False


PROBES: dict[str, Probe] = {}
_Look = Callable[[Scene], Awaitable[Finding]]


def register(
    identity: str,
    looked_at: str,
    *,
    group: str = "infrastructure",
    seconds: float = 5.0,
    blocking: bool = False,
    needs_database: bool = True,
    costly: bool = False,
) -> Callable[[_Look], _Look]:
    """Adds a check. ``looked_at`` says in words what it looks at; ``blocking``: nothing should be sent while it fails.

    ``costly``: it reads a whole table, so the worker looks once an hour; `cadenza doctor` always does.
    """

    def add(look: _Look) -> _Look:
        PROBES[identity] = Probe(identity, group, looked_at, look, seconds, blocking, needs_database, costly)
        return look

    return add


async def examine(scene: Scene, probes: Mapping[str, Probe] = PROBES) -> list[Check]:
    """Every check's answer, in the order of the registry."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(probe: Probe) -> Check:
        async with places:
            return _check(probe, await _look(probe, scene))

    return list(await asyncio.gather(*(one(probe) for probe in probes.values())))


async def _look(probe: Probe, scene: Scene) -> Finding:
    if probe.needs_database and scene.database is None:
        return skipped("the database cannot be asked")
    try:
        return await asyncio.wait_for(probe.look(scene), probe.seconds)
    except TimeoutError:
        return warn(
            f"no answer within {probe.seconds:g} seconds", "Look again; if it stays, look at the log."
        )
    except CadenzaError as wrong:
        return fail(wrong.message, wrong.fix or "Look at the log.")
    except Exception as wrong:  # noqa: BLE001 - whatever breaks in one check must not hide the others
        _log.exception("check_failed", check=probe.id)
        return fail(
            f"the check itself broke: {type(wrong).__name__}", "Look at the log, and tell the developers."
        )


def _check(probe: Probe, finding: Finding) -> Check:
    return Check(
        id=probe.id,
        group=probe.group,
        status=finding.status,
        blocking=probe.blocking,
        affected=finding.affected,
        looked_at=probe.looked_at,
        found=finding.found,
        fix=finding.fix,
    )


def as_json(check: Check) -> dict[str, Any]:
    """As the public contract of `cadenza doctor --json` has it."""
    plain = asdict(check)
    names = (
        "id", "group", "status", "blocking", "affected", "looked_at", "found", "evidence", "fix", "override",
    )  # fmt: skip
    return {name: plain[name] for name in names} | {"status": check.status.value}


def verdict(checks: list[Check]) -> CheckStatus:
    """The worst of them."""
    for status in (CheckStatus.FAIL, CheckStatus.WARN):
        if any(check.status is status for check in checks):
            return status
    return CheckStatus.PASS
