"""Health: every check, what runs, the backups, and the hold on sending with its release."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.core.database import Database
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.operations.backup_records import known_backups
from cadenza.operations.doctor import last_examination, look_now
from cadenza.operations.pulse import processes
from cadenza.operations.sending import hold_of, release_sending
from cadenza.web.service import allowed, gettext, render, see, speak_to

router = APIRouter(include_in_schema=False)

_ORDER = ("fail", "warn", "pass", "skipped")


@dataclass(frozen=True, slots=True)
class _Line:
    """One check as it is shown: its state as shape and word."""

    shape: str
    word: str
    title: str
    found: str
    fix: str
    looked_at: str
    blocking: bool


@router.get("/health")
async def health(request: Request) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ_HEALTH)
    speak_to(request)
    database: Database = request.app.state.database
    last = await last_examination(database)
    running = await processes(database)
    return render(
        request,
        "operations/health.html",
        last=last,
        lines=[_line(check) for check in _sorted(last.checks)] if last else [],
        counts={status: sum(c["status"] == status for c in last.checks) for status in _ORDER} if last else {},
        running=running,
        machine_now=database.machine.now(),
        backups=await known_backups(database),
        hold=await hold_of(database),
        may_release=allowed(authorize, actor, Action.RELEASE_HOLD),
        said={
            "released": gettext("Sending goes on."),
            "looked": gettext("Everything was looked at just now."),
        }.get(request.query_params.get("said", ""), ""),
    )


def _sorted(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(checks, key=lambda check: _ORDER.index(check["status"]))


def _line(check: dict[str, Any]) -> _Line:
    shape, word = {
        "pass": ("pass", gettext("Fine")),
        "warn": ("warn", gettext("Look at it")),
        "fail": ("fail", gettext("Needs you")),
        "skipped": ("off", gettext("Does not apply")),
    }[check["status"]]
    names = ("found", "fix", "looked_at", "blocking")
    return _Line(shape, word, _titles().get(check["id"], check["id"]), *(check[name] for name in names))


def _titles() -> dict[str, str]:
    return {
        "database.reachable": gettext("Database"),
        "database.schema": gettext("Schema"),
        "database.login": gettext("Database log-in"),
        "database.clock": gettext("Clocks"),
        "database.standby": gettext("Standby and connections"),
        "sending.hold": gettext("Hold on sending"),
        "world.clock": gettext("World time"),
        "backup.fresh": gettext("Backups"),
        "audit.chain": gettext("Audit trail"),
        "figures.agree": gettext("Figures"),
        "work.processes": gettext("Processes"),
        "work.queue": gettext("Queue"),
        "work.doubts": gettext("Messages in doubt"),
        "mail.mailboxes": gettext("Mailboxes"),
        "work.jobs": gettext("Background jobs"),
        "machine.disk": gettext("Disk"),
        "machine.keys": gettext("Keys"),
        "web.public": gettext("Public address"),
        "web.certificate": gettext("Certificate"),
    }


@router.post("/health/look")
async def look(request: Request) -> Response:
    """Now, and not in half a minute; the last look within a moment counts as this one."""
    authorize(actor_of(request), Action.READ_HEALTH)
    await look_now(request.app.state)
    return see("/health", "looked")


@router.post("/health/release")
async def release(request: Request) -> Response:
    """The door refuses until the Sent folders were compared; who knows better uses the command line."""
    await release_sending(request.app.state.database, actor_of(request))
    return see("/health", "released")
