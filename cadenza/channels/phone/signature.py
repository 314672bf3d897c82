"""Twilio's signature of its requests to us (https://www.twilio.com/docs/usage/security, "Validating requests")."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

HEADER = "X-Twilio-Signature"


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """HMAC-SHA1 by the account's auth token of the whole address and the fields of the form in order of their names, in base64."""
    told = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    mac = hmac.new(token.encode(), told.encode(), hashlib.sha1)  # what they sign with; HMAC-SHA1 stands
    return base64.b64encode(mac.digest()).decode()


def is_signed(token: str, url: str, form: Mapping[str, str], given: str) -> bool:
    """Whether this is theirs and unaltered. They sign the address with its port or without, so both are tried."""
    expected = [signature(token, each, form) for each in _with_and_without_port(url)]
    return any([hmac.compare_digest(each.encode(), given.encode()) for each in expected])  # noqa: C419 - all, in the same time


def _with_and_without_port(url: str) -> set[str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {url, urlunsplit(parts._replace(netloc=host)), urlunsplit(parts._replace(netloc=f"{host}:{port}"))}
