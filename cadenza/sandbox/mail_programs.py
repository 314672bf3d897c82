"""The mail programs people use: how each quotes what it answers, and which parts it sends."""

import html
import random
from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as local_format

from cadenza.sandbox.behaviour import Response
from cadenza.sandbox.contracts import Person
from cadenza.sandbox.letters import Letter
from cadenza.sandbox.writing import Written, known_language

Quote = Callable[[Letter, str, str], str]

_WROTE = {
    "en": "On {when}, {who} wrote:",
    "de": "Am {when} schrieb {who}:",
    "fr": "Le {when}, {who} a écrit :",
}
_BLOCK = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Objet"),
}
_SPLIT = {
    "en": "-----Original Message-----",
    "de": "-----Ursprüngliche Nachricht-----",
    "fr": "-----Message d'origine-----",
}


def _local(letter: Letter, zone: str, language: str, form: str = "medium") -> str:
    return local_format(letter.at.astimezone(ZoneInfo(zone)), form, locale=language)


def _arrows(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _with_arrows(letter: Letter, zone: str, language: str) -> str:
    who = f"{letter.sender_name} <{letter.sender}>" if letter.sender_name else letter.sender
    wrote = _WROTE[language].format(when=_local(letter, zone, language), who=who)
    return f"{wrote}\n\n{_arrows(letter.text)}"


def _with_name_only(letter: Letter, zone: str, language: str) -> str:
    wrote = _WROTE[language].format(
        when=_local(letter, zone, language, "short"), who=letter.sender_name or letter.sender
    )
    return f"{wrote}\n{_arrows(letter.text)}"


def _with_block(letter: Letter, zone: str, language: str) -> str:
    sender, sent, to, subject = _BLOCK[language]
    return (
        f"{sender}: {letter.sender_name} <{letter.sender}>\n{sent}: {_local(letter, zone, language, 'full')}\n"
        f"{to}: {letter.recipient}\n{subject}: {letter.subject}\n\n{letter.text.strip()}"
    )


def _with_split(letter: Letter, zone: str, language: str) -> str:
    return f"{_SPLIT[language]}\n{_with_block(letter, zone, language)}"


def _nothing(_letter: Letter, _zone: str, _language: str) -> str:
    return ""


# Name: (how it quotes, whether it sends HTML as well, whether the answer stands below the quote).
_PROGRAMS: dict[str, tuple[Quote, bool, bool]] = {
    "webmail": (_with_arrows, True, False),
    "office": (_with_block, True, False),
    "office_plain": (_with_split, False, False),
    "desktop": (_with_name_only, False, False),
    "bottom": (_with_name_only, False, True),
    "phone": (_with_arrows, False, False),
    "bare": (_nothing, False, False),
}
_SHARES = (30, 28, 8, 10, 4, 10, 10)


def program_of(person: Person, seed: int) -> str:
    """The same person always writes with the same one."""
    return random.Random(f"{seed}|program|{person.email}").choices(list(_PROGRAMS), _SHARES)[0]


def reply_mail(
    response: Response, person: Person, written: Written, program: str, message_id: str
) -> EmailMessage:
    """The answer to a letter as the person's program sends it."""
    message = envelope(person, response.letter.sender, written.subject, response.at, message_id)
    letter = response.letter
    if letter.message_id:
        message["In-Reply-To"] = letter.message_id
        message["References"] = " ".join((*letter.references, letter.message_id))
    language = known_language(person.language)
    quote, rich, below = _PROGRAMS[program]
    own = "\n\n".join(part for part in (written.body, written.signature) if part)
    quoted = quote(letter, person.timezone, language)
    pieces = [quoted, own] if below else [own, quoted]
    message.set_content("\n\n".join(piece for piece in pieces if piece) + "\n")
    if rich:
        message.add_alternative(_html(own, quoted, program), subtype="html")
    return message


def absence_note(response: Response, person: Person, written: Written, message_id: str) -> EmailMessage:
    """An automatic note (RFC 3834); it quotes nothing."""
    message = envelope(person, response.letter.sender, written.subject, response.at, message_id)
    if response.letter.message_id:
        message["In-Reply-To"] = response.letter.message_id
        message["References"] = response.letter.message_id
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(f"{written.body}\n\n{written.signature}\n")
    return message


def envelope(person: Person, to: str, subject: str, at: datetime, message_id: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(person.name, addr_spec=person.email)
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(at.astimezone(ZoneInfo(person.timezone)))
    message["Message-ID"] = message_id
    return message


def _html(own: str, quoted: str, program: str) -> str:
    def lines(text: str) -> str:
        return "".join(f"<div>{html.escape(line) or '<br>'}</div>" for line in text.splitlines())

    if program == "webmail":
        head, _, rest = quoted.partition("\n\n")
        original = "\n".join(line.removeprefix(">").strip() for line in rest.splitlines())
        return (
            f'<div dir="ltr">{lines(own)}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
            f'{html.escape(head)}<br></div><blockquote class="gmail_quote">{lines(original)}</blockquote></div>'
        )
    return (
        f'<html><body lang="x-none"><div class="WordSection1">{lines(own)}</div><div style="border:none;'
        f'border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">{lines(quoted)}</div></body></html>'
    )
