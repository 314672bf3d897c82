"""Links that stop all mail: safe to look at, effective when asked, open to whoever holds them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from cadenza.audience.contracts import Suppression
from cadenza.audience.pages import router
from cadenza.audience.service import import_contacts, suppressions_of, unsubscribe_token
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE, Actor
from cadenza.identity.middleware import SessionMiddleware
from cadenza.web.contracts import Edge
from cadenza.web.service import install

_TABLES = ("suppressions", "events", "addresses", "contacts", "audit_entries")


@pytest.fixture
async def link(database: Database, workspace: Actor) -> str:
    async with database.unit(workspace.workspace_id) as unit:
        report = await import_contacts(unit, workspace, b"email\nkatrin@firm.example\n", file="people.csv")
    token = unsubscribe_token(database.secrets, workspace.workspace_id, report.contact_ids[0])
    return f"/u/{token}"


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    app.state.database = database
    app.include_router(router)
    app.add_middleware(SessionMiddleware, database=database, settings=Settings())
    install(app, Edge(SESSION_COOKIE, crossing=("/u/",)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        yield client


async def _rows(database: Database, actor: Actor) -> dict[str, list[str]]:
    async with database.unit(actor.workspace_id) as unit:
        return {
            table: [str(row) for row in await unit.session.execute(text(f"select * from {table} order by 2"))]
            for table in _TABLES
        }


async def _stops(database: Database, actor: Actor) -> set[tuple[str, str]]:
    async with database.unit(actor.workspace_id) as unit:
        contact = (await unit.session.execute(text("select id from contacts"))).scalar_one()
        stops: tuple[Suppression, ...] = await suppressions_of(unit, contact)
    return {(stop.kind.value, stop.reason.value) for stop in stops}


@pytest.mark.must_not("M4")
@pytest.mark.asvs("3.5.3")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_the_link_changes_nothing(
    client: httpx.AsyncClient, database: Database, workspace: Actor, link: str, method: str
) -> None:
    before = await _rows(database, workspace)
    for agent in ("Mozilla/5.0", "Barracuda Sentinel", "GoogleImageProxy"):
        answer = await client.request(method, link, headers={"user-agent": agent})
        assert answer.status_code == 200
    assert await _rows(database, workspace) == before
    assert not await _stops(database, workspace)


async def test_the_page_asks_then_posts(client: httpx.AsyncClient, link: str) -> None:
    page = (await client.get(link, headers={"accept": "text/html"})).text
    assert f'<form method="post" action="{link}">' in page
    assert 'name="List-Unsubscribe" value="One-Click"' in page
    assert "k•••@firm.example" in page
    assert "katrin@" not in page


@pytest.mark.must_not("M4")
@pytest.mark.parametrize("origin", [None, "https://mail.provider.example", "http://testserver"])
@pytest.mark.parametrize("multipart", [False, True])
async def test_one_post_stops_for_good_without_cookie_log_in_or_redirect(
    client: httpx.AsyncClient,
    database: Database,
    workspace: Actor,
    link: str,
    origin: str | None,
    multipart: bool,
) -> None:
    form = {"List-Unsubscribe": "One-Click"}
    headers = {"origin": origin} if origin else {}
    given = {"files": {name: (None, value) for name, value in form.items()}} if multipart else {"data": form}
    for _ in range(2):
        answer = await client.post(link, headers=headers, **given)  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert await _stops(database, workspace) == {("contact", "opt_out"), ("address", "opt_out")}


@pytest.mark.parametrize("body", [b"", b"something=else", b"x" * 20_000 + b"List-Unsubscribe=One-Click"])
async def test_a_post_that_does_not_say_so_only_asks(
    client: httpx.AsyncClient, database: Database, workspace: Actor, link: str, body: bytes
) -> None:
    answer = await client.post(
        link, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert 'value="One-Click"' in answer.text
    assert not await _stops(database, workspace)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "a" * 300, "%00", "AAAA%20BBBB", "..%2F..%2Fetc"])
async def test_a_link_that_is_not_ours_says_what_to_do(
    client: httpx.AsyncClient, method: str, token: str
) -> None:
    answer = await client.request(method, f"/u/{token}")
    assert answer.status_code == 404
    assert "traceback" not in answer.text.lower()


async def test_a_cut_or_altered_link_stops_nobody(
    client: httpx.AsyncClient, database: Database, workspace: Actor, link: str
) -> None:
    for altered in (link[:-2], link[:-1] + ("A" if link[-1] != "A" else "B")):
        answer = await client.post(altered, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 404
        assert "This link is not one of ours" in answer.text
    assert not await _stops(database, workspace)
