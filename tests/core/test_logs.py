"""Log lines: one JSON object each, with who, what, when and where; no secret in them, and none can be forged."""

import io
import logging
from datetime import datetime, timedelta

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cadenza.core.database import Database
from tests.support.written import lines, written

__all__ = ["written"]

NASTY = 'ok"\n{"event": "log_in", "user": "root"}\r\n\x1b[2J\x1b]0;title\x07\u2028\u0085end'


def test_each_line_says_what_when_in_utc_and_in_which_request(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.stdlib.get_logger("fresh.one").warning("sign_in_failed", member="m1", source="192.0.2.1")
    (line,) = lines(written)
    assert {"event", "level", "timestamp", "request_id", "member", "source"} <= line.keys()
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)
    assert (line["event"], line["level"], line["request_id"]) == ("sign_in_failed", "warning", "r1")


@pytest.mark.asvs("16.4.1")
def test_no_value_forges_a_line_or_moves_a_terminal(written: io.StringIO) -> None:
    structlog.stdlib.get_logger("fresh.two").info("seen", name=NASTY, **{"odd key\n": NASTY})
    logging.getLogger("library").warning("said %s", NASTY)
    text = written.getvalue()
    assert text.count("\n") == 2
    assert text.isascii()
    assert all(character >= " " or character == "\n" for character in text)
    assert [line["event"] for line in lines(written)] == ["seen", f"said {NASTY}"]


@pytest.mark.asvs("16.2.5")
def test_secrets_and_addresses_are_left_out_of_every_field(written: io.StringIO) -> None:
    structlog.stdlib.get_logger("fresh.three").info(
        "took", password="canary-1", api_token="canary-2", words="from ann@acme.example to bo@acme.example"
    )
    text = written.getvalue()
    assert "canary" not in text
    assert "ann@" not in text
    assert "***@acme.example" in text


@pytest.mark.asvs("16.2.5")
async def test_what_was_given_to_a_failed_statement_is_not_written(
    written: io.StringIO, database: Database
) -> None:
    given = "canary-".ljust(12, "3")  # a traceback shows lines of code, and so would show it written out here
    with pytest.raises(ProgrammingError) as failed:
        async with database.installation() as session:
            await session.execute(text("select no_such_function(:hash)"), {"hash": given})
    structlog.stdlib.get_logger("fresh.four").error("request_failed", exc_info=failed.value)
    assert "no_such_function" in written.getvalue()
    assert given not in written.getvalue()
