"""Requests to this machine alone: how people and scanners of the sandbox follow links."""

import asyncio
from urllib.parse import urlsplit

_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_SECONDS = 5


def is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _HOSTS


async def request(
    method: str, url: str, *, agent: str, body: bytes = b"", content_type: str = ""
) -> int | None:
    """The status, or None when nobody answers; the content is of no interest. Other machines are never asked."""
    if not is_here(url):
        return None
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"User-Agent: {agent}",
        "Connection: close",
    ]
    if body:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                writer.write("\r\n".join([*lines, "", ""]).encode("ascii", "ignore") + body)
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    words = status.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
