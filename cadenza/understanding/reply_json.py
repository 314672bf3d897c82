"""The input line of ``cadenza replies analyze``."""

import json
from datetime import datetime
from typing import Any

from cadenza.core.errors import CadenzaError, Problem
from cadenza.understanding.contracts import Reply, ThreadMessage


def reply_from_json(line: str, number: int) -> Reply:
    """One JSON line to a ``Reply``. What is wrong is said by line and key; unknown keys are left alone."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as cause:
        reason = getattr(cause, "msg", "nested too deeply")
        raise _refused(number, None, f"is not JSON ({reason})") from cause
    if not isinstance(row, dict):
        raise _refused(number, None, "is not a JSON object")
    if not isinstance(row.get("raw_body"), str):
        raise _refused(number, "raw_body", "needs raw_body, the decoded text or HTML, as a string")
    return Reply(
        id=str(row.get("id", number)),
        raw_body=row["raw_body"],
        received_at=_time(row.get("received_at"), number, "received_at"),
        subject=_text(row, "subject", number),
        from_name=_text(row, "from_name", number),
        from_email=_text(row, "from_email", number).strip().lower(),
        headers=_headers(row.get("headers"), number),
        thread=_thread(row.get("thread"), number),
    )


def _refused(number: int, key: str | None, what: str) -> CadenzaError:
    return CadenzaError(
        "line_invalid",
        f"Line {number} {what}.",
        fix="See docs for the input of replies analyze.",
        problems=(Problem(what, number, key),),
    )


def _text(row: dict[str, Any], key: str, number: int) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _refused(number, key, f"has a {key} that is not a string")
    return value


def _time(value: Any, number: int, key: str) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError) as cause:
        raise _refused(number, key, f"has a {key} that is no ISO 8601 time") from cause
    if moment.tzinfo is None:
        raise _refused(number, key, f"has a {key} without an offset such as +01:00")
    return moment


def _headers(value: Any, number: int) -> dict[str, tuple[str, ...]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refused(number, "headers", "has headers that are no object")
    return {
        str(name).lower(): tuple(str(item) for item in (content if isinstance(content, list) else [content]))
        for name, content in value.items()
    }


def _thread(value: Any, number: int) -> tuple[ThreadMessage, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(item, dict) and isinstance(item.get("text"), str) for item in value
    ):
        raise _refused(number, "thread", "has a thread that is no list of {by, at, text}")
    if not all(item.get("by") in ("us", "them") for item in value):
        raise _refused(number, "thread", "has a thread message whose by is neither us nor them")
    return tuple(
        ThreadMessage(item["by"], item["text"], _time(item.get("at"), number, "thread.at")) for item in value
    )
