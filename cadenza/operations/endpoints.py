"""Health, backups and the hold on sending through the API. They belong to the whole installation."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import Request

from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.operations.backup_records import known_backups
from cadenza.operations.doctor import last_examination, look_now
from cadenza.operations.pulse import processes
from cadenza.operations.sending import hold_of, hold_sending, release_sending
from cadenza.web.api import Shape, api_router

router = api_router("operations", one_unit=False)


class CheckShape(Shape):
    """As `cadenza doctor --json` gives it; ``fix`` is empty only on a pass."""

    id: str
    group: str
    status: str
    looked_at: str
    found: str
    fix: str
    blocking: bool
    affected: int


class ProcessShape(Shape):
    kind: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime


class HealthShape(Shape):
    """``at`` is when the checks were made; null before the first look."""

    at: datetime | None
    checks: list[CheckShape]
    processes: list[ProcessShape]


class BackupShape(Shape):
    name: str
    place: str
    created_at: datetime
    bytes: int
    rows: int
    verified_at: datetime | None


class HoldShape(Shape):
    """``held`` false: sending goes on, and the rest is null. ``compared`` is what the look into the Sent folders found."""

    held: bool
    reason: str | None = None
    since: datetime | None = None
    lost_from: datetime | None = None
    compared_at: datetime | None = None
    compared: dict[str, Any] | None = None


@router.get("/health")
async def read_health(request: Request) -> HealthShape:
    """Every check as it was last made, and what runs."""
    authorize(actor_of(request), Action.READ_HEALTH)
    return await _health(request)


@router.post("/health/look")
async def look(request: Request) -> HealthShape:
    """Make every check now; a look within the last moment counts as this one."""
    authorize(actor_of(request), Action.READ_HEALTH)
    await look_now(request.app.state)
    return await _health(request)


async def _health(request: Request) -> HealthShape:
    database = request.app.state.database
    last = await last_examination(database)
    return HealthShape(
        at=last.at if last else None,
        checks=[CheckShape.model_validate(each) for each in last.checks] if last else [],
        processes=[ProcessShape.model_validate(each) for each in await processes(database)],
    )


@router.get("/backups")
async def list_backups(request: Request) -> list[BackupShape]:
    """The newest 20 backups, newest first, and when each was last proved to be whole."""
    authorize(actor_of(request), Action.READ_HEALTH)
    return [BackupShape.model_validate(each) for each in await known_backups(request.app.state.database)]


@router.get("/sending")
async def read_hold(request: Request) -> HoldShape:
    """Whether sending is held in the whole installation, and why."""
    authorize(actor_of(request), Action.READ_HEALTH)
    return await _hold(request)


@router.post("/sending/hold")
async def begin_hold(request: Request) -> HoldShape:
    """Nothing leaves from here, in any workspace, until somebody releases it. Asked again it changes nothing."""
    await hold_sending(request.app.state.database, actor_of(request))
    return await _hold(request)


@router.post("/sending/release")
async def end_hold(request: Request) -> HoldShape:
    """Sending goes on. Refused until the Sent folders were compared; who knows better uses the command line."""
    await release_sending(request.app.state.database, actor_of(request))
    return await _hold(request)


async def _hold(request: Request) -> HoldShape:
    hold = await hold_of(request.app.state.database)
    return HoldShape(held=False) if hold is None else HoldShape(held=True, **asdict(hold))
