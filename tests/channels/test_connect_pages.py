"""Connecting a mailbox as a person does it: by the pages, the way through the provider included."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.channels.contracts import MailboxState
from cadenza.channels.service import mailboxes
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE, Actor, Origin, Role, Scope
from cadenza.identity.service import add_member, create_api_token, create_workspace, log_in
from cadenza.web.security import form_token
from tests.channels.conftest import ANNA, BEN, Scene
from tests.servers.mail_provider import MARK
from tests.support.post import PASSWORD as POST_PASSWORD
from tests.support.post import Post

PASSWORD = "a long and quiet sentence"
WRONG = "canary-of-a-wrong-password"


@dataclass
class Browser:
    """One person before one screen; keeps all that was ever shown."""

    client: httpx.AsyncClient
    shown: list[str] = field(default_factory=list)

    async def get(self, path: str) -> httpx.Response:
        return self._keep(await self.client.get(path))

    async def post(self, path: str, /, **form: str) -> httpx.Response:
        return self._keep(await self.client.post(path, data=form))

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        self.shown.append(answer.text + str(answer.headers))
        return answer

    async def words(self, address: str) -> str:
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", (await self.get(address)).text)).split())


@dataclass
class House:
    database: Database
    settings: Settings
    actor: Actor

    async def browser(self, email: str = "owner@north.example") -> Browser:
        token = await log_in(self.database, email, PASSWORD, "127.0.0.1")
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(web_app(self.database, self.settings)),
            base_url="http://testserver",
            cookies={SESSION_COOKIE: token},
        )
        client.headers.update(
            {
                "accept": "text/html",
                "sec-fetch-site": "same-origin",
                "x-csrf-token": form_token(token),
            }
        )
        return Browser(client)

    async def program(self, *scopes: Scope) -> httpx.AsyncClient:
        async with self.database.unit(self.actor.workspace_id) as unit:
            assert self.actor.member_id is not None
            token = await create_api_token(
                unit, self.actor, member_id=self.actor.member_id, name="test", scopes=scopes
            )
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(web_app(self.database, self.settings)),
            base_url="http://testserver/api/v1",
            headers={"authorization": f"Bearer {token}"},
        )

    async def rows(self, query: str) -> list[Any]:
        async with self.database.unit(self.actor.workspace_id) as unit:
            return list(await unit.session.scalars(text(query)))


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> House:
    workspace, owner = await create_workspace(
        database, "North", owner_email="owner@north.example", owner_name="Olga", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.PAGE, owner.id, "Olga", user_id=owner.user_id)
    return House(database, Settings(home=tmp_path, sandbox=True), actor)


@pytest.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    made = await house.browser()
    yield made
    await made.client.aclose()


def leaving(answer: httpx.Response) -> str:
    """Where the page that goes on by itself goes to."""
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
    assert found, answer.text[:500]
    return html.unescape(found[1])


async def through(scene: Scene, browser: Browser, start: str, **form: str) -> httpx.Response:
    """From the form to the provider, a yes there, and back."""
    left = await browser.post(start, **form)
    back = scene.provider.consent(leaving(left))
    return await browser.get("/connect/callback?" + str(httpx.QueryParams(back)))


def servers(post: Post, **changes: str) -> dict[str, str]:
    return {
        "address": ANNA, "name": "Anna Berg", "password": POST_PASSWORD, "smtp_host": post.smtp.host,
        "smtp_port": str(post.smtp.port), "smtp_tls": "none", "imap_host": post.imap.host,
        "imap_port": str(post.imap.port), "imap_tls": "none",
    } | changes  # fmt: skip


@pytest.mark.asvs("10.2.3", "10.1.1")
async def test_from_an_empty_page_through_the_provider_to_a_mailbox_that_sends(
    scene: Scene, house: House, browser: Browser
) -> None:
    assert 'href="/senders/+connect"' in (await browser.get("/senders")).text
    assert "Microsoft 365" in await browser.words("/senders/+connect")
    said = await browser.words("/senders/+connect/google")
    for words in (
        "We ask for exactly this",
        "See which mailbox it is.",
        "Read, send, file and delete its mail.",
    ):
        assert words in said
    back = await through(scene, browser, "/senders/+connect/google/consent")
    assert back.status_code == 303
    here = back.headers["location"]
    said = await browser.words(here)
    assert "Connected: both servers let us in." in said
    assert "Allowed at Google" in said
    tried = await browser.post(here.partition("?")[0] + "/try", to=ANNA)
    assert f"Sent from {ANNA} to {ANNA}." in html.unescape(tried.text)
    assert "250 2.0.0 OK queued" in tried.text
    trail = await house.rows("select t::text from audit_entries t")
    assert any("mailbox_connected" in line for line in trail)
    assert len(scene.provider.made) == 2
    assert not [words for words in (*browser.shown, *trail) if MARK in words]


@pytest.mark.asvs("10.1.2", "10.2.1")
async def test_the_provider_s_answer_in_another_browser_connects_nothing(
    scene: Scene, house: House, browser: Browser
) -> None:
    left = await browser.post("/senders/+connect/google/consent")
    back = "/connect/callback?" + str(httpx.QueryParams(scene.provider.consent(leaving(left))))
    other = await house.browser()
    for each in (other, browser):  # the first try uses it up
        answer = await each.get(back)
        assert answer.status_code == 422
        assert "Not connected" in answer.text
    await other.client.aclose()
    assert await house.rows("select address from mailboxes") == []
    assert (
        await house.rows("select subject from audit_entries where action = 'mailbox_not_connected'")
        == ["sign_on_refused"] * 2
    )


async def test_who_says_no_reads_it_and_may_start_again(scene: Scene, house: House, browser: Browser) -> None:
    left = await browser.post("/senders/+connect/google/consent")
    state = scene.provider.consent(leaving(left))["state"]
    answer = await browser.get(f"/connect/callback?state={state}&error=access_denied")
    assert answer.status_code == 403
    assert "You did not allow it at Google; nothing was kept." in answer.text
    assert 'href="/senders/+connect"' in answer.text
    assert await house.rows("select address from mailboxes") == []


async def test_a_revoked_mailbox_is_connected_again_for_the_same_address_only(
    scene: Scene, house: House, browser: Browser, machine: ManualClock
) -> None:
    here = (
        (await through(scene, browser, "/senders/+connect/google/consent"))
        .headers["location"]
        .partition("?")[0]
    )
    scene.provider.take_back()
    machine.move(timedelta(hours=2))
    browser = await house.browser()
    await browser.post(f"{here}/test")
    assert "taken back" in await browser.words(here)
    assert "taken back" in await browser.words("/")
    scene.provider.address = BEN
    other = await through(scene, browser, f"{here}/again")
    assert other.status_code == 409
    assert BEN in other.text
    scene.provider.address = ANNA
    assert (await through(scene, browser, f"{here}/again")).headers["location"] == f"{here}?said=connected"
    assert "taken back" not in await browser.words("/")
    await browser.client.aclose()


@pytest.mark.asvs("13.3.1", "3.2.2")
async def test_a_password_is_tested_first_and_never_shown_again(
    post: Post, house: House, browser: Browser
) -> None:
    assert "IMAP" in await browser.words("/senders/+connect/gmx")
    refused = await browser.post("/senders/+connect/gmx", **servers(post, password=WRONG))
    assert refused.status_code == 422
    assert "Nothing was kept" in refused.text
    assert "SMTP server 127.0.0.1" in refused.text
    assert "IMAP server 127.0.0.1" in refused.text
    assert f'value="{post.smtp.port}"' in refused.text, "what was typed is still there"
    assert await house.rows("select address from mailboxes") == []
    for wrong, words in (
        ({"smtp_port": "x"}, "Give a port from 1 to 65535."), ({"smtp_host": "mail.example.com"}, "without TLS"), ({"address": "anna"}, "anna"),
    ):  # fmt: skip
        answer = await browser.post("/senders/+connect/other", **servers(post, **wrong))
        assert answer.status_code == 422, wrong
        assert words in answer.text, wrong
    kept = await browser.post("/senders/+connect/other", **servers(post))
    here = kept.headers["location"]
    assert kept.status_code == 303
    assert "By password, as anna@north.example." in await browser.words(here)
    assert (await browser.post("/senders/+connect/other", **servers(post))).status_code == 409
    await browser.get(here.partition("?")[0] + "/change")
    assert not [words for words in browser.shown if WRONG in words or f'value="{POST_PASSWORD}"' in words]


@pytest.mark.asvs("6.2.3", "7.5.1")
async def test_what_hands_a_mailbox_over_asks_for_a_fresh_proof(
    post: Post, house: House, browser: Browser, machine: ManualClock
) -> None:
    kept = await browser.post("/senders/+connect/other", **servers(post))
    here = kept.headers["location"].partition("?")[0]
    machine.move(timedelta(minutes=11))
    for address in (f"{here}/change", f"{here}/end", "/senders/+connect/gmx"):
        answer = await browser.get(address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/prove?next=")
    for address, form in (
        ("/senders/+connect/other", servers(post, address=BEN)), (f"{here}/change", servers(post)), (f"{here}/end", {}),
    ):  # fmt: skip
        answer = await browser.post(address, **form)
        assert answer.status_code == 403, address
        assert "needs your password or a code once more" in answer.text, address
    assert await house.rows("select state from mailboxes") == ["ok"]


async def test_servers_change_only_with_a_password_that_they_take(
    post: Post, house: House, browser: Browser
) -> None:
    here = (
        (await browser.post("/senders/+connect/other", **servers(post))).headers["location"].partition("?")[0]
    )
    before = await house.rows("select t::text from mailboxes t")
    refused = await browser.post(f"{here}/change", **servers(post, smtp_port="9"))
    assert refused.status_code == 422
    assert "127.0.0.1:9 cannot be reached" in refused.text
    assert await house.rows("select t::text from mailboxes t") == before, "the mailbox goes on as it is"
    changed = await browser.post(f"{here}/change", **servers(post, user=ANNA.upper()))
    assert changed.status_code == 303
    assert await house.rows("select user_name from mailboxes") == [ANNA.upper()]
    assert await house.rows("select display_name from mailboxes") == ["Anna Berg"]


async def test_a_mailbox_is_paused_resumed_and_ended(post: Post, house: House, browser: Browser) -> None:
    here = (
        (await browser.post("/senders/+connect/other", **servers(post, name="")))
        .headers["location"]
        .partition("?")[0]
    )
    for act, words in (("pause", "Paused"), ("resume", "It goes on.")):
        answer = await browser.post(f"{here}/{act}")
        assert words in await browser.words(answer.headers["location"])
    assert "answers that arrive there stay unseen here" in await browser.words(f"{here}/end")
    gone = await browser.post(f"{here}/end")
    assert gone.headers["location"] == "/senders?said=disconnected"
    assert "Disconnected. Nothing here opens the mailbox any more." in await browser.words(
        "/senders?said=disconnected"
    )
    assert await house.rows("select address from mailboxes") == []


async def test_a_mailbox_that_somebody_set_up_comes_back_as_it_was(
    post: Post, house: House, browser: Browser
) -> None:
    first = await browser.post("/senders/+connect/other", **servers(post))
    here = first.headers["location"].partition("?")[0]
    async with house.database.unit(house.actor.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set daily_limit = 25, signature = 'Anna'"))
    gone = await browser.post(f"{here}/end")
    assert gone.headers["location"] == f"{here}?said=disconnected"
    again = await browser.post("/senders/+connect/other", **servers(post, name=""))
    assert again.headers["location"] == f"{here}?said=connected"
    async with house.database.unit(house.actor.workspace_id) as unit:
        (box,) = await mailboxes(unit)
    assert (box.display_name, box.daily_limit, box.signature) == ("Anna Berg", 25, "Anna")
    assert box.state is MailboxState.OK
    await browser.post(f"{here}/end")
    await browser.post("/senders/+connect/other", **servers(post, name="Anna B."))
    assert await house.rows("select display_name from mailboxes") == ["Anna B."]


@pytest.mark.asvs("8.1.1", "8.2.1")
async def test_who_may_only_read_sees_how_it_stands_and_changes_nothing(
    post: Post, house: House, browser: Browser
) -> None:
    here = (
        (await browser.post("/senders/+connect/other", **servers(post))).headers["location"].partition("?")[0]
    )
    async with house.database.unit(house.actor.workspace_id) as unit:
        await add_member(
            unit, house.actor, email="rep@north.example", name="Rep", role=Role.REP, password=PASSWORD
        )
    rep = await house.browser("rep@north.example")
    page = (await rep.get(here)).text
    assert ANNA in page
    assert "/connection/" not in page
    for address in ("/senders/+connect", "/senders/+connect/gmx", f"{here}/change", f"{here}/end"):
        assert (await rep.get(address)).status_code == 403, address
    for act in ("test", "pause", "resume", "change", "again", "end", "try"):
        assert (await rep.post(f"{here}/{act}")).status_code == 403, act
    await rep.client.aclose()
    async with house.database.unit(house.actor.workspace_id) as unit:
        (box,) = await mailboxes(unit)
    assert box.state is MailboxState.OK


@pytest.mark.asvs("8.2.1", "8.2.3", "13.3.1")
async def test_a_program_adds_tests_tries_and_pauses_with_an_admin_s_token_only(
    post: Post, house: House
) -> None:
    body = {
        "address": ANNA, "password": POST_PASSWORD, "smtp": {"host": "127.0.0.1", "port": post.smtp.port, "tls": "none"},
        "imap": {"host": "127.0.0.1", "port": post.imap.port, "tls": "none"}, "workspace_id": "ignored",
    }  # fmt: skip
    writer, admin, reader = [
        await house.program(*scopes)
        for scopes in ((Scope.READ, Scope.WRITE), (Scope.READ, Scope.ADMIN), (Scope.READ,))
    ]
    assert (await writer.post("/senders", json=body)).status_code == 403
    wrong = await admin.post("/senders", json=body | {"password": WRONG})
    assert (wrong.status_code, wrong.json()["ok"], wrong.json()["sender"]) == (200, False, "")
    assert "SMTP server" in wrong.json()["detail"]
    made = (await admin.post("/senders", json=body)).json()
    assert made["ok"] is True
    assert (await admin.post("/senders", json=body)).json()["code"] == "mailbox_known"
    here = f"/senders/{made['sender']}"
    assert (await reader.get(f"{here}/connection")).json()["by"] == "password"
    assert (await admin.post(f"{here}/test")).json()["ok"] is True
    tried = (await admin.post(f"{here}/try", json={"to": ANNA})).json()
    assert (tried["ok"], tried["recipient"]) == (True, ANNA)
    assert "250" in tried["detail"]
    for client in (reader, writer):
        assert (await client.post(f"{here}/try", json={})).status_code == 403
    assert (await admin.post(f"{here}/pause")).json()["state"] == "paused"
    assert (await admin.post(f"{here}/resume")).json()["state"] == "ok"
    presets = {each["key"]: each for each in (await reader.get("/senders/presets")).json()}
    assert presets["gmx"]["smtp"] == {"host": "mail.gmx.net", "port": 465, "tls": "implicit"}
    everything = [(await reader.get(address)).text for address in ("/senders", f"{here}/connection")]
    assert not [words for words in everything if POST_PASSWORD in words]
    for client in (writer, admin, reader):
        await client.aclose()


@pytest.mark.parametrize("key", ["nowhere", "%00", "x" * 300])
async def test_a_provider_that_is_not_there_is_a_page_that_is_not_there(browser: Browser, key: str) -> None:
    assert (await browser.get(f"/senders/+connect/{key}")).status_code == 404
    assert (await browser.post(f"/senders/+connect/{key}/consent")).status_code == 404
