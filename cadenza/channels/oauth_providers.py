"""The providers at which a person can let us into a mailbox, and exactly what we ask them for (ASVS 10.2.3).

Sources, as of 2026-11: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol and
https://learn.microsoft.com/en-us/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.openid import Client
from cadenza.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Consent:
    """One provider: what is asked for, what of it must be granted, and where its answer says whose mailbox it is.

    ``mail`` are the scopes without which there is no mailbox; Google lets people leave some out. ``more`` are parameters that
    only this provider knows.
    """

    key: str
    name: str
    scopes: tuple[str, ...]
    mail: tuple[str, ...]
    address: str  # claim of the ID token
    verified: bool  # whether another claim must say that the address is verified
    more: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def address_of(self, claims: Mapping[str, Any]) -> str | None:
        """Whose mailbox this is, if the provider vouches for it. That the token opens it, the log-in shows."""
        found = claims.get(self.address)
        if not isinstance(found, str) or "@" not in found or (self.verified and not _is_true(claims)):
            return None
        return found.lower()


def _is_true(claims: Mapping[str, Any]) -> bool:
    return claims.get("email_verified") in (True, "true")


# IMAP and submission at Google know one scope only, and it is the whole mailbox; nothing smaller opens them.
_GOOGLE = Consent(
    "google", "Google", ("openid", "email", "https://mail.google.com/"), ("https://mail.google.com/",), "email",
    verified=True, more=MappingProxyType({"access_type": "offline", "prompt": "consent"}),
)  # fmt: skip
# "profile" is what makes Microsoft name the account; "offline_access" what lets us stay connected.
_OUTLOOK = ("https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send")
_MICROSOFT = Consent(
    "microsoft", "Microsoft", ("openid", "profile", "offline_access", *_OUTLOOK), _OUTLOOK, "preferred_username",
    verified=False, more=MappingProxyType({"prompt": "select_account"}),
)  # fmt: skip

CONSENTS: Mapping[str, Consent] = MappingProxyType({each.key: each for each in (_GOOGLE, _MICROSOFT)})


@dataclass(frozen=True, slots=True)
class Registration:
    """How this installation is known at a provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    def client(self, callback: str = "") -> Client:
        return Client(self.client_id, self.client_secret, callback)


def registration(settings: Settings, key: str) -> Registration:
    """Raises ``CadenzaError`` when the operator has registered no application with this provider."""
    issuer, client_id, secret = _registered(settings, key)
    if not client_id:
        raise CadenzaError(
            "provider_not_registered",
            f"This installation is not registered with {CONSENTS[key].name}.",
            Kind.CONFLICT,
            fix="Ask the operator to register it: docs/connecting-mailboxes.md says how.",
        )
    return Registration(issuer, client_id, secret)


def is_registered(settings: Settings, key: str) -> bool:
    return bool(_registered(settings, key)[1])


def _registered(settings: Settings, key: str) -> tuple[str, str, str]:
    if key == _GOOGLE.key:
        return settings.google_issuer, settings.google_client_id, settings.google_client_secret
    return settings.microsoft_issuer, settings.microsoft_client_id, settings.microsoft_client_secret
