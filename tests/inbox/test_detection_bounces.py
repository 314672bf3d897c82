"""Delivery notices in the shapes that servers really send (M19)."""

import pytest

from cadenza.inbox.detection import Bounce, detect

OWN = ["tom@own.example"]


def notice(status: str, diagnostic: str, action: str = "failed") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example (Mail Delivery System)\r\nTo: tom@own.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMessage-ID: <n1@mx.example>\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; ann@acme.example\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: tom@own.example\r\nTo: ann@acme.example\r\nMessage-ID: <m1@own.example>\r\n"
        "References: <root@own.example>\r\n\r\n--b--\r\n"
    ).encode()


def plain(sender: str, subject: str, body: str) -> bytes:
    return f"From: {sender}\r\nTo: tom@own.example\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()


def one(raw: bytes) -> Bounce:
    detection = detect(raw, OWN)
    assert detection.kind == "bounce"
    return detection.bounces[0]


@pytest.mark.must_not("M19")
@pytest.mark.parametrize(
    ("status", "diagnostic", "action", "kind"),
    [
        ("5.1.1", "550 5.1.1 User unknown", "failed", "hard"),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", "failed", "hard"),
        ("5.1.2", "Host unknown", "failed", "hard"),
        ("5.1.6", "551 User has moved", "failed", "hard"),
        ("5.2.1", "550 5.2.1 The email account is disabled", "failed", "hard"),
        ("5.4.4", "Host or domain name not found", "failed", "hard"),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", "failed", "hard"),
        ("5.0.0", "550 No such user here", "failed", "hard"),
        ("5.7.1", "550 5.7.1 unknown user", "failed", "hard"),
        ("5.2.2", "552 5.2.2 Mailbox full", "failed", "soft"),
        ("4.2.2", "452 4.2.2 over quota", "failed", "soft"),
        ("4.4.7", "delivery time expired", "failed", "soft"),
        ("5.0.0", "552 mailbox is full", "failed", "soft"),
        ("4.4.1", "connection timed out", "delayed", "delayed"),
        ("5.7.1", "554 5.7.1 Service unavailable; client host blocked using Spamhaus", "failed", "policy"),
        ("5.7.26", "550 5.7.26 unauthenticated mail, SPF and DKIM did not pass", "failed", "policy"),
        ("5.7.509", "Access denied, sending domain does not pass DMARC verification", "failed", "policy"),
        ("5.7.1", "550 5.7.1 Message rejected as spam by content filtering", "failed", "content"),
        ("5.6.0", "554 5.6.0 attachment type not accepted", "failed", "content"),
        ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", "failed", "content"),
        ("5.0.0", "554 delivery error", "failed", "unknown"),
    ],
)
def test_types_by_status_and_words(status: str, diagnostic: str, action: str, kind: str) -> None:
    bounce = one(notice(status, diagnostic, action))
    assert (bounce.type, bounce.recipient, bounce.original_message_id) == (
        kind,
        "ann@acme.example",
        "<m1@own.example>",
    )
    assert diagnostic in bounce.reason


@pytest.mark.must_not("M10")
def test_a_bounce_belongs_to_the_thread_of_what_came_back() -> None:
    assert detect(notice("5.1.1", "550 5.1.1 unknown"), OWN).thread_key == "<root@own.example>"


def test_success_report_is_delivered_and_no_bounce() -> None:
    detection = detect(notice("2.0.0", "250 ok", "delivered"), OWN)
    assert (detection.kind, detection.bounces) == ("delivered", ())


QMAIL = (
    "Hi. This is the qmail-send program at acme.example.\r\nI'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n"
    "<ann@acme.example>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
    "Return-Path: <tom@own.example>\r\nMessage-ID: <m1@own.example>\r\nFrom: tom@own.example\r\nTo: ann@acme.example\r\n"
)


@pytest.mark.must_not("M19")
@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (plain("MAILER-DAEMON@acme.example", "failure notice", QMAIL), "hard"),
        *(
            (
                plain(
                    "MAILER-DAEMON@acme.example",
                    "Unzustellbar",
                    f"Zustellung an ann@acme.example:\r\n\r\n{words}\r\n",
                ),
                "soft",
            )
            for words in (
                "Das Postfach des Empfängers ist voll.",
                "The mailbox of the recipient is full.",
                "La boîte aux lettres du destinataire est pleine.",
                "El buzón del destinatario está lleno.",
                "La casella del destinatario è piena.",
                "Das Postfach ist derzeit ausgelastet.",
            )
        ),
        (
            plain(
                "postmaster@acme.example",
                "Undeliverable: hello",
                "Delivery has failed to these recipients or groups:\r\n\r\nann@acme.example\r\nThe email address you entered couldn't be found.\r\n",
            ),
            "hard",
        ),
        (
            plain(
                "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
                "Delivery Status Notification (Failure)",
                "Your message wasn't delivered to ann@acme.example because the address couldn't be found.\r\n\r\n550 5.1.1 The email account that you tried to reach does not exist.\r\n",
            ),
            "hard",
        ),
        (
            plain(
                "MAILER-DAEMON@acme.example",
                "Nicht zustellbar: hallo",
                "Ihre Nachricht konnte nicht zugestellt werden.\r\n\r\nann@acme.example: Der Empfänger ist unbekannt.\r\n",
            ),
            "hard",
        ),
        (
            plain(
                "MAILER-DAEMON@acme.example",
                "配信エラー",
                "次の宛先にメールを配信できませんでした。\r\n\r\n<ann@acme.example>: 宛先が存在しません。\r\n",
            ),
            "hard",
        ),
        (
            plain(
                "MAILER-DAEMON@acme.example",
                "Warning: could not send message for past 4 hours",
                "The message to ann@acme.example has not yet been delivered. We will keep trying.\r\n",
            ),
            "delayed",
        ),
        (
            plain(
                "MAILER-DAEMON@acme.example",
                "Mail delivery failed",
                "ann@acme.example\r\n  mailbox is full: retry timeout exceeded\r\n",
            ),
            "soft",
        ),
    ],
)
def test_notices_without_a_report(raw: bytes, kind: str) -> None:
    bounce = one(raw)
    assert (bounce.type, bounce.recipient) == (kind, "ann@acme.example")


def test_message_id_of_a_copy_in_the_text() -> None:
    assert (
        one(plain("MAILER-DAEMON@acme.example", "failure notice", QMAIL)).original_message_id
        == "<m1@own.example>"
    )


def test_several_recipients_are_each_told() -> None:
    raw = notice("5.1.1", "550 5.1.1 unknown").replace(
        b"\r\n--b\r\nContent-Type: text/rfc822-headers",
        b"\r\nFinal-Recipient: rfc822; bob@acme.example\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n--b\r\nContent-Type: text/rfc822-headers",
    )
    assert [(bounce.recipient, bounce.type) for bounce in detect(raw, OWN).bounces] == [
        ("ann@acme.example", "hard"),
        ("bob@acme.example", "soft"),
    ]


def test_a_person_who_quotes_a_bounce_is_a_person() -> None:
    raw = plain(
        "Ann <ann@acme.example>",
        "Re: hello",
        "I got this for bob:\r\n\r\n> 550 5.1.1 user unknown <bob@acme.example>\r\nDo you have another address?",
    )
    assert detect(raw, OWN).kind == "person"
