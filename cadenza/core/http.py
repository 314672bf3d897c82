"""The one way out over HTTP: every request that Cadenza makes to another system passes here.

The destination is https at a public address, checked after the name was resolved, and the connection goes to that very
address, so that a name that changes its answer gains nothing (ASVS 1.3.6). No redirect is followed, time and size are
bounded (ASVS 15.3.2). Who may be asked for what is the list of ``Purpose`` (ASVS 13.2.4). This machine may be reached
only where it is allowed: in the sandbox and in tests, where both ends are ours.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from cadenza.core.errors import CadenzaError, Kind

Resolver = Callable[[str, int], Awaitable[list[str]]]

_SECONDS = 15.0
_LARGEST = 1_000_000  # bytes of an answer
_TRANSLATED = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("2002::/16"),
)  # NAT64, 6to4: IPv4 inside


class Purpose(StrEnum):
    """Everything that Cadenza asks of other systems over HTTP; docs/operating.md tells operators."""

    OPENID = "openid"  # sign-on: discovery, keys, tokens of the identity provider that an owner entered
    MAIL_OAUTH = "mail_oauth"  # access to a mailbox: tokens of Google and Microsoft
    WEBHOOK = "webhook"  # events to an address that a member entered
    LINKEDIN = "linkedin"  # Unipile, by the address and key that a member entered
    PHONE = "phone"  # Twilio, likewise
    SELF = "self"  # our own public address, asked by `cadenza doctor`


class AnswerLostError(CadenzaError):
    """The request was on its way when the connection ended: whether it was carried out, nobody here knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises ``CadenzaError`` when the body is not JSON."""
        try:
            return httpx.Response(self.status, content=self.body).json()
        except ValueError as wrong:
            raise CadenzaError(
                "answer_unreadable", "The other system did not answer in JSON.", Kind.TEMPORARY
            ) from wrong


@dataclass(frozen=True, slots=True)
class Egress:
    """``this_machine`` allows http and loopback, for the sandbox and for tests; everything else stays forbidden."""

    this_machine: bool = False
    trust: ssl.SSLContext | None = None
    resolve: Resolver = field(default_factory=lambda: _resolve)

    async def request(
        self,
        purpose: Purpose,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float = _SECONDS,
    ) -> Answer:
        """One request, one answer of at most 1 MB within ``seconds``. A redirect is an answer like any other.

        Raises ``CadenzaError``: ``destination_refused`` (will never go), ``destination_unreachable`` (try later; an
        ``AnswerLostError`` when the request was begun, so that it may have been carried out).
        """
        begun = _Begun()
        try:
            async with asyncio.timeout(seconds):
                pinned, host = await self._pin(url)
                return await self._ask(method, pinned, host, dict(headers or {}), form, content, begun)
        except (httpx.HTTPError, OSError, TimeoutError) as wrong:
            raise (AnswerLostError if begun.yes else CadenzaError)(
                "destination_unreachable",
                f"{urlsplit(url).hostname} did not answer ({purpose.value}).",
                Kind.TEMPORARY,
                fix="Check the address and whether the other system is up.",
            ) from wrong

    def read(self, url: str) -> SplitResult:
        """What can be said of an address without asking anybody. Raises ``CadenzaError`` (``destination_refused``)."""
        parts = _read(url)
        try:
            outside = not self._may_reach(parts.hostname or "")
        except ValueError:
            outside = False  # a name; where it leads is asked when something is sent
        if outside:
            raise _refused(url, "it does not lead to a public address")
        if parts.scheme != "https" and not self.this_machine:
            raise _refused(url, "it is not https")
        return parts

    async def check(self, url: str) -> None:
        """Raises ``CadenzaError`` when a request to this address would be refused now."""
        await self._pin(url)

    async def _pin(self, url: str) -> tuple[httpx.URL, str]:
        """The address with the host replaced by one of its checked IP addresses, and the host's own name."""
        parts = self.read(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = await self.resolve(host, port)
        refused = [address for address in found if not self._may_reach(address)]
        if refused or not found:
            raise _refused(url, "it does not lead to a public address")
        if parts.scheme != "https" and not all(ipaddress.ip_address(a).is_loopback for a in found):
            raise _refused(url, "it is not https")
        return httpx.URL(url).copy_with(host=found[0]), parts.netloc

    def _may_reach(self, address: str) -> bool:
        ip = ipaddress.ip_address(address)  # raises ValueError for a name
        if self.this_machine and ip.is_loopback:
            return True
        if isinstance(ip, ipaddress.IPv6Address):
            if ip.ipv4_mapped:
                return self._may_reach(str(ip.ipv4_mapped))
            if any(ip in network for network in _TRANSLATED):
                return False
        return ip.is_global and not ip.is_multicast

    async def _ask(
        self,
        method: str,
        url: httpx.URL,
        netloc: str,
        headers: dict[str, str],
        form: Mapping[str, str] | None,
        content: bytes | None,
        begun: "_Begun",
    ) -> Answer:
        name = netloc.rpartition("@")[2]
        hostname = urlsplit(f"//{name}").hostname or ""
        async with (
            httpx.AsyncClient(
                verify=self.trust or True, trust_env=False, follow_redirects=False, timeout=_SECONDS
            ) as client,
            client.stream(
                method,
                url,
                headers={"host": name, "user-agent": "Cadenza", "accept-encoding": "identity"} | headers,
                data=dict(form) if form is not None else None,
                content=content,
                extensions={"sni_hostname": hostname, "trace": begun.trace},
            ) as response,
        ):
            return Answer(response.status_code, dict(response.headers), await _bounded(response))


class _Begun:
    """Whether anything of a request was given to its connection."""

    def __init__(self) -> None:
        self.yes = False

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        self.yes = self.yes or ".send_request_headers." in event


def _read(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError as wrong:
        raise _refused(url, "it is no web address") from wrong
    if not known or parts.username or parts.password:
        raise _refused(url, "it is no plain web address")
    return parts


def _refused(url: str, why: str) -> CadenzaError:
    return CadenzaError(
        "destination_refused",
        f"The address {url[:200]} cannot be used: {why}.",
        fix="Enter a public https address.",
    )


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > _LARGEST:
            raise CadenzaError(
                "answer_too_large", "The other system's answer is larger than 1 MB.", Kind.TEMPORARY
            )
    return body


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]).partition("%")[0] for entry in found]
