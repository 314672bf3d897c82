"""Settings and the audit trail, as somebody with a browser meets them."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from html import unescape
from urllib.parse import urlencode

import httpx
import pyotp
import pytest
from starlette.requests import Request

from cadenza.app.composition import web_app
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.http import Egress
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE, Actor, Origin, Role
from cadenza.identity.factors import require_factor
from cadenza.identity.service import (
    actor_now,
    add_member,
    change_role,
    create_workspace,
    log_in,
    members,
    set_active,
)
from cadenza.web.security import form_token
from cadenza.web.service import live
from tests.servers.openid_provider import CLIENT_ID, SECRET, Provider, openid_provider

PASSWORD = "a long enough password of ours"
SITE = "https://cadenza.example"
Browser = Callable[[], httpx.AsyncClient]
Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def halden(database: Database) -> Actor:
    workspace, owner = await create_workspace(
        database, "Halden", owner_email="nora@halden.example", owner_name="Nora Lindqvist", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.PAGE, owner.id, owner.name, user_id=owner.user_id)
    async with database.unit(workspace.id) as unit:
        await add_member(
            unit, actor, email="rep@halden.example", name="Ruth", role=Role.REP, password=PASSWORD
        )
    return actor


@pytest.fixture
async def browser(database: Database, halden: Actor) -> AsyncIterator[Browser]:
    """Makes a browser of its own; https, so that the cookie is the real one."""
    made: list[httpx.AsyncClient] = []
    application = web_app(database, Settings(public_url=SITE))

    def open_one() -> httpx.AsyncClient:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=SITE)
        client.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin", "user-agent": "Lynx"})
        made.append(client)
        return client

    assert halden
    yield open_one
    for client in made:
        await client.aclose()


async def post(client: httpx.AsyncClient, address: str, **form: object) -> httpx.Response:
    token = client.cookies.get(f"__Host-{SESSION_COOKIE}")
    data = form | ({"csrf_token": form_token(token)} if token else {})
    return await client.post(address, data=data)


async def enter(client: httpx.AsyncClient, email: str = "nora@halden.example") -> httpx.AsyncClient:
    answer = await post(client, "/login", email=email, password=PASSWORD)
    assert answer.status_code == 303
    return client


def link_on(page: httpx.Response, kind: str) -> str:
    found = re.search(rf"{SITE}(/{kind}/[\w-]+)", page.text)
    assert found, page.text
    return found.group(1)


@pytest.mark.asvs("6.4.1")
async def test_somebody_is_invited_joins_and_is_gone_when_disabled(
    database: Database, browser: Browser, halden: Actor
) -> None:
    owner = await enter(browser())
    page = await post(owner, "/settings/members", email="Ines@New.example", name="Ines", role="rep")
    link, guest = link_on(page, "join"), browser()
    assert "Join Halden" in (await guest.get(link)).text
    weak = await post(guest, link, name="Ines Duarte", password="password1")
    assert weak.status_code == 422
    assert (await post(guest, link, name="Ines Duarte", password=PASSWORD)).headers["location"] == "/login"
    assert (await guest.get(link)).status_code == 404, "a link works once"
    await enter(guest, "ines@new.example")
    assert (await guest.get("/settings/account")).status_code == 200
    async with database.unit(halden.workspace_id) as unit:
        joined = next(m for m in await members(unit, halden) if m.email == "ines@new.example")
    assert (joined.name, joined.role) == ("Ines Duarte", Role.REP)
    await post(owner, f"/settings/members/{joined.id}/active", active="no")
    assert (await guest.get("/settings/account")).status_code == 303, "signed out at once"
    assert "Disabled" in (await owner.get("/settings/members")).text


@pytest.mark.asvs("6.3.3")
async def test_where_a_factor_is_required_only_its_page_opens_until_there_is_one(
    database: Database, browser: Browser, halden: Actor, machine: ManualClock
) -> None:
    rep = await enter(browser(), "rep@halden.example")
    async with database.unit(halden.workspace_id) as unit:
        await require_factor(unit, halden, required=True)
    for address in ("/", "/inbox", "/contacts", "/settings/account", "/audit", "/settings/tokens"):
        assert (await rep.get(address)).headers["location"].startswith("/login"), address
    assert (await rep.get("/login")).headers["location"] == "/enrol"
    page = await rep.get("/enrol")
    assert page.status_code == 200
    assert "<svg" in page.text
    assert "style=" not in page.text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert secret
    assert sealed
    totp = pyotp.TOTP(secret.group(1).replace(" ", ""))
    wrong = await post(rep, "/enrol", sealed=sealed.group(1), code="12")
    assert wrong.status_code == 401
    assert secret.group(1) in wrong.text, "the same secret is asked for again"
    codes = await post(rep, "/enrol", sealed=sealed.group(1), code=totp.at(machine.now()))
    assert "Recovery codes" in codes.text
    assert (await rep.get("/settings/account")).status_code == 200
    machine.move(timedelta(seconds=30))
    again = await enter(browser(), "rep@halden.example")
    assert (await again.get("/")).headers["location"] == "/login"
    assert (await again.get("/login")).headers["location"].startswith("/login/code")
    bad = await post(again, "/login/code", code="000000")
    assert bad.status_code == 401
    assert (await again.get("/settings/account")).status_code == 303
    good = await post(again, "/login/code", code=totp.at(machine.now()), next="/settings/account")
    assert good.headers["location"] == "/settings/account"
    assert (await again.get("/settings/account")).status_code == 200


@pytest.mark.asvs("6.2.3", "7.5.1")
async def test_a_stale_session_is_asked_for_the_password_before_it_changes_it(
    browser: Browser, machine: ManualClock
) -> None:
    client = await enter(browser())
    machine.move(timedelta(minutes=11))
    asked = await client.get("/settings/account/password")
    assert asked.headers["location"] == "/prove?next=%2Fsettings%2Faccount%2Fpassword"
    refused = await post(client, "/settings/account/password", password="another long password of ours")
    assert refused.status_code == 403
    assert (await post(client, "/prove", proof="wrong", next="/")).status_code == 401
    proved = await post(client, "/prove", proof=PASSWORD, next="/settings/account/password")
    assert proved.headers["location"] == "/settings/account/password"
    weak = await post(client, "/settings/account/password", password="password1")
    assert weak.status_code == 422
    changed = await post(client, "/settings/account/password", password="another long password of ours")
    assert changed.headers["location"] == "/settings/account?said=password"


WAYS_BACK = [
    ("/senders/+connect/gmx", f"{SITE}/senders/+connect?said=x", "/senders/+connect?said=x"),
    ("/settings/account/password", f"{SITE}/settings/account", "/settings/account"),
    ("/senders/+connect/gmx", None, "/senders"),
    ("/senders/+connect/gmx", "https://elsewhere.example/inbox", "/senders"),
    ("/senders/+connect/gmx", f"{SITE}/senders/+connect/gmx", "/senders"),
    ("/senders/+connect/gmx", f"{SITE}//elsewhere.example", "/"),
]


@pytest.mark.asvs("7.5.1")
@pytest.mark.parametrize(("wanted", "referrer", "back"), WAYS_BACK)
async def test_who_gives_no_proof_goes_back_to_where_they_came_from(
    browser: Browser, machine: ManualClock, wanted: str, referrer: str | None, back: str
) -> None:
    client = await enter(browser())
    machine.move(timedelta(minutes=11))
    asked = await client.get(wanted, headers={"referer": referrer} if referrer else {})
    page = await client.get(asked.headers["location"])
    assert f'<a href="{back}">Back</a>' in page.text
    fields = dict(re.findall(r'name="(next|back)" value="([^"]*)"', page.text))
    wrong = await post(client, "/prove", proof="wrong", **fields)
    assert wrong.status_code == 401
    assert f'<a href="{back}">Back</a>' in wrong.text
    right = await post(client, "/prove", proof=PASSWORD, **fields)
    assert right.headers["location"] == wanted


@pytest.mark.asvs("8.2.1")
async def test_a_read_token_reads_and_a_revoked_one_does_nothing(browser: Browser) -> None:
    owner = await enter(browser())
    page = await post(owner, "/settings/tokens", name="nightly <b>", days="30", scopes="read")
    token = re.search(r"<code>([\w-]{40,})</code>", page.text)
    assert token
    program = browser()
    program.headers["authorization"] = f"Bearer {token.group(1)}"
    assert (await program.get("/contacts")).status_code == 200
    refused = await program.post("/campaigns/pause")
    assert refused.status_code == 403
    assert (await program.get("/settings/account")).status_code == 403, "a program has no account"
    listed = await owner.get("/settings/tokens")
    assert "nightly &lt;b&gt;" in listed.text
    assert "never" not in listed.text, "its last use is shown"
    assert token.group(1) not in listed.text
    revoke = re.search(r'action="(/settings/tokens/[^"]+/revoke)"', listed.text)
    assert revoke
    await post(owner, revoke.group(1))
    assert (await program.get("/contacts")).headers["location"].startswith("/login")


@pytest.mark.asvs("16.3.2", "16.3.3", "16.4.3")
async def test_the_trail_is_searched_and_its_export_can_be_checked_without_us(browser: Browser) -> None:
    owner = await enter(browser())
    rep = await enter(browser(), "rep@halden.example")
    assert (await rep.get("/audit")).status_code == 403
    assert (await rep.get("/settings/members")).status_code == 403
    await post(owner, "/settings/teams", name="DACH <script>")
    page = await owner.get("/audit", params={"what": "refused"})
    assert page.text.count('<th scope="row">') == 2
    assert "The role rep may not" in page.text
    assert "team added" not in page.text.split("<tbody>")[1]
    found = await owner.get("/audit", params={"about": "dach <scr"})
    assert "DACH &lt;script&gt;" in found.text
    assert "Nothing fits" in (await owner.get("/audit", params={"first": "2030-01-01"})).text
    assert (await owner.get("/audit", params={"who": "zz", "first": "zz", "page": "2"})).status_code == 200
    lines = [json.loads(line) for line in (await post(owner, "/audit/export")).text.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    before = ""
    for line in lines:
        assert line["previous"] == before
        assert sha256(bytes.fromhex(before) + line["entry"].encode()).hexdigest() == line["hash"]
        before = line["hash"]
    assert json.loads(lines[-1]["entry"])[6] == "audit_exported", "the export is itself recorded"


async def test_profile_absence_skills_and_teams_are_saved(browser: Browser, halden: Actor) -> None:
    owner = await enter(browser())
    await post(owner, "/settings/account", name="Nora L.", locale="de", timezone="Europe/Oslo")
    page = await owner.get("/settings/account")
    assert "Einstellungen" in page.text
    assert 'value="Nora L."' in page.text
    bad = await post(owner, "/settings/account", name="Nora", locale="de", timezone="Mars/Olympus")
    assert bad.status_code == 422
    await post(owner, "/settings/account", name="Nora L.", locale="en", timezone="Europe/Oslo")
    await post(owner, "/settings/account/away", until="2026-03-10")
    assert "You are away until" in (await owner.get("/settings/account")).text
    assert "Away until" in (await owner.get("/settings/members")).text
    await post(owner, "/settings/account/away", back="1")
    assert "You are away until" not in (await owner.get("/settings/account")).text
    address = f"/settings/members/{halden.member_id}"
    saved = await post(
        owner,
        f"{address}/skills",
        territories="de, at,de",
        languages="DE",
        industries="Steel",
        most_open="12",
    )
    assert saved.status_code == 303
    assert 'value="DE, AT"' in (await owner.get(address)).text
    wrong = await post(owner, f"{address}/skills", territories="Germany", languages="german")
    assert wrong.status_code == 422
    assert 'value="DE, AT"' in (await owner.get(address)).text


@pytest.mark.asvs("10.1.2", "10.1.1")
async def test_somebody_connects_their_account_and_signs_on_with_a_browser(
    browser: Browser, machine: ManualClock
) -> None:
    owner = browser()
    owner._transport.app.state.egress = Egress(this_machine=True)  # type: ignore[attr-defined]
    await enter(owner)
    async with openid_provider(machine) as provider:
        form = {"issuer": provider.issuer, "client_id": CLIENT_ID, "secret": SECRET}
        saved = await post(owner, "/settings/sign-in/provider", **form)
        assert saved.headers["location"] == "/settings/sign-in?said=saved"
        page = await owner.get("/settings/sign-in")
        assert SECRET not in page.text
        assert f"{SITE}/sign-on?workspace=halden" in page.text
        leaving = await post(owner, "/settings/account/sign-on")
        assert (await _come_back(owner, provider, leaving)).headers[
            "location"
        ] == "/settings/account?said=connected"
        assert "Connected" in (await owner.get("/settings/account")).text
        guest = browser()
        assert "/sign-on" in (await guest.get("/login")).text
        assert (await post(guest, "/sign-on", workspace="nowhere")).status_code == 404
        leaving = await post(guest, "/sign-on", workspace="halden", next="/settings/tokens")
        cookie = leaving.headers["set-cookie"].lower()
        assert cookie.startswith("__host-cadenza_sign_on=")
        assert {"httponly", "secure", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}
        assert SECRET not in leaving.text
        thief = browser()
        address = _return(provider, leaving)
        assert (await thief.get(address)).status_code == 401, "another browser"
        assert (await guest.get(address)).status_code == 401, "and so it is spent"
        leaving = await post(guest, "/sign-on", workspace="halden", next="/settings/tokens")
        assert (await _come_back(guest, provider, leaving)).headers["location"] == "/settings/tokens"
        assert (await guest.get("/settings/tokens")).status_code == 200
    tried = await owner.get("/audit", params={"what": "signed_in"})
    assert "way provider" in tried.text


def _return(provider: Provider, leaving: httpx.Response) -> str:
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', leaving.text)
    assert found, leaving.text
    return f"/sign-on/callback?{urlencode(provider.consent(unescape(found.group(1))))}"


async def _come_back(
    client: httpx.AsyncClient, provider: Provider, leaving: httpx.Response
) -> httpx.Response:
    return await client.get(_return(provider, leaving))


@pytest.mark.asvs("7.4.2", "8.3.2")
async def test_a_stream_ends_when_its_reader_is_disabled_or_demoted(
    database: Database, halden: Actor
) -> None:
    """Each part of a stream asks again who reads, every second; so it bites well within five."""
    async with database.unit(halden.workspace_id) as unit:
        rep = next(m for m in await members(unit, halden) if m.email == "rep@halden.example")
    app = web_app(database, Settings())
    token = await log_in(database, rep.email, PASSWORD, "127.0.0.1")
    scope = {
        "type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "app": app,
        "state": {"session_token": token},
    }  # fmt: skip
    request = Request(scope)

    async def draw() -> str:
        return (await actor_now(request)).role.value

    frames = live(draw, every=0.05).body_iterator
    assert await anext(frames) == "retry: 1000\n\n"
    assert "data: rep" in str(await anext(frames))
    async with database.unit(halden.workspace_id) as unit:
        await change_role(unit, halden, rep.id, Role.READ_ONLY)
    assert "data: read_only" in str(await anext(frames))
    async with database.unit(halden.workspace_id) as unit:
        await set_active(unit, halden, rep.id, active=False)
    assert await anext(frames) == "event: over\ndata: \n\n"
