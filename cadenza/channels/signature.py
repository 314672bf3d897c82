"""The signature of a mailbox: a text, and HTML that can do nothing but look like something."""

import re
from html import escape
from html.parser import HTMLParser
from typing import Any

from cadenza.channels.contracts import Mailbox
from cadenza.core.errors import CadenzaError, Problem

_LONGEST = 5000
_TAGS = frozenset({"a", "b", "br", "div", "em", "hr", "i", "p", "small", "span", "strong", "u"})
_EMPTY = frozenset({"br", "hr"})
_SCHEMES = ("https://", "http://", "mailto:", "tel:")
_DECLARED = re.compile(r"<[!?]")
# Tags written so that no two programs read them differently: nothing in a tag's end, no slash that only some take for one,
# no second address, no quote that stays open. What the parser below bears and this does not, a mail program may read otherwise.
_PLAIN = re.compile(
    r"""(?:[^<]++|</?[a-z]+\s*>|<(?:br|hr)\s*/>|<a\s+href\s*=\s*(?:"[^"<>]*"|'[^'<>]*')\s*>)*+""",
    re.IGNORECASE,
)


def check_signature(text: str, html: str | None) -> tuple[Problem, ...]:
    """What keeps these from being a signature, by line of the HTML."""
    problems = [
        Problem(f"A signature has at most {_LONGEST} characters.", key=key)
        for key, value in (("signature", text), ("signature_html", html or ""))
        if len(value) > _LONGEST
    ]
    if any("\0" in value for value in (text, html or "")):
        problems.append(Problem("It holds a NUL character; remove it.", key="signature"))
    return tuple(problems) + (_faults(html) if html and not problems else ())


def _faults(html: str) -> tuple[Problem, ...]:
    reader = _Reader()
    if found := _DECLARED.search(html):
        reader.wrong("Leave comments and declarations out.", _line(html, found.start()))
        return tuple(reader.problems)  # the parser fails on some of them
    reader.feed(html)
    reader.close()
    for tag, line in reader.open:
        reader.wrong(f"<{tag}> is not closed.", line)
    plain = _PLAIN.match(html)
    if not reader.problems and plain and plain.end() < len(html):
        reader.wrong(
            'Write tags plainly, as <b>, </b>, <br> or <a href="https://...">, and < as &lt; where it begins none.',
            _line(html, plain.end()),
        )
    return tuple(reader.problems)


def _line(html: str, place: int) -> int:
    return html.count("\n", 0, place) + 1


class _Reader(HTMLParser):
    """Allows a few tags without attributes, and links. What is allowed is all that there is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[Problem] = []
        self.open: list[tuple[str, int]] = []

    def wrong(self, message: str, line: int | None = None) -> None:
        self.problems.append(Problem(message, line=line or self.getpos()[0], key="signature_html"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.wrong(f"<{tag[:20]}> has no place in a signature; there may be {', '.join(sorted(_TAGS))}.")
            return
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag not in _EMPTY:
            self.open.append((tag, self.getpos()[0]))

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if (tag, name) != ("a", "href"):
            self.wrong(f"<{tag}> takes no {name[:20]!r}; only <a> has an address (href).")
        elif not value.lower().startswith(_SCHEMES):
            self.wrong(f"A link begins with {', '.join(_SCHEMES)}.")

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        if not self.open or self.open[-1][0] != tag:
            self.wrong(f"</{tag}> closes nothing here.")
            return
        self.open.pop()


def sender_facts(mailbox: Mailbox) -> dict[str, Any]:
    """What templates know as ``sender``: always of the mailbox that sends (M20). Without a signature it is the name."""
    text = mailbox.signature or mailbox.display_name
    return {
        "name": mailbox.display_name,
        "address": mailbox.address,
        "signature": text,
        "signature_html": mailbox.signature_html or text_as_html(text),
    }


def text_as_html(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")


def refuse_signature(problems: tuple[Problem, ...]) -> CadenzaError:
    return CadenzaError(
        "signature_invalid", "This signature cannot be used; nothing was changed.", problems=problems,
        fix="Use text, line breaks, links and plain emphasis.",
    )  # fmt: skip
