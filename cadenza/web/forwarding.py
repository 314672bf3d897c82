"""Who is really asking, and by which scheme: told by the proxies that the operator named, by nobody else (ASVS 15.3.4)."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cadenza.core.addresses import Network
from cadenza.core.errors import CadenzaError, Kind
from cadenza.web import failures


class ForwardedMiddleware:
    """Puts the client's address and scheme into the scope where a trusted proxy tells them; else changes nothing."""

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self.app = app
        self.proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._trusted(scope["client"][0]):
            headers = Headers(scope=scope)
            if client := self._client(headers.getlist("x-forwarded-for")):
                scope["client"] = (client, 0)
            scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip()
            if scheme in ("http", "https"):
                scope["scheme"] = scheme
        await self.app(scope, receive, send)

    def _client(self, lines: Iterable[str]) -> str | None:
        """The last address that is no proxy of ours; what stands before it anybody may have written."""
        for part in reversed(",".join(lines).split(",")):
            try:
                ip_address(part.strip())
            except ValueError:
                return None
            if not self._trusted(part.strip()):
                return part.strip()
        return None

    def _trusted(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:  # a socket, or a test's client
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self.proxies)


class HttpsOnlyMiddleware:
    """Pages go over https or not at all; a health probe of the same machine may ask plainly."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["scheme"] == "https" or scope["path"] == "/healthz":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if scope["method"] in ("GET", "HEAD"):
            query = f"?{request.url.query}" if request.url.query else ""
            await RedirectResponse(f"{self.public_url}{request.url.path}{query}", 308)(scope, receive, send)
            return
        error = CadenzaError(
            "https_needed",
            "This came over an unprotected connection.",
            Kind.NOT_ALLOWED,
            fix=f"Nothing was changed. Use {self.public_url}.",
        )
        await failures.answer(request, error)(scope, receive, send)
