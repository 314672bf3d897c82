"""What the large mail providers want of a mail program: servers, TLS, user name, and whether the usual password opens them.

Each entry names the provider's own page and as of when it holds; providers change them, so look there before you doubt a
mailbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from cadenza.channels.contracts import Server, Tls
from cadenza.core.errors import CadenzaError, Kind

_AS_OF = date(2026, 11, 23)


class Opening(StrEnum):
    """How a provider lets a mail program in."""

    PASSWORD = "password"  # noqa: S105 - the usual one of the mailbox
    APP_PASSWORD = "app_password"  # noqa: S105 - one made for applications in the account's settings
    CONSENT = "consent"  # only by asking the person at the provider (OAuth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A provider's servers. ``consent`` names the OAuth provider where there is one; ``needs_imap`` that reading by
    IMAP is off until it is switched on in the provider's own settings.
    """

    key: str
    name: str
    smtp: Server
    imap: Server
    opening: Opening = Opening.PASSWORD
    consent: str | None = None
    needs_imap: bool = False
    source: str
    as_of: date = _AS_OF


def _servers(smtp: str, imap: str, *, submission: int = 465) -> tuple[Server, Server]:
    tls = Tls.IMPLICIT if submission == 465 else Tls.STARTTLS
    return Server(smtp, submission, tls), Server(imap, 993, Tls.IMPLICIT)


def _preset(key: str, name: str, servers: tuple[Server, Server], source: str, **more: object) -> Preset:
    return Preset(key=key, name=name, smtp=servers[0], imap=servers[1], source=source, **more)  # type: ignore[arg-type]


_ALL = (
    # As of 2026-11-23: IMAP with app passwords where an organisation allows them, otherwise by OAuth.
    _preset(
        "google", "Google", _servers("smtp.gmail.com", "imap.gmail.com"),
        "https://developers.google.com/workspace/gmail/imap/imap-smtp",
        opening=Opening.APP_PASSWORD, consent="google",
    ),
    # As of 2026-11-23: passwords are switched off for IMAP and submission; SMTP AUTH has to be allowed for the mailbox.
    _preset(
        "microsoft", "Microsoft 365", _servers("smtp.office365.com", "outlook.office365.com", submission=587),
        "https://learn.microsoft.com/en-us/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
        opening=Opening.CONSENT, consent="microsoft",
    ),
    # As of 2026-11-23: "Modern Auth" only since 16 September 2024; IMAP to be allowed under Forwarding and IMAP.
    _preset(
        "outlook", "Outlook.com", _servers("smtp-mail.outlook.com", "outlook.office365.com", submission=587),
        "https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040",
        opening=Opening.CONSENT, consent="microsoft", needs_imap=True,
    ),
    # As of 2026-11-23: an app password from Account security.
    _preset(
        "yahoo", "Yahoo", _servers("smtp.mail.yahoo.com", "imap.mail.yahoo.com"),
        "https://help.yahoo.com/kb/SLN4075.html", opening=Opening.APP_PASSWORD,
    ),
    # As of 2026-11-23: an app-specific password; submission is STARTTLS on 587.
    _preset(
        "icloud", "iCloud", _servers("smtp.mail.me.com", "imap.mail.me.com", submission=587),
        "https://support.apple.com/en-us/102525", opening=Opening.APP_PASSWORD,
    ),
    # As of 2026-11-23: an app password with mail access.
    _preset(
        "fastmail", "Fastmail", _servers("smtp.fastmail.com", "imap.fastmail.com"),
        "https://www.fastmail.help/hc/en-us/articles/1500000278342", opening=Opening.APP_PASSWORD,
    ),
    # As of 2026-11-23: smtppro and imappro for domains of their own; app password with two-factor sign-in.
    _preset(
        "zoho", "Zoho", _servers("smtppro.zoho.com", "imappro.zoho.com"),
        "https://www.zoho.com/mail/help/imap-access.html", opening=Opening.APP_PASSWORD, needs_imap=True,
    ),
    # As of 2026-11-23: the mailbox's own password.
    _preset(
        "ionos", "IONOS", _servers("smtp.ionos.com", "imap.ionos.com"),
        "https://www.ionos.com/help/email/general-topics/settings-for-your-email-programs-imap-pop3/",
    ),
    # As of 2026-11-23: IMAP has to be switched on in the settings; app password with two-factor sign-in.
    _preset(
        "gmx", "GMX", _servers("mail.gmx.net", "imap.gmx.net"),
        "https://hilfe.gmx.net/pop-imap/imap/imap-serverdaten.html", needs_imap=True,
    ),
    # As of 2026-11-23: the mailbox's own password.
    _preset(
        "strato", "STRATO", _servers("smtp.strato.de", "imap.strato.de"),
        "https://www.strato.de/faq/mail/wie-lauten-die-pop3-imap-smtp-server/",
    ),
)  # fmt: skip

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.key: preset for preset in _ALL})
OTHER = "other"  # any server that speaks SMTP and IMAP; everything is entered


def preset(key: str) -> Preset:
    """Raises ``CadenzaError`` (not found) for a provider that has no entry."""
    found = PRESETS.get(key)
    if found is None:
        raise CadenzaError(
            "preset_unknown",
            f"There is no preset {key[:40]}.",
            Kind.NOT_FOUND,
            fix=f"Take one of {', '.join(PRESETS)}, or enter the servers.",
        )
    return found


def preset_of_consent(provider: str, smtp: Server) -> Preset:
    """By which entry a mailbox of this OAuth provider was connected. Raises ``CadenzaError`` when there is none."""
    able = [each for each in PRESETS.values() if each.consent == provider]
    return next((each for each in able if each.smtp == smtp), able[0] if able else preset(provider))
