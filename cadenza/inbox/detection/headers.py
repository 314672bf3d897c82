"""Header values as people wrote them, whatever bytes they came in."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime

_LIMIT = 20_000  # characters of one header value
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_ADDRESS = re.compile(
    r"[^\s<>\"'(),;:\[\]\\@]+@[^\s<>\"'(),;:\\@]+\.[^\s<>\"'(),;:\\@]+|[^\s<>\"'(),;:@]+@\[[\d.:a-fA-F]+\]"
)
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
}


def decode_bytes(data: bytes, charset: str | None) -> str:
    """Text from bytes: the charset that is claimed, else UTF-8, else Windows-1252. Never raises."""
    for name in (_codec(charset), "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    try:
        claimed = _codec(charset)
        return data.decode(claimed if claimed != "utf-8" else "cp1252", "replace")
    except (LookupError, UnicodeError, ValueError):
        return data.decode("cp1252", "replace")


def _codec(charset: str | None) -> str:
    name = (charset or "utf-8").strip().strip("\"'").lower()
    return _ALIASES.get(name, name) if name.isascii() and len(name) < 40 else "utf-8"


def decode_value(value: object) -> str:
    """One header value: RFC 2047 words and bare 8-bit characters decoded, folding undone."""
    text = _plain(str(value)[:_LIMIT])
    if "=?" in text:
        with suppress(
            HeaderParseError, ValueError, LookupError
        ):  # else kept as it came, for a person to look at
            text = "".join(_word(word, charset) for word, charset in decode_header(text))
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\r\n\t ]+", " ", text.replace("\x00", "")).strip()


def _plain(text: str) -> str:
    """Undo the parser's escape of 8-bit bytes."""
    return decode_bytes(text.encode("utf-8", "surrogateescape"), None)


def _word(word: str | bytes, charset: str | None) -> str:
    return word if isinstance(word, str) else decode_bytes(word, charset)


def message_ids(values: Iterable[str]) -> tuple[str, ...]:
    """Every Message-ID in order, each once."""
    return tuple(dict.fromkeys(match for value in values for match in _MESSAGE_ID.findall(value)))


def one_message_id(value: str) -> str | None:
    """A Message-ID with its brackets, also where a sender left them out."""
    found = _MESSAGE_ID.search(value)
    if found:
        return found.group(0)
    bare = value.strip()
    return f"<{bare}>" if bare and " " not in bare and "@" in bare and not set(bare) & set("<>") else None


def addresses(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of name and bare lower-case address. ``values`` are not yet decoded."""
    pairs = []
    for value in values:
        plain = _plain(value[:_LIMIT]).replace("\x00", "")
        for name, address in _parse(plain):
            if "@" in address:
                pairs.append((decode_value(name), _bare(address)))
    return tuple(pairs)


def _parse(value: str) -> list[tuple[str, str]]:
    try:
        found = [pair for pair in getaddresses([value]) if "@" in pair[1] and _ADDRESS.fullmatch(pair[1])]
    except (ValueError, IndexError, RecursionError):
        found = []
    return found or [
        (_name_before(value, match.start()), match.group(0)) for match in _ADDRESS.finditer(value)
    ]


def _name_before(value: str, place: int) -> str:
    return value[:place].rpartition(",")[2].strip(" \t<\"'([") if place < 300 else ""


def _bare(address: str) -> str:
    text = address.strip().strip("<>.'\"").lower()
    return text.encode("utf-8", "replace").decode("utf-8")


def find_addresses(text: str) -> list[str]:
    """Bare addresses in running text, in order, each once."""
    return list(dict.fromkeys(_bare(found) for found in _ADDRESS.findall(text[:100_000])))


def parse_date(value: str) -> datetime | None:
    """An aware time; a date without a zone counts as UTC, an impossible one is None."""
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # overflows for offsets at the edges of the calendar
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment
