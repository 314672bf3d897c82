"""Header values of outgoing mail as bytes: encoded, quoted, folded, and never with a line break of their own.

RFC 5322 (shape, folding), RFC 2047 (words outside ASCII), RFC 5891 (domains outside ASCII).
"""

import base64
import re
from functools import lru_cache

import idna

from cadenza.core.errors import CadenzaError

FOLD = b"\r\n "
LINE = 76  # RFC 2047: the longest line that may hold an encoded word; RFC 5322 advises 78

_ENCODED_BYTES = 36  # makes an encoded word of 60 characters, which fits behind every header name
_BREAK = re.compile(r"[\r\n\x00]")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|\"[\x20\x21\x23-\x5b\x5d-\x7e]+\"")
_LINK = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]+")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,500}>")


def without_breaks(header: str, value: str) -> str:
    """The value itself; a line break in it would let its author write headers, so it is refused."""
    if _BREAK.search(value):
        raise CadenzaError(
            "header_line_break",
            f"The value for {header} holds a line break.",
            fix="Remove the line break from the text or from the field it comes from.",
        )
    return value


def unstructured(header: str, value: str) -> bytes:
    """A value such as a subject, folded behind ``header: ``."""
    value = without_breaks(header, value).strip()
    if _PLAIN.fullmatch(value) and "=?" not in value:
        folded = _fold_words(value, LINE - len(header) - 2)
        if folded is not None:
            return folded
    return FOLD.join(_encoded_words(value))


def _fold_words(value: str, room: int) -> bytes | None:
    """Break at single spaces; None where that is impossible and only encoding keeps lines short."""
    if len(value) <= room:
        return value.encode("ascii")
    if "  " in value:
        return None
    lines: list[str] = []
    line = ""
    for word in value.split(" "):
        longer = f"{line} {word}" if line else word
        if len(longer) > room and line:
            lines.append(line)
            line, room = word, LINE - 1
        else:
            line = longer
        if len(line) > room:
            return None
    return FOLD.join(part.encode("ascii") for part in (*lines, line))


def _encoded_words(value: str) -> list[bytes]:
    """Words of whole characters, as RFC 2047 demands, each short enough for one line."""
    words: list[bytes] = []
    chunk = b""
    for character in value:
        piece = character.encode("utf-8", "replace")
        if len(chunk) + len(piece) > _ENCODED_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += piece
    words.append(chunk)
    return [b"=?utf-8?B?" + base64.b64encode(word) + b"?=" for word in words]


def phrase(header: str, name: str) -> bytes:
    """A display name: bare, quoted or encoded, whichever is the least that is safe."""
    name = without_breaks(header, name).strip()
    if not _PLAIN.fullmatch(name) or "=?" in name or len(name) > LINE - len(header) - 4:
        return FOLD.join(_encoded_words(name))
    if _PHRASE.fullmatch(name) and "  " not in name:
        return name.encode("ascii")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode("ascii")


def mailbox(header: str, name: str | None, address: str) -> bytes:
    """``Name <address>`` or the bare address."""
    bare = ascii_address(address).encode("ascii")
    if not name or not name.strip():
        return bare
    label = phrase(header, name)
    last = len(label) - label.rfind(b"\n") - 1
    fits = last + len(bare) + 3 <= (LINE if b"\n" in label else LINE - len(header) - 2)
    return label + (b" <" if fits else FOLD + b"<") + bare + b">"


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The domain as the wire writes it (``xn--``)."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as wrong:
        raise CadenzaError(
            "address_invalid", f"{domain} is no valid domain.", fix="Correct the address."
        ) from wrong


def ascii_address(address: str) -> str:
    """An address for header and envelope. A local part outside ASCII needs SMTPUTF8, which few accept."""
    without_breaks("an address", address)
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not domain or re.search(r"[\s<>@,;]", domain):
        raise CadenzaError(
            "address_invalid",
            f"{address} is no address that mail can be sent to.",
            fix="Correct the address.",
        )
    return f"{local}@{ascii_domain(domain)}"


def link(header: str, value: str) -> bytes:
    """An address of a page or mailbox as it stands between ``<`` and ``>``."""
    if not _LINK.fullmatch(without_breaks(header, value)):
        raise CadenzaError(
            "link_invalid",
            f"{value} cannot stand in {header}.",
            fix="Encode it as RFC 3986 asks (no spaces, no <>).",
        )
    return value.encode("ascii")


def message_ids(header: str, values: tuple[str, ...], *, keep: int = 40) -> bytes:
    """One id a line. The root and the newest stay; an id that no header can hold is left out."""
    ids = [i for i in (without_breaks(header, value).strip() for value in values) if _MESSAGE_ID.fullmatch(i)]
    if len(ids) > keep:
        ids = [ids[0], *ids[1 - keep :]]
    return FOLD.join(i.encode("ascii") for i in ids)
