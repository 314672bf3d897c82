"""What the sandbox did, told from its own files, and the speed of its world."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.installation import set_world
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import gettext, render, safe_path, see, speak_to

router = APIRouter(include_in_schema=False)

_SLOWEST, _FASTEST = 1.0, 20_000.0
_TAIL = 2_000_000  # bytes of each file that are read: a few hundred letters
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class _Act:
    """One thing that a simulated person or their provider did. ``kind`` is one of behaviour's, or "received"."""

    at: datetime
    who: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Doings:
    received: int
    counts: Counter[str]
    newest: tuple[_Act, ...]


@router.get("/sandbox")
async def page(request: Request) -> Response:
    authorize(actor_of(request), Action.READ)
    found = await asyncio.to_thread(_read, request.app.state.settings.home / "sandbox")
    speak_to(request)  # there is no unit here, which would do it
    words = _words()
    return render(
        request,
        "sandbox/sandbox.html",
        received=found.received,
        counts=[(words[kind], found.counts[kind]) for kind in words if found.counts[kind]],
        acts=found.newest,
        words={"received": gettext("took our e-mail"), **words},
    )


def _words() -> dict[str, str]:
    return {
        "reply": gettext("wrote back"),
        "absence": gettext("sent an absence note"),
        "bounce": gettext("mail came back"),
        "complaint": gettext("reported spam"),
        "stop_mail": gettext("asked to stop by mail"),
        "stop_post": gettext("asked to stop by one click"),
        "open": gettext("opened it"),
        "click": gettext("followed a link"),
        "machine_open": gettext("a machine opened it"),
        "machine_click": gettext("a machine followed links"),
    }


def _read(folder: Path) -> _Doings:
    """From the provider's ledger, the mailboxes' indexes and the list of requests; another process writes them."""
    ledger = [entry for entry in _lines(folder / "ledger.jsonl") if "number" in entry]
    recipients = {int(entry["number"]): str(entry["recipient"]) for entry in ledger}
    acts = [
        _Act(datetime.fromisoformat(entry["at"]), str(entry["recipient"]), "received") for entry in ledger
    ]
    counts = Counter(key.rpartition(" ")[2] for key in _keys(folder / "done.jsonl"))
    for index in sorted(folder.glob("mail/*/INBOX/index.jsonl")):
        for change in _lines(index):
            number, _, kind = _parts(change.get("key", ""))
            if kind:
                counts[kind] += 1
                acts.append(_Act(datetime.fromisoformat(change["date"]), recipients.get(number, ""), kind))
    newest = sorted(acts, key=lambda act: act.at, reverse=True)[:_SHOWN]
    return _Doings(max(recipients, default=0), counts, tuple(newest))


def _parts(key: str) -> tuple[int, str, str]:
    """Letter, person and kind of a key such as ``12 7 reply``; zeros for other mail."""
    parts = key.split(" ")
    return (int(parts[0]), parts[1], parts[2]) if len(parts) == 3 and parts[0].isdigit() else (0, "", "")


def _keys(path: Path) -> list[str]:
    return [line for line in _tail(path) if line.count(" ") == 2]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in _tail(path):
        try:
            found = json.loads(line)
        except ValueError:
            continue  # cut off at the start of the tail, or half written
        if isinstance(found, dict):
            yield found


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


@router.post("/sandbox/speed")
async def speed(
    request: Request,
    speed: Annotated[float, Form(ge=_SLOWEST, le=_FASTEST)],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """World seconds for each second of the machine, from now on and without a jump."""
    authorize(actor_of(request), Action.RUN_CAMPAIGNS)
    await set_world(request.app.state.database, speed=speed)
    return see(safe_path(back))
