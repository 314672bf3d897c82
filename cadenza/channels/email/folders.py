"""Which folder of a mailbox is which, by RFC 6154 and else by the names that providers give."""

import base64
import re
from dataclasses import dataclass

from cadenza.channels.email.imap_wire import Answer

_SHIFTED = re.compile(r"&([^-]*)-")

_NAMES = {
    "sent": (
        "sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete objekte", "gesendete elemente",
        "envoyés", "éléments envoyés", "messages envoyés", "enviados", "elementos enviados", "inviata",
        "posta inviata", "verzonden", "verzonden items", "skickat", "wysłane",
    ),
    "drafts": (
        "drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "concepten", "utkast", "wersje robocze",
    ),
    "junk": ("junk", "spam", "junk e-mail", "bulk mail", "unerwünscht", "courrier indésirable"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Folders:
    """Names as the wire writes them; None where the mailbox has no such folder."""

    inbox: str = "INBOX"
    sent: str | None = None
    drafts: str | None = None
    junk: str | None = None
    all: tuple[str, ...] = ()


def decoded(name: str) -> str:
    """Modified UTF-7 (RFC 3501, 5.1.3) as text; what is none stays as it is."""

    def shift(found: re.Match[str]) -> str:
        if not found.group(1):
            return "&"
        body = found.group(1).replace(",", "/")
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-16-be")

    try:
        return _SHIFTED.sub(shift, name)
    except ValueError:
        return name


def read_folders(answers: list[Answer]) -> Folders:
    """From the answers to LIST."""
    by_flag: dict[str, str] = {}
    by_name: dict[str, str] = {}
    names: list[str] = []
    for answer in answers:
        values = answer.values()
        if len(values) < 5 or values[1:2] != [b"LIST"] or not isinstance(values[2], list):
            continue
        name = bytes(values[4]).decode("ascii", "replace") if isinstance(values[4], bytes) else ""
        delimiter = values[3].decode("ascii", "replace") if isinstance(values[3], bytes) else "/"
        flags = {flag.decode("ascii", "replace").lower() for flag in values[2] if isinstance(flag, bytes)}
        if "\\noselect" in flags or "\\nonexistent" in flags:
            continue
        names.append(name)
        for flag in flags:
            by_flag.setdefault(flag.removeprefix("\\"), name)
        by_name.setdefault(decoded(name).rpartition(delimiter)[2].lower(), name)
    found = {
        use: by_flag.get(use) or next((by_name[n] for n in known if n in by_name), None)
        for use, known in _NAMES.items()
    }
    return Folders(sent=found["sent"], drafts=found["drafts"], junk=found["junk"], all=tuple(names))
