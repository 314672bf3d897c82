"""OpenID Connect as a client: authorization code with PKCE, and ID tokens that are believed only after every check.

OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE, S256 only); RFC 9207 (issuer in the answer). Signing on and connecting a
mailbox both go through here; each says its purpose, its scopes, and what it does with the claims.
"""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Egress, Purpose

ALGORITHMS = ("RS256", "ES256")
_LEEWAY = 60  # seconds by which clocks may differ
_OLDEST = 600  # seconds since an ID token was made
_WELL_KNOWN = "/.well-known/openid-configuration"
_TENANT = "{tenantid}"  # Microsoft's word for "whichever organisation the person belongs to"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Provider:
    """As it describes itself. ``issuer`` may hold ``{tenantid}``; ``revocation`` is empty where there is none (RFC 7009)."""

    purpose: Purpose
    issuer: str
    authorization: str
    token: str
    keys: str
    revocation: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by."""

    id: str
    secret: str
    callback: str


def refused(why: str) -> CadenzaError:
    """Why is for the operator's log and tests; whoever signs in sees one sentence for all of it."""
    return CadenzaError(
        "sign_on_refused",
        f"The provider's answer was not accepted: {why}.",
        Kind.UNAUTHENTICATED,
        fix="Start again; if it stays, tell an owner of your workspace.",
    )


def _record(value: Any, why: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise refused(why)
    return value


async def discover(egress: Egress, issuer: str, purpose: Purpose) -> Provider:
    """Reads the provider's own description. Raises ``CadenzaError`` when it describes somebody else or cannot be used."""
    answer = await egress.request(purpose, "GET", issuer.rstrip("/") + _WELL_KNOWN)
    if answer.status != 200:
        raise CadenzaError(
            "provider_unknown",
            f"{issuer} does not describe an OpenID provider (it answered {answer.status}).",
            fix="Enter the issuer exactly as the provider names it.",
        )
    told = _record(answer.json(), "its description is no record")
    named = told.get("issuer")
    if named != issuer and named != issuer.replace("/common/", f"/{_TENANT}/"):
        raise CadenzaError(
            "issuer_differs",
            f"The provider at {issuer} calls itself {str(named)[:200]}.",
            fix="Enter the issuer exactly as the provider names it.",
        )
    found = [told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    found.append(told.get("revocation_endpoint", ""))
    if not all(isinstance(address, str) for address in found):
        raise refused("its description lacks an address")
    for address in filter(None, found):
        await egress.check(address)
    return Provider(purpose, named, *map(str, found))


def new_verifier() -> str:
    return secrets.token_urlsafe(48)


def authorization_address(
    provider: Provider, client: Client, scopes: Sequence[str], *, state: str, nonce: str, verifier: str, **more: str
) -> str:  # fmt: skip
    """Where the browser goes to be asked. ``more`` are parameters that only this provider knows."""
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "scope": " ".join(scopes), "client_id": client.id, "redirect_uri": client.callback,
        "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
    } | more  # fmt: skip
    return provider.authorization + ("&" if "?" in provider.authorization else "?") + urlencode(query)


async def exchange(
    egress: Egress, provider: Provider, client: Client, *, code: str, verifier: str
) -> Mapping[str, Any]:
    """The provider's tokens for a code. Raises ``CadenzaError`` when it gives none."""
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": client.callback,
        "client_id": client.id, "client_secret": client.secret, "code_verifier": verifier,
    }  # fmt: skip
    answer = await egress.request(provider.purpose, "POST", provider.token, form=form)
    if answer.status != 200:
        raise refused("it did not exchange the code")
    return _record(answer.json(), "its tokens are no record")


async def claims_of(
    egress: Egress,
    provider: Provider,
    client: Client,
    tokens: Mapping[str, Any],
    *,
    nonce: str,
    now: datetime,
) -> Mapping[str, Any]:
    """What the ID token says, after all checks; ``sub`` is there. Raises ``CadenzaError``."""
    token = tokens.get("id_token")
    if not isinstance(token, str):
        raise refused("there is no ID token")
    keys = await egress.request(provider.purpose, "GET", provider.keys)
    if keys.status != 200:
        raise refused("its keys cannot be read")
    claims = _verified(token, keys.json())
    _check(claims, provider.issuer, client.id, nonce, now)
    return claims


def _verified(token: str, keys: Any) -> Mapping[str, Any]:
    """The claims, if one of the provider's keys signed them by one of the fixed algorithms (ASVS 9.1.2)."""
    try:
        found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise refused("its signature does not hold") from wrong
    if found.header.get("typ", "JWT") != "JWT":
        raise refused("this is a token of another type")
    return _record(found.claims, "its claims are no record")


def _check(claims: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now: datetime) -> None:
    moment = now.timestamp()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if _TENANT in issuer and not _GUID.fullmatch(str(claims.get("tid"))):
        raise refused("it names no organisation")
    if claims.get("iss") != issuer.replace(_TENANT, str(claims.get("tid"))):
        raise refused("another issuer made the token")
    if client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != client_id):
        raise refused("the token is for somebody else")
    if claims.get("azp", client_id) != client_id:
        raise refused("the token was given to somebody else")
    if not secrets.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
        raise refused("the token belongs to another sign-in")
    _check_times(claims, moment)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise refused("it names nobody")


def _check_times(claims: Mapping[str, Any], moment: float) -> None:
    made, ends, begins = (_time(claims.get(name)) for name in ("iat", "exp", "nbf"))
    if ends is None or ends <= moment - _LEEWAY:
        raise refused("the token is over")
    if made is None or not moment - _OLDEST <= made <= moment + _LEEWAY:
        raise refused("the token was not made now")
    if (begins is None and "nbf" in claims) or (begins is not None and begins > moment + _LEEWAY):
        raise refused("the token is not valid yet")


def _time(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
