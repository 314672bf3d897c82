"""Bytes to a ``Mail``. Whatever is broken is left out; nothing raises, however deep, long or wrong."""

import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

from cadenza.inbox.detection import headers as header_values
from cadenza.inbox.detection.contracts import Mail
from cadenza.understanding.service import is_forward, plain_text

_LIMIT = 30_000_000  # bytes read of one mail
_NESTING = 100  # containers that the parser of the standard library bears without recursion trouble
_PARTS = 400
_TEXT_LIMIT = 1_000_000  # characters of text kept
_CONTAINER = re.compile(rb"content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_TEXT_PART = re.compile(
    rb"content-type:\s*text/plain[^\n]*\n(?:[^\n]+\n)*\r?\n(.*?)(?=\r?\n--|\Z)", re.IGNORECASE | re.DOTALL
)


@dataclass(slots=True)
class _Found:
    """What the walk over the parts collects."""

    text: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    calendar_method: str | None = None
    delivery_status: list[dict[str, str]] = field(default_factory=list)
    returned: dict[str, list[str]] = field(default_factory=dict)


def read_mail(raw: bytes) -> Mail:
    """Read a mail as it came from the wire. Never raises."""
    raw = raw[:_LIMIT]
    found = _Found()
    message = _parse(raw)
    if message is None:
        message = _parse_headers(raw)
        found.text.extend(
            header_values.decode_bytes(m, None) for m in _TEXT_PART.findall(raw[:_TEXT_LIMIT])[:20]
        )
        found.types.append(_content_type(message))
    else:
        _walk(message, found)
    return _mail(message, found, raw)


def _parse(raw: bytes) -> Message | None:
    if len(_CONTAINER.findall(raw)) > _NESTING:
        return None
    try:
        return BytesParser().parsebytes(raw)
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError, AssertionError):
        return None


def _parse_headers(raw: bytes) -> Message:
    try:
        return BytesHeaderParser().parsebytes(raw.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0][:1_000_000])
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError):
        return Message()


def _walk(message: Message, found: _Found) -> None:
    """Every part, outside in, without recursion; what a returned message holds is not the sender's text."""
    stack: list[Message] = [message]
    while stack and len(found.types) < _PARTS:
        part = stack.pop()
        kind = _content_type(part)
        found.types.append(kind)
        if kind in ("message/rfc822", "message/global") or kind.startswith("message/rfc822-"):
            _take_returned(part, found)
        elif kind in ("message/delivery-status", "message/global-delivery-status"):
            found.delivery_status.extend(_status_blocks(part))
        elif part.is_multipart():
            stack.extend(reversed([child for child in part.get_payload() if isinstance(child, Message)]))
        else:
            _take_leaf(part, kind, found)


def _take_returned(part: Message, found: _Found) -> None:
    inner = part.get_payload()
    if isinstance(inner, list) and inner and isinstance(inner[0], Message):
        found.returned = found.returned or _headers(inner[0])
    else:
        found.returned = found.returned or _headers_from(_content(part))
    name = _file_name(part)
    if name:
        found.attachments.append(name)


def _take_leaf(part: Message, kind: str, found: _Found) -> None:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    name = _file_name(part)
    if kind == "text/calendar":
        found.calendar_method = found.calendar_method or _calendar_method(part)
    if kind in ("text/rfc822-headers", "message/rfc822-headers"):
        found.returned = found.returned or _headers_from(_content(part))
    elif disposition.startswith("attachment") or (name and not kind.startswith("text/")):
        found.attachments.append(name or kind)
    elif kind == "text/html":
        found.html.append(_content(part))
    elif kind.startswith(("text/", "message/")) and kind != "text/calendar":
        found.text.append(_content(part))


def _content_type(part: Message) -> str:
    try:
        return part.get_content_type()
    except (ValueError, TypeError, LookupError, AttributeError):
        return "text/plain"


def _content(part: Message) -> str:
    try:
        data = part.get_payload(decode=True)
        charset = part.get_content_charset()
    except (ValueError, TypeError, LookupError, AttributeError):
        data, charset = None, None
    if isinstance(data, bytes):
        return header_values.decode_bytes(data, charset)[:_TEXT_LIMIT]
    return str(part.get_payload())[:_TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")


def _file_name(part: Message) -> str:
    try:
        return header_values.decode_value(part.get_filename() or "")
    except (ValueError, TypeError, LookupError, AttributeError):
        return "attachment"


def _calendar_method(part: Message) -> str:
    match = re.search(r"^METHOD:\s*(\w+)", _content(part), re.MULTILINE | re.IGNORECASE)
    return match.group(1).upper() if match else ""


def _status_blocks(part: Message) -> list[dict[str, str]]:
    """The per-recipient groups of RFC 3464 section 2.3; also where a server wrote them as one plain text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        groups = [_headers(block) for block in payload if isinstance(block, Message)]
    else:
        groups = [_headers_from(block) for block in re.split(r"\n\s*\n", _content(part))]
    flat = [{name: values[0] for name, values in group.items() if values} for group in groups]
    return [
        group for group in flat if {"final-recipient", "original-recipient", "action", "status"} & set(group)
    ]


def _headers(message: Message) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        values.setdefault(header_values.decode_value(name).lower(), []).append(
            header_values.decode_value(value)
        )
    return values


def _headers_from(text: str) -> dict[str, list[str]]:
    return _headers(_parse_headers(text.lstrip().encode("utf-8", "replace")))


def _raw_values(message: Message, name: str) -> list[str]:
    return [str(value) for key, value in message.raw_items() if key.lower() == name]


def _mail(message: Message, found: _Found, raw: bytes) -> Mail:
    headers = _headers(message)
    sender = header_values.addresses(_raw_values(message, "from") or _raw_values(message, "sender"))
    receivers = header_values.addresses(_raw_values(message, "to") + _raw_values(message, "cc"))
    text = "\n".join(found.text).strip("\n")
    markup = "\n".join(found.html)
    subject = next(iter(headers.get("subject", [])), "")
    return Mail(
        message_id=header_values.one_message_id(next(iter(headers.get("message-id", [])), "")),
        in_reply_to=_first(header_values.message_ids(headers.get("in-reply-to", []))),
        references=header_values.message_ids(headers.get("references", [])),
        from_address=sender[0][1] if sender else "",
        from_name=sender[0][0] if sender else "",
        to_addresses=tuple(dict.fromkeys(address for _, address in receivers)),
        subject=subject,
        date=header_values.parse_date(next(iter(headers.get("date", [])), "")),
        headers=headers,
        text=text or (plain_text(markup) if markup else ""),
        html=markup,
        attachments=tuple(found.attachments),
        content_type=_content_type(message),
        report_type=_report_type(headers),
        part_types=tuple(found.types),
        calendar_method=found.calendar_method,
        delivery_status=tuple(found.delivery_status),
        returned_headers=found.returned,
        is_forward=is_forward(subject, text or markup),
        raw=raw,
    )


def _first(values: tuple[str, ...]) -> str | None:
    return values[0] if values else None


def _report_type(headers: dict[str, list[str]]) -> str:
    match = re.search(
        r"report-type\s*=\s*\"?([\w-]+)", next(iter(headers.get("content-type", [])), ""), re.IGNORECASE
    )
    return match.group(1).lower() if match else ""
