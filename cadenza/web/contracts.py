"""What the edge knows about a request, and what pages hand to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: their language, their zone, and the names shown in the rail.

    The room that authenticates puts one into ``request.state.reader``.
    """

    name: str = ""
    workspace: str = ""
    locale: str = "en"  # BCP 47 or POSIX spelling
    timezone: str = "UTC"  # IANA


@dataclass(frozen=True, slots=True)
class Edge:
    """How this installation is reached. Kept in ``app.state.edge`` by ``install``."""

    session_cookie: str
    public_url: str | None = None
    sandbox: bool = False
    crossing: tuple[str, ...] = ()  # path prefixes that strangers may post to, such as one-click unsubscribe
