"""Links that go to a person's own mailbox: for a forgotten password and into a workspace (ASVS 6.4.1)."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import text

from cadenza.app.composition import JOBS, web_app
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import Settings, settings
from cadenza.identity.contracts import SESSION_COOKIE, Role, Stage
from cadenza.identity.factors import begin_enrolment, confirm_enrolment
from cadenza.identity.service import log_in
from cadenza.identity.sessions import signed_in
from cadenza.web.security import form_token
from tests.identity.conftest import PASSWORD, SETTINGS, Team
from tests.support.post import PASSWORD as POST_PASSWORD
from tests.support.post import Post, post_office

pytestmark = pytest.mark.usefixtures("team")

LETTERS, NEW = "letters@cadenza.example", "another long and quiet sentence"
SITE = "https://cadenza.example"


@pytest.fixture
async def post(tmp_path: Path, machine: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, machine, [LETTERS]) as office:
        yield office


@pytest.fixture
def mailing(post: Post, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation whose settings name a server for letters."""
    given = {
        "MAIL_SERVER": f"127.0.0.1:{post.smtp.port}", "MAIL_TLS": "none", "MAIL_USER": LETTERS, "MAIL_PASSWORD": POST_PASSWORD,
        "MAIL_FROM": LETTERS, "PUBLIC_URL": SITE,
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"CADENZA_{name}", value)
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture
async def browser(database: Database, mailing: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(web_app(database, mailing))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as client:
        client.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin"})
        yield client


async def work(database: Database) -> int:
    """Do what is on the queue, as a worker would; how many jobs there were."""
    async with database.installation() as session:
        rows = (
            await session.execute(
                text("select id, task_name, args from procrastinate_jobs where status = 'todo' order by id")
            )
        ).all()
        await session.execute(text("delete from procrastinate_jobs"))
    for _, name, arguments in rows:
        await JOBS[name](database, **arguments)
    return len(rows)


async def as_owner(browser: httpx.AsyncClient, team: Team) -> dict[str, str]:
    """Signs this browser in; what its forms must carry."""
    token = await team.token(Role.OWNER)
    browser.cookies.set(f"__Host-{SESSION_COOKIE}", token, domain="cadenza.example")
    return {"csrf_token": form_token(token)}


def letter(post: Post) -> Any:
    return message_from_bytes(post.letters()[-1].content, policy=default)


def path(post: Post) -> str:
    found = re.search(rf"{SITE}(/\S+)", letter(post).get_content())
    assert found
    return found[1]


@pytest.mark.asvs("6.4.1")
async def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(
    browser: httpx.AsyncClient, database: Database, post: Post, machine: ManualClock
) -> None:
    answer = await browser.post("/forgot", data={"email": " Rep@North.example "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/forgot?sent=yes")
    async with database.installation() as session:
        queued = str((await session.execute(text("select args from procrastinate_jobs"))).all())
    assert "/reset/" not in queued
    assert "rep@north.example" not in queued
    assert await work(database) == 1
    assert (post.letters()[-1].recipient, letter(post)["Auto-Submitted"]) == (
        "rep@north.example",
        "auto-generated",
    )
    used = path(post)
    assert (await browser.get(used)).status_code == 200
    assert (await browser.post(used, data={"password": NEW})).headers["location"] == "/login"
    assert await log_in(database, "rep@north.example", NEW, "192.0.2.1")
    assert (await browser.post(used, data={"password": PASSWORD})).status_code == 404
    await browser.post("/forgot", data={"email": "rep@north.example"})
    await work(database)
    late = path(post)
    assert late != used
    machine.move(timedelta(hours=24, seconds=1))
    assert (await browser.post(late, data={"password": PASSWORD})).status_code == 404


async def test_only_the_newest_link_works(browser: httpx.AsyncClient, database: Database, post: Post) -> None:
    for _ in range(2):
        await browser.post("/forgot", data={"email": "rep@north.example"})
        await work(database)
    first = re.search(
        rf"{SITE}(/\S+)", message_from_bytes(post.letters()[0].content, policy=default).get_content()
    )
    assert first
    assert (await browser.get(first[1])).status_code == 404
    assert (await browser.get(path(post))).status_code == 200


async def test_nobody_learns_whether_there_is_an_account(
    browser: httpx.AsyncClient, database: Database, post: Post
) -> None:
    known = await browser.post("/forgot", data={"email": "rep@north.example"})
    unknown = await browser.post("/forgot", data={"email": "nobody@north.example"})
    assert (known.status_code, known.headers["location"]) == (
        unknown.status_code,
        unknown.headers["location"],
    )
    assert await work(database) == 1
    assert [entry.recipient for entry in post.letters()] == ["rep@north.example"]


async def test_nobody_fills_the_mailbox_of_another(browser: httpx.AsyncClient, database: Database) -> None:
    """Three letters to an account within a quarter of an hour; a source that goes on has to wait."""
    codes = [
        (await browser.post("/forgot", data={"email": "rep@north.example"})).status_code for _ in range(7)
    ]
    assert await work(database) == 3
    assert codes[:3] == [303, 303, 303]
    assert codes[-1] == 429


@pytest.mark.asvs("6.4.3")
async def test_a_mailed_link_skips_no_second_factor(
    browser: httpx.AsyncClient, database: Database, team: Team, post: Post, machine: ManualClock
) -> None:
    rep = await team.session(Role.REP)
    async with database.unit(rep.actor.workspace_id) as unit:
        begun = begin_enrolment(unit, rep.actor, rep.member)
        code = pyotp.TOTP(begun.secret).at(machine.now())
        await confirm_enrolment(unit, rep.actor, rep.member, begun.sealed, code)
    await browser.post("/forgot", data={"email": "rep@north.example"})
    await work(database)
    await browser.post(path(post), data={"password": NEW})
    found = await signed_in(database, await log_in(database, "rep@north.example", NEW, "192.0.2.1"), SETTINGS)
    assert found is not None
    assert found.stage is Stage.CODE


async def test_an_invitation_goes_to_the_invited_alone(
    browser: httpx.AsyncClient, database: Database, team: Team, post: Post
) -> None:
    form = await as_owner(browser, team) | {
        "email": "new@north.example", "name": "Nils", "role": "rep", "mailed": "yes"
    }  # fmt: skip
    answer = await browser.post("/settings/members", data=form)
    assert answer.headers["location"] == "/settings/members?said=mailed"
    assert await work(database) == 1
    assert post.letters()[-1].recipient == "new@north.example"
    assert "North" in letter(post).get_content()
    browser.cookies.clear()
    joined = await browser.post(path(post), data={"name": "Nils", "password": NEW})
    assert joined.headers["location"] == "/login"
    assert await log_in(database, "new@north.example", NEW, "192.0.2.1")
    assert (await browser.post(path(post), data={"name": "Nils", "password": NEW})).status_code == 404


async def test_an_invitation_that_was_withdrawn_is_not_mailed(
    browser: httpx.AsyncClient, database: Database, team: Team, post: Post
) -> None:
    proof = await as_owner(browser, team)
    await browser.post(
        "/settings/members", data=proof | {"email": "new@north.example", "role": "rep", "mailed": "yes"}
    )
    page = await browser.get("/settings/members")
    found = re.search(r"/settings/invitations/[^/]+/withdraw", page.text)
    assert found
    await browser.post(found[0], data=proof)
    assert await work(database) == 1
    assert post.letters() == []


@pytest.mark.usefixtures("mailing")
async def test_a_server_that_is_away_is_tried_again(
    database: Database, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADENZA_MAIL_SERVER", "127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(CadenzaError) as away:
        await JOBS["mail_reset_link"](database, user_id=str(team.members[Role.REP].user_id))
    assert (away.value.code, away.value.kind) == ("letter_not_sent", Kind.TEMPORARY)


async def test_without_a_server_the_page_says_whom_to_ask(database: Database) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(database, Settings(public_url=SITE))), base_url=SITE
    ) as client:
        client.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin"})
        page = await client.get("/forgot")
        assert "Ask an owner" in page.text
        await client.post("/forgot", data={"email": "rep@north.example"})
    assert await work(database) == 0


@pytest.mark.parametrize("server", ["mail.example.com", "mail.example.com:0", ":25", "host:port"])
def test_a_server_without_a_port_is_refused(server: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        Settings(mail_server=server)
