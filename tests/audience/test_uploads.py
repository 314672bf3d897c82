"""An upload becomes people: looked at, mapped, imported by a job that may be killed, cancelled and run again."""

import csv
import io
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from cadenza.audience import import_job
from cadenza.audience.contracts import FieldKind, Import, ImportState
from cadenza.audience.models import ContactRow, ImportChunkRow, ImportMemberRow
from cadenza.audience.service import (
    IMPORT_JOB,
    cancel_import,
    contacts,
    contacts_of_file,
    examine_upload,
    faults_of,
    fields,
    import_contacts,
    import_of,
    imports,
    keep_upload,
    preview_upload,
    run_import,
    set_field,
    set_mapping,
    start_import,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Actor, Origin, Role

HEADER = ["E-Mail", "First Name", "Plan", "Seats"]


def table(*rows: list[object]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([HEADER, *rows])
    return file.getvalue().encode()


def people(count: int, first: int = 0) -> list[list[object]]:
    return [[f"p{n}@firm{n // 4}.example", f"Ann{n}", "pro", n] for n in range(first, first + count)]


async def kept(database: Database, actor: Actor, data: bytes, folder: Path, name: str = "list.csv") -> UUID:
    path = folder / "upload"
    path.write_bytes(data)
    async with database.unit(actor.workspace_id) as unit:
        return await keep_upload(unit, actor, examine_upload(path, name))


async def started(database: Database, actor: Actor, import_id: UUID) -> None:
    async with database.unit(actor.workspace_id) as unit:
        await start_import(unit, actor, import_id)


async def run(database: Database, actor: Actor, import_id: UUID) -> Import:
    await run_import(database, workspace_id=str(actor.workspace_id), import_id=str(import_id))
    return await seen(database, actor, import_id)


async def seen(database: Database, actor: Actor, import_id: UUID) -> Import:
    async with database.unit(actor.workspace_id) as unit:
        return await import_of(unit, actor, import_id)


async def count(database: Database, actor: Actor, model: type) -> int:
    async with database.unit(actor.workspace_id) as unit:
        return await unit.session.scalar(select(func.count()).select_from(model)) or 0


async def test_an_upload_is_looked_at_mapped_and_imported_by_the_job(
    database: Database, workspace: Actor, tmp_path: Path
) -> None:
    data = table(*people(3), ["nobody", "X", "", ""], ["p1@firm0.example", "Again", "basic", "9"])
    import_id = await kept(database, workspace, data, tmp_path)
    async with database.unit(workspace.workspace_id) as unit:
        look = await preview_upload(unit, workspace, import_id)
        assert [(c.name, c.field) for c in look.columns] == [
            ("E-Mail", "email"), ("First Name", "first_name"), ("Plan", "custom.plan"), ("Seats", "custom.seats"),
        ]  # fmt: skip
        assert look.columns[2].samples == ("pro", "basic")
        assert (look.rows, look.accepted, look.new, look.repeated, len(look.faults)) == (5, 4, 3, 1, 1)
        assert (await contacts(unit, workspace)).total == 0
        await set_mapping(unit, workspace, import_id, {"Plan": "title", "Seats": "ignore"})
        assert [c.field for c in (await preview_upload(unit, workspace, import_id)).columns][2:] == [
            "title",
            "ignore",
        ]
        with pytest.raises(CadenzaError, match="Two columns"):
            await set_mapping(unit, workspace, import_id, {"Plan": "email", "E-Mail": "email"})
    await started(database, workspace, import_id)
    done = await run(database, workspace, import_id)
    assert (done.state, done.reached, done.created, done.updated, done.duplicates, done.rejected) == (
        ImportState.DONE, 5, 3, 0, 1, 1,
    )  # fmt: skip
    async with database.unit(workspace.workspace_id) as unit:
        found = await contacts(unit, workspace)
        assert {(c.first_name, c.title) for c in found.contacts} == {(f"Ann{n}", "pro") for n in range(3)}
        assert len(await contacts_of_file(unit, "list.csv")) == 3
        (fault,) = await faults_of(unit, workspace, import_id, limit=10)
        assert (fault.row, fault.line, fault.column, fault.code, fault.rejected) == (
            4,
            5,
            "E-Mail",
            "email_invalid",
            True,
        )
    assert await count(database, workspace, ImportChunkRow) == 0  # the bytes are not kept for nothing


async def test_what_is_shown_before_is_what_the_import_counts(
    database: Database, workspace: Actor, tmp_path: Path
) -> None:
    first = await kept(database, workspace, table(*people(2)), tmp_path)
    await started(database, workspace, first)
    await run(database, workspace, first)
    again = [*people(3, first=1), *people(3, first=1), ["nobody", "X", "", ""]]
    import_id = await kept(database, workspace, table(*again), tmp_path)
    async with database.unit(workspace.workspace_id) as unit:
        said = await preview_upload(unit, workspace, import_id)
    assert (said.new, said.updated, said.repeated, said.rejected) == (2, 1, 3, 1)
    assert (said.rows, said.accepted, len(said.people)) == (7, 6, 3)
    await started(database, workspace, import_id)
    done = await run(database, workspace, import_id)
    assert (done.created, done.updated, done.duplicates, done.rejected) == (2, 1, 3, 1)


async def test_the_job_and_the_command_make_the_same_people(
    database: Database, workspace: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that repeat earlier ones, also across chunks: the earlier one wins, the later fills what it left empty."""
    monkeypatch.setattr("cadenza.audience.import_store.BATCH", 3)
    rows: list[list[object]] = [
        ["a@x.example", "Ann", "", ""], ["b@x.example", "", "pro", ""], ["c@x.example", "Cy", "", "1"],
        ["d@x.example", "Di", "", ""], ["b@x.example", "Bo", "basic", "7"], ["A@X.example", "Other", "team", ""],
        ["e@x.example", "Ed", "", ""], ["d@x.example", "", "late", ""],
    ]  # fmt: skip
    import_id = await kept(database, workspace, table(*rows), tmp_path)
    await started(database, workspace, import_id)
    done = await run(database, workspace, import_id)
    async with database.unit(workspace.workspace_id) as unit:
        by_job = {c.email: (c.first_name, c.custom) for c in (await contacts(unit, workspace)).contacts}
        await unit.session.rollback()
    async with database.installation() as session:
        from cadenza.identity.models import WorkspaceRow  # noqa: PLC0415

        row = WorkspaceRow(name="Other", slug="other", created_at=database.machine.now())
        session.add(row)
    other = Actor(row.id, Role.OWNER, Origin.COMMAND_LINE)
    async with database.unit(other.workspace_id) as unit:
        report = await import_contacts(unit, other, table(*rows), file="list.csv")
        by_command = {c.email: (c.first_name, c.custom) for c in (await contacts(unit, other)).contacts}
    assert by_job == by_command
    assert by_job["b@x.example"] == ("Bo", {"plan": "pro", "seats": "7"})
    assert (
        (done.created, done.updated, done.duplicates)
        == (report.created, report.updated, report.duplicates)
        == (5, 0, 3)
    )


async def test_a_killed_worker_is_followed_by_one_that_goes_on(
    database: Database, workspace: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadenza.audience.import_store.BATCH", 10)
    data = table(*people(45), *people(5), *people(5, first=45))
    import_id = await kept(database, workspace, data, tmp_path)
    await started(database, workspace, import_id)
    original, commits = import_job._commit, 0

    async def dies(*arguments: object) -> bool:
        nonlocal commits
        commits += 1
        if commits == 3:
            raise KeyboardInterrupt
        return await original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(import_job, "_commit", dies)
    with pytest.raises(KeyboardInterrupt):
        await run(database, workspace, import_id)
    assert (await seen(database, workspace, import_id)).reached == 20
    monkeypatch.setattr(import_job, "_commit", original)
    done = await run(database, workspace, import_id)
    assert (done.state, done.reached, done.created, done.updated, done.duplicates) == (
        ImportState.DONE,
        55,
        50,
        0,
        5,
    )
    again = await run(database, workspace, import_id)  # a job that runs twice changes nothing
    assert again == done
    assert (
        await count(database, workspace, ContactRow)
        == await count(database, workspace, ImportMemberRow)
        == 50
    )


async def test_two_workers_at_once_import_each_row_once(
    database: Database, workspace: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio  # noqa: PLC0415

    monkeypatch.setattr("cadenza.audience.import_store.BATCH", 7)
    import_id = await kept(database, workspace, table(*people(60)), tmp_path)
    await started(database, workspace, import_id)
    await asyncio.gather(*(run(database, workspace, import_id) for _ in range(2)))
    done = await run(database, workspace, import_id)
    assert (done.state, done.created, done.reached) == (ImportState.DONE, 60, 60)


async def test_a_cancelled_import_keeps_what_is_in_and_takes_no_more(
    database: Database, workspace: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadenza.audience.import_store.BATCH", 10)
    import_id = await kept(database, workspace, table(*people(50)), tmp_path)
    await started(database, workspace, import_id)
    original, commits = import_job._commit, 0

    async def cancels(*arguments: object) -> bool:
        nonlocal commits
        commits += 1
        if commits == 3:
            async with database.unit(workspace.workspace_id) as unit:
                await cancel_import(unit, workspace, import_id)
        return await original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(import_job, "_commit", cancels)
    # The third chunk's own transaction has not begun its row lock yet when the page cancels.
    done = await run(database, workspace, import_id)
    assert (done.state, done.reached, done.created) == (ImportState.CANCELLED, 20, 20)
    assert await count(database, workspace, ImportChunkRow) == 0
    async with database.unit(workspace.workspace_id) as unit:
        assert await contacts_of_file(unit, "list.csv") == []  # half a list is nobody's audience
        await cancel_import(unit, workspace, import_id)
        with pytest.raises(CadenzaError, match="begun already"):
            await start_import(unit, workspace, import_id)


@pytest.mark.asvs("2.3.1")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (table(["nobody", "X", "", ""], ["", "Y", "", ""]), "No row of list.csv can be used"),
        (table(), "list.csv has no rows"),
    ],
)
async def test_a_list_without_a_usable_row_cannot_be_started(
    database: Database, workspace: Actor, tmp_path: Path, data: bytes, words: str
) -> None:
    import_id = await kept(database, workspace, data, tmp_path)
    with pytest.raises(CadenzaError, match=words) as refused:
        await started(database, workspace, import_id)
    assert (refused.value.code, "which column" in refused.value.fix) == ("nothing_usable", True)
    assert (await run(database, workspace, import_id)).state is ImportState.MAPPING


async def test_a_mapping_that_makes_rows_usable_makes_the_list_startable(
    database: Database, workspace: Actor, tmp_path: Path
) -> None:
    data = b"email,other\nAnn,ann@x.example\n"
    import_id = await kept(database, workspace, data, tmp_path)
    with pytest.raises(CadenzaError, match="can be used"):
        await started(database, workspace, import_id)
    async with database.unit(workspace.workspace_id) as unit:
        await set_mapping(unit, workspace, import_id, {"email": "first_name", "other": "email"})
    await started(database, workspace, import_id)
    assert (await run(database, workspace, import_id)).created == 1


@pytest.mark.asvs("5.2.1", "5.2.2", "5.3.2")
@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("list.exe", b"email\na@b.example\n", "file_kind"),
        ("list.csv.html", b"email\na@b.example\n", "file_kind"),
        ("list.csv", b"<!DOCTYPE html><html>", "not_text"),
        ("list.csv", b"  <svg onload=alert(1)>", "not_text"),
        ("list.csv", b"PK\x03\x04 a workbook", "not_text"),
        ("list.csv", b"\x1f\x8b\x08 packed", "not_text"),
        ("list.csv", b"%PDF-1.7", "not_text"),
        ("list.csv", b'{"email": "a@b.example"}', "not_text"),
        ("list.csv", b"", "file_empty"),
        ("list.csv", b"one,two\n1,2\n", "header_unknown"),
        ("list.csv", b"email\n" + b"a@b.example\n" * 200_001, "too_many_rows"),
        ("list.csv", b"email\n" + b"a" * (50 << 20), "file_too_large"),
    ],
)
def test_what_is_no_table_is_refused_before_anything_is_kept(
    name: str, data: bytes, code: str, tmp_path: Path
) -> None:
    (tmp_path / "upload").write_bytes(data)
    with pytest.raises(CadenzaError) as wrong:
        examine_upload(tmp_path / "upload", name)
    assert wrong.value.code == code


@pytest.mark.asvs("5.3.2")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"), ("C:\\lists\\a.csv", "a.csv"), ("a\0b.csv", "ab.csv"),
        ("\u202egpj.csv", "gpj.csv"), ("x" * 300 + ".csv", None), ("a\r\nSet-Cookie: b.csv", "aSet-Cookie: b.csv"),
    ],
)  # fmt: skip
def test_a_name_is_only_shown(name: str, shown: str | None, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"email\na@b.example\n")
    if shown is None:
        with pytest.raises(CadenzaError):
            examine_upload(tmp_path / "upload", name)
    else:
        assert examine_upload(tmp_path / "upload", name).file == shown


@pytest.mark.asvs("2.3.2", "8.3.1")
async def test_uploads_have_a_ceiling_and_a_day(
    database: Database, workspace: Actor, tmp_path: Path, machine: object
) -> None:
    from datetime import timedelta  # noqa: PLC0415

    for _ in range(10):
        await kept(database, workspace, table(*people(1)), tmp_path)
    with pytest.raises(CadenzaError, match="wait for their mapping"):
        await kept(database, workspace, table(*people(1)), tmp_path)
    machine.move(timedelta(hours=25))  # type: ignore[attr-defined]
    await kept(database, workspace, table(*people(1)), tmp_path)
    async with database.unit(workspace.workspace_id) as unit:
        states = [each.state for each in await imports(unit, workspace)]
    assert states.count(ImportState.MAPPING) == 1
    assert await count(database, workspace, ImportChunkRow) == 1
    rep = Actor(workspace.workspace_id, Role.REP, Origin.PAGE)
    with pytest.raises(CadenzaError, match="may not import"):
        await kept(database, rep, table(*people(1)), tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "utf-8-sig", "utf-16-le"])
async def test_a_large_upload_in_any_encoding_is_previewed_from_its_first_piece(
    database: Database, workspace: Actor, tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadenza.audience.uploads.CHUNK", 4096)
    text = table(*[[f"p{n}@firm.example", "Jürgen", "größer", n] for n in range(500)]).decode()
    import_id = await kept(database, workspace, text.encode(encoding), tmp_path)
    async with database.unit(workspace.workspace_id) as unit:
        look = await preview_upload(unit, workspace, import_id)
    assert look.rows == look.accepted > 20
    assert look.people[0]["first_name"] == "Jürgen"
    await started(database, workspace, import_id)
    done = await run(database, workspace, import_id)
    assert (done.state, done.created) == (ImportState.DONE, 500)


async def test_fields_have_kinds_and_values_that_do_not_fit_are_left_out(
    database: Database, workspace: Actor, tmp_path: Path
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        assert await set_field(unit, workspace, "Seats", kind=FieldKind.NUMBER, shown=False) == "seats"
    rows: list[list[object]] = [
        ["a@x.example", "Ann", "pro", "1.250,5"],
        ["b@x.example", "Bo", "pro", "many"],
    ]
    import_id = await kept(database, workspace, table(*rows), tmp_path)
    await started(database, workspace, import_id)
    done = await run(database, workspace, import_id)
    assert (done.created, done.rejected) == (2, 0)
    async with database.unit(workspace.workspace_id) as unit:
        known = {field.name: (field.kind, field.shown) for field in await fields(unit, workspace)}
        assert known == {"plan": (FieldKind.TEXT, True), "seats": (FieldKind.NUMBER, False)}
        custom = {c.email: c.custom for c in (await contacts(unit, workspace)).contacts}
        assert custom == {"a@x.example": {"plan": "pro", "seats": "1250.5"}, "b@x.example": {"plan": "pro"}}
        (fault,) = await faults_of(unit, workspace, import_id, limit=5)
        assert (fault.code, fault.rejected) == ("custom_invalid", False)


def test_the_job_is_on_the_list() -> None:
    from cadenza.app.composition import JOBS  # noqa: PLC0415

    assert JOBS[IMPORT_JOB] is run_import
