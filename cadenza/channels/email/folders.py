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
    listed = [one for answer in answers if (one := _listed(answer)) is not None]
    for name, last, flags in listed:
        by_name.setdefault(last, name)
        for flag in sorted(flags):
            by_flag.setdefault(flag.removeprefix("\\"), name)
    found: dict[str, str | None] = {
        use: by_flag.get(use) or next((by_name[n] for n in known if n in by_name), None)
        for use, known in _NAMES.items()
    }
    names = tuple(name for name, _, _ in listed)
    return Folders(sent=found["sent"], drafts=found["drafts"], junk=found["junk"], all=names)


def _listed(answer: Answer) -> tuple[str, str, set[str]] | None:
    """``(name on the wire, last part of it for people, flags)`` of a folder that can be opened."""
    values = answer.values()
    if len(values) < 5 or values[1] != b"LIST" or not isinstance(values[2], list):
        return None
    flags = {flag.decode("ascii", "replace").lower() for flag in values[2] if isinstance(flag, bytes)}
    if not isinstance(values[4], bytes) or flags & {"\\noselect", "\\nonexistent"}:
        return None
    name = values[4].decode("ascii", "replace")
    delimiter = values[3].decode("ascii", "replace") if isinstance(values[3], bytes) else "/"
    return name, decoded(name).rpartition(delimiter)[2].lower(), flags
