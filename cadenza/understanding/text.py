"""What a person newly wrote: without quoted history, closing, signature, legal footer."""

import re
from dataclasses import dataclass

from cadenza.understanding import text_words as words
from cadenza.understanding.text_html import html_to_text, looks_like_html

_LIMIT = 200_000  # characters read of one message


@dataclass(frozen=True, slots=True)
class NewText:
    """``text`` is None where nobody wrote anything; ``signature`` and ``history`` are what was cut off."""

    text: str | None
    signature: str = ""
    history: str = ""
    forwarded: bool = False


def extract(body: str, from_name: str = "") -> NewText:
    """Read a decoded body, plain or HTML. Never raises, whatever the body holds."""
    plain = plain_text(body, without_quotes=True)
    lines = plain.split("\n")
    own, history = _split_history(lines)
    own_text, signature = _split_signature("\n".join(own), from_name)
    forwarded = bool(words.FORWARD_MARK.search("\n".join(history[:3])))
    return NewText(own_text or None, signature, "\n".join(history), forwarded)


def plain_text(body: str, *, without_quotes: bool = False) -> str:
    """The body as plain text with bare line feeds and no characters that nobody sees."""
    body = body[:_LIMIT].encode("utf-8", "replace").decode("utf-8")
    if looks_like_html(body):
        return html_to_text(body, without_quotes=without_quotes)
    body = body.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    body = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff\x00]", "", body)
    return "\n".join(line.rstrip() for line in body.split("\n"))


_FORWARD_SUBJECT = re.compile(r"^\s*(?:fwd?|wg|tr|rv|i|enc|doorst|пересл|転送|转发)\s*[:：]", re.IGNORECASE)


def is_forward(subject: str, text: str) -> bool:
    """Somebody sends a message on: told by the subject's mark or the line above the passed message."""
    if _FORWARD_SUBJECT.match(subject):
        return True
    lines = text[:20_000].split("\n")
    return any(words.RULE_LINE.match(line) and words.FORWARD_MARK.search(line) for line in lines)


def _split_history(lines: list[str]) -> tuple[list[str], list[str]]:
    own: list[str] = []
    quoted: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith((">", "|>")):
            quoted.append(line)
            index += 1
            continue
        taken = _attribution(lines, index)
        if taken and _next_is_quoted(lines, index + taken):
            quoted.extend(lines[index : index + taken])
            index += taken
            continue
        if taken or _history_starts(lines, index):
            return own, quoted + lines[index:]
        own.append(line)
        index += 1
    return own, quoted


def _history_starts(lines: list[str], index: int) -> bool:
    line = lines[index]
    if words.RULE_LINE.match(line):
        return True
    if words.LONG_RULE.match(line):
        return _header_block(lines, index + 1)
    return bool(words.SENDER_LINE.match(line)) and _header_block(lines, index)


def _header_block(lines: list[str], index: int) -> bool:
    """Three header lines among the next seven that are not blank."""
    following = [line for line in lines[index : index + 12] if line.strip()][:7]
    return sum(bool(words.HEADER_LINE.match(line)) for line in following) >= 3


def _next_is_quoted(lines: list[str], index: int) -> bool:
    following = next((line for line in lines[index : index + 4] if line.strip()), "")
    return following.lstrip().startswith(">")


def _attribution(lines: list[str], index: int) -> int:
    """How many lines (up to 3, wrapped) introduce a quotation here; 0 when none do.

    Free of language: a date or time, then an address or a verb of writing, then a colon at the end.
    """
    if not lines[index].strip() or len(lines[index]) > 250:
        return 0
    joined = ""
    for count in range(1, 4):
        if index + count > len(lines) or not lines[index + count - 1].strip():
            return 0
        joined = f"{joined} {lines[index + count - 1].strip()}".strip()
        if _introduces(joined, quoted=_next_is_quoted(lines, index + count)):
            return count
    return 0


def _introduces(line: str, *, quoted: bool) -> bool:
    wrote, address = words.WROTE.search(line), words.HAS_ADDRESS.search(line)
    if quoted and wrote and line.endswith((":", "：")):
        return True  # "On Monday Ann wrote:" right above a quotation needs no date
    if len(line) > 350 or not words.HAS_TIME_OR_DATE.search(line):
        return False
    ends = line.endswith((":", "：")) or (
        wrote is not None and line.endswith((".", "。")) and address is not None
    )
    return bool(ends and (wrote or address)) or bool(quoted and address and line.endswith((">", "》", ")")))


def _split_signature(text: str, from_name: str) -> tuple[str, str]:
    lines = _without_banners(text.strip("\n").split("\n"))
    cut = _signature_start(lines, from_name)
    body, signature = "\n".join(lines[:cut]).strip(), "\n".join(lines[cut:]).strip()
    match = words.CLOSING_AT_END.search(body)
    if match and match.start() > 0:
        body, signature = (
            body[: match.start()].rstrip(),
            f"{body[match.start() :].strip()}\n{signature}".strip(),
        )
    return re.sub(r"\n{3,}", "\n\n", body), signature


def _without_banners(lines: list[str]) -> list[str]:
    return [line for place, line in enumerate(lines) if place > 6 or not words.EXTERNAL_BANNER.match(line)]


def _signature_start(lines: list[str], from_name: str) -> int:
    end = _footer_start(lines)
    for index in range(end):
        if lines[index].strip() in ("--", "—", "__") or words.SENT_FROM.match(lines[index]):
            end = index
            break
    closing = _closing_start(lines, end)
    end = closing if closing is not None else end
    end = _trim_blank(lines, end)
    end = _contact_block_start(lines, end)
    return _name_start(lines, end, from_name)


def _footer_start(lines: list[str]) -> int:
    """Where legal text begins: never the first paragraph, for a person may speak about confidentiality."""
    for index, line in enumerate(lines):
        if (
            words.LEGAL.search(line)
            and any(text.strip() for text in lines[:index])
            and not line.strip().endswith("?")
        ):
            start = index
            while start > 0 and lines[start - 1].strip():
                start -= 1
            return start if start > 0 else index
    return len(lines)


def _closing_start(lines: list[str], end: int) -> int | None:
    """The last closing formula after which only short lines come (a name, a job, ways to reach them)."""
    for index in range(end - 1, max(-1, end - 16), -1):
        match = words.CLOSING_LINE.match(lines[index])
        closes = match is not None and _is_rest_of_closing(match.group("rest"))
        closes = closes or _thanks_close(lines, index, end)
        if closes and all(len(line) < 120 for line in lines[index + 1 : end]):
            above = index > 1 and words.THANKS_LINE.match(lines[index - 1])
            return index - 1 if above and any(text.strip() for text in lines[: index - 1]) else index
    return None


def _thanks_close(lines: list[str], index: int, end: int) -> bool:
    """Thanks are a closing before a name or a signature, below something else; alone they are the message."""
    if not words.THANKS_LINE.match(lines[index]) or not any(text.strip() for text in lines[:index]):
        return False
    following = lines[index + 1 : end]
    return _names_follow(following) or (end < len(lines) and not any(text.strip() for text in following))


def _is_rest_of_closing(rest: str) -> bool:
    """After the formula on its line stands nothing or a name: "Best, Tom", not "Best would be Tuesday at 10"."""
    tokens = rest.strip(" ,.!-–/").split()
    return len(tokens) <= 4 and all(
        token[:1].isupper() or token[:1].isdigit() or len(token) <= 3 or not token.isascii()
        for token in tokens
    )


def _names_follow(lines: list[str]) -> bool:
    filled = [line.strip() for line in lines if line.strip()]
    return (
        bool(filled)
        and len(filled[0].split()) <= 4
        and filled[0][:1].isupper()
        and filled[0][-1] not in ".?!"
    )


def _trim_blank(lines: list[str], end: int) -> int:
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    return end


def _contact_block_start(lines: list[str], end: int) -> int:
    """A last paragraph of short lines of which most tell a job or how to reach somebody."""
    start = end
    while start > 0 and lines[start - 1].strip() and len(lines[start - 1]) < 100:
        start -= 1
    block = lines[start:end]
    if start == 0 or len(block) < 2 or any(line.rstrip().endswith(("?", "!")) for line in block):
        return end
    telling = sum(bool(words.CONTACT_LINE.search(line) or words.JOB_LINE.search(line)) for line in block)
    return _trim_blank(lines, start) if telling * 2 >= len(block) and _names_follow(block) else end


def _name_start(lines: list[str], end: int, from_name: str) -> int:
    """A name at the end, when it is the sender's: bare, or at the head of a last short paragraph."""
    end = _trim_blank(lines, end)
    start = end
    while start > 0 and lines[start - 1].strip() and len(lines[start - 1]) < 80:
        start -= 1
    names = {part.strip(",.").casefold() for part in from_name.split() if len(part) > 1}
    if end < 2 or not names:
        return end
    if 0 < start < end and _is_name(lines[start], names) and end - start <= 6:
        return _trim_blank(lines, start)
    return _trim_blank(lines, end - 1) if _is_name(lines[end - 1], names) else end


def _is_name(line: str, names: set[str]) -> bool:
    parts = [
        part for word in line.partition("|")[0].split() if len(part := word.strip(",.-–/ ").casefold()) > 1
    ]
    return 0 < len(parts) <= 3 and any(part in names for part in parts)
