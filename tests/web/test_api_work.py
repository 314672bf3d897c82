"""The work of a team through the API: people, imports, segments, working copies, the trail, health."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cadenza.app.composition import web_app
from cadenza.audience.import_job import run_import
from cadenza.audience.service import import_contacts
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Scope
from cadenza.identity.service import create_api_token, members
from tests.web.seed import CAMPAIGN, Seeded

API = "/api/v1"


async def _token(database: Database, seeded: Seeded, *scopes: Scope) -> str:
    async with database.unit(seeded.actor.workspace_id) as unit:
        member = (await members(unit, seeded.actor))[0]
        given = {"scopes": scopes} if scopes else {}
        return await create_api_token(unit, seeded.actor, member_id=member.id, name="test", **given)


def _client(database: Database, tmp_path: Path, token: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(web_app(database, Settings(home=tmp_path, sandbox=True)))
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=transport, base_url=f"http://testserver{API}", headers=headers)


@pytest.fixture
async def caller(database: Database, tmp_path: Path, seeded: Seeded) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(database, tmp_path, await _token(database, seeded)) as client:
        yield client


async def _campaign(caller: httpx.AsyncClient) -> str:
    found = (await caller.get("/campaigns")).json()["items"]
    return str(next(each["id"] for each in found if each["name"] == CAMPAIGN))


async def test_a_file_is_uploaded_mapped_tried_started_and_imported(
    caller: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    file = {"file": ("fair.csv", b"Mail,Region\nada@fair.example,north\nnobody,south\n")}
    key = {"idempotency-key": "upload-1"}
    made = (await caller.post("/imports", files=file, headers=key)).json()
    assert (made["state"], made["rows"]) == ("mapping", 2)
    again = await caller.post("/imports", files=file, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (made, "true")
    other = await caller.post("/imports", files={"file": ("fair.csv", b"email\n")}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    one = f"/imports/{made['id']}"
    tried = (await caller.post(f"{one}/mapping", json={"mapping": {"Region": "custom.region"}})).json()
    assert (tried["accepted"], tried["new"], len(tried["faults"])) == (1, 1, 1)
    assert (await caller.get(f"{one}/dry-run")).json() == tried
    wrong = await caller.post(f"{one}/mapping", json={"mapping": {"Nowhere": "email"}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "map_invalid")
    assert (await caller.post(f"{one}/start")).json()["state"] == "waiting"
    await run_import(database, workspace_id=str(seeded.actor.workspace_id), import_id=made["id"])
    done = (await caller.get(one)).json()
    assert (done["state"], done["created"], done["rejected"]) == ("done", 1, 1)
    assert [each["row"] for each in (await caller.get(f"{one}/faults")).json()] == [2]
    (ada,) = (await caller.get("/contacts", params={"q": "ada@fair"})).json()["contacts"]
    assert ada["custom"]["region"] == "north"
    assert (await caller.post(f"{one}/cancel")).json()["state"] == "done"


@pytest.mark.asvs("5.2.2")
async def test_what_is_no_table_is_not_kept(caller: httpx.AsyncClient) -> None:
    before = (await caller.get("/imports")).json()
    for file in (
        ("people.csv", b"<html></html>"),
        ("people.exe", b"email\na@b.example\n"),
        ("people.csv", b""),
    ):
        answer = await caller.post("/imports", files={"file": file})
        assert answer.status_code == 422, answer.text
    assert (await caller.post("/imports", json={"file": "x"})).status_code == 422
    assert (await caller.get("/imports")).json() == before


async def test_people_are_chosen_by_conditions_saved_as_a_segment_and_exported(
    caller: httpx.AsyncClient,
) -> None:
    chosen = {"f": ["country|is|DE, NL"]}
    found = (await caller.get("/contacts", params=chosen)).json()
    assert {each["country"] for each in found["contacts"]} == {"DE", "NL"}
    rule = {"match": "all", "rules": [{"field": "country", "operator": "is", "value": "DE, NL"}]}
    saved = (await caller.post("/segments", json={"name": "North", "rule": rule})).json()
    known = await caller.post("/segments", json={"name": "North", "rule": {"match": "all", "rules": []}})
    assert (known.status_code, known.json()["code"]) == (409, "segment_exists")
    same = await caller.post("/segments", json={"name": "North", "rule": rule, "replace": True})
    assert same.json()["id"] == saved["id"]
    by_segment = (await caller.get("/contacts", params={"segment_id": saved["id"]})).json()
    assert by_segment == found
    assert [each["people"] for each in (await caller.get("/segments")).json()] == [2]
    whole = await caller.post("/contacts/export", json=chosen)
    assert whole.headers["content-type"].startswith("text/csv")
    assert len(whole.text.strip().splitlines()) == 3
    assert (await caller.delete(f"/segments/{saved['id']}")).status_code == 204
    assert (await caller.get(f"/segments/{saved['id']}")).status_code == 404


async def test_a_filter_that_means_nothing_is_never_everybody(caller: httpx.AsyncClient) -> None:
    wrong = {"f": ["nothing|is|x"]}
    assert (await caller.get("/contacts", params=wrong)).status_code == 422
    assert (await caller.post("/contacts/export", json=wrong)).status_code == 422
    change: dict[str, Any] = {"kind": "stop", "everybody": True, "choice": wrong}
    assert (await caller.post("/contacts/bulk", json=change)).status_code == 422
    for unclear in ({"kind": "stop"}, {"kind": "stop", "everybody": True, "contact_ids": [str(uuid4())]}):
        answer = await caller.post("/contacts/bulk", json=unclear)
        assert (answer.status_code, answer.json()["code"]) == (422, "nobody_chosen")
    assert (await caller.get("/contacts/changes")).json() == []


async def test_many_are_changed_and_the_change_is_taken_back(
    caller: httpx.AsyncClient, seeded: Seeded
) -> None:
    await caller.post("/fields", json={"name": "Region"})
    assert "region" in {each["name"] for each in (await caller.get("/fields")).json()}
    body = {"kind": "set_field", "everybody": True, "field": "region", "value": "north"}
    made = (await caller.post("/contacts/bulk", json=body)).json()
    assert made["people"] == len(seeded.contacts)
    one = f"/contacts/{seeded.contacts[0]}"
    assert (await caller.get(one)).json()["custom"]["region"] == "north"
    undone = (await caller.post(f"/contacts/changes/{made['id']}/undo", json={})).json()
    assert undone["undone_at"]
    assert "region" not in (await caller.get(one)).json()["custom"]
    stopped = (
        await caller.post("/contacts/bulk", json={"kind": "stop", "contact_ids": [str(seeded.contacts[0])]})
    ).json()
    without = await caller.post(f"/contacts/changes/{stopped['id']}/undo", json={})
    assert (without.status_code, without.json()["code"]) == (422, "reason_missing")
    assert (await caller.delete("/fields/region")).status_code == 204


async def test_a_large_change_is_queued_watched_and_cancelled(
    caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadenza.audience.bulk.AT_ONCE", 2)
    stop = {"kind": "stop", "everybody": True}
    wrong = await caller.post("/contacts/bulk", json=stop | {"expected": 5})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "people_changed")
    made = (await caller.post("/contacts/bulk", json=stop | {"expected": 6})).json()
    assert (made["state"], made["people"], made["done"]) == ("waiting", 6, 0)
    second = await caller.post("/contacts/bulk", json=stop)
    assert (second.status_code, second.json()["code"]) == (409, "change_running")
    here = f"/contacts/changes/{made['id']}"
    assert (await caller.get(here)).json() == made
    assert (await caller.post(f"{here}/undo", json={"reason": "x"})).json()["code"] == "change_running"
    assert (await caller.post(f"{here}/cancel")).json()["state"] == "cancelled"
    assert (await caller.get("/contacts/changes")).json() == []


async def test_contacts_come_by_parts_that_nobody_who_is_added_moves(
    caller: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    for chosen in ({}, {"f": "country|known|"}, {"q": "e"}):
        whole = (await caller.get("/contacts", params=chosen)).json()["contacts"]
        first = (await caller.get("/contacts", params=chosen | {"limit": 2})).json()
        async with database.unit(seeded.actor.workspace_id) as unit:
            file = f"email,country\nesther{len(whole)}@new.example,DE\n".encode()
            await import_contacts(unit, seeded.actor, file, file="new.csv")
        parts, part = first["contacts"], first
        while part["next"]:
            part = (await caller.get("/contacts", params=chosen | {"limit": 2, "after": part["next"]})).json()
            parts += part["contacts"]
        assert parts == whole, chosen
        assert not part["more"]
    assert (await caller.get("/contacts", params={"after": "nonsense"})).status_code == 422
    assert len((await caller.get("/contacts", params={"page": 2, "limit": 2})).json()["contacts"]) == 2


async def test_two_people_are_made_one(caller: httpx.AsyncClient, seeded: Seeded) -> None:
    first, second = seeded.contacts[3:5]
    answer = await caller.post("/contacts/merge", json={"survivor_id": str(first), "merged_id": str(second)})
    assert answer.json()["id"] == str(first)
    assert (await caller.get(f"/contacts/{second}")).json()["id"] == str(first)
    line = (await caller.get("/accounts", params={"q": "Rhonewerk"})).json()["lines"][0]
    assert (await caller.get(f"/accounts/{line['account']['id']}")).json()["account"] == line["account"]


async def test_a_working_copy_is_made_by_text_changed_previewed_and_saved(
    caller: httpx.AsyncClient, seeded: Seeded
) -> None:
    campaign = await _campaign(caller)
    one = f"/campaigns/{campaign}"
    start = (await caller.get(f"{one}/edit")).json()
    assert not start["changed"]
    text = start["document"].replace("One idea", "Two ideas")
    made = (await caller.put(f"{one}/edit", json={"document": text})).json()
    assert (made["changed"], made["problems"]) == (True, [])
    place = "steps.1.variants.0.text"
    kept = (
        await caller.post(
            f"{one}/edit/values", json={"values": {place: ["A last line for {{ contact.first_name }}."]}}
        )
    ).json()
    assert [each["key"] for each in kept["problems"]], "without a fallback it is not finished"
    unfinished = await caller.post(f"{one}/edit/save")
    assert (unfinished.status_code, unfinished.json()["code"]) == (422, "campaign_file_invalid")
    await caller.post(f"{one}/edit/values", json={"values": {place: ["A last line by {{ sender.name }}."]}})
    shown = (await caller.get(f"{one}/edit/preview", params={"contact_id": str(seeded.contacts[0])})).json()
    assert {"Two ideas", "A last line by Nora."} <= {
        each["rendered"]["subject"] or each["rendered"]["text"] for each in shown
    }
    assert (await caller.get(f"{one}/status")).json()["version"] == 1
    saved = (await caller.post(f"{one}/edit/save")).json()
    assert (saved["version"], saved["changed"]) == (2, False)


async def test_a_working_copy_of_another_name_or_with_a_fault_is_not_kept(caller: httpx.AsyncClient) -> None:
    one = f"/campaigns/{await _campaign(caller)}"
    text = (await caller.get(f"{one}/edit")).json()["document"]
    for wrong, key in (
        (text.replace(CAMPAIGN, "Another", 1), "name"),
        (text.replace("steps:", "stops:"), "stops"),
    ):
        answer = await caller.put(f"{one}/edit", json={"document": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "campaign_file_invalid")
        assert key in {each["key"] for each in answer.json()["problems"]}
    assert not (await caller.get(f"{one}/edit")).json()["changed"]
    await caller.put(f"{one}/edit", json={"document": text.replace("One idea", "Two ideas")})
    assert (await caller.delete(f"{one}/edit")).status_code == 204
    assert not (await caller.get(f"{one}/edit")).json()["changed"]


async def test_people_are_invited_given_skills_and_disabled(caller: httpx.AsyncClient) -> None:
    made = (await caller.post("/invitations", json={"email": "jo@halden.example", "role": "rep"})).json()
    assert made["link"].startswith("http://testserver/join/")
    (open_one,) = (await caller.get("/invitations")).json()
    assert "token" not in json.dumps(open_one)
    assert (await caller.delete(f"/invitations/{open_one['id']}")).status_code == 204
    assert (await caller.get("/invitations")).json() == []
    team = (await caller.post("/teams", json={"name": "Benelux"})).json()
    (owner,) = (await caller.get("/members")).json()
    one = f"/members/{owner['id']}"
    skills = {"team_id": team["id"], "territories": ["NL"], "languages": ["nl"], "most_open": 7}
    given = (await caller.post(f"{one}/skills", json=skills)).json()
    assert {key: given[key] for key in skills} == skills
    wrong = await caller.post(f"{one}/skills", json={"languages": ["Dutch"]})
    assert (wrong.status_code, wrong.json()["problems"][0]["key"]) == (422, "languages")
    last = await caller.post(f"{one}/active", json={"active": False})
    assert (last.status_code, last.json()["code"]) == (409, "last_owner")
    away = (await caller.post("/members/me/away", json={"until": "2026-12-27T00:00:00Z"})).json()
    assert away["away_until"].startswith("2026-12-27")
    assert (await caller.post("/members/me/away", json={"until": "9999-12-31T23:59:59Z"})).status_code == 422
    assert (await caller.delete(f"/teams/{team['id']}")).status_code == 204
    assert (await caller.get(one)).json()["team_id"] is None


@pytest.mark.asvs("8.2.1")
async def test_a_token_that_only_reads_changes_nothing_of_its_own_either(
    database: Database, tmp_path: Path, seeded: Seeded, caller: httpx.AsyncClient
) -> None:
    token = await _token(database, seeded, Scope.READ)
    listed = (await caller.get("/tokens")).json()
    assert {tuple(each["scopes"]) for each in listed} >= {("read",)}
    assert token not in json.dumps(listed)
    async with _client(database, tmp_path, token) as reader:
        assert (await reader.get("/tokens")).status_code == 200
        for answer in (
            await reader.post("/members/me/away", json={"until": None}),
            await reader.delete(f"/tokens/{listed[0]['id']}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        mine = next(each["id"] for each in listed if each["scopes"] == ["read"])
        assert (await caller.delete(f"/tokens/{mine}")).status_code == 204
        assert (await reader.get("/tokens")).status_code == 401, (
            "revoked, it opens nothing from the next request on"
        )


async def test_the_trail_is_searched_in_parts_and_exported_whole(caller: httpx.AsyncClient) -> None:
    for name in ("One", "Two", "Three"):
        await caller.post("/teams", json={"name": name})
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        part = (
            await caller.get("/audit", params={"action": "team_added", "limit": 2, "after": after})
        ).json()
        seen += [each["subject"] for each in part["items"]]
        after = part["next"]
    assert seen == ["Three", "Two", "One"]
    assert (await caller.get("/audit", params={"last": "9999-12-31"})).status_code == 200
    assert (await caller.get("/audit", params={"first": "2026-13-01"})).status_code == 422
    lines = [json.loads(line) for line in (await caller.post("/audit/export")).text.splitlines()]
    assert len(lines) > 3
    assert all(later["previous"] == earlier["hash"] for earlier, later in pairwise(lines))


async def test_health_is_looked_at_and_sending_held_and_released(caller: httpx.AsyncClient) -> None:
    assert (await caller.get("/health")).json()["at"] is None
    looked = (await caller.post("/health/look")).json()
    assert {each["status"] for each in looked["checks"]} <= {"pass", "warn", "fail", "skipped"}
    assert (await caller.get("/health")).json()["checks"] == looked["checks"]
    assert (await caller.get("/backups")).json() == []
    assert (await caller.get("/sending")).json()["held"] is False
    held = (await caller.post("/sending/hold")).json()
    assert (held["held"], held["reason"]) == (True, "by_hand")
    early = await caller.post("/sending/release")
    assert (early.status_code, early.json()["code"]) == (409, "not_compared")


async def test_everything_that_runs_is_paused_at_once(caller: httpx.AsyncClient) -> None:
    assert [each["campaign"] for each in (await caller.post("/campaigns/pause")).json()] == [CAMPAIGN]
    assert (await caller.post("/campaigns/pause")).json() == []


async def test_a_draft_is_kept_and_found_with_its_person(caller: httpx.AsyncClient, seeded: Seeded) -> None:
    thread = (await caller.get(f"/contacts/{seeded.contacts[0]}/conversation")).json()
    assert thread["conversation"]["id"] == str(seeded.conversation)
    assert (await caller.get(f"/contacts/{seeded.contacts[5]}/conversation")).status_code == 404
    one = f"/conversations/{seeded.conversation}/draft"
    assert (await caller.get(one)).json() == {"text": "", "saved_at": None}
    kept = (await caller.put(one, json={"draft_id": str(uuid4()), "text": "Thursday?"})).json()
    assert (await caller.get(one)).json() == kept
    assert kept["text"] == "Thursday?"
    best = await caller.post(f"/conversations/{seeded.conversation}/assign-best")
    assert best.json() == {"why": "Nora Lindqvist has 0 open."}
