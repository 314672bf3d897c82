"""`cadenza campaigns apply` prints what the contract says, for right, wrong and unreadable files."""

import asyncio
import json
from pathlib import Path

import pytest

from cadenza.campaigns.commands import _apply_one
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.service import apply
from cadenza.core.database import Database
from cadenza.identity.contracts import Actor
from tests.campaigns.examples import GOOD


@pytest.fixture
def file(folder: Folder) -> Path:
    assert folder.path
    path = folder.path / "campaign.yaml"
    path.write_text(GOOD)
    return path


async def test_json_of_a_right_and_a_wrong_file(
    database: Database, workspace: Actor, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _apply_one(database, workspace, file, as_json=True)
    file.write_text(GOOD.replace("hours: 24", "huors: 24"))
    assert not await _apply_one(database, workspace, file, as_json=True)
    right, wrong = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (
        set(right)
        == set(wrong)
        == {"file", "campaign", "version", "created", "changes", "errors", "rejected", "warnings"}
    )
    assert (right["campaign"], right["version"], right["created"], right["errors"]) == (
        "dach-manufacturing-q2",
        1,
        True,
        [],
    )
    assert wrong["version"] is None
    assert [(e["line"], e["key"], set(e)) for e in wrong["errors"]] == [
        (8, "grace.huors", {"line", "key", "message"})
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "file_unreadable"), (b"\xff\xfe\x00", "file_not_text"), (b"x" * 10_000_000, "file_too_large")],
)
async def test_json_of_an_unreadable_file(
    content: bytes | None, code: str, database: Database, workspace: Actor, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert not await _apply_one(database, workspace, file, as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["code"] == code
    assert "campaign.yaml" in said.err


async def test_words_for_people(
    database: Database, workspace: Actor, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await _apply_one(database, workspace, file, as_json=False)
    await _apply_one(database, workspace, file, as_json=False)
    file.write_text(GOOD.replace("hours: 24", "hours: x"))
    await _apply_one(database, workspace, file, as_json=False)
    said = capsys.readouterr()
    assert "dach-manufacturing-q2: created, version 1" in said.out
    assert "dach-manufacturing-q2: unchanged, version 1" in said.out
    assert "line 8, grace.hours: Give a whole number from 1 to 720." in said.err


async def test_two_who_apply_at_once_make_one_version_each(
    database: Database, workspace: Actor, file: Path
) -> None:
    async def one(source: str) -> int | None:
        async with database.unit(workspace.workspace_id) as unit:
            return (await apply(unit, workspace, source, file.parent)).version

    assert sorted(
        await asyncio.gather(*(one(GOOD.replace("hours: 24", f"hours: {n}")) for n in (1, 2, 3)))
    ) == [1, 2, 3]
