"""What kind of mail this is: structure first, then headers, then the sender's own words. Never the quoted ones."""

import re
from collections.abc import Iterable
from datetime import datetime

from cadenza.inbox.detection.bounces import is_only_success, read_bounces
from cadenza.inbox.detection.contracts import Absence, Detection, Mail
from cadenza.inbox.detection.headers import message_ids
from cadenza.inbox.detection.mail import read_mail
from cadenza.understanding.contracts import MailKind
from cadenza.understanding.service import (
    automatic_kind,
    extract,
    headers_say_automatic,
    is_daemon,
    is_failure_subject,
    read_automatic,
)

_RECEIPT_SUBJECT = re.compile(
    r"^\s*(?:read|gelesen|lu|leído|letto|lida|gelezen|прочитано|開封済み|已读|읽음|not read|ungelesen|read receipt|return receipt|lesebestätigung)\s*[:：-]",
    re.IGNORECASE,
)
_RECEIPT_WORDS = re.compile(
    r"was read on|wurde (?:am [^\n]{0,40} )?gelesen|a été lu|fue leído|è stato letto|return receipt|this is a (?:read )?receipt|lesebestätigung",
    re.IGNORECASE,
)
_COMPLAINT_SUBJECT = re.compile(
    r"^\s*(?:complaint about message from|abuse report|spam complaint|email feedback report|fbl:)",
    re.IGNORECASE,
)


def detect(mail: Mail | bytes, own: Iterable[str] = (), *, received_at: datetime | None = None) -> Detection:
    """Kind, failed recipients, absence and conversation of one mail. Never raises.

    ``own`` are the addresses that are ours; ``received_at`` is when it came (else its Date header).
    """
    message = read_mail(mail) if isinstance(mail, bytes) else mail
    ours = frozenset(address.strip().lower() for address in own)
    kind = _kind(message, ours)
    bounces = read_bounces(message, ours) if kind is MailKind.BOUNCE else ()
    return Detection(
        kind=kind,
        bounces=bounces,
        auto=_absence(message, kind, received_at or message.date),
        from_address=message.from_address,
        thread_key=_thread_key(message, kind, bounces[0].original_message_id if bounces else None),
        is_forward=message.is_forward,
    )


def _kind(mail: Mail, own: frozenset[str]) -> MailKind:
    report = _report_kind(mail)
    if report:
        return report
    if _is_own(mail, own):
        return MailKind.OWN_COPY
    if mail.calendar_method is not None and not _has_own_words(mail):
        return MailKind.CALENDAR
    if _is_bounce(mail):
        return MailKind.BOUNCE
    if _is_receipt(mail):
        return MailKind.RECEIPT
    words = _own_words(mail)
    automatic = automatic_kind(mail.subject, words, mail.headers, mail.from_address)
    bulk = _is_bulk(mail, own)
    if (
        automatic
        and not (bulk and not headers_say_automatic(mail.headers))
        and automatic is not MailKind.BOUNCE
    ):
        return automatic
    return MailKind.BULK if bulk else MailKind.PERSON


def _report_kind(mail: Mail) -> MailKind | None:
    """Reports by their types: RFC 5965 feedback, RFC 8098 dispositions, RFC 3464 delivery."""
    types = set(mail.part_types)
    report = mail.report_type
    if (
        report == "feedback-report"
        or "message/feedback-report" in types
        or (_COMPLAINT_SUBJECT.match(mail.subject) and mail.returned_headers)
    ):
        return MailKind.COMPLAINT
    if report == "disposition-notification" or "message/disposition-notification" in types:
        return MailKind.RECEIPT
    if mail.delivery_status:
        return MailKind.DELIVERED if is_only_success(mail) else MailKind.BOUNCE
    if report == "delivery-status" or "message/delivery-status" in types:
        return MailKind.BOUNCE
    return None


def _is_own(mail: Mail, own: frozenset[str]) -> bool:
    """Written by one of our addresses, also with a "+tag"."""
    local, _, domain = mail.from_address.partition("@")
    return mail.from_address in own or f"{local.partition('+')[0]}@{domain}" in own


def _is_bounce(mail: Mail) -> bool:
    """A notice without a report: from a mail system and about delivery, or with the headers that only such have."""
    if mail.headers.get("x-failed-recipients"):
        return True
    if is_daemon(mail.from_address) and not mail.header("list-id"):
        return True
    null_sender = mail.header("return-path").strip() in ("<>", "< >")
    return is_failure_subject(mail.subject) and (
        null_sender
        or headers_say_automatic(mail.headers)
        or "mailer" in mail.from_address
        or mail.from_address == ""
    )


def _is_receipt(mail: Mail) -> bool:
    return bool(_RECEIPT_SUBJECT.match(mail.subject) and _RECEIPT_WORDS.search(mail.text[:1_500]))


def _own_words(mail: Mail) -> str | None:
    body = mail.html if mail.html and not mail.text.strip() else mail.text
    return extract(body, mail.from_name).text


def _has_own_words(mail: Mail) -> bool:
    """A person who attaches an invitation to a real answer: more words than calendars put there themselves."""
    attached = mail.calendar_method in ("", "PUBLISH") or any(
        name.lower().endswith(".ics") for name in mail.attachments
    )
    words = _own_words(mail) or ""
    return attached and len(words.split()) >= 3 and mail.calendar_method not in ("REPLY", "CANCEL", "COUNTER")


def _is_bulk(mail: Mail, own: frozenset[str]) -> bool:
    """List or newsletter mail, unless it answers a message of ours (a group address may add list headers)."""
    precedence = mail.header("precedence").strip().lower()
    marked = (
        "list-id" in mail.headers
        or "list-unsubscribe" in mail.headers
        or precedence in ("bulk", "list", "junk")
    )
    domains = {address.rpartition("@")[2] for address in own}
    answered = {
        reference.rstrip(">").rpartition("@")[2].lower()
        for reference in (*mail.references, mail.in_reply_to or "")
    }
    return marked and not (domains & answered)


def _absence(mail: Mail, kind: MailKind, received: datetime | None) -> Absence | None:
    if kind not in (MailKind.OUT_OF_OFFICE, MailKind.AUTO_REPLY):
        return None
    found = read_automatic(kind, _own_words(mail) or "", received_at=received, from_email=mail.from_address)
    return Absence(found.return_date, found.colleague)


def _thread_key(mail: Mail, kind: MailKind, original: str | None) -> str | None:
    """The conversation's first Message-ID; for a bounce that of the message that came back."""
    if kind is MailKind.BOUNCE:
        returned = mail.returned_headers
        roots = message_ids(returned.get("references", [])) or message_ids(returned.get("in-reply-to", []))
        if roots or original:
            return roots[0] if roots else original
    return mail.references[0] if mail.references else mail.in_reply_to or mail.message_id
