"""One received mail and what it was found to be."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cadenza.understanding.contracts import FailureType, MailKind, Referral


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message after tolerant reading. Header names are lower case, values decoded, ids with their brackets."""

    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    from_address: str = ""
    from_name: str = ""
    to_addresses: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    headers: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""
    html: str = ""
    attachments: tuple[str, ...] = ()
    content_type: str = "text/plain"
    report_type: str = ""
    part_types: tuple[str, ...] = ()
    calendar_method: str | None = None  # upper case; "" for a calendar part that names none
    delivery_status: tuple[dict[str, str], ...] = ()  # one per recipient, lower-case field names
    returned_headers: dict[str, list[str]] = field(default_factory=dict)
    is_forward: bool = False
    raw: bytes = field(default=b"", repr=False, compare=False)

    @property
    def has_attachments(self) -> bool:
        return bool(self.attachments)

    def header(self, name: str) -> str:
        """The first value, or an empty string."""
        return next(iter(self.headers.get(name.lower(), ())), "")


@dataclass(frozen=True, slots=True)
class Bounce:
    """One recipient that a message did not reach. ``status`` is RFC 3463, such as 5.1.1."""

    type: FailureType
    recipient: str | None
    status: str | None
    reason: str
    original_message_id: str | None


@dataclass(frozen=True, slots=True)
class Absence:
    """What an automatic answer says: first day back (ISO date) and who stands in."""

    return_date: str | None
    colleague: Referral | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    kind: MailKind
    bounces: tuple[Bounce, ...] = ()
    auto: Absence | None = None
    from_address: str = ""
    thread_key: str | None = None
    is_forward: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The public JSON object of ``cadenza mail classify``, without ``file``."""
        return {
            "kind": self.kind.value,
            "bounces": [_bounce_dict(bounce) for bounce in self.bounces],
            "auto": _absence_dict(self.auto),
            "from": self.from_address,
            "thread_key": self.thread_key,
        }


def _bounce_dict(bounce: Bounce) -> dict[str, Any]:
    return {
        "type": bounce.type.value,
        "recipient": bounce.recipient,
        "status": bounce.status,
        "reason": bounce.reason,
        "original_message_id": bounce.original_message_id,
    }


def _absence_dict(absence: Absence | None) -> dict[str, Any] | None:
    if absence is None:
        return None
    person = absence.colleague
    colleague = person and {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "title": person.title,
    }
    return {"return_date": absence.return_date, "colleague": colleague}
