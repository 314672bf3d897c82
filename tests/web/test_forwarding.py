"""Proxies in front: whose word counts, and what happens to a plain request."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from cadenza.core.addresses import read_networks, read_public_url
from cadenza.web.contracts import Edge
from cadenza.web.service import install

OURS = "https://cadenza.example"


async def _ask(
    peer: str, proxies: str, *, https_only: bool = False, method: str = "GET", **headers: str
) -> httpx.Response:
    app = FastAPI(openapi_url=None)

    @app.api_route("/who", methods=["GET", "POST"])
    async def who(request: Request) -> Response:
        client: Any = request.client
        return PlainTextResponse(f"{request.url.scheme} {client.host}")

    install(app, Edge("session", OURS, proxies=read_networks(proxies), https_only=https_only))
    transport = httpx.ASGITransport(app, client=(peer, 1234))
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="http://cadenza.example") as client:
        return await client.request(method, "/who?a=1", headers=given)


@pytest.mark.asvs("15.3.4")
@pytest.mark.parametrize(
    ("peer", "proxies", "told", "scheme", "expected"),
    [
        pytest.param("203.0.113.9", "", "198.51.100.1", "https", "http 203.0.113.9", id="nobody is believed"),
        pytest.param("203.0.113.9", "10.0.0.1", "198.51.100.1", "https", "http 203.0.113.9", id="a stranger lies"),
        pytest.param("10.0.0.1", "10.0.0.1", "198.51.100.1", "https", "https 198.51.100.1", id="our proxy"),
        pytest.param("10.0.0.7", "10.0.0.0/29", "198.51.100.1", "https", "https 198.51.100.1", id="a network"),
        pytest.param("::ffff:10.0.0.1", "10.0.0.1", "198.51.100.1", "https", "https 198.51.100.1", id="mapped"),
        pytest.param(
            "10.0.0.1", "10.0.0.1", "1.2.3.4, 198.51.100.1", "https", "https 198.51.100.1", id="forged before it"
        ),
        pytest.param(
            "10.0.0.1", "10.0.0.1,10.0.0.2", "198.51.100.1, 10.0.0.2", "https", "https 198.51.100.1", id="two of ours"
        ),
        pytest.param("10.0.0.1", "10.0.0.1", "nonsense", "https", "https 10.0.0.1", id="no address"),
        pytest.param("10.0.0.1", "10.0.0.1", "198.51.100.1", "javascript", "http 198.51.100.1", id="no scheme"),
    ],
)  # fmt: skip
async def test_only_our_proxies_say_who_asks(
    peer: str, proxies: str, told: str, scheme: str, expected: str
) -> None:
    answer = await _ask(peer, proxies, x_forwarded_for=told, x_forwarded_proto=scheme)
    assert answer.text == expected


@pytest.mark.asvs("12.2.1", "3.3.1")
async def test_a_plain_request_is_led_to_https_and_changes_nothing() -> None:
    led = await _ask("203.0.113.9", "10.0.0.1", https_only=True, x_forwarded_proto="https")
    assert (led.status_code, led.headers["location"]) == (308, f"{OURS}/who?a=1")
    refused = await _ask("203.0.113.9", "", https_only=True, method="POST")
    assert refused.status_code == 403
    assert refused.json()["code"] == "https_needed"
    assert (await _ask("10.0.0.1", "10.0.0.1", https_only=True, x_forwarded_proto="https")).status_code == 200


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://cadenza.example.com/", "https://cadenza.example.com"),
        ("https://bücher.example", "https://bücher.example"),
        ("https://192.0.2.7:8443", "https://192.0.2.7:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("http://localhost:8321", "http://localhost:8321"),
        ("http://[::1]:8321", "http://[::1]:8321"),
    ],
)
def test_public_addresses_that_count(given: str, read: str) -> None:
    assert read_public_url(given) == read


@pytest.mark.parametrize(
    "given",
    [
        "", "cadenza.example.com", "ftp://cadenza.example.com", "https://", "https://a/b", "https://a?b", "https://a#b",
        "https://user@a.example", "https://a:99999", "https://-a.example", "https://1.2.3", "http://localhost.example.com",
        "http://127.0.0.1.example.com", "http://192.0.2.7", "https://a..b",
    ],
)  # fmt: skip
def test_public_addresses_that_do_not(given: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_public_url(given)
