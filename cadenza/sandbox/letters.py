"""What a person sees of one message of ours: its texts, its links, where it belongs and how to stop it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from urllib.parse import parse_qs, unquote, urlsplit

from cadenza.sandbox.smtp_server import Accepted

_HREF = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*["'](https?://[^"']+)["']""", re.IGNORECASE)
_IMAGE = re.compile(r"""<img\b[^>]*?\bsrc\s*=\s*["'](https?://[^"']+)["']""", re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")
_ADDRESS = re.compile(r"<([^<>]+)>")
_CALENDAR = re.compile(r"https?://\S*(?:cal\.|calendar|meeting|book|termin|rendez)", re.IGNORECASE)
_SHORT_WORDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message as it arrived. ``at`` is world time."""

    number: int
    at: datetime
    sender: str
    sender_name: str
    recipient: str
    subject: str
    text: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    links: tuple[str, ...]  # without the way out
    images: tuple[str, ...]
    unsubscribe_mail: str | None
    unsubscribe_url: str | None
    automatic: bool

    @property
    def features(self) -> frozenset[str]:
        """Content attributes as a reader feels them, by the names that world files use."""
        found = {"subject.question": self.subject.rstrip().endswith("?")}
        found["body.short"] = len(self.text.split()) < _SHORT_WORDS
        found["cta.calendar_link"] = bool(_CALENDAR.search(" ".join((self.text, *self.links))))
        return frozenset(name for name, there in found.items() if there)

    def repeats(self, earlier: "Letter") -> bool:
        """Does it make the same argument? Then most of its words stood in the other."""
        mine, theirs = (set(re.findall(r"\w{5,}", letter.text.lower())) for letter in (self, earlier))
        return bool(mine) and len(mine & theirs) / len(mine | theirs) > 0.6


def read_letter(entry: Accepted) -> Letter:
    message = message_from_bytes(entry.content, policy=default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the policy makes EmailMessage")
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    rich_text = str(rich.get_content()) if rich is not None else ""
    names = getaddresses([str(message["From"] or "")])
    stops = _ADDRESS.findall(str(message["List-Unsubscribe"] or ""))
    links = (html.unescape(link) for link in _HREF.findall(rich_text))
    return Letter(
        number=entry.number,
        at=datetime.fromisoformat(entry.at),
        sender=entry.sender.lower(),
        sender_name=names[0][0] if names else "",
        recipient=entry.recipient.lower(),
        subject=str(message["Subject"] or ""),
        text=str(plain.get_content()) if plain is not None else _TAG.sub(" ", rich_text),
        message_id=str(message["Message-ID"] or "").strip(),
        in_reply_to=str(message["In-Reply-To"] or "").strip(),
        references=tuple(str(message["References"] or "").split()),
        links=tuple(link for link in links if link not in stops),
        images=tuple(html.unescape(link) for link in _IMAGE.findall(rich_text)),
        unsubscribe_mail=_first(stops, "mailto:"),
        unsubscribe_url=_first(stops, "http"),
        automatic=str(message["Auto-Submitted"] or "no").lower() != "no",
    )


def _first(stops: Sequence[str], start: str) -> str | None:
    return next((stop for stop in stops if stop.lower().startswith(start)), None)


def mailto(link: str) -> tuple[str, str]:
    """``(address, subject)`` of a mailto link (RFC 6068)."""
    parts = urlsplit(link)
    subject = parse_qs(parts.query).get("subject", ["unsubscribe"])[0]
    return unquote(parts.path), subject
