"""The look at everything: for the command, and every half minute by the worker for the page Health."""

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from starlette.datastructures import State

from cadenza.core.clock import monotonic
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.installation import access, attach
from cadenza.core.settings import Settings
from cadenza.ledger.contracts import Check
from cadenza.operations.checks import PROBES, Probe, Scene, as_json, examine
from cadenza.operations.models import ExaminationRow
from cadenza.operations.pulse import SILENT, processes

_EVERY_SECONDS = 30.0
_SETTLING_SECONDS, _SETTLING_STEP = (
    60.0,
    2.0,
)  # the step is also the time that a server which has just begun needs
COSTLY_EVERY_SECONDS = 3600.0
_MOMENT_SECONDS = 2.0
_CHECKS = ("database_checks", "work_checks", "machine_checks")


@dataclass(frozen=True, slots=True)
class Examination:
    at: datetime
    checks: list[dict[str, Any]]


def probes() -> dict[str, Probe]:
    """Ours, and what other rooms registered."""
    for name in _CHECKS:
        import_module(f"cadenza.operations.{name}")
    return PROBES


async def look(settings: Settings) -> list[Check]:
    """Whatever state the installation is in: nothing is migrated, and a database that is away is one finding of many."""
    known = probes()
    if settings.database_url is None and not (settings.home / "database" / "data").exists():
        return await examine(Scene(settings, trouble=_nothing(settings)), known)
    try:
        with access(settings) as found:
            async with attach(found.application, settings) as database:
                return await examine(Scene(settings, database), known)
    except CadenzaError as trouble:
        return await examine(Scene(settings, trouble=trouble), known)


def _nothing(settings: Settings) -> CadenzaError:
    return CadenzaError(
        "not_installed", f"There is no installation in {settings.home}.", fix="Start it by `cadenza up`."
    )


async def watch_health(database: Database, settings: Settings) -> None:
    """The worker's loop. It looks away first: what starts beside it would be told as missing."""
    await _until_pages_are_served(database)
    watch = Watch(Scene(settings, database))
    while True:
        await note(database, await watch.look())
        await asyncio.sleep(_EVERY_SECONDS)


async def _until_pages_are_served(database: Database) -> None:
    """A slow machine takes its time to start; where no web process comes within a minute, that is what is told."""
    began = monotonic()
    while monotonic() - began < _SETTLING_SECONDS:
        await asyncio.sleep(_SETTLING_STEP)
        now = database.machine.now()
        if any(p.kind == "web" and now - p.seen_at < SILENT for p in await processes(database)):
            return


class Watch:
    """Looks again and again; at what is costly only now and then, so that its last answer stands meanwhile."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._costly: list[Check] = []
        self._since = -math.inf

    async def look(self) -> list[Check]:
        known = probes()
        if monotonic() - self._since >= COSTLY_EVERY_SECONDS:
            self._since = monotonic()
            self._costly = await examine(self._scene, {i: p for i, p in known.items() if p.costly})
        cheap = await examine(self._scene, {i: p for i, p in known.items() if not p.costly})
        found = {check.id: check for check in (*cheap, *self._costly)}
        return [found[each] for each in known]


async def look_now(state: State) -> None:
    """At once, and not in half a minute. ``state`` is the application's: its last look within a moment counts as this one."""
    began = getattr(state, "looked_at", None)
    if began is None or monotonic() - began > _MOMENT_SECONDS:
        state.looked_at = monotonic()
        await note(state.database, await examine(Scene(state.settings, state.database), probes()))


async def note(database: Database, checks: list[Check]) -> None:
    values = {"at": database.machine.now(), "checks": [as_json(check) for check in checks]}
    async with database.installation() as session:
        await session.execute(
            insert(ExaminationRow)
            .values(id=1, **values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )


async def last_examination(database: Database) -> Examination | None:
    async with database.installation() as session:
        row = await session.get(ExaminationRow, 1)
    return Examination(row.at, row.checks) if row else None
