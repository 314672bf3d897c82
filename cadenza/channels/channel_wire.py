"""Small parts of HTTP that providers' APIs need: fields of a form in parts, Retry-After, and careful reading of JSON."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from cadenza.core.errors import CadenzaError
from cadenza.core.http import Answer


def address(base: str, *path: str, query: Mapping[str, str] | None = None) -> str:
    """``base`` with parts of a path that may hold anything, and a query."""
    joined = "/".join([base.rstrip("/"), *(quote(part, safe="") for part in path)])
    return f"{joined}?{urlencode(query)}" if query else joined


def multipart(fields: Iterable[tuple[str, str]]) -> tuple[bytes, str]:
    """Fields as ``multipart/form-data`` (RFC 7578), and the content type that names their boundary."""
    mark = secrets.token_hex(16)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    return "".join([*parts, f"--{mark}--\r\n"]).encode(), f"multipart/form-data; boundary={mark}"


def retry_after(answer: Answer, now: datetime, usual: float) -> float:
    """Seconds by the header of that name, a number or a date (RFC 9110, 10.2.3); else ``usual``."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isdigit():
        return float(told)
    try:
        return max(1.0, (parsedate_to_datetime(told) - now).total_seconds())
    except (ValueError, TypeError):
        return usual


def read(answer: Answer) -> Mapping[str, Any]:
    """The object that an answer holds; nothing where it holds none."""
    try:
        told = answer.json()
    except CadenzaError:
        return {}
    return told if isinstance(told, dict) else {}


def items(told: Mapping[str, Any], key: str = "items") -> list[Mapping[str, Any]]:
    """The objects in a list of another system; whatever is none is left out."""
    found = told.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def words(told: Mapping[str, Any], *keys: str) -> str:
    """The first of these that is a text, or a number as one; empty where none is."""
    for key in keys:
        value = told.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def moment(text: str, otherwise: datetime) -> datetime:
    """An ISO time with its offset, in UTC; ``otherwise`` for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return found.astimezone(UTC) if found.tzinfo else otherwise


def stamp(at: datetime) -> str:
    """``2026-03-02T09:00:00.000Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
