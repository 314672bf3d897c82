"""Filters in the address, segments and own fields, as a browser uses them."""

import re
from uuid import uuid4

import httpx
import pytest

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member
from tests.support.statements import MOST_OF_A_LIST, heard, questions
from tests.web.seed import CAMPAIGN, PASSWORD, Seeded
from tests.web.test_pages import _Page, _visitor, settings, visitor

__all__ = ["settings", "visitor"]


async def test_a_filter_is_built_in_the_address_saved_and_removed(visitor: httpx.AsyncClient) -> None:
    added = await visitor.get("/contacts?field=country&operator=is&value=DE,%20NL")
    here = added.headers["location"]
    assert here == "/contacts?f=country%7Cis%7CDE%2C+NL"
    page = (await visitor.get(here)).text
    assert "2 people" in _Page(page).words
    more = (await visitor.get(f"{here}&field=title&operator=contains&value=plant")).headers["location"]
    page = (await visitor.get(more)).text
    assert "1 person" in _Page(page).words
    assert 'href="/contacts?match=any&amp;f=country%7Cis%7CDE%2C+NL&amp;f=title%7Ccontains%7Cplant"' in page
    assert here.replace("&", "&amp;") in page  # the way back without the second condition
    form = {"name": "Near us", "f": re.findall(r'name="f" value="([^"]*)"', page)[:2]}
    saved = (await visitor.post("/contacts/segments", data=form)).headers["location"]
    assert saved.startswith("/contacts?segment=")
    assert "Segment Near us" in _Page((await visitor.get(saved)).text).words
    listed = _Page((await visitor.get("/contacts/segments")).text).words
    assert "Near us" in listed
    assert "Country is DE, NL and Role contains plant" in " ".join(listed.split())
    identity = re.search(r"segment=([0-9a-f-]+)", saved)
    assert identity
    answer = await visitor.post(f"/contacts/segments/{identity[1]}/remove")
    assert "Removed" in (await visitor.get(answer.headers["location"])).text
    assert (await visitor.get(saved)).status_code == 404


async def test_people_of_a_campaign_are_chosen_by_its_name(visitor: httpx.AsyncClient) -> None:
    page = (await visitor.get("/contacts?field=campaign")).text
    option = re.search(rf'<option value="([0-9a-f-]+)">{CAMPAIGN}</option>', page)
    assert option
    here = (await visitor.get(f"/contacts?field=campaign&operator=is&value={option[1]}")).headers["location"]
    words = " ".join(_Page((await visitor.get(here)).text).words.split())
    assert f"In campaign is {CAMPAIGN}" in words
    assert "people" in words


@pytest.mark.asvs("1.2.4", "2.2.1")
async def test_a_wrong_filter_is_told_and_shows_everybody(visitor: httpx.AsyncClient) -> None:
    for wrong in ("nonsense", "country|above|3", "country|is|1' or 1=1", "f" * 501, "a|b|c|d"):
        answer = await visitor.get("/contacts", params={"f": wrong})
        assert answer.status_code == 422, wrong
    assert "everybody is shown" in (await visitor.get("/contacts", params={"f": "nonsense"})).text
    assert (await visitor.get(f"/contacts?segment={uuid4()}")).status_code == 404
    assert (await visitor.post("/contacts/segments", data={"name": "x", "f": "nonsense"})).status_code == 422


@pytest.mark.asvs("2.2.1")
async def test_only_comparisons_that_fit_the_field_are_offered_and_others_refused(
    visitor: httpx.AsyncClient,
) -> None:
    chosen = await visitor.get("/contacts", params={"f": "country|is|DE", "field": "created"})
    offered = re.search(r'<select[^>]*id="operator".*?</select>', chosen.text)
    assert chosen.status_code == 200
    assert offered
    assert re.findall(r'value="(\w+)"', offered[0]) == ["before", "after", "within", "known", "unknown"]
    new = {"f": "country|is|DE", "field": "created", "operator": "contains", "value": "2026"}
    refused = await visitor.get("/contacts", params=new)
    assert refused.status_code == 422
    assert "This comparison does not fit the field “Added”" in refused.text
    assert 'id="value" name="value" maxlength="500" autocomplete="off" value="2026"' in refused.text
    assert "2 people" not in _Page(refused.text).words  # the condition that fits still chooses


@pytest.mark.parametrize("how", ["added", "typed"])
async def test_a_day_that_there_is_not_is_marked_and_kept(visitor: httpx.AsyncClient, how: str) -> None:
    new = {"field": "created", "operator": "before", "value": "31.02.2026"}
    query = new if how == "added" else {"f": "|".join(new.values())}
    page = await visitor.get("/contacts", params=query)
    assert page.status_code == 422
    assert "There is no day “31.02.2026”. Write it as 2026-02-28." in page.text
    assert re.search(r'value="31\.02\.2026"[^>]* aria-invalid="true"', page.text)
    assert re.search(r'<option value="before" selected>', page.text)
    for inside in ("&#39;", "created before", "filter_invalid"):
        assert inside not in _Page(page.text).words
    fitting = await visitor.get("/contacts", params=new | {"value": "28.02.2026"})
    assert fitting.status_code == 303
    assert (await visitor.get(fitting.headers["location"])).status_code == 200


async def test_own_fields_are_defined_changed_and_removed(visitor: httpx.AsyncClient) -> None:
    await visitor.post("/contacts/fields", data={"name": "Renewal Day", "kind": "date", "shown": "true"})
    page = (await visitor.get("/contacts/fields")).text
    assert "renewal_day" in page
    assert "custom.renewal_day" in (await visitor.get("/contacts")).text
    await visitor.post("/contacts/fields", data={"name": "renewal_day", "kind": "text"})
    assert (
        '<option value="custom.renewal_day"' not in (await visitor.get("/contacts")).text
    )  # no longer shown
    await visitor.post("/contacts/fields/renewal_day/remove")
    assert "renewal_day" not in (await visitor.get("/contacts/fields")).text
    assert (await visitor.post("/contacts/fields/renewal_day/remove")).status_code == 404
    assert (await visitor.post("/contacts/fields", data={"name": "!", "kind": "text"})).status_code == 422
    assert (await visitor.post("/contacts/fields", data={"name": "x", "kind": "blob"})).status_code == 422


@pytest.mark.asvs("8.2.1")
async def test_who_may_only_read_is_offered_nothing_and_refused(
    database: Database, settings: Settings, seeded: Seeded
) -> None:
    email = "ruth@halden.example"
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(unit, seeded.actor, email=email, name="Ruth", role=Role.READ_ONLY, password=PASSWORD)
    async with await _visitor(database, settings, email) as reader:
        for address in ("/contacts?f=country%7Cis%7CDE", "/contacts/segments", "/contacts/fields"):
            page = _Page((await reader.get(address)).text)
            assert [a.get("action") for tag, a in page.elements if a.get("method") == "post"] == [
                "/logout"
            ] * 2, address
        for address, form in (
            ("/contacts/segments", {"name": "x"}), (f"/contacts/segments/{uuid4()}/remove", {}),
            ("/contacts/fields", {"name": "x", "kind": "text"}), ("/contacts/fields/x/remove", {}),
        ):  # fmt: skip
            assert (await reader.post(address, data=form)).status_code == 403, address


@pytest.mark.parametrize(
    "address",
    ["/contacts?f=event.replied%7Cever&f=stopped%7Cis%7Cno", "/contacts/segments", "/contacts/fields"],
)
async def test_the_lists_ask_few_questions(
    database: Database, visitor: httpx.AsyncClient, address: str
) -> None:
    for number in range(5):
        await visitor.post("/contacts/segments", data={"name": f"S{number}", "f": "country|is|DE"})
    with heard(database) as sent:
        assert (await visitor.get(address)).status_code == 200
    assert len(questions(sent)) <= MOST_OF_A_LIST, "\n".join(questions(sent))
    saved = (await visitor.post("/contacts/segments", data={"name": "S", "f": "country|is|DE"})).headers[
        "location"
    ]
    with heard(database) as sent:
        assert (await visitor.get(saved)).status_code == 200
    assert len(questions(sent)) <= MOST_OF_A_LIST, "\n".join(questions(sent))


async def test_a_name_that_is_known_is_asked_about_and_replaced_only_then(visitor: httpx.AsyncClient) -> None:
    form = {"name": "Alps", "f": "country|is|DE"}
    saved = (await visitor.post("/contacts/segments", data=form)).headers["location"].partition("&")[0]
    other = form | {"f": "country|is|CH"}
    asked = await visitor.post("/contacts/segments", data=other)
    assert asked.status_code == 409
    assert "There is a segment “Alps” already" in _Page(asked.text).words
    assert 'name="f" value="country|is|CH"' in asked.text, "the filter is kept for either answer"
    assert "Katrin" in (await visitor.get(saved)).text, "nothing was replaced"
    renamed = await visitor.post("/contacts/segments", data=other | {"name": "Swiss"})
    assert renamed.status_code == 303
    replaced = await visitor.post("/contacts/segments", data=other | {"replace": "true"})
    assert replaced.headers["location"].partition("&")[0] == saved
    assert "Katrin" not in (await visitor.get(saved)).text
