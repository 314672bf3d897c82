"""An OpenID provider on loopback that speaks the protocol, and lies where a test tells it to."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from cadenza.core.clock import Clock
from tests.servers.scripted import serve

CLIENT_ID, SECRET = "cadenza", "a client secret"


@dataclass
class Provider:
    """``claims`` and ``token`` change what it says; ``description`` what it tells of itself."""

    clock: Clock
    issuer: str = ""
    subject: str = "subject-1"
    claims: dict[str, Any] = field(default_factory=dict)
    token: Callable[["Provider", dict[str, Any]], str] | None = None
    description: dict[str, Any] = field(default_factory=dict)
    redirect_to: str = ""
    pause: float = 0  # seconds before each answer
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))

    def consent(self, address: str) -> dict[str, str]:
        """What the person's browser does there: say yes, and be sent back with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = uuid4().hex
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer, "sub": self.subject, "aud": asked["client_id"], "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "email": "owner@north.example", "email_verified": True,
        } | self.claims  # fmt: skip
        return self.token(self, claims) if self.token else self.sign(claims)

    def sign(self, claims: dict[str, Any], *, key: Any = None, **header: Any) -> str:
        head = {"alg": "RS256", "kid": "one"} | header
        return jwt.encode(head, claims, key or self.key, algorithms=[head["alg"]])

    def unsigned(self, claims: dict[str, Any]) -> str:
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."

    def by_public_key(self, claims: dict[str, Any]) -> str:
        """The old swap: our public key, which everybody has, used as the secret of an HMAC."""
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'one'})}.{_part(claims)}"
        mac = hmac.new(self.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_text(mac)}"

    def answer(self, method: str, path: str, form: dict[str, str]) -> tuple[int, Any]:
        self.asked.append((method, path, form))
        if path.endswith("/.well-known/openid-configuration"):
            told = {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            }  # fmt: skip
            return 200, told | self.description
        if path.endswith("/keys"):
            return 200, KeySet([self.key]).as_dict(private=False)
        return self._exchange(form)

    def _exchange(self, form: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        if (
            asked is None
            or form.get("client_secret") != SECRET
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if _text(digest) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(asked)}


AnyProvider = TypeVar("AnyProvider", bound=Provider)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


@asynccontextmanager
async def openid_provider(clock: Clock) -> AsyncIterator[Provider]:
    async with serving(Provider(clock)) as provider:
        yield provider


@asynccontextmanager
async def serving(provider: AnyProvider) -> AsyncIterator[AnyProvider]:
    """Puts it on loopback, where it is its own issuer."""

    async def handler(reader: Any, writer: Any) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head.split("\r\n")[1:])}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, content = provider.answer(method, path, form)
        text = content if isinstance(content, str) else json.dumps(content)
        await asyncio.sleep(provider.pause)
        extra = f"location: {provider.redirect_to}\r\n" if provider.redirect_to else ""
        if provider.redirect_to:
            status = 302
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {len(text.encode())}\r\n"
            f"connection: close\r\n\r\n{text}".encode()
        )
        await writer.drain()

    async with serve(handler) as server:
        provider.issuer = f"http://{server.host}:{server.port}"
        yield provider
