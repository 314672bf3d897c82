"""The one way out: where it never goes, and that it goes where it was checked to go."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cadenza.core.errors import CadenzaError
from cadenza.core.http import AnswerLostError, Egress, Purpose
from tests.servers.certificates import Authority

Reply = Callable[[str], bytes]
_PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def _server(reply: Reply, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that answers every request by ``reply(head)``; its port, and the heads that it saw."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            seen.append(head)
            writer.write(reply(head))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client refused our certificate, or has read enough: both are what some tests ask for
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


def _answers(*addresses: str) -> Egress:
    async def resolve(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return Egress(resolve=resolve)


@pytest.mark.asvs("1.3.6")
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.7", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104
        "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fd00::1", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(CadenzaError, match="public address"):
        await _answers(address).check("https://hooks.example/in")
    with pytest.raises(CadenzaError, match="public address"):
        await _answers("93.184.215.14", address).check("https://hooks.example/in")


@pytest.mark.asvs("1.3.6")
@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/in", "ftp://hooks.example/in", "file:///etc/passwd", "https://", "https://a:b@hooks.example/",
        "hooks.example", "https://[::1", "https://hooks.example:0/",
    ],
)  # fmt: skip
async def test_only_plain_https_addresses_are_taken(url: str) -> None:
    with pytest.raises(CadenzaError) as refused:
        await _answers("93.184.215.14").check(url)
    assert refused.value.code == "destination_refused"


@pytest.mark.asvs("1.3.6")
async def test_a_public_address_is_taken() -> None:
    await _answers("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c").check(
        "https://hooks.example/in"
    )


@pytest.mark.asvs("1.3.6", "12.3.2")
async def test_the_connection_goes_to_the_address_that_was_checked_and_the_certificate_is_the_names(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)  # a second question would be answered otherwise, as a rebinding server does
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with _server(lambda _: _PLAIN, authority.server("hooks.example")) as (port, seen):
        egress = Egress(this_machine=True, trust=authority.client(), resolve=resolve)
        answer = await egress.request(
            Purpose.WEBHOOK, "POST", f"https://hooks.example:{port}/in", content=b"{}"
        )
        assert (answer.status, answer.json(), asked) == (200, {}, ["hooks.example"])
        assert f"host: hooks.example:{port}" in seen[0].lower()
        asked.clear()
        with pytest.raises(CadenzaError) as wrong:
            await egress.request(Purpose.WEBHOOK, "GET", f"https://other.example:{port}/in")
    assert wrong.value.code == "destination_unreachable"


@pytest.mark.asvs("15.3.2")
async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with _server(lambda _: moved) as (port, seen):
        answer = await Egress(this_machine=True).request(Purpose.WEBHOOK, "GET", f"http://127.0.0.1:{port}/")
    assert answer.status == 302
    assert len(seen) == 1


@pytest.mark.asvs("15.3.2")
async def test_a_flood_and_a_silence_are_cut_off() -> None:
    flood = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_100_000
    async with _server(lambda _: flood) as (port, _seen):
        with pytest.raises(CadenzaError) as large:
            await Egress(this_machine=True).request(Purpose.WEBHOOK, "GET", f"http://127.0.0.1:{port}/")
    assert large.value.code == "answer_too_large"
    async with _server(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") as (port, _seen):
        with pytest.raises(CadenzaError) as slow:
            await Egress(this_machine=True).request(
                Purpose.WEBHOOK, "GET", f"http://127.0.0.1:{port}/", seconds=0.2
            )
    assert slow.value.code == "destination_unreachable"


async def test_whether_a_request_may_have_been_carried_out_is_known() -> None:
    """Nothing was begun where nobody listens; behind a connection that is cut without an answer, nobody knows."""
    here = Egress(this_machine=True)
    async with _server(lambda _: b"") as (port, seen):
        with pytest.raises(AnswerLostError) as lost:
            await here.request(Purpose.PHONE, "POST", f"http://127.0.0.1:{port}/", form={"To": "x"})
    assert (lost.value.code, len(seen)) == ("destination_unreachable", 1)
    with pytest.raises(CadenzaError) as nobody:
        await here.request(Purpose.PHONE, "POST", f"http://127.0.0.1:{port}/", form={"To": "x"})
    assert nobody.value.code == "destination_unreachable"
    assert not isinstance(nobody.value, AnswerLostError)


async def test_an_answer_that_is_no_json_says_so() -> None:
    async with _server(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<<") as (port, _seen):
        answer = await Egress(this_machine=True).request(Purpose.OPENID, "GET", f"http://127.0.0.1:{port}/")
    with pytest.raises(CadenzaError, match="JSON"):
        answer.json()


@pytest.mark.asvs("13.2.4")
def test_no_other_client_is_used() -> None:
    """The rule of the linter that holds it is on, for the whole package but the one door."""
    settings = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    for client in ('"httpx"', '"urllib.request"', '"requests"', '"aiohttp"', '"http.client"'):
        assert f"{client}.msg" in settings
    assert settings.count('"TID251"') == 2  # core/http.py and the tests
