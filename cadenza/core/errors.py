"""One kind of error for everything a user can cause or can do something about.

A bug is any other exception. The edges translate: web to RFC 9457, command line to exit 1,
jobs to "try again" (only ``Kind.TEMPORARY``) or "stop and show".
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in what was given: where it is, what it is, what to do."""

    message: str
    line: int | None = None
    key: str | None = None
    code: str = "invalid"


@dataclass(eq=False)
class CadenzaError(Exception):
    """What happened (``message``), what to do (``fix``), and each fault by its place (``problems``).

    ``retry_after`` is in how many seconds it may help to ask again; 0 says nothing about it.
    """

    code: str
    message: str
    kind: Kind = Kind.INVALID
    fix: str = ""
    problems: tuple[Problem, ...] = field(default=())
    retry_after: int = 0

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


def not_found(what: str, name: object) -> CadenzaError:
    """A row that is missing or that belongs to somebody else: both look the same from outside."""
    return CadenzaError(f"{what}_not_found", f"There is no {what.replace('_', ' ')} {name}.", Kind.NOT_FOUND)
