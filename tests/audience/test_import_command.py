"""`cadenza contacts import` as a user types it, without an installation and with one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cadenza.audience import commands
from cadenza.core import settings as settings_module

KEYS = {
    "file", "dry_run", "encoding", "delimiter", "mapping", "rows", "accepted", "created", "updated", "duplicates", "merged",
    "rejected", "preview", "seconds",
}  # fmt: skip
PREVIEW = {
    "row", "email", "first_name", "last_name", "title", "company", "phone_e164", "linkedin_url", "website", "country",
    "language", "timezone", "custom",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CADENZA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CADENZA_DATABASE_URL", raising=False)
    settings_module.settings.cache_clear()
    yield tmp_path / "home"
    settings_module.settings.cache_clear()


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(commands.contacts, ["import", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("email,first name\nann@x.example,Ann\nbad,Bo\nANN@x.example,Anna\n")
    return path


def test_a_dry_run_needs_no_installation(home: Path, people: Path) -> None:
    result = run(people, "--dry-run", "--json")
    assert result.exit_code == 1  # a row was rejected
    assert "nothing stored" in result.stderr
    report = json.loads(result.stdout)
    assert set(report) >= KEYS
    assert (
        report["rows"],
        report["accepted"],
        report["created"],
        report["updated"],
        report["duplicates"],
    ) == (3, 1, 1, 0, 1)
    assert report["merged"] == [{"row": 3, "into": 1}]
    assert [set(r) for r in report["rejected"]] == [{"row", "line", "column", "code", "reason"}]
    assert set(report["preview"][0]) >= PREVIEW
    assert not home.exists()


def test_several_files_give_a_line_each(people: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\0" * 99)
    result = run(tmp_path / "none.csv", people, tmp_path, tmp_path / "binary.csv", "--dry-run", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line.get("error", {}).get("code") for line in lines] == [
        "file_unreadable",
        None,
        "file_unreadable",
        "not_text",
    ]
    assert [line["file"] for line in lines] == [
        str(tmp_path / "none.csv"),
        str(people),
        str(tmp_path),
        str(tmp_path / "binary.csv"),
    ]


def test_all_rows_taken_is_success(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("Kontakt;Wer\nann@x.example;Ann\n")
    result = run(
        tmp_path / "p.csv", "--map", "Kontakt=email", "--map", "Wer=first_name", "--dry-run", "--json"
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["mapping"] == {"Kontakt": "email", "Wer": "first_name"}


@pytest.mark.parametrize("wrong", ["email", "=email", "x="])
def test_called_wrongly_is_exit_two(wrong: str, people: Path) -> None:
    assert run(people, "--map", wrong, "--dry-run").exit_code == 2


def test_people_read_words(people: Path) -> None:
    result = run(people, "--dry-run")
    assert "3 rows, 1 new and 0 known would be imported, 1 repeated, 1 rejected" in result.stdout
    assert "line 3, email: 'bad' is no e-mail address" in result.stdout
