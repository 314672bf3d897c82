"""Importing in a browser: upload, mapping, progress, and what a spreadsheet makes of the refused rows."""

import csv
import io
import re
from uuid import UUID

import httpx
import pytest

from cadenza.audience.service import run_import
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member
from tests.support.statements import MOST_OF_A_LIST, heard, questions
from tests.web.seed import PASSWORD, Seeded
from tests.web.test_pages import HOSTILE, MARK, _Page, _visitor, settings, visitor

__all__ = ["settings", "visitor"]

FILE = b"Email,Vorname,Plan\nada@new.example,Ada,pro\nnobody,X,y\nkatrin@de.example,Katrin,basic\n"


async def _upload(
    client: httpx.AsyncClient, data: bytes = FILE, name: str = "new list.csv"
) -> httpx.Response:
    return await client.post(
        "/contacts/imports", files={"file": (name, data, "text/csv")}, headers={"hx-request": "true"}
    )


async def _uploaded(client: httpx.AsyncClient, data: bytes = FILE) -> str:
    answer = await _upload(client, data)
    assert answer.status_code == 204, answer.text
    return answer.headers["hx-redirect"]


@pytest.mark.asvs("2.3.1")
async def test_a_list_is_uploaded_mapped_imported_and_read(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    here = await _uploaded(visitor)
    page = _Page((await visitor.get(here)).text).words
    assert "The first 3 rows: 1 new, 1 updated, 0 repeated in the file, 1 refused." in page
    assert "'nobody' is no e-mail address" in page
    answer = await visitor.post(
        f"{here}/mapping", data={"c0": "email", "c1": "first_name", "c2": "title", "c9": "x", "cx": "y"}
    )
    assert answer.headers["location"] == f"{here}?said=mapped"
    assert re.search(r'<option value="title" selected>', (await visitor.get(here)).text)
    twice = await visitor.post(f"{here}/mapping", data={"c0": "email", "c1": "email"})
    assert twice.status_code == 422
    assert "Two columns are mapped" in twice.text
    assert (await visitor.post(f"{here}/start")).headers["location"] == f"{here}?said=started"
    assert "0 of 3 rows done, 3 left" in _Page((await visitor.get(here)).text).words
    assert (await visitor.post(f"{here}/start")).status_code == 409
    await run_import(database, workspace_id=str(seeded.actor.workspace_id), import_id=here.rpartition("/")[2])
    page = _Page((await visitor.get(here)).text).words
    assert "3 of 3 rows done, 0 left" in page
    assert "Row refused" in page
    people = _Page((await visitor.get("/contacts?q=ada")).text).words
    assert "Ada" in people
    assert "new list.csv" in (await visitor.get("/contacts/imports")).text


@pytest.mark.asvs("5.2.1", "5.2.2")
async def test_a_bad_upload_is_told_and_keeps_nothing(visitor: httpx.AsyncClient) -> None:
    for data, name, code in (
        (b"\x89PNG\r\n", "list.csv", "not_text"), (FILE, "list.png", "file_kind"), (b"a" * (51 << 20), "list.csv", "file_too_large"),
    ):  # fmt: skip
        answer = await _upload(visitor, data, name)
        assert answer.status_code == 422
        assert answer.json()["code"] == code
    no_file = await visitor.post("/contacts/imports", data={"file": "text"}, headers={"hx-request": "true"})
    broken = await visitor.post(
        "/contacts/imports",
        content=b"--x\r\nnonsense",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    none = await visitor.post(
        "/contacts/imports", content=b"", headers={"content-type": "multipart/form-data"}
    )
    assert [each.status_code for each in (no_file, broken, none)] == [422, 422, 422]
    assert (
        "No import yet" in (await visitor.get("/contacts/imports?x")).text
        or "new list.csv" not in (await visitor.get("/contacts/imports")).text
    )


@pytest.mark.must_not("M24")
@pytest.mark.asvs("1.2.1", "1.2.10")
async def test_hostile_cells_names_and_files_stay_text(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    rows = io.StringIO()
    csv.writer(rows).writerows(
        [
            ["email", "first name" + HOSTILE, "=cmd()"],
            ["a@b.example", HOSTILE, "=1+1"],
            ["=HYPERLINK(1)", "x", "y"],
        ]
    )
    answer = await _upload(visitor, rows.getvalue().encode(), f"{HOSTILE}.csv".replace("/", ""))
    here = answer.headers["hx-redirect"]
    for _ in range(2):
        page = _Page((await visitor.get(here)).text)
        assert MARK in page.words
        assert not [tag for tag, _ in page.elements if tag in {"img", "iframe"}]
        await visitor.post(f"{here}/start")
        await run_import(
            database, workspace_id=str(seeded.actor.workspace_id), import_id=here.rpartition("/")[2]
        )
    refused = await visitor.get(f"{here}/refused.csv")
    assert refused.headers["content-disposition"] == 'attachment; filename="refused-rows.csv"'
    table = list(csv.reader(io.StringIO(refused.text.removeprefix("\ufeff"))))
    assert table[0] == ["row", "line", "column", "code", "reason", "what"]
    assert len(table) == 2
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]


async def test_an_import_is_cancelled_from_its_page(visitor: httpx.AsyncClient) -> None:
    here = await _uploaded(visitor)
    assert (await visitor.post(f"{here}/cancel")).headers["location"] == f"{here}?said=cancelled"
    assert "The people of the first 0 rows are here" in _Page((await visitor.get(here)).text).words


async def test_a_cancel_that_comes_too_late_is_told_so(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    here = await _uploaded(visitor)
    await visitor.post(f"{here}/start")
    await run_import(database, workspace_id=str(seeded.actor.workspace_id), import_id=here.rpartition("/")[2])
    late = (await visitor.post(f"{here}/cancel")).headers["location"]
    page = _Page((await visitor.get(late)).text).words
    assert "It was over already; nothing was cancelled." in page
    assert "being cancelled" not in page


@pytest.mark.asvs("8.2.1", "8.2.2")
async def test_who_may_not_import_sees_and_changes_nothing(
    database: Database, settings: Settings, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    here = await _uploaded(visitor)
    email = "ruth@halden.example"
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(unit, seeded.actor, email=email, name="Ruth", role=Role.REP, password=PASSWORD)
    async with await _visitor(database, settings, email) as reader:
        assert "Upload and look" not in (await reader.get("/contacts/imports")).text
        assert (await reader.get(here)).status_code == 200
        assert (await _upload(reader)).status_code == 403
        for act in ("mapping", "start", "cancel"):
            assert (await reader.post(f"{here}/{act}", data={"c0": "email"})).status_code == 403, act
    missing = f"/contacts/imports/{UUID(int=1)}"
    for address in (missing, f"{missing}/refused.csv"):
        assert (await visitor.get(address)).status_code == 404
    for act in ("mapping", "start", "cancel"):
        assert (await visitor.post(f"{missing}/{act}")).status_code == 404


@pytest.mark.asvs("3.5.1")
async def test_an_upload_needs_the_proof_of_our_page(visitor: httpx.AsyncClient) -> None:
    del visitor.headers["x-csrf-token"]
    assert (await _upload(visitor)).status_code == 403


async def test_the_pages_ask_few_questions(database: Database, visitor: httpx.AsyncClient) -> None:
    here = await _uploaded(visitor)
    for address in ("/contacts/imports", here):
        with heard(database) as sent:
            assert (await visitor.get(address)).status_code == 200
        assert len(questions(sent)) <= MOST_OF_A_LIST, questions(sent)


async def test_a_list_without_a_usable_row_says_why_and_offers_no_start(visitor: httpx.AsyncClient) -> None:
    here = await _uploaded(visitor, b"Email,Vorname\nnobody,X\n")
    page = await visitor.get(here)
    assert "not one row can be used" in page.text
    assert f'action="{here}/start"' not in page.text
    refused = await visitor.post(f"{here}/start")
    assert refused.status_code == 422
    assert "No row of new list.csv can be used" in refused.text
    await visitor.post(f"{here}/cancel")
    assert "Cancelled" in (await visitor.get(here)).text
