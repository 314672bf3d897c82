"""What machines send back: delivery status notifications (RFC 3464) and complaint reports (RFC 5965)."""

from email.utils import format_datetime

from cadenza.sandbox.behaviour import Response
from cadenza.sandbox.contracts import Person
from cadenza.sandbox.writing import known_language, texts


def bounce_notice(response: Response, person: Person, original: bytes, message_id: str) -> bytes:
    """The receiving server's word that there is no such address."""
    words = texts(known_language(person.language))["bounce"].format(
        address=person.email, domain=person.domain
    )
    head = _head(
        f"Mail Delivery System <MAILER-DAEMON@mx1.{person.domain}>",
        response.letter.sender,
        "Undelivered Mail Returned to Sender",
        response,
        message_id,
    )
    parts = [
        (
            "text/plain; charset=utf-8",
            f"{words}\r\n\r\n<{person.email}>: 550 5.1.1 User unknown\r\n".encode(),
        ),
        ("message/delivery-status", _status(response, person).encode()),
        ("text/rfc822-headers", _header_of(original)),
    ]
    return _report(head, "delivery-status", parts, response)


def _status(response: Response, person: Person) -> str:
    """For machines (RFC 3464, 2.2 and 2.3)."""
    return (
        f"Reporting-MTA: dns; mx1.{person.domain}\r\nArrival-Date: {format_datetime(response.letter.at)}\r\n\r\n"
        f"Final-Recipient: rfc822; {person.email}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"Remote-MTA: dns; mx1.{person.domain}\r\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 <{person.email}>: Recipient address rejected: User unknown\r\n"
    )


def complaint_report(response: Response, person: Person, original: bytes, message_id: str) -> bytes:
    """A provider's report that the person pressed "this is spam"."""
    feedback = (
        "Feedback-Type: abuse\r\nUser-Agent: Feedback/1.0\r\nVersion: 1\r\n"
        f"Original-Mail-From: <{response.letter.sender}>\r\nOriginal-Rcpt-To: <{person.email}>\r\n"
        f"Arrival-Date: {format_datetime(response.letter.at)}\r\n"
    )
    head = _head(
        f"Feedback Loop <feedback@mx1.{person.domain}>",
        response.letter.sender,
        "Complaint about a message from you",
        response,
        message_id,
    )
    parts = [
        ("text/plain; charset=utf-8", b"This is an abuse report for a message from your mailbox.\r\n"),
        ("message/feedback-report", feedback.encode()),
        ("text/rfc822-headers", _header_of(original)),
    ]
    return _report(head, "feedback-report", parts, response)


def _head(sender: str, to: str, subject: str, response: Response, message_id: str) -> str:
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {format_datetime(response.at)}\r\n"
        f"Message-ID: {message_id}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
    )


def _report(head: str, kind: str, parts: list[tuple[str, bytes]], response: Response) -> bytes:
    boundary = f"=_report_{response.letter.number}"
    lines = [
        head.encode(),
        f'Content-Type: multipart/report; report-type={kind};\r\n boundary="{boundary}"\r\n\r\n'.encode(),
    ]
    for content_type, body in parts:
        encoding = "Content-Transfer-Encoding: 8bit\r\n" if not body.isascii() else ""
        lines.append(
            f"--{boundary}\r\nContent-Type: {content_type}\r\n{encoding}\r\n".encode() + body + b"\r\n"
        )
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def _header_of(original: bytes) -> bytes:
    return original.partition(b"\r\n\r\n")[0] + b"\r\n"
