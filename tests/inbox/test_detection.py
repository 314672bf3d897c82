"""What kind of mail a message is, from its bytes."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cadenza.inbox.detection import detect, read_mail, reply_from
from cadenza.understanding.contracts import MailKind

OWN = ["tom@own.example", "sales@own.example"]


def mail(
    body: str, *headers: str, sender: str = "Ann Lee <ann@acme.example>", subject: str = "Re: hello"
) -> bytes:
    top = [
        f"From: {sender}",
        "To: tom@own.example",
        f"Subject: {subject}",
        "Date: Mon, 23 Nov 2026 09:00:00 +0100",
        *headers,
    ]
    return ("\r\n".join(top) + "\r\n\r\n" + body).encode()


def report(kind: str, part: str, text: str = "A report.") -> bytes:
    body = f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: {part}\r\n\r\nFinal-Recipient: rfc822; ann@acme.example\r\nDisposition: automatic-action/MDN-sent-automatically; displayed\r\n--b--\r\n"
    return mail(
        body, f'Content-Type: multipart/report; report-type={kind}; boundary="b"', "MIME-Version: 1.0"
    )


CALENDAR = mail(
    "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n",
    "Content-Type: text/calendar; method=REPLY",
    subject="Accepted: call",
)
KINDS = {
    "person": (mail("Thursday works."), "person"),
    "person about absence": (mail("I'm on vacation this week, can we talk next Tuesday?"), "person"),
    "person quoting a note": (mail("How much is it?\r\n\r\n> I am out of the office until Friday"), "person"),
    "person answering our subject": (
        mail("Yes, tell me more", subject="Re: Out of office handling?"),
        "person",
    ),
    "person with suppress header": (mail("Thursday works.", "X-Auto-Response-Suppress: All"), "person"),
    "person via group that answers us": (
        mail("Yes", "List-Id: <g.acme.example>", "In-Reply-To: <a@own.example>"),
        "person",
    ),
    "absence by header": (
        mail("I am out of the office until Friday.", "Auto-Submitted: auto-replied"),
        "out_of_office",
    ),
    "absence by subject": (mail("Bin im Urlaub.", subject="Abwesenheitsnotiz: Ihre Frage"), "out_of_office"),
    "absence by words only": (mail("Ich bin bis einschließlich 4. Dezember nicht im Büro."), "out_of_office"),
    "ticket": (mail("Your ticket #123 has been received.", "Auto-Submitted: auto-generated"), "auto_reply"),
    "precedence": (mail("We got your mail.", "Precedence: auto_reply"), "auto_reply"),
    "no-reply": (mail("We have received your message.", sender="noreply@acme.example"), "auto_reply"),
    "newsletter": (
        mail("News of the week", "List-Unsubscribe: <https://x.example/u>", "Precedence: bulk"),
        "bulk",
    ),
    "mailing list": (mail("patch attached", "List-Id: <dev.example>"), "bulk"),
    "complaint": (report("feedback-report", "message/feedback-report"), "complaint"),
    "receipt": (report("disposition-notification", "message/disposition-notification"), "receipt"),
    "calendar": (CALENDAR, "calendar"),
    "own copy": (mail("Hello Ann", sender="Tom <TOM@own.example>"), "own_copy"),
    "own alias": (mail("Hello Ann", sender="sales+x@own.example"), "own_copy"),
}


@pytest.mark.must_not("M7")
@pytest.mark.must_not("M8")
@pytest.mark.must_not("M9")
@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    raw, kind = KINDS[name]
    assert detect(raw, OWN).kind == kind


@pytest.mark.must_not("M6")
def test_absence_says_when_and_who() -> None:
    raw = mail(
        "Ich bin bis einschließlich 4. Dezember nicht im Büro. Bitte wenden Sie sich an Anna Berg (anna.berg@acme.example).",
        "Auto-Submitted: auto-replied",
    )
    assert detect(raw, OWN).to_dict()["auto"] == {
        "return_date": "2026-12-07",
        "colleague": {"name": "Anna Berg", "email": "anna.berg@acme.example", "phone": None, "title": None},
    }


@pytest.mark.must_not("M10")
@pytest.mark.parametrize(
    ("headers", "key"),
    [
        (("References: <root@x> <mid@x>", "In-Reply-To: <mid@x>", "Message-ID: <me@x>"), "<root@x>"),
        (("In-Reply-To: <mid@x>", "Message-ID: <me@x>"), "<mid@x>"),
        (("Message-ID: <me@x>",), "<me@x>"),
        ((), None),
    ],
)
def test_thread_key(headers: tuple[str, ...], key: str | None) -> None:
    assert detect(mail("Hi", *headers), OWN).thread_key == key


def test_mail_fields() -> None:
    read = read_mail(mail("Hi", "Message-ID: <me@x>", "Cc: Bob <bob@acme.example>", "X-One: 1", "X-One: 2"))
    assert (read.from_address, read.from_name, read.subject) == ("ann@acme.example", "Ann Lee", "Re: hello")
    assert read.to_addresses == ("tom@own.example", "bob@acme.example")
    assert read.headers["x-one"] == ["1", "2"]
    assert read.date is not None
    assert read.date.isoformat() == "2026-11-23T09:00:00+01:00"


@pytest.mark.parametrize(
    ("raw", "subject", "text"),
    [
        (
            b"Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\nGr\xfc\xdfe",
            "Grüße",
            "Grüße",
        ),
        ("Subject: Grüße\r\n\r\nGrüße".encode("latin-1"), "Grüße", "Grüße"),
        ("Subject: Grüße\r\n\r\nGrüße".encode(), "Grüße", "Grüße"),
        (b"Subject: =?utf-8?b?!!!?=\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8", "", "Hello"),
        (
            b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + "日本".encode("iso-2022-jp"),
            "",
            "日本",
        ),
        (b"\r\nno headers at all", "", "no headers at all"),
    ],
)
def test_broken_encodings_are_read(raw: bytes, subject: str, text: str) -> None:
    read = read_mail(raw)
    assert (read.subject, read.text.strip()) == (subject, text)


@pytest.mark.parametrize("levels", [90, 1_000])
def test_deeply_nested_mail_is_read(levels: int) -> None:
    layers = b"".join(
        b"Content-Type: multipart/mixed; boundary=x%d\n\n--x%d\n" % (level, level) for level in range(levels)
    )
    read = read_mail(b"From: a@b.example\n" + layers + b"Content-Type: text/plain\n\nhello deep\n")
    assert read.text.strip() == "hello deep"
    assert read.from_address == "a@b.example"


def test_huge_mail_is_read_in_time() -> None:
    started = time.monotonic()
    detection = detect(mail("word " * 1_000_000), OWN)
    assert detection.kind is MailKind.PERSON
    assert time.monotonic() - started < 20


def test_forward_and_attachments() -> None:
    body = '--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--b\r\nContent-Type: application/pdf; name="offer.pdf"\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n'
    raw = mail(body, 'Content-Type: multipart/mixed; boundary="b"', subject="Fwd: hello")
    assert detect(raw, OWN).is_forward
    assert read_mail(raw).attachments == ("offer.pdf",)


def test_reply_for_the_analysis() -> None:
    raw = mail("Thursday works.", "In-Reply-To: <a@own.example>")
    message = read_mail(raw)
    reply = reply_from(message, detect(message, OWN))
    assert (reply.kind, reply.from_email, reply.raw_body.strip()) == (
        MailKind.PERSON,
        "ann@acme.example",
        "Thursday works.",
    )


HEADERS = st.sampled_from(
    ["From: =?x?q?", "From: <<>>", "Date: 99 Foo 0000", "Content-Type: multipart/mixed", "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
     "Content-Type: text/plain; charset=\x00", "References: <<a>", "Message-ID: x", "Content-Transfer-Encoding: base64", "To: ,,;", "Subject: \xff", "--b",
     "Content-Type: message/rfc822", "Content-Type: message/delivery-status", "Status: 5.1.1", "Final-Recipient: ;", "", "", "METHOD:"]
)  # fmt: skip
BYTES = st.one_of(
    st.binary(max_size=400),
    st.lists(HEADERS, max_size=14).map(lambda lines: "\r\n".join(lines).encode("latin-1")),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=BYTES)
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    detection = detect(raw, OWN, received_at=None)
    assert set(detection.to_dict()) == {"kind", "bounces", "auto", "from", "thread_key"}
