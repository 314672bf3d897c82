"""Many people at once, people who are here twice, companies and the export, as a browser uses them."""

import csv
import io
import re
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from cadenza.audience.bulk_store import change_row, step
from cadenza.audience.service import run_change, run_import
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member
from tests.support.statements import MOST_OF_A_LIST, heard, questions
from tests.web.seed import PASSWORD, Seeded, seed
from tests.web.test_pages import HOSTILE, _Page, _visitor, settings, visitor

__all__ = ["settings", "visitor"]


def _words(answer: httpx.Response) -> str:
    return " ".join(_Page(answer.text).words.split())


async def test_checked_people_are_stopped_and_the_stop_is_taken_back_with_a_reason(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    chosen = [str(each) for each in seeded.contacts[3:5]]
    answer = await visitor.post("/contacts/bulk", data={"kind": "stop", "whom": "checked", "contact": chosen})
    page = await visitor.get(answer.headers["location"])
    assert "2 people were stopped" in _words(page)
    for each in chosen:
        assert "Stopped by a colleague" in (await visitor.get(f"/contacts/{each}")).text
    address = re.search(r'action="(/contacts/changes/[0-9a-f-]+/undo)"', page.text)
    assert address
    assert (await visitor.post(address[1], data={"reason": ""})).status_code == 422
    assert (await visitor.post(address[1], data={"reason": "the wrong two"})).status_code == 303
    assert "Stopped by a colleague" not in (await visitor.get(f"/contacts/{chosen[0]}")).text
    assert (await visitor.post(address[1], data={"reason": "again"})).status_code == 409


async def test_everybody_of_a_filter_gets_a_field_or_is_removed(visitor: httpx.AsyncClient) -> None:
    here = "/contacts?f=country%7Cis%7CDE"
    form = {"whom": "all", "f": "country|is|DE"}
    answer = await visitor.post(
        "/contacts/bulk", data=form | {"kind": "set_field", "field": "plant", "value": "north"}
    )
    assert answer.headers["location"] == f"{here}&said=changed"
    assert "plant of 1 person was set to “north”" in _words(await visitor.get(here))
    await visitor.post("/contacts/bulk", data=form | {"kind": "remove"})
    assert "5 people" in _words(await visitor.get("/contacts"))
    wrong = [
        {"kind": "remove", "whom": "all", "f": "nonsense"}, {"kind": "remove", "whom": "checked"}, {"kind": "explode", "whom": "all"},
        {"kind": "set_field", "whom": "all", "field": "nothing", "value": "x"}, {"kind": "remove", "whom": "checked", "contact": "x"},
    ]  # fmt: skip
    for each in wrong:
        assert (await visitor.post("/contacts/bulk", data=each)).status_code in {404, 422}, each
    assert "5 people" in _words(await visitor.get("/contacts"))


async def test_two_who_are_one_are_merged_from_the_list(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    rows = b"email,first_name,last_name,company\nliv@north.example,Liv,Berg,North\nl.berg@north.example,L,Berg,North\n"
    made = await visitor.post(
        "/contacts/imports", files={"file": ("x.csv", rows)}, headers={"hx-request": "true"}
    )
    assert made.status_code == 204
    here = made.headers["hx-redirect"]
    await visitor.post(f"{here}/start")
    await run_import(database, workspace_id=str(seeded.actor.workspace_id), import_id=here.rpartition("/")[2])
    page = await visitor.get("/contacts/duplicates")
    assert "name and company" in _words(page)
    survivor, merged = re.findall(r'name="(?:survivor|merged)" value="([0-9a-f-]+)"', page.text)[:2]
    answer = await visitor.post("/contacts/merge", data={"survivor": survivor, "merged": merged})
    assert "Nobody is here twice" in _words(await visitor.get(answer.headers["location"]))
    assert (
        "l.berg@north.example" in (await visitor.get("/contacts?q=l.berg")).text
        or "Liv" in (await visitor.get(f"/contacts/{merged}")).text
    )
    assert (
        await visitor.post("/contacts/merge", data={"survivor": survivor, "merged": merged})
    ).status_code == 404


async def test_companies_are_listed_found_and_opened(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/contacts/accounts?q=forges")
    assert "1 company" in _words(page)
    link = re.search(r'href="(/contacts/accounts/[0-9a-f-]+)"', page.text)
    assert link
    assert "Luc Hautecœur" in _words(await visitor.get(link[1]))
    assert "No company fits" in _words(await visitor.get("/contacts/accounts?q=nothing"))


@pytest.mark.must_not("M24")
@pytest.mark.asvs("1.2.10", "5.4.2", "16.3.2")
async def test_an_export_is_inert_told_once_and_holds_what_the_list_shows(
    database: Database, settings: Settings
) -> None:
    seeded = await seed(database, lambda words: "=1+1" + words + HOSTILE)
    async with await _visitor(database, settings, seeded.email) as client:
        answer = await client.post("/contacts/export.csv", data={"f": "country|is|DE"})
        everybody = await client.post("/contacts/export.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="contacts.csv"'
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["email"], row["country"], row["stopped"]) for row in table] == [
        ("katrin@de.example", "DE", "no")
    ]
    assert "plant" in table[0]
    rows = list(csv.reader(io.StringIO(everybody.text.removeprefix("\ufeff"))))
    assert len(rows) == 7
    assert not [
        cell for row in rows for cell in row if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    ]
    async with database.unit(seeded.actor.workspace_id) as unit:
        told = await unit.session.execute(
            text("select data from audit_entries where action = 'contacts_exported' order by at")
        )
        assert [row.data["rows"] for row in told] == [1, 6]


@pytest.mark.asvs("2.3.2", "2.4.1")
async def test_exports_have_a_ceiling(visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cadenza.audience.contact_export.MOST_ROWS", 5)
    assert (await visitor.post("/contacts/export.csv")).status_code == 429
    assert (await visitor.post("/contacts/export.csv", data={"f": "country|is|DE"})).status_code == 200
    monkeypatch.setattr("cadenza.audience.contact_export.MOST_A_DAY", 1)
    assert (await visitor.post("/contacts/export.csv", data={"f": "country|is|DE"})).status_code == 429
    assert (await visitor.post("/contacts/export.csv", data={"f": "nonsense"})).status_code == 422


@pytest.mark.asvs("8.2.1", "8.2.2")
async def test_each_role_is_offered_and_allowed_what_is_its(
    database: Database, settings: Settings, seeded: Seeded
) -> None:
    people = [str(seeded.contacts[4])]
    form = {"whom": "checked", "contact": people, "field": "plant", "value": "x"}
    for role, allowed in (
        (Role.READ_ONLY, set()), (Role.REP, {"stop", "set_field", "merge"}), (Role.OPERATOR, {"stop"}),
        (Role.MANAGER, {"stop", "set_field", "remove", "merge", "export"}),
    ):  # fmt: skip
        email = f"{role.value}@halden.example"
        async with database.unit(seeded.actor.workspace_id) as unit:
            await add_member(unit, seeded.actor, email=email, name=role.value, role=role, password=PASSWORD)
        async with await _visitor(database, settings, email) as member:
            page = (await member.get("/contacts")).text
            assert ("/contacts/export.csv" in page) == ("export" in allowed), role
            for kind in ("stop", "set_field", "remove"):
                offered = f'value="{kind}"' in page
                answer = await member.post("/contacts/bulk", data=form | {"kind": kind})
                assert (offered, answer.status_code) == ((True, 303) if kind in allowed else (False, 403)), (
                    role,
                    kind,
                )
            merged = await member.post("/contacts/merge", data={"survivor": people[0], "merged": people[0]})
            assert merged.status_code == (422 if "merge" in allowed else 403)
            assert (await member.post("/contacts/export.csv")).status_code == (
                200 if "export" in allowed else 403
            )


@pytest.mark.parametrize("address", ["/contacts", "/contacts/accounts", "/contacts/duplicates"])
async def test_the_lists_ask_few_questions(
    database: Database, visitor: httpx.AsyncClient, address: str
) -> None:
    await visitor.post(
        "/contacts/bulk", data={"kind": "set_field", "whom": "all", "field": "plant", "value": "x"}
    )
    with heard(database) as sent:
        assert (await visitor.get(address)).status_code == 200
    assert len(questions(sent)) <= MOST_OF_A_LIST, "\n".join(questions(sent))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bulk_pages.AT_ONCE", "bulk.AT_ONCE", "bulk_store.BATCH"):
        monkeypatch.setattr(f"cadenza.audience.{name}", 2)


@pytest.mark.usefixtures("small_batches")
async def test_a_large_change_is_asked_about_by_its_number_watched_cancelled_and_taken_back(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    form = {"kind": "stop", "whom": "all"}
    asked = await visitor.post("/contacts/bulk", data=form)
    assert asked.status_code == 200
    assert "Stop writing to 6 people" in _words(asked)
    assert "Everybody in this workspace." in _words(asked)
    again = await visitor.post("/contacts/bulk", data=form | {"people": "5"})
    assert "Not 5 any more: 6 people fit now." in _words(again)
    assert "Can be taken back" not in _words(await visitor.get("/contacts")), "nobody is changed yet"
    begun = await visitor.post("/contacts/bulk", data=form | {"people": "6"})
    here = begun.headers["location"].partition("?")[0]
    assert re.fullmatch(r"/contacts/changes/[0-9a-f-]{36}", here)
    assert "0 of 6 people are stopped" in _words(await visitor.get(here))
    assert "Waits for a worker" in _words(await visitor.get("/contacts"))
    refused = await visitor.post("/contacts/bulk", data=form | {"people": "6"})
    assert (refused.status_code, here in refused.text) == (409, True)
    async with database.unit(seeded.actor.workspace_id) as unit:
        await step(unit, await change_row(unit, UUID(here.rpartition("/")[2]), lock=True))
    page = await visitor.get(here)
    assert "2 of 6 people are stopped" in _words(page)
    assert 'sse-connect="' in page.text
    await visitor.post(f"{here}/cancel")
    page = await visitor.get(here)
    assert "The change holds for 2 of 6 people." in _words(page)
    assert "sse-connect" not in page.text
    assert "2 people were stopped" in _words(await visitor.get("/contacts"))
    assert (await visitor.post(f"{here}/undo", data={"reason": "too early"})).status_code == 303
    assert "It was taken back" in _words(await visitor.get(here))


@pytest.mark.usefixtures("small_batches")
async def test_an_undo_of_many_is_watched_on_the_same_page(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    form = {"kind": "set_field", "whom": "all", "field": "plant", "value": "<b>north</b>", "people": "6"}
    here = (await visitor.post("/contacts/bulk", data=form)).headers["location"].partition("?")[0]
    job = {"workspace_id": str(seeded.actor.workspace_id), "change_id": here.rpartition("/")[2]}
    await run_change(database, **job)
    page = await visitor.get(here)
    assert "Set plant of 6 people to “<b>north</b>”" in _words(page)
    assert "6 of 6 people are done" in _words(page)
    assert (await visitor.post(f"{here}/undo")).headers["location"] == f"{here}?said=started"
    assert "6 of 6 people are still to be put back" in _words(await visitor.get(here))
    await run_change(database, **job)
    assert "Taken back" in _words(await visitor.get(here))
    late = await visitor.post(f"{here}/cancel")
    assert "nothing was cancelled" in (await visitor.get(late.headers["location"])).text
