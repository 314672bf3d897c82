"""Opens and clicks, first-party and off by default, and telling machines from people.

A link or pixel carries an opaque id of workspace and touch, nothing about the person. Every fetch is recorded;
one made by a machine is labelled and counts apart (must-not M5).
"""

import html
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cadenza.core.crypto import SecretBox

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)  # a transparent GIF of one by one

_OPEN, _CLICK = "track open", "track click"
_SOON_SECONDS = 10.0  # an open this soon after delivery is the receiving server looking
_SOON_CLICK_SECONDS = 30.0
_HREF = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(["'])(https?://.*?)\2""", re.IGNORECASE | re.DOTALL)

_AGENTS = (
    (re.compile(r"googleimageproxy|ggpht\.com", re.IGNORECASE), "Gmail's image proxy"),
    (re.compile(r"yahoomailproxy", re.IGNORECASE), "Yahoo's image proxy"),
    (re.compile(r"safelinks|msnbot|bingpreview|microsoft office (?:protocol|existence)", re.IGNORECASE), "Microsoft's link check"),
    (re.compile(r"barracuda", re.IGNORECASE), "Barracuda's link check"),
    (re.compile(r"mimecast", re.IGNORECASE), "Mimecast's link check"),
    (re.compile(r"proofpoint|urldefense", re.IGNORECASE), "Proofpoint's link check"),
    (re.compile(r"symantec|messagelabs|trendmicro|sophos|fireeye|forcepoint|cisco-ironport", re.IGNORECASE), "a mail filter"),
    (re.compile(r"slackbot|whatsapp|telegrambot|linkedinbot|facebookexternalhit|twitterbot|skypeuripreview", re.IGNORECASE), "a link preview"),
    (re.compile(r"\bbot\b|bot/|crawler|spider|headlesschrome|phantomjs|curl/|wget/|python-|go-http-client|okhttp|java/|libwww", re.IGNORECASE), "a program, by its own name"),
)  # fmt: skip

# Apple's privacy proxy names itself only "Mozilla/5.0"; no browser does.
_BARE_AGENT = re.compile(r"\s*(?:mozilla/5\.0\s*)?", re.IGNORECASE)

_NETWORKS = tuple(
    (ipaddress.ip_network(network), name)
    for network, name in (
        ("17.0.0.0/8", "Apple's privacy proxy"),
        ("66.102.0.0/20", "Gmail's image proxy"),
        ("66.249.80.0/20", "Gmail's image proxy"),
        ("74.125.208.0/20", "Gmail's image proxy"),
        ("40.94.0.0/16", "Microsoft's link check"),
        ("104.47.0.0/17", "Microsoft's link check"),
        ("64.235.144.0/20", "Barracuda's link check"),
        ("67.231.144.0/20", "Proofpoint's link check"),
        ("148.163.128.0/19", "Proofpoint's link check"),
        ("207.211.30.0/24", "Mimecast's link check"),
    )
)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request for a pixel or link. Seconds are world time; ``links`` of ``of_links`` were fetched so far."""

    kind: str  # "open" or "click"
    method: str
    user_agent: str
    ip: str | None = None
    seconds_after_delivery: float | None = None
    prefetch: bool = False  # Sec-Purpose, Purpose or X-Moz said so
    links: int = 1
    of_links: int = 1


def machine_reason(fetch: Fetch) -> str | None:
    """Why this was no person, in words; None when nothing speaks against one."""
    if fetch.method.upper() != "GET":
        return f"a {fetch.method.upper()} request, which no reader makes"
    if fetch.prefetch:
        return "fetched ahead by a browser or mail program"
    return _by_agent(fetch.user_agent) or _by_network(fetch.ip) or _by_behaviour(fetch)


def label_machine(fetch: Fetch) -> bool:
    return machine_reason(fetch) is not None


def _by_agent(agent: str) -> str | None:
    if _BARE_AGENT.fullmatch(agent):
        return "Apple's privacy proxy" if agent.strip() else "no program named"
    return next((reason for pattern, reason in _AGENTS if pattern.search(agent)), None)


def _by_network(ip: str | None) -> str | None:
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return None
    return next((name for network, name in _NETWORKS if address in network), None)


def _by_behaviour(fetch: Fetch) -> str | None:
    soon = _SOON_SECONDS if fetch.kind == "open" else _SOON_CLICK_SECONDS
    if fetch.seconds_after_delivery is not None and fetch.seconds_after_delivery < soon:
        return f"within {soon:.0f} seconds of delivery"
    if fetch.kind == "click" and fetch.of_links >= 3 and fetch.links >= fetch.of_links:
        return "every link of the message was followed"
    return None


def open_token(secrets: SecretBox, workspace_id: UUID, touch_id: UUID) -> str:
    return secrets.opaque(_OPEN, workspace_id, touch_id)


def read_open_token(secrets: SecretBox, token: str) -> tuple[UUID, UUID] | None:
    """``(workspace, touch)``, or None for a token that is not ours."""
    ids = secrets.read_opaque(_OPEN, token)
    return (ids[0], ids[1]) if ids and len(ids) == 2 else None


def click_token(secrets: SecretBox, workspace_id: UUID, touch_id: UUID, link: int) -> str:
    return secrets.opaque(_CLICK, workspace_id, touch_id, UUID(int=link))


def read_click_token(secrets: SecretBox, token: str) -> tuple[UUID, UUID, int] | None:
    """``(workspace, touch, number of the link)``, or None. The target is looked up, never taken from the request,
    so that no link of ours can be made to lead elsewhere.
    """
    ids = secrets.read_opaque(_CLICK, token)
    return (ids[0], ids[1], ids[2].int) if ids and len(ids) == 3 else None


def links(body: str) -> tuple[str, ...]:
    """The http(s) targets of an HTML body in order; their position is the number in ``click_token``."""
    return tuple(html.unescape(found.group(3)) for found in _HREF.finditer(body))


def tracked(body: str, *, pixel_url: str | None, link_url: Callable[[int, str], str] | None) -> str:
    """The HTML body with a pixel at its end and links led through ``link_url(number, target)``, each only if given.

    ``link_url`` gives the target itself back for what must not be tracked, such as the link to unsubscribe.
    """
    if link_url is not None:
        numbered = iter(enumerate(links(body)))
        make = link_url
        body = _HREF.sub(lambda tag: f"{tag[1]}{tag[2]}{html.escape(make(*next(numbered)))}{tag[2]}", body)
    if pixel_url is None:
        return body
    image = f'<img src="{html.escape(pixel_url)}" width="1" height="1" alt="">'
    head, end, tail = body.rpartition("</body>")
    return f"{head}{image}{end}{tail}" if end else body + image
