"""Ceilings per person and workspace: one over is refused, changes nothing, and stands in the audit trail."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.audience.contact_export import MOST_A_DAY
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.service import create_api_token, members
from cadenza.ledger.webhooks import MOST_WEBHOOKS
from tests.web.seed import Seeded

API = "/api/v1"
_UPLOADS = 10  # that wait for their mapping


@pytest.fixture
async def caller(database: Database, tmp_path: Path, seeded: Seeded) -> AsyncIterator[httpx.AsyncClient]:
    async with database.unit(seeded.actor.workspace_id) as unit:
        member = (await members(unit, seeded.actor))[0]
        token = await create_api_token(unit, seeded.actor, member_id=member.id, name="test")
    settings = Settings(home=tmp_path, sandbox=True, api_requests_per_minute=60)
    transport = httpx.ASGITransport(web_app(database, settings))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver", headers=headers
    ) as client:
        yield client


async def _refusals(database: Database, seeded: Seeded) -> list[str]:
    async with database.unit(seeded.actor.workspace_id) as unit:
        found = await unit.session.scalars(
            text("select subject from audit_entries where action = 'refused' order by at, id")
        )
        return list(found)


async def _upload(caller: httpx.AsyncClient) -> httpx.Response:
    return await caller.post(
        f"{API}/imports", files={"file": ("people.csv", io.BytesIO(b"email\na@b.example\n"))}
    )


async def _webhook(caller: httpx.AsyncClient) -> httpx.Response:
    return await caller.post(f"{API}/webhooks", json={"url": "http://127.0.0.1:9/in", "kinds": ["replied"]})


async def _export(caller: httpx.AsyncClient) -> httpx.Response:
    return await caller.post(f"{API}/contacts/export", json={})


@pytest.mark.asvs("2.3.2", "2.4.1", "16.3.3")
@pytest.mark.parametrize(
    ("ask", "most", "code", "table"),
    [
        (_upload, _UPLOADS, "too_many_uploads", "imports"),
        (_webhook, MOST_WEBHOOKS, "too_many_webhooks", "webhooks"),
        (_export, MOST_A_DAY, "too_many_exports", "exports"),
    ],
)
async def test_one_over_a_ceiling_is_refused_and_recorded(
    caller: httpx.AsyncClient,
    database: Database,
    seeded: Seeded,
    ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
    most: int,
    code: str,
    table: str,
) -> None:
    for _ in range(most):
        answer = await ask(caller)
        assert answer.status_code == 200, answer.text
    before = await _rows(database, seeded, table)
    refused = await ask(caller)
    assert (refused.status_code, refused.json()["code"]) == (429, code)
    assert refused.json()["fix"]
    assert await _rows(database, seeded, table) == before
    assert await _refusals(database, seeded) == [code]


async def _rows(database: Database, seeded: Seeded, table: str) -> int:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return (await unit.session.execute(text(f"select count(*) from {table}"))).scalar_one()


@pytest.mark.asvs("2.3.2", "2.4.1", "16.3.3")
async def test_who_asks_too_fast_is_refused_and_recorded_once_a_minute(
    caller: httpx.AsyncClient, database: Database, seeded: Seeded, machine: ManualClock
) -> None:
    for _ in range(2):
        answers = [await caller.get(f"{API}/fields") for _ in range(63)]
        assert [each.status_code for each in answers] == [200] * 60 + [429] * 3
        machine.move(timedelta(minutes=1))
    assert await _refusals(database, seeded) == ["too_many_requests"] * 2
