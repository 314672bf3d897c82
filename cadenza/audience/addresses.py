"""Ways to reach a person in their one normal form, so that two spellings are one address."""

import re
from urllib.parse import quote, unquote, urlsplit

import email_validator
import phonenumbers

_PLAIN_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_NO_MAIL = (
    ".invalid",
    ".localhost",
    ".local",
    ".onion",
    ".arpa",
)  # RFC 6761: nothing is ever delivered there
_NAMED = re.compile(r".*<([^<>]+)>\s*")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_PROFILE = re.compile(r"/(?:in|pub)/([^/]{2,200})", re.IGNORECASE)
_EXTENSION = re.compile(r"\s*(?:ext\.?|x|durchwahl|dw)\s*\d{1,6}\s*$", re.IGNORECASE)

# Providers of private mailboxes: their domain says nothing about the company.
PRIVATE_DOMAINS = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.de", "hotmail.fr", "hotmail.co.uk", "live.com",
        "msn.com", "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.co.uk", "yahoo.co.jp", "ymail.com", "icloud.com", "me.com",
        "mac.com", "aol.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de",
        "posteo.de", "mailbox.org", "proton.me", "protonmail.com", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net",
        "sfr.fr", "libero.it", "bluewin.ch", "mail.ru", "yandex.ru", "qq.com", "163.com", "126.com", "zoho.com", "fastmail.com",
    }
)  # fmt: skip


class AddressError(Exception):
    """Why a value is no address of its kind, in words."""


def normal_email(text: str) -> str:
    """Small letters, an international domain in its ASCII form; what stands after a plus is kept.

    Raises ``AddressError``. Nothing is asked of the network.
    """
    value = text.strip().removeprefix("mailto:").strip()
    if named := _NAMED.fullmatch(value):
        value = named[1].strip()
    value = value.lower()
    if not _PLAIN_EMAIL.fullmatch(value) or "xn--" in value:
        value = _unusual_email(value)
    if len(value.rpartition("@")[0]) > 64 or len(value) > 254:
        raise AddressError("it is longer than mail systems take")
    if value.endswith(_NO_MAIL):
        raise AddressError(f"mail to {value.rpartition('.')[2]!r} addresses is never delivered")
    return value


def _unusual_email(value: str) -> str:
    try:
        checked = email_validator.validate_email(
            value, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except (email_validator.EmailNotValidError, ValueError) as wrong:
        raise AddressError(_short(wrong)) from wrong
    if checked.ascii_email is None or "." not in (checked.ascii_domain or ""):
        raise AddressError("its domain is not complete")
    return checked.ascii_email.lower()


def _short(wrong: Exception) -> str:
    return str(wrong).splitlines()[0].rstrip(".")[:120] if str(wrong) else "it is no e-mail address"


def domain_of(email: str) -> str:
    return email.rpartition("@")[2]


def normal_phone(text: str, country: str | None) -> str:
    """E.164, such as +493012345678. Raises ``AddressError``; without + the country must be known."""
    value = _EXTENSION.sub("", text.strip())
    if not value.startswith(("+", "00")) and country is None:
        raise AddressError("it has no country code, and the row no country")
    if value.startswith("00"):
        value = "+" + value[2:]
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException as wrong:
        raise AddressError("it is no telephone number") from wrong
    if not phonenumbers.is_valid_number(number):
        raise AddressError("no such number can exist" + (f" in {country}" if country else ""))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def normal_linkedin(text: str) -> str:
    """``https://www.linkedin.com/in/NAME`` without country host, query and slash. Raises ``AddressError``."""
    parts = _split(text)
    host = parts[0]
    found = _PROFILE.match(parts[1])
    if not (host == "linkedin.com" or host.endswith(".linkedin.com")) or found is None:
        raise AddressError("it is no address of a LinkedIn profile (linkedin.com/in/NAME)")
    name = unquote(found[1]).strip().lower()
    if not all(c.isalnum() or c in "-_.%&'" for c in name):
        raise AddressError("its name has characters that no LinkedIn profile has")
    return f"https://www.linkedin.com/in/{quote(name)}"


def normal_website(text: str) -> str:
    """``https://host/path``, http where it was written so, the host in ASCII. Raises ``AddressError``."""
    host, path = _split(text)
    scheme = "http" if text.strip().lower().startswith("http:") else "https"
    return f"{scheme}://{host}{path.rstrip('/')}"


def website_domain(website: str) -> str:
    return _split(website)[0].removeprefix("www.")


def _split(text: str) -> tuple[str, str]:
    """Host and path of a web address written with or without its scheme."""
    value = text.strip()
    if "://" not in value:
        value = f"https://{value}"
    try:
        parts = urlsplit(value)
        host = (parts.hostname or "").rstrip(".")
        host = host if host.isascii() else host.encode("idna").decode()
    except (ValueError, UnicodeError) as wrong:
        raise AddressError("it is no web address") from wrong
    if parts.scheme.lower() not in {"http", "https"} or parts.username or not _HOST.fullmatch(host.lower()):
        raise AddressError("it is no web address")
    return host.lower(), quote(unquote(parts.path), safe="/~:@!$&'()*+,;=-._%")
