from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE
from cadenza.identity.service import create_workspace, log_in
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.smtp_server import Ledger
from cadenza.web.security import form_token
from tests.web.seed import PASSWORD

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
async def visitor(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await create_workspace(database, "Demo", owner_email="o@x.example", owner_name="Dana", password=PASSWORD)
    token = await log_in(database, "o@x.example", PASSWORD, "127.0.0.1")
    app = web_app(database, Settings(home=tmp_path, sandbox=True))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://testserver", cookies={SESSION_COOKIE: token}
    ) as client:
        client.headers.update(
            {"sec-fetch-site": "same-origin", "x-csrf-token": form_token(token), "accept": "text/html"}
        )
        yield client


async def test_it_tells_from_the_files_what_the_people_did(
    visitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = tmp_path / "sandbox"
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add(NOW.isoformat(), "anna@north.example", ["luc@firm.example"], b"Subject: x\r\n\r\n<script>")
    store = MailStore(folder / "mail", ManualClock(NOW))
    store.account("anna@north.example").folders["INBOX"].append_once("1 7 reply", b"x", NOW)
    store.account("anna@north.example").folders["INBOX"].append(b"other mail", NOW)
    (folder / "done.jsonl").write_text("1 7 open\n1 7 machine_op")
    with (folder / "ledger.jsonl").open("a") as file:
        file.write('{"number": 2, "at": "2026-')
    page = (await visitor.get("/sandbox")).text
    assert page.count("luc@firm.example") == 2
    assert "took our e-mail" in page
    assert "wrote back" in page
    assert "Opened it" in page
    assert "<script>" not in page.replace("<script nonce", "")
    german = (await visitor.get("/sandbox", headers={"accept-language": "de"})).text
    assert "nahm unsere E-Mail an" in german
    assert "took our e-mail" not in german
    assert '"number": 2' in (folder / "ledger.jsonl").read_text(), "looking altered the sandbox's own file"


async def test_before_anything_happened_it_says_what_comes(visitor: httpx.AsyncClient) -> None:
    assert "Launch a campaign" in (await visitor.get("/sandbox")).text


async def test_the_speed_of_the_world_is_set_and_shown(
    visitor: httpx.AsyncClient, database: Database
) -> None:
    answer = await visitor.post("/sandbox/speed", data={"speed": "540", "back": "/campaigns"})
    assert answer.headers["location"] == "/campaigns"
    async with database.installation() as session:
        assert (await session.execute(text("select speed from world_clock"))).scalar_one() == 540
    for wrong in ("0", "-1", "1000000", "nan"):
        assert (await visitor.post("/sandbox/speed", data={"speed": wrong})).status_code == 422, wrong


@pytest.mark.asvs("13.4.2")
async def test_production_has_no_sandbox_routes(database: Database, tmp_path: Path) -> None:
    app = web_app(database, Settings(home=tmp_path, sandbox=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        assert (await client.get("/sandbox")).status_code == 404
        assert (await client.post("/sandbox/speed", data={"speed": "2"})).status_code == 404
        assert "Sandbox" not in (await client.get("/login")).text
