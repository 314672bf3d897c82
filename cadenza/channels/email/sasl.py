"""What a mail program says to be let in (SASL): PLAIN with a password, XOAUTH2 or OAUTHBEARER with a token.

RFC 4616 (PLAIN), RFC 7628 (OAUTHBEARER); XOAUTH2 as Google and Microsoft describe it.
"""

import base64
import binascii
import json
from collections.abc import Collection

from cadenza.channels.contracts import Credentials, Server

_BY_TOKEN = ("XOAUTH2", "OAUTHBEARER")  # both providers document the first; the second is the standard
_END = b"\x01"


def token_mechanism(offered: Collection[str]) -> str | None:
    """The way to show a token that this server knows, None when it knows none."""
    return next((name for name in _BY_TOKEN if name in offered), None)


def plain(credentials: Credentials) -> bytes:
    return base64.b64encode(f"\0{credentials.user}\0{credentials.password}".encode())


def bearer(mechanism: str, credentials: Credentials, server: Server) -> bytes:
    """The first words of a token's log-in, in base64."""
    token = b"auth=Bearer " + credentials.token.encode() + _END + _END
    if mechanism == "XOAUTH2":
        return base64.b64encode(b"user=" + credentials.user.encode() + _END + token)
    user = credentials.user.replace("=", "=3D").replace(",", "=2C")
    place = f"host={server.host}".encode() + _END + f"port={server.port}".encode() + _END
    return base64.b64encode(f"n,a={user},".encode() + _END + place + token)


def heard(mechanism: str) -> bytes:
    """What answers the reason of a refusal, so that the refusal itself may follow (RFC 7628, 3.2.3)."""
    return b"" if mechanism == "XOAUTH2" else base64.b64encode(_END)


def reason(challenge: str) -> str:
    """The status inside a refusal's reason, such as "401"; empty when it holds none that can be read."""
    try:
        told = json.loads(base64.b64decode(challenge.strip(), validate=True))
    except (binascii.Error, ValueError):
        return ""
    return str(told.get("status", ""))[:40] if isinstance(told, dict) else ""
