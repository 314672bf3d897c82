import quopri
import time
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.channels.email.mime import Slots, compile_message, message_id, quoted_printable
from cadenza.core.errors import CadenzaError

TOUCH = UUID("0192d1f2-6a43-7d0a-9a58-2f3b7a1c9d10")
AT = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)

words = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)
bodies = st.text(st.characters(blacklist_categories=["Cs"]), max_size=250)


def slots(**changes: Any) -> Slots:
    given_: dict[str, Any] = {
        "touch_id": TOUCH,
        "recipient": "ada@example.com",
        "recipient_name": "Ada Lovelace",
        "subject": "A question",
        "text": "Hello Ada,\n\nregards",
        "at": AT,
        "unsubscribe_mail": "mailto:anna@north.example?subject=unsubscribe-abc",
    }
    return Slots(**{**given_, **changes})


def compose(sender: str = "anna@north.example", name: str = "Anna North", **changes: Any) -> bytes:
    return compile_message(sender, name, html=changes.get("html") is not None).compose(slots(**changes))


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def lines(text: str) -> str:
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    return normal if normal.endswith("\n") else normal + "\n"


def display_name(raw: bytes, header: str) -> str:
    """By the older parser: the newer one puts blanks between encoded words of a name, against RFC 2047, 6.2."""
    name, _ = parseaddr(str(message_from_bytes(raw, policy=compat32)[header]))
    return str(make_header(decode_header(name)))


def oracle(wanted: Slots, sender: str, name: str) -> EmailMessage:
    """The same message made by the standard library."""
    message = EmailMessage(policy=SMTP)
    message["To"] = Address(wanted.recipient_name or "", addr_spec=wanted.recipient)
    message["From"] = Address(name, addr_spec=sender)
    message["Subject"] = wanted.subject
    message.set_content(wanted.text, cte="quoted-printable")
    if wanted.html is not None:
        message.add_alternative(wanted.html, subtype="html", cte="quoted-printable")
    return read(message.as_bytes())


@settings(max_examples=60, deadline=None)
@given(
    subject=words,
    name=words,
    recipient_name=words,
    text=bodies,
    html=st.none() | bodies.map(lambda b: f"<p>{b}</p>"),
)
def test_reads_like_the_standard_library_s_message(
    subject: str, name: str, recipient_name: str, text: str, html: str | None
) -> None:
    subject, name, recipient_name = (" ".join(part.split()) for part in (subject, name, recipient_name))
    wanted = slots(subject=subject, recipient_name=recipient_name, text=text, html=html)
    raw = compile_message("anna@north.example", name, html=html is not None).compose(wanted)
    ours, theirs = read(raw), oracle(wanted, "anna@north.example", name)
    assert ours["Subject"] == subject
    for header in ("From", "To"):
        assert ours[header].addresses[0].addr_spec == theirs[header].addresses[0].addr_spec
    assert display_name(raw, "From") == name
    assert display_name(raw, "To") == recipient_name
    assert ours.get_content_type() == theirs.get_content_type()
    for kind, written in (("plain", text), ("html", html)):
        if written is not None:
            part = ours.get_body((kind,))
            assert part is not None
            assert lines(part.get_content()) == lines(written)
            assert part.get_content_charset() == "utf-8"
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


def test_all_headers_of_a_campaign_message() -> None:
    message = read(
        compose(
            in_reply_to="<two@x.example>",
            references=("<one@x.example>", "<two@x.example>"),
            unsubscribe_url="https://mail.north.example/u/abc",
        )
    )
    assert message["Message-ID"] == f"<{TOUCH.hex}@north.example>" == message_id(TOUCH, "anna@north.example")
    assert message["X-Cadenza-Touch"] == TOUCH.hex
    assert parsedate_to_datetime(message["Date"]) == AT
    assert message["In-Reply-To"] == "<two@x.example>"
    assert message["References"].split() == ["<one@x.example>", "<two@x.example>"]
    assert message["List-Unsubscribe"].split(", ") == [
        "<mailto:anna@north.example?subject=unsubscribe-abc>",
        "<https://mail.north.example/u/abc>",
    ]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["MIME-Version"] == "1.0"


def test_without_a_public_address_unsubscribing_goes_by_mail_alone() -> None:
    message = read(compose())
    assert message["List-Unsubscribe"] == "<mailto:anna@north.example?subject=unsubscribe-abc>"
    assert message["List-Unsubscribe-Post"] is None


@pytest.mark.asvs("1.3.11")
@pytest.mark.parametrize("breaking", ["a\r\nBcc: all@x.example", "a\nb", "a\rb", "a\r\n\r\nbody", "a\0b"])
@pytest.mark.parametrize(
    "slot",
    [
        "subject",
        "recipient",
        "recipient_name",
        "in_reply_to",
        "unsubscribe_mail",
        "unsubscribe_url",
        "references",
    ],
)
def test_no_slot_can_break_a_header_line(slot: str, breaking: str) -> None:
    value = (breaking,) if slot == "references" else breaking
    with pytest.raises(CadenzaError) as refused:
        compose(**{slot: value})
    assert refused.value.code == "header_line_break"


@pytest.mark.asvs("1.3.11")
@pytest.mark.parametrize(
    ("sender", "name"), [("a@x.example\r\nBcc: b", "A"), ("a@x.example", "A\nBcc: b@x.example")]
)
def test_no_sender_can_break_a_header_line(sender: str, name: str) -> None:
    with pytest.raises(CadenzaError) as refused:
        compile_message(sender, name, html=False)
    assert refused.value.code == "header_line_break"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("info@müller.example", "info@xn--mller-kva.example"),
        ("info@straße.example", "info@xn--strae-oqa.example"),
        ("o'neil+x@sub.example.org", "o'neil+x@sub.example.org"),
    ],
)
def test_domains_outside_ascii(address: str, expected: str) -> None:
    assert read(compose(recipient=address))["To"].addresses[0].addr_spec == expected


@pytest.mark.parametrize(
    "address", ["", "ada", "@x.example", "jürgen@x.example", "a b@x.example", "a@x>.example", "a@b,c"]
)
def test_addresses_that_mail_cannot_reach_are_refused_in_words(address: str) -> None:
    with pytest.raises(CadenzaError) as refused:
        compose(recipient=address)
    assert refused.value.code == "address_invalid"
    assert refused.value.fix


@pytest.mark.parametrize(
    "name", ['Smith, John "JJ"', "a\\b", "=?utf-8?q?x?=", "Zoë <ceo@x.example>", "名前" * 40, "Dr. A. (B.)"]
)
def test_display_names_stay_names(name: str) -> None:
    raw = compose(recipient_name=name)
    assert display_name(raw, "To") == name
    assert [a.addr_spec for a in read(raw)["To"].addresses] == ["ada@example.com"]


def test_ids_that_no_header_can_hold_are_left_out_and_long_threads_keep_their_ends() -> None:
    many = tuple(f"<m{n}@x.example>" for n in range(100))
    references = read(compose(references=("no id", *many, "<ü@x>")))["References"].split()
    assert references == [many[0], *many[-39:]]


@pytest.mark.parametrize(
    "text", [".", "..\n.\n", "trailing \nspace\t\n", "=\n=3D", "From me", "x" * 3000, "a\rb\nc\r\n"]
)
def test_quoted_printable_is_read_back_by_another_decoder(text: str) -> None:
    encoded = quoted_printable(text)
    assert quopri.decodestring(encoded).decode().replace("\r\n", "\n") == lines(text)
    assert max(map(len, encoded.split(b"\r\n"))) <= 76


def test_a_message_costs_a_fraction_of_the_standard_library_s() -> None:
    wanted = slots(
        text="Hi Ada,\n\n" + "a line of ordinary length with words in it\n" * 20, html="<p>Hé</p>\n" * 60
    )
    skeleton = compile_message("anna@north.example", "Anna", html=True)

    def seconds(act: Any, rounds: int) -> float:
        start = time.perf_counter()
        for _ in range(rounds):
            act()
        return (time.perf_counter() - start) / rounds

    ours = min(seconds(lambda: skeleton.compose(wanted), 50) for _ in range(3))
    theirs = seconds(lambda: oracle(wanted, "anna@north.example", "Anna"), 5)
    assert ours * 10 < theirs
