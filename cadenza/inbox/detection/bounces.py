"""Delivery notices: RFC 3464 first, then flufl.bounce, then the words of servers that follow no standard."""

import re
from collections.abc import Iterable
from email.message import Message
from email.parser import BytesParser

from flufl.bounce import all_failures

from cadenza.inbox.detection import headers as header_values
from cadenza.inbox.detection.contracts import Bounce, Mail
from cadenza.understanding.contracts import FailureType
from cadenza.understanding.service import STATUS, failure_type

_FAILING = ("failed", "delayed")
_REASON_LIMIT = 400
_RETURNED_COPY = re.compile(
    r"^\s*(?:-{2,}.{0,40}(?:original message|copy of (?:the|your) message|returned message|message headers?|header(?:s)? of|ursprüngliche|"
    r"kopie der nachricht|below this line is a copy)|.{0,10}below this line is a copy|original message headers|ursprüngliche nachrichtenkopf|"
    r"received:\s|return-path:\s)",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID_LINE = re.compile(r"message-id:\s*(<[^<>\s]+>)", re.IGNORECASE)
_SMTP_REPLY = re.compile(r"\b([45]\d\d)[ -](?:#?\d\.\d+\.\d+)?")


def read_bounces(mail: Mail, own: Iterable[str] = ()) -> tuple[Bounce, ...]:
    """Every recipient that was not reached, each once; none when the notice names nobody."""
    blocks = [block for block in mail.delivery_status if _action(block) in _FAILING or _is_failure(block)]
    original = _original_id(mail)
    if blocks:
        return tuple(_from_block(block, mail, original) for block in blocks)
    ours = {address.lower() for address in own}
    notice = notice_text(mail)
    recipients = _named_recipients(mail, notice, ours)
    if not recipients:
        return (_from_words(None, notice, mail, original),)
    return tuple(_from_words(recipient, notice, mail, original) for recipient in recipients)


def is_only_success(mail: Mail) -> bool:
    """A notice in which no recipient failed or waits: delivered, relayed, expanded."""
    actions = {_action(block) for block in mail.delivery_status}
    return bool(actions) and actions <= {"delivered", "relayed", "expanded"}


def _action(block: dict[str, str]) -> str:
    return block.get("action", "").split("(")[0].strip().lower()


def _is_failure(block: dict[str, str]) -> bool:
    return not _action(block) and block.get("status", "").strip()[:1] in ("4", "5")


def _address_of(value: str) -> str | None:
    """The address of "rfc822; ann@example.com", with or without its type and brackets."""
    found = header_values.find_addresses(value.rpartition(";")[2])
    return found[0] if found else None


def _from_block(block: dict[str, str], mail: Mail, original: str | None) -> Bounce:
    diagnostic = block.get("diagnostic-code", "").partition(";")[2].strip() or block.get(
        "diagnostic-code", ""
    )
    recipient = _address_of(block.get("original-recipient", "")) or _address_of(
        block.get("final-recipient", "")
    )
    status = _status(block.get("status", ""), diagnostic)
    words = diagnostic or notice_text(mail)
    kind = failure_type(status, words, action=_action(block))
    return Bounce(kind, recipient, status, _short(words), original)


def _status(stated: str, diagnostic: str) -> str | None:
    """The code of the group; one in the diagnostic is more exact where the group's is general."""
    own = STATUS.search(stated)
    exact = STATUS.search(diagnostic)
    if own and exact and own.group(1).endswith(".0.0") and exact.group(1)[0] == own.group(1)[0]:
        return exact.group(1)
    return own.group(1) if own else exact.group(1) if exact else None


def notice_text(mail: Mail) -> str:
    """The server's own words, without the returned message below them."""
    cut = _RETURNED_COPY.search(mail.text)
    return mail.text[: cut.start()] if cut and cut.start() > 40 else mail.text[:20_000]


def _short(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip()[:_REASON_LIMIT]


def _original_id(mail: Mail) -> str | None:
    """The Message-ID of what came back: from the returned part, the text, else the thread headers."""
    returned = mail.returned_headers.get("message-id", [])
    if returned:
        return header_values.one_message_id(returned[0])
    quoted = _MESSAGE_ID_LINE.search(mail.text)
    if quoted:
        return quoted.group(1)
    return mail.in_reply_to or (mail.references[-1] if mail.references else None)


def _named_recipients(mail: Mail, notice: str, ours: set[str]) -> list[str]:
    failed = [
        address
        for value in mail.headers.get("x-failed-recipients", [])
        for address in header_values.find_addresses(value)
    ]
    returned_to = [
        a for value in mail.returned_headers.get("to", []) for a in header_values.find_addresses(value)
    ]
    left_out = ours | {mail.from_address}
    for source in (failed, _by_library(mail.raw), header_values.find_addresses(notice), returned_to):
        names = [address for address in source if address not in left_out and not _is_machine(address, mail)]
        if names:
            return list(dict.fromkeys(names))[:50] if source is not returned_to else names[:1]
    return []


def _is_machine(address: str, mail: Mail) -> bool:
    local = address.partition("@")[0]
    return (
        local in ("postmaster", "mailer-daemon", "abuse", "noreply", "no-reply", "helpdesk", "support")
        or address in mail.to_addresses
    )


def _by_library(raw: bytes) -> list[str]:
    """Recipients that flufl.bounce finds. Its own word on permanence is not taken: it calls too much permanent."""
    try:
        message: Message = BytesParser().parsebytes(raw)
        temporary, permanent = all_failures(message)
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError, AssertionError, IndexError):
        return []
    found = [header_values.decode_bytes(bytes(address), None) for address in (*permanent, *temporary)]
    return sorted({address for text in found for address in header_values.find_addresses(text)})


def _from_words(recipient: str | None, notice: str, mail: Mail, original: str | None) -> Bounce:
    around = _around(notice, recipient)
    stated = STATUS.search(around) or STATUS.search(notice)
    status = stated.group(1) if stated else None
    words = f"{mail.subject}\n{around}" if len(around) > 20 else f"{mail.subject}\n{notice}"
    kind = failure_type(status or _class_of_reply(around), words)
    if kind is FailureType.UNKNOWN:
        kind = failure_type(status or _class_of_reply(notice), notice)
    return Bounce(kind, recipient, status, _short(around or notice), original)


def _class_of_reply(words: str) -> str | None:
    """``4.0.0`` or ``5.0.0`` for a bare SMTP reply code."""
    reply = _SMTP_REPLY.search(words)
    return f"{reply.group(1)[0]}.0.0" if reply else None


def _around(notice: str, recipient: str | None) -> str:
    """The lines from a recipient's first mention up to the next recipient's."""
    place = notice.lower().find(recipient) if recipient else -1
    if place < 0:
        return notice[:2_000]
    start = notice.rfind("\n\n", 0, place) + 1
    return notice[max(0, start) : place + 900]
