import io
import re
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from cadenza.core.logs import logger
from cadenza.web import security
from cadenza.web.contracts import Edge
from cadenza.web.security import LARGEST_FORM, form_token
from tests.support.written import lines, written
from tests.web.conftest import COOKIE, SESSION, build

__all__ = ["written"]

HERE = {"sec-fetch-site": "same-origin"}
ORIGIN = {"origin": "http://testserver"}
ADDRESSES = (
    "/",
    "/missing",
    "/broken",
    "/nowhere",
    "/static/tokens.css",
    "/error/conflict",
    "/number?value=x",
)


@pytest.mark.asvs("3.4.3", "3.4.4", "3.4.5", "3.4.6")
@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_answer_carries_the_security_headers(browser: httpx.AsyncClient, address: str) -> None:
    headers = (await browser.get(address)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert re.fullmatch(r"'nonce-[\w-]{20,}'", policy["script-src"])
    assert policy["style-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.asvs("14.3.2")
async def test_pages_are_not_stored_and_files_named_by_content_are(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    assert page.headers["cache-control"] == "no-store"
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        file = await browser.get(address)
        assert file.status_code == 200, address
        assert "immutable" in file.headers["cache-control"], address
    assert "immutable" not in (await browser.get("/static/tokens.css")).headers["cache-control"]


async def test_nonce_is_new_each_time_and_every_script_carries_it(browser: httpx.AsyncClient) -> None:
    first, second = await browser.get("/"), await browser.get("/")
    nonces = [re.search(r"'nonce-([^']+)'", r.headers["content-security-policy"])[1] for r in (first, second)]  # type: ignore[index]
    assert nonces[0] != nonces[1]
    scripts = re.findall(r"<script[^>]*>", first.text)
    assert scripts
    assert all(f'nonce="{nonces[0]}"' in script and "src=" in script for script in scripts)
    assert " style=" not in first.text


@pytest.mark.asvs("3.4.1")
@pytest.mark.parametrize(
    ("address", "public_url", "expected"),
    [
        ("https://testserver", None, True),
        ("http://testserver", None, False),
        ("http://testserver", "https://mail.example", True),
    ],
)
async def test_hsts_for_a_year_when_reached_by_https(
    address: str, public_url: str | None, expected: bool
) -> None:
    app = build(Edge("session", public_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=address) as client:
        value = (await client.get("/")).headers.get("strict-transport-security", "")
    assert value.startswith("max-age=31536000") is expected


@pytest.mark.asvs("3.5.1", "3.5.2")
@pytest.mark.parametrize(
    ("headers", "form", "done"),
    [
        pytest.param(HERE, {"csrf_token": form_token(SESSION)}, True, id="our own page"),
        pytest.param(ORIGIN, {"csrf_token": form_token(SESSION)}, True, id="an older browser"),
        pytest.param({**HERE, "x-csrf-token": form_token(SESSION)}, {}, True, id="a part of a page"),
        pytest.param(HERE, {}, False, id="no token"),
        pytest.param(
            HERE, {"csrf_token": form_token("another session")}, False, id="token of another session"
        ),
        pytest.param(HERE, {"csrf_token": "é"}, False, id="token that is no token"),
        pytest.param({}, {"csrf_token": form_token(SESSION)}, False, id="no origin"),
        pytest.param(
            {"sec-fetch-site": "cross-site"}, {"csrf_token": form_token(SESSION)}, False, id="another site"
        ),
        pytest.param(
            {"sec-fetch-site": "same-site"}, {"csrf_token": form_token(SESSION)}, False, id="a sibling domain"
        ),
        pytest.param(
            {"origin": "http://evil.example"}, {"csrf_token": form_token(SESSION)}, False, id="another origin"
        ),
        pytest.param({"origin": "null"}, {"csrf_token": form_token(SESSION)}, False, id="a sandboxed frame"),
        pytest.param(
            {"origin": "https://testserver"}, {"csrf_token": form_token(SESSION)}, False, id="another scheme"
        ),
    ],
)
async def test_a_change_needs_proof_of_our_own_page(
    signed_in: httpx.AsyncClient,
    application: FastAPI,
    headers: dict[str, str],
    form: dict[str, str],
    done: bool,
) -> None:
    answer = await signed_in.post("/change", headers=headers, data={"words": "ä+b", **form})
    assert (answer.status_code == 200) is done
    assert application.state.changes.done == (["ä+b"] if done else [])
    if not done:
        assert answer.status_code == 403
        assert "Nothing was changed" in answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_every_unsafe_method_is_guarded(signed_in: httpx.AsyncClient, method: str) -> None:
    assert (await signed_in.request(method, "/change")).status_code == 403


async def test_without_a_session_only_a_foreign_page_is_refused(
    browser: httpx.AsyncClient, application: FastAPI
) -> None:
    assert (await browser.post("/change", data={"words": "program"})).status_code == 200
    assert (await browser.post("/change", headers={"origin": "http://evil.example"})).status_code == 403
    assert application.state.changes.done == ["program"]


async def test_a_body_too_long_for_its_token_is_refused(
    signed_in: httpx.AsyncClient, application: FastAPI
) -> None:
    content = b"words=" + b"x" * (LARGEST_FORM + 1) + b"&csrf_token=" + form_token(SESSION).encode()
    headers = {**HERE, "content-type": "application/x-www-form-urlencoded"}
    assert (await signed_in.post("/change", headers=headers, content=content)).status_code == 403
    assert application.state.changes.done == []


async def test_one_click_unsubscribe_is_open_to_mail_providers(
    signed_in: httpx.AsyncClient, application: FastAPI
) -> None:
    answer = await signed_in.post(
        "/u/abc", headers={"origin": "https://mail.example"}, data={"List-Unsubscribe": "One-Click"}
    )
    assert answer.status_code == 200
    assert application.state.changes.done == ["abc"]


async def test_public_address_counts_as_our_own_behind_a_proxy() -> None:
    app = build(Edge("session", "https://mail.example"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside:8321") as client:
        client.cookies.set("session", SESSION)
        form = {"csrf_token": form_token(SESSION)}
        assert (
            await client.post("/change", headers={"origin": "https://mail.example"}, data=form)
        ).status_code == 200


@pytest.mark.asvs("3.4.2")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example"])
async def test_no_other_origin_may_read_an_answer(browser: httpx.AsyncClient, origin: str) -> None:
    """There is no list of foreign origins: none is let in, neither by an answer nor by a question before it."""
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-csrf-token",
    }
    for method, headers in (("GET", {"origin": origin}), ("OPTIONS", asked)):
        answer = await browser.request(method, "/", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.asvs("16.2.1", "16.2.2")
async def test_a_refused_request_is_logged_with_who_when_where_and_the_id_that_its_answer_shows(
    edge: Edge, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret that follows in an address is none of the log's business."""
    monkeypatch.setattr(
        security, "_log", logger("fresh.edge")
    )  # loggers remember how they were set up at first
    stranger = httpx.ASGITransport(build(edge), client=("192.0.2.7", 40_000))
    async with httpx.AsyncClient(transport=stranger, base_url="http://testserver") as client:
        client.cookies.set(COOKIE, SESSION)
        answer = await client.post("/change/a-secret-of-a-link", headers=HERE)
    assert answer.status_code == 403
    (line,) = [line for line in lines(written) if line["event"] == "forged_request_refused"]
    assert (line["level"], line["method"], line["reason"]) == ("warning", "POST", "wrong_token")
    assert (line["source"], line["part"]) == ("192.0.2.7", "/change")
    assert line["request_id"] == answer.headers["x-request-id"]
    written_at = datetime.fromisoformat(line["timestamp"])
    assert written_at.utcoffset() == timedelta(0)
    assert "a-secret" not in written.getvalue()
