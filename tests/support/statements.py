"""What is asked of the database while something runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from cadenza.core.database import Database

MOST_OF_A_LIST = 6  # questions that a page with a list may ask
_FRAME = re.compile(r"set_config|session_of|^UPDATE sessions|^SAVEPOINT|^RELEASE")


@contextmanager
def heard(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", listen)


def questions(sent: list[tuple[str, Any]]) -> list[str]:
    """The statements beside those that open a unit or find the session."""
    return [statement for statement, _ in sent if not _FRAME.search(statement)]
