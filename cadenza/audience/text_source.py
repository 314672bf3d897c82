"""The text of a table, read piece by piece: whatever the size of the file, only a little of it is in memory."""

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from cadenza.core.errors import CadenzaError

MAX_BYTES = 50 * 1024 * 1024
_PIECE = 1 << 20

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# How files begin that are no text, whatever their name says.
_OTHER_FILES = (
    b"PK\x03\x04", b"PK\x05\x06", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"\x89PNG", b"GIF8", b"\xff\xd8\xff",
    b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"MZ", b"\x7fELF", b"SQLite format",
)  # fmt: skip


def refuse(code: str, message: str, fix: str) -> CadenzaError:
    return CadenzaError(code, message, fix=fix)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes are and how they are to be read. ``open`` gives them from the start, as often as it is called."""

    open: Callable[[], BinaryIO]
    encoding: str

    def lines(self, start: int = 0) -> Iterator[str]:
        """The physical lines from this one on (the first is 0), with their ends, without a byte order mark."""
        with io.TextIOWrapper(self.open(), encoding=self.encoding, newline="") as text:
            for number, line in enumerate(islice(text, start, None), start):
                yield line.removeprefix("\ufeff") if number == 0 else line

    def head(self, characters: int = 65_536) -> str:
        with io.TextIOWrapper(self.open(), encoding=self.encoding, newline="") as text:
            return text.read(characters).removeprefix("\ufeff")


def from_bytes(data: bytes) -> Source:
    """Raises ``CadenzaError`` for what is too large or no text."""
    return _examined(lambda: io.BytesIO(data))


def from_file(path: Path, encoding: str = "") -> Source:
    """A file on disk; without an encoding that is known already it is examined, as ``from_bytes`` does."""
    return Source(lambda: path.open("rb"), encoding) if encoding else _examined(lambda: path.open("rb"))


def _examined(opener: Callable[[], BinaryIO]) -> Source:
    with opener() as file:
        head = file.read(4096)
        if file.seek(0, io.SEEK_END) > MAX_BYTES:
            raise refuse(
                "file_too_large",
                f"The file is larger than {MAX_BYTES >> 20} MB.",
                "Split it and import the parts.",
            )
    encoding = _announced(head)
    found = _Text.read(opener, encoding) if encoding else None
    for name in () if encoding else ("utf-8", "shift_jis", "cp1252", "iso-8859-1"):
        found, encoding = _Text.read(opener, name), name
        if found and (name != "shift_jis" or found.looks_japanese):
            break
    if found is None:
        raise refuse(
            "encoding_unreadable",
            f"The file says it is {encoding} but is damaged.",
            "Save it again as CSV in UTF-8.",
        )
    found.must_be_a_table()
    return Source(opener, encoding or "utf-8")


def _announced(head: bytes) -> str | None:
    """The encoding that the first bytes tell, if they do. Raises ``CadenzaError`` for what begins like no text."""
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    if head.startswith(_OTHER_FILES):
        raise refuse(
            "not_text",
            "This is a workbook or document, not a CSV file.",
            "Save it as CSV (UTF-8) and import that.",
        )
    return _wide(head)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: in Western text every other byte is nought."""
    if len(head) < 4 or head.count(0) < len(head) // 4:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < 4 * min(even, odd) + 1:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")


@dataclass(slots=True)
class _Text:
    """What one reading of the whole text found."""

    length: int = 0
    noughts: int = 0
    controls: int = 0  # characters that no text holds, in the first piece
    blank: bool = True
    foreign: int = 0  # characters outside ASCII
    japanese: int = 0
    in_runs: int = 0

    @classmethod
    def read(cls, opener: Callable[[], BinaryIO], encoding: str) -> "_Text | None":
        """None when the bytes are not of this encoding."""
        found, decoder = cls(), codecs.getincrementaldecoder(encoding)("strict")
        with opener() as file:
            try:
                while piece := file.read(_PIECE):
                    found.add(decoder.decode(piece), count_japanese=encoding == "shift_jis")
                found.add(decoder.decode(b"", final=True))
            except UnicodeDecodeError:
                return None
        return found

    def add(self, text: str, *, count_japanese: bool = False) -> None:
        if not self.length:
            self.controls = len(_CONTROLS.findall(text))
        self.length += len(text)
        self.noughts += text.count("\0")
        self.blank = self.blank and not text.removeprefix("\ufeff").strip()
        if not count_japanese:
            return
        places = [place for place, character in enumerate(text) if not character.isascii()]
        japanese = {place for place in places if _is_japanese(text[place])}
        self.foreign += len(places)
        self.japanese += len(japanese)
        self.in_runs += sum(place - 1 in japanese or place + 1 in japanese for place in japanese)

    @property
    def looks_japanese(self) -> bool:
        """Japanese letters stand in runs; a Western accent misread as one stands alone between Latin letters."""
        return self.japanese >= 0.9 * self.foreign and self.in_runs >= 0.7 * self.japanese

    def must_be_a_table(self) -> None:
        if max(self.noughts, self.controls) > 10 + self.length // 100:
            raise refuse("not_text", "This is no text file.", "Export the table as CSV in UTF-8.")
        if self.blank:
            raise refuse(
                "file_empty",
                "The file is empty.",
                "Export a table with a line of column names and one row a contact.",
            )


def _is_japanese(character: str) -> bool:
    return (
        "\u3000" <= character <= "\u30ff"
        or "\u4e00" <= character <= "\u9fff"
        or "\uff01" <= character <= "\uff9f"
    )
