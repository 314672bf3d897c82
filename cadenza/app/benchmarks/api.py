"""Whether any request that the API's own description allows, or nearly allows, is answered by a crash.

A web process is asked with requests that schemathesis makes up from the description, valid and not, for every route, as
an owner over a token. The value is how many requests were made; a single answer of 500 or above fails.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from cadenza.app.benchmarks.commands import Result
from cadenza.app.benchmarks.scratch import (
    KEYS,
    NOON,
    loopback,
    running_campaign,
    scratch_server,
    worker_environment,
)
from cadenza.core.clock import MachineClock, ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.http import Egress, Purpose
from cadenza.identity.contracts import Actor, Role
from cadenza.identity.service import create_api_token, members
from cadenza.web.api import PREFIX

_EXAMPLES = 25  # requests a route in one round
_PEOPLE = 60
_START_SECONDS = 30.0


@dataclass(slots=True)
class _Seen:
    statuses: Counter[str] = field(default_factory=Counter)
    crashes: dict[str, str] = field(default_factory=dict)  # route: how to ask for it again
    routes: set[str] = field(default_factory=set)


async def run(size: int = 600) -> Result:
    """``api``: ``size`` is for how many seconds."""
    seen = _Seen()
    async with scratch_server() as server, _web(server.application_url) as (address, token):
        description = (
            await Egress(this_machine=True).request(Purpose.SELF, "GET", f"{address}{PREFIX}/openapi.json")
        ).json()
        await asyncio.to_thread(_ask, description, (address, token), size, seen)
    requests = sum(seen.statuses.values())
    missed = {
        f"{verb.upper()} {path}" for path, verbs in description["paths"].items() for verb in verbs
    } - seen.routes
    return Result(
        name="api",
        value=requests,
        unit="requests",
        detail={"seconds": size, "routes": len(seen.routes), "statuses": dict(sorted(seen.statuses.items()))},
        failed=(*(f"{route}: {how}" for route, how in seen.crashes.items()), *(f"{each} was not asked" for each in sorted(missed))),
    )  # fmt: skip


def _ask(description: dict[str, Any], to: tuple[str, str], seconds: float, seen: _Seen) -> None:
    """Rounds over all routes until the time is over; in a thread, for schemathesis waits for each answer."""
    schemathesis = _tool("schemathesis")
    until = MachineClock().now().timestamp() + seconds
    operations = [each.ok() for each in schemathesis.openapi.from_dict(description).get_all_operations()]
    first = True
    while first or MachineClock().now().timestamp() < until:
        for operation in operations:
            if first or MachineClock().now().timestamp() < until:
                _ask_one(operation, to, seen)
        first = False


def _ask_one(operation: Any, to: tuple[str, str], seen: _Seen) -> None:
    schemathesis, hypothesis = _tool("schemathesis"), _tool("hypothesis")
    address, token = to
    route = f"{operation.method.upper()} {operation.path}"

    def ask(case: Any) -> None:
        answer = case.call(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        seen.routes.add(route)
        seen.statuses[str(answer.status_code)] += 1
        if answer.status_code >= 500:
            seen.crashes.setdefault(route, f"{answer.status_code} for {case.as_curl_command()[:500]}")

    for mode in schemathesis.GenerationMode:
        test = hypothesis.given(operation.as_strategy(generation_mode=mode))(ask)
        hypothesis.settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )(test)()


def _tool(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as wrong:
        raise CadenzaError(
            "bench_tool_missing",
            f"{name} is not installed.",
            fix="Run `make setup-dev`; it is a tool of development.",
        ) from wrong


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def _web(url: str) -> AsyncIterator[tuple[str, str]]:
    """A web process over a scratch installation with something in it: its address, and an owner's token."""
    port = free_port()
    database = Database(url, secrets=KEYS, machine=MachineClock(), world=ManualClock(NOON))
    try:
        actor = await running_campaign(database, _PEOPLE, loopback(9), loopback(9))
        token = await _token(database, actor)
    finally:
        await database.close()
    with tempfile.TemporaryDirectory(prefix="cadenza-bench-") as home:
        environment = worker_environment(
            url,
            Path(home),
            CADENZA_SANDBOX="1",
            CADENZA_PORT=str(port),
            CADENZA_API_REQUESTS_PER_MINUTE="100000",
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cadenza.app", "web", env=os.environ | environment
        )
        try:
            address = f"http://127.0.0.1:{port}"
            await until_up(address)
            yield address, token
        finally:
            process.terminate()
            await process.wait()


async def _token(database: Database, actor: Actor) -> str:
    async with database.unit(actor.workspace_id) as unit:
        owner = next(each for each in await members(unit, actor) if each.role is Role.OWNER)
        return await create_api_token(unit, actor, member_id=owner.id, name="bench")


async def until_up(address: str) -> None:
    for _ in range(int(_START_SECONDS / 0.2)):
        try:
            await Egress(this_machine=True).request(Purpose.SELF, "GET", f"{address}/healthz", seconds=2)
        except CadenzaError:
            await asyncio.sleep(0.2)
        else:
            return
    raise CadenzaError("bench_web", "The web process did not start.", fix="See its log above.")
