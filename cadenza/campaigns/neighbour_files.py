"""Files that a campaign file names: read from its own folder and nowhere else."""

from dataclasses import dataclass
from pathlib import Path

_MAX_BYTES = 200_000


class NeighbourFileError(Exception):
    """Why a named file cannot be used, in words for the author."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a campaign file; None for a campaign that came from a page and has no files beside it."""

    path: Path | None

    def find(self, name: str) -> Path:
        """The file's path. Raises ``NeighbourFileError`` when it is missing or outside, links included."""
        if self.path is None:
            raise NeighbourFileError("Here there is no folder with files; write the text itself.")
        try:
            root = self.path.resolve()
            found = (root / name).resolve()
            if not found.is_relative_to(root):
                raise NeighbourFileError(f"{name!r} lies outside the campaign file's folder; copy it there.")
            if not found.is_file():
                raise NeighbourFileError(f"There is no file {name!r} beside the campaign file.")
        except (OSError, ValueError, RuntimeError) as wrong:
            raise NeighbourFileError(f"{name[:80]!r} is no usable file name.") from wrong
        return found

    def read(self, name: str) -> str:
        """The file's text with unified line ends. Raises ``NeighbourFileError``."""
        path = self.find(name)
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise NeighbourFileError(f"{name!r} is larger than {_MAX_BYTES // 1000} kB.")
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise NeighbourFileError(f"{name!r} is no UTF-8 text; save it as UTF-8.") from wrong
        except OSError as wrong:
            raise NeighbourFileError(f"{name!r} cannot be read.") from wrong
        if "\0" in text:
            raise NeighbourFileError(f"{name!r} is no text.")
        return text.replace("\r\n", "\n").replace("\r", "\n")
