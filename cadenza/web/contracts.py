"""What the edge knows about a request, and what pages hand to it."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from cadenza.core.addresses import Network


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: their name (empty for strangers), language and zone."""

    name: str = ""
    locale: str = "en"  # BCP 47 or POSIX spelling
    timezone: str = "UTC"  # IANA


@dataclass(frozen=True, slots=True)
class Edge:
    """How this installation is reached. Kept in ``app.state.edge`` by ``install``."""

    session_cookie: str  # with https it carries the prefix __Host-
    public_url: str | None = None
    sandbox: bool = False
    may_speed: Callable[[Request], bool] | None = None  # whether to offer the sandbox's speed to this reader
    proxies: tuple[Network, ...] = ()  # whose forwarded headers are believed
    https_only: bool = False  # needs public_url
    crossing: tuple[str, ...] = ()  # path prefixes that strangers may post to, such as one-click unsubscribe

    def cookie(self, scheme: str) -> str:
        """The name of the session's cookie on requests of this scheme."""
        return f"__Host-{self.session_cookie}" if scheme == "https" else self.session_cookie
