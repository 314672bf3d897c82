"""Fifty exports at once: a few are written, the others are told when to ask again, and pages are answered meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import text

from cadenza.app.benchmarks.population_sql import PEOPLE
from cadenza.app.composition import web_app
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.identity.service import log_in
from cadenza.web import downloads
from cadenza.web.downloads import LONGEST, MOST_AT_ONCE, MOST_OF_A_WORKSPACE, Downloads
from cadenza.web.security import form_token
from tests.web.seed import PASSWORD, Seeded, seed

_COUNT, _EXPORTS = 20_000, 50  # people, exports


@pytest.fixture
async def houses(database: Database) -> list[Seeded]:
    return [await seed(database) for _ in range(3)]


async def _grow(database: Database, house: Seeded) -> None:
    given = {"workspace": house.actor.workspace_id, "people": _COUNT}
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        for statement in PEOPLE[:3]:
            await connection.execute(statement.encode(), given)
        await connection.execute("analyze")


@asynccontextmanager
async def _visitors(
    database: Database, folder: Path, houses: list[Seeded]
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """One of each workspace, all before one and the same process."""
    transport = httpx.ASGITransport(web_app(database, Settings(home=folder, sandbox=True)))
    clients = []
    for house in houses:
        token = await log_in(database, house.email, PASSWORD, "127.0.0.1")
        headers = {"sec-fetch-site": "same-origin", "x-csrf-token": form_token(token)}
        clients.append(
            httpx.AsyncClient(
                transport=transport,
                base_url="http://testserver",
                cookies={SESSION_COOKIE: token},
                headers=headers,
            )
        )
    yield clients
    for client in clients:
        await client.aclose()


_PAGES = ("/contacts", "/campaigns", "/audit")


async def _look(client: httpx.AsyncClient) -> None:
    for address in _PAGES:
        assert (await client.get(address)).status_code == 200


async def _watch(client: httpx.AsyncClient, large: "asyncio.Task[httpx.Response]") -> int:
    """How many pages were answered, each of them, while the large export was being written."""
    answered = 0
    while not large.done():
        await _look(client)
        answered += len(_PAGES) if not large.done() else 0
    return answered


def _running(client: httpx.AsyncClient) -> int:
    """How many files are being written by the process of this client."""
    app: Any = client._transport.app  # type: ignore[attr-defined]
    return len(app.state.downloads._running)


@pytest.mark.asvs("15.2.2", "2.4.1")
async def test_pages_are_answered_while_fifty_exports_are_asked_for(
    database: Database, tmp_path: Path, houses: list[Seeded]
) -> None:
    await _grow(database, houses[0])
    async with _visitors(database, tmp_path, houses) as clients:
        await _look(clients[2])  # templates are read once
        large = asyncio.create_task(clients[0].post("/contacts/export.csv"))
        watching = asyncio.create_task(_watch(clients[2], large))
        while not _running(clients[0]):
            await asyncio.sleep(0.01)
        addresses = ("/contacts/export.csv", "/audit/export")
        asked = [clients[n % 3].post(addresses[n % 2]) for n in range(1, _EXPORTS)]
        answers = await asyncio.gather(large, *asked)
        answered = await watching
    assert answered >= len(_PAGES), "no page came between the export's beginning and its end"
    kinds = Counter(answer.status_code for answer in answers)
    assert kinds[200] >= MOST_AT_ONCE
    assert kinds[429] + kinds[503] == _EXPORTS - kinds[200] > 0
    for answer in answers:
        if answer.status_code != 200:
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("downloads_busy", "15")
    assert len(large.result().text.splitlines()) == 1 + _COUNT + len(houses[0].contacts), (
        "what is begun is whole"
    )


async def test_who_comes_in_vain_is_not_counted_and_the_next_one_has_room_again(
    database: Database, tmp_path: Path, houses: list[Seeded]
) -> None:
    async with _visitors(database, tmp_path, houses) as clients:
        answers = await asyncio.gather(*(clients[0].post("/contacts/export.csv") for _ in range(6)))
        assert Counter(each.status_code for each in answers) == {200: MOST_OF_A_WORKSPACE, 429: 4}
        assert (await clients[0].post("/contacts/export.csv")).status_code == 200
        assert (await clients[0].post("/contacts/export.csv", data={"f": "nonsense"})).status_code == 422
        assert (await clients[0].post("/audit/export")).status_code == 200, "what fails gives its place back"
    async with database.unit(houses[0].actor.workspace_id) as unit:
        counted = await unit.session.scalar(text("select count(*) from exports"))
        told = await unit.session.scalar(
            text("select count(*) from audit_entries where action = 'contacts_exported'")
        )
        refused = await unit.session.scalar(
            text("select count(*) from audit_entries where action = 'refused' and subject = 'downloads_busy'")
        )
    assert (counted, told, refused) == (MOST_OF_A_WORKSPACE + 1, MOST_OF_A_WORKSPACE + 1, 4)


def test_places_are_of_the_workspace_and_of_the_process_and_end_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(downloads, "monotonic", lambda: now)
    running = Downloads()
    taken = [running.take(UUID(int=n // MOST_OF_A_WORKSPACE)) for n in range(MOST_AT_ONCE)]
    for owner, kind in ((0, "too_many"), (9, "temporary")):
        with pytest.raises(CadenzaError) as refused:
            running.take(UUID(int=owner))
        assert (refused.value.kind.value, refused.value.retry_after) == (kind, 15)
    running.give_back(taken[0])
    running.give_back(taken[0])  # twice is once
    again = running.take(UUID(int=0))
    assert not running.late(again)
    now += LONGEST
    assert running.late(again), "who reads too slowly is cut off"
    assert running.take(UUID(int=9)), "and keeps nobody waiting"
