from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.identity.middleware import SessionMiddleware
from cadenza.identity.pages import router
from cadenza.identity.service import actor_of, create_workspace
from cadenza.web.contracts import Edge
from cadenza.web.security import form_token
from cadenza.web.service import install

EMAIL, PASSWORD = "nora@halden.example", "a long enough password of ours"


def _application(database: Database) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.database = database
    app.include_router(router)

    @app.get("/")
    async def home(request: Request) -> Response:
        return PlainTextResponse(actor_of(request).name)

    app.add_middleware(SessionMiddleware, database=database, settings=Settings())
    install(app, Edge(SESSION_COOKIE))
    return app


@pytest.fixture
async def known(database: Database) -> Database:
    await create_workspace(
        database, "Halden", owner_email=EMAIL, owner_name="Nora Lindqvist", password=PASSWORD
    )
    return database


@pytest.fixture(params=["http", "https"])
async def client(request: pytest.FixtureRequest, known: Database) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_application(known))
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{request.param}://cadenza.example"
    ) as client:
        client.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin"})
        yield client


def _form(**more: str) -> dict[str, str]:
    return {"email": EMAIL, "password": PASSWORD, **more}


@pytest.mark.asvs("3.3.1", "3.3.2", "3.3.3", "3.3.4")
async def test_the_cookie_is_for_this_host_this_site_and_no_script(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", data=_form(next="/campaigns?state=running"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/campaigns?state=running")
    cookie = answer.headers["set-cookie"]
    https = client.base_url.scheme == "https"
    assert cookie.startswith(f"__Host-{SESSION_COOKIE}=" if https else f"{SESSION_COOKIE}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=lax"} <= parts
    assert ("secure" in parts) is https
    assert not any(part.startswith("domain") for part in parts)
    assert (await client.get("/")).text == "Nora Lindqvist"


async def test_wrong_words_are_told_without_naming_which(client: httpx.AsyncClient) -> None:
    for form in (_form(password="wrong wrong wrong"), _form(email="nobody@halden.example")):
        answer = await client.post("/login", data=form)
        assert answer.status_code == 401
        assert "E-mail address or password is wrong." in answer.text
        assert PASSWORD not in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.asvs("7.2.4")
async def test_each_log_in_has_a_new_token_and_ends_the_one_before(client: httpx.AsyncClient) -> None:
    await client.post("/login", data=_form())
    name, before = next(iter(client.cookies.items()))
    await client.post("/login", data=_form(csrf_token=form_token(before)))
    after = client.cookies[name]
    assert after != before
    client.cookies.clear()
    answer = await client.get("/", headers={"cookie": f"{name}={before}"})
    assert answer.headers["location"] == "/login"


@pytest.mark.asvs("7.4.1", "14.3.1")
async def test_signing_out_ends_the_session_on_the_server(client: httpx.AsyncClient) -> None:
    await client.post("/login", data=_form())
    name, token = next(iter(client.cookies.items()))
    answer = await client.post("/logout", data={"csrf_token": form_token(token)})
    assert answer.headers["location"] == "/login"
    assert answer.headers["clear-site-data"] == '"cache"'
    replayed = await client.get("/", headers={"cookie": f"{name}={token}"})
    assert replayed.headers["location"] == "/login"


async def test_nobody_is_signed_out_by_another_site(client: httpx.AsyncClient) -> None:
    await client.post("/login", data=_form())
    token = next(iter(client.cookies.values()))
    answer = await client.post(
        "/logout", headers={"sec-fetch-site": "cross-site"}, data={"csrf_token": form_token(token)}
    )
    assert answer.status_code == 403
    assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize("next_address", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_logging_in_leads_to_no_other_site(client: httpx.AsyncClient, next_address: str) -> None:
    page = await client.get("/login", params={"next": next_address})
    assert 'name="next" value="/"' in page.text
    answer = await client.post("/login", data=_form(next=next_address))
    assert answer.headers["location"] == "/"
