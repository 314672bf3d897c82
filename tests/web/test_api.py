"""The frame of the API: who asks, once, how fast, how much, in pages; and campaigns through it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.campaigns.endpoints import _FILE
from cadenza.campaigns.service import campaign
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member, create_api_token, members
from cadenza.web.api import cursor, read_cursor
from tests.support.campaigns import document
from tests.web.seed import CAMPAIGN, PASSWORD, Seeded

API = "/api/v1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, api_requests_per_minute=40)


async def _caller(database: Database, settings: Settings, seeded: Seeded, role: Role) -> httpx.AsyncClient:
    async with database.unit(seeded.actor.workspace_id) as unit:
        if role is Role.OWNER:
            member_id = (await members(unit, seeded.actor))[0].id
        else:
            email = f"{role.value}@nordwerk.example"
            await add_member(unit, seeded.actor, email=email, name=role.value, role=role, password=PASSWORD)
            member_id = next(m.id for m in await members(unit, seeded.actor) if m.email == email)
        token = await create_api_token(unit, seeded.actor, member_id=member_id, name="test")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(database, settings)),
        base_url="http://testserver",
        headers={"authorization": f"Bearer {token}"},
    )


@pytest.fixture
async def caller(database: Database, settings: Settings, seeded: Seeded) -> AsyncIterator[httpx.AsyncClient]:
    async with await _caller(database, settings, seeded, Role.OWNER) as client:
        yield client


async def _named(caller: httpx.AsyncClient, name: str) -> dict[str, Any]:
    found = (await caller.get(f"{API}/campaigns")).json()["items"]
    return next(each for each in found if each["name"] == name)


async def test_strangers_are_asked_who_they_are(caller: httpx.AsyncClient) -> None:
    for headers in (
        {"authorization": ""},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic eA=="},
    ):
        answer = await caller.get(f"{API}/campaigns", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "sign_in_needed"


async def test_a_list_comes_in_pages_that_leave_nobody_out(
    caller: httpx.AsyncClient,
) -> None:
    for number in range(5):
        made = await caller.post(f"{API}/campaigns", json={"document": document(name=f"more {number}")})
        assert made.status_code == 200, made.text
    whole = [each["id"] for each in (await caller.get(f"{API}/campaigns")).json()["items"]]
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        part = (await caller.get(f"{API}/campaigns", params={"limit": 2, "after": after})).json()
        assert len(part["items"]) <= 2
        seen += [each["id"] for each in part["items"]]
        after = part["next"]
    assert seen == whole
    assert len(seen) == 7
    drafts = (await caller.get(f"{API}/campaigns", params={"state": "draft"})).json()["items"]
    assert {each["state"] for each in drafts} == {"draft"}


@pytest.mark.parametrize("wrong", ["x", "!!!", cursor(UUID(int=7)) + "A", "AAAA", "é" * 8])
async def test_a_cursor_of_somebody_elses_making_is_refused(caller: httpx.AsyncClient, wrong: str) -> None:
    answer = await caller.get(f"{API}/campaigns", params={"after": wrong})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["key"] == "after"


def test_a_cursor_is_read_as_it_was_written() -> None:
    identity = uuid4()
    assert read_cursor(cursor(identity)) == identity


async def test_a_campaign_is_applied_read_launched_paused_and_explained(
    caller: httpx.AsyncClient, seeded: Seeded, database: Database
) -> None:
    example = _FILE.replace("people.csv", "fair.csv").replace(
        "anna@example.com", await _sender(database, seeded)
    )
    made = await caller.post(f"{API}/campaigns", json={"document": example.replace(CAMPAIGN, "By program")})
    assert made.status_code == 200, made.text
    assert made.json()["version"] == 1
    identity = (await _named(caller, "By program"))["id"]
    whole = (await caller.get(f"{API}/campaigns/{identity}")).json()
    assert whole["definition"]["steps"][0]["id"] == "intro"
    running = (await _named(caller, CAMPAIGN))["id"]
    status = (await caller.get(f"{API}/campaigns/{running}/status")).json()
    assert status["state"] == "running"
    assert (await caller.post(f"{API}/campaigns/{running}/pause")).json()["state"] == "paused"
    assert (await caller.post(f"{API}/campaigns/{running}/resume")).json()["state"] == "running"
    again = await caller.post(f"{API}/campaigns/{running}/launch")
    assert (again.status_code, again.json()["code"]) == (409, "campaign_state")
    touch = (await caller.get(f"{API}/touches/{seeded.sent}")).json()
    assert touch["touch"]["state"] == "sent"
    doubtful = (await caller.get(f"{API}/touches/in-doubt")).json()
    assert [each["id"] for each in doubtful] == [str(seeded.in_doubt)]
    settled = await caller.post(f"{API}/touches/{seeded.in_doubt}/settle", json={"decision": "was_sent"})
    assert settled.json()["touch"]["state"] == "sent"
    assert (await caller.get(f"{API}/touches/in-doubt")).json() == []


async def _sender(database: Database, seeded: Seeded) -> str:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return (await campaign(unit, seeded.actor, CAMPAIGN)).definition.mailboxes[0]


async def test_a_wrong_campaign_file_names_each_fault_and_changes_nothing(caller: httpx.AsyncClient) -> None:
    answer = await caller.post(f"{API}/campaigns", json={"document": "name: x\nsteps: 7\n"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {each["key"] for each in answer.json()["problems"]} >= {"steps"}
    assert all(each["name"] != "x" for each in (await caller.get(f"{API}/campaigns")).json()["items"])


async def _events(database: Database, seeded: Seeded, kind: str) -> int:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return (
            await unit.session.execute(text("select count(*) from events where kind = :kind"), {"kind": kind})
        ).scalar_one()


async def test_a_change_with_a_key_is_made_once_and_answers_the_same_again(
    caller: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    identity = (await _named(caller, CAMPAIGN))["id"]
    first, *others = await asyncio.gather(
        *(
            caller.post(f"{API}/campaigns/{identity}/pause", headers={"idempotency-key": "k1"})
            for _ in range(4)
        )
    )
    assert {first.status_code, *(o.status_code for o in others)} == {200}
    assert {o.text for o in others} == {first.text}
    assert sum("idempotency-replayed" in each.headers for each in (first, *others)) == 3
    assert await _events(database, seeded, "paused") == 1


async def test_a_key_is_for_one_request_of_one_member(
    caller: httpx.AsyncClient, database: Database, settings: Settings, seeded: Seeded
) -> None:
    identity = (await _named(caller, CAMPAIGN))["id"]
    key = {"idempotency-key": "k1"}
    await caller.post(f"{API}/campaigns/{identity}/pause", headers=key)
    other = await caller.post(f"{API}/campaigns/{identity}/resume", headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    async with await _caller(database, settings, seeded, Role.MANAGER) as manager:
        theirs = await manager.post(f"{API}/campaigns/{identity}/resume", headers=key)
    assert theirs.json()["state"] == "running"


async def test_a_failed_change_keeps_nothing_and_may_be_tried_again(caller: httpx.AsyncClient) -> None:
    identity = (await _named(caller, CAMPAIGN))["id"]
    key = {"idempotency-key": "k2"}
    assert (await caller.post(f"{API}/campaigns/{identity}/launch", headers=key)).status_code == 409
    again = await caller.post(f"{API}/campaigns/{identity}/launch", headers=key)
    assert "idempotency-replayed" not in again.headers
    wrong = await caller.post(f"{API}/campaigns/{identity}/pause", headers={"idempotency-key": "x" * 256})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "idempotency_key_invalid")


async def test_who_asks_too_fast_waits_and_the_next_minute_is_free(
    caller: httpx.AsyncClient, machine: ManualClock
) -> None:
    answers = [await caller.get(f"{API}/campaigns") for _ in range(41)]
    assert [a.status_code for a in answers[:40]] == [200] * 40
    assert answers[0].headers["ratelimit-remaining"] == "39"
    assert answers[40].status_code == 429
    assert 0 < int(answers[40].headers["retry-after"]) <= 60
    machine.move(timedelta(seconds=int(answers[40].headers["retry-after"])))
    assert (await caller.get(f"{API}/campaigns")).status_code == 200


@pytest.mark.asvs("15.3.3")
async def test_fields_that_are_not_declared_are_ignored(
    caller: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    body = {"document": document(name="mine"), "workspace_id": str(uuid4()), "state": "running"}
    assert (await caller.post(f"{API}/campaigns", json=body)).status_code == 200
    found = await _named(caller, "mine")
    assert found["state"] == "draft"
    async with database.unit(seeded.actor.workspace_id) as unit:
        assert (await campaign(unit, seeded.actor, "mine")).id == UUID(found["id"])


@pytest.mark.asvs("15.3.1")
async def test_only_declared_fields_go_out(caller: httpx.AsyncClient) -> None:
    schemas = (await caller.get(f"{API}/openapi.json")).json()["components"]["schemas"]
    identity = (await _named(caller, CAMPAIGN))["id"]
    for path, shape in (
        (f"campaigns/{identity}", "CampaignWhole"),
        (f"campaigns/{identity}/status", "StatusShape"),
    ):
        assert set((await caller.get(f"{API}/{path}")).json()) == set(schemas[shape]["properties"])


async def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(caller: httpx.AsyncClient) -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    answer = await caller.post(
        f"{API}/campaigns", content=flood(), headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.asvs("8.2.1", "8.3.1")
async def test_rights_hold_here_too(database: Database, settings: Settings, seeded: Seeded) -> None:
    async with await _caller(database, settings, seeded, Role.READ_ONLY) as reader:
        identity = (await _named(reader, CAMPAIGN))["id"]
        assert (await reader.get(f"{API}/campaigns/{identity}/status")).status_code == 200
        for verb in ("launch", "pause", "resume", "stop"):
            answer = await reader.post(f"{API}/campaigns/{identity}/{verb}")
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.asvs("8.2.2")
async def test_what_belongs_to_others_looks_missing(caller: httpx.AsyncClient) -> None:
    for path in ("campaigns/{}", "campaigns/{}/status", "touches/{}"):
        answer = await caller.get(f"{API}/{path.format(uuid4())}")
        assert answer.status_code == 404


async def test_the_description_names_every_route_with_words(caller: httpx.AsyncClient) -> None:
    description = (await caller.get(f"{API}/openapi.json", headers={"authorization": ""})).json()
    assert all(path.startswith(f"{API}/") for path in description["paths"])
    for path, verbs in description["paths"].items():
        for verb, route in verbs.items():
            assert route.get("description"), f"{verb} {path} says nothing"
            assert "401" in route["responses"]


async def test_a_conversation_is_found_read_answered_assigned_and_closed(
    caller: httpx.AsyncClient, seeded: Seeded
) -> None:
    found = (await caller.get(f"{API}/conversations", params={"state": "open"})).json()["items"]
    assert str(seeded.conversation) in {each["id"] for each in found}
    one = f"{API}/conversations/{seeded.conversation}"
    assert any(item["by"] == "them" for item in (await caller.get(one)).json()["items"])
    body = {"draft_id": str(uuid4()), "text": "Thursday at 10 suits us."}
    first, again = [(await caller.post(f"{one}/answer", json=body)).json() for _ in range(2)]
    assert first == again
    assert [i["text"] for i in (await caller.get(one)).json()["items"]].count(body["text"]) == 1
    assert (await caller.post(f"{one}/assign", json={"member_id": str(uuid4())})).status_code == 404
    assert (await caller.post(f"{one}/assign", json={"member_id": None})).status_code == 200
    assert (await caller.post(f"{one}/close")).json()["conversation"]["state"] == "closed"
    assert (await caller.post(f"{one}/reopen")).json()["conversation"]["state"] == "open"
    assert (await caller.post(f"{one}/read")).status_code == 204
    assert (await caller.get(one)).json()["conversation"]["unread"] is False


async def test_events_and_work_items_are_listed_by_what_they_are_about(
    caller: httpx.AsyncClient, seeded: Seeded
) -> None:
    events = (await caller.get(f"{API}/events", params={"contact_id": str(seeded.contacts[0])})).json()
    assert events
    assert {each["contact_id"] for each in events} == {str(seeded.contacts[0])}
    some = (await caller.get(f"{API}/events", params={"kind": ["sent", "replied"]})).json()
    assert {each["kind"] for each in some} <= {"sent", "replied"}
    items = (await caller.get(f"{API}/work-items")).json()
    assert items
    assert [each["due_at"] for each in items] == sorted(each["due_at"] for each in items)


async def test_a_webhook_is_made_tried_and_removed_by_an_owner(
    database: Database, tmp_path: Path, seeded: Seeded
) -> None:
    settings = Settings(home=tmp_path, sandbox=True)
    async with await _caller(database, settings, seeded, Role.OWNER) as caller:
        body = {"url": "http://127.0.0.1:9/in", "kinds": ["replied"]}
        made = (await caller.post(f"{API}/webhooks", json=body, headers={"idempotency-key": "w"})).json()
        assert made["secret"].startswith("whsec_")
        replayed = await caller.post(f"{API}/webhooks", json=body, headers={"idempotency-key": "w"})
        assert replayed.json() == made
        assert "secret" not in (await caller.get(f"{API}/webhooks")).json()[0]
        one = f"{API}/webhooks/{made['id']}"
        owed = (await caller.post(f"{one}/test")).json()["delivery_id"]
        log = (await caller.get(f"{one}/deliveries")).json()
        assert [(each["id"], each["state"]) for each in log["items"]] == [(owed, "pending")]
        assert (await caller.delete(one)).status_code == 204
        assert (await caller.get(f"{one}/deliveries")).status_code == 404


async def test_a_campaign_comes_out_as_a_file_and_every_version_stays_readable(
    caller: httpx.AsyncClient,
) -> None:
    await caller.post(f"{API}/campaigns", json={"document": document(name="paper")})
    one = f"{API}/campaigns/{(await _named(caller, 'paper'))['id']}"
    first = (await caller.get(f"{one}/file")).json()["document"]
    same = await caller.post(f"{API}/campaigns", json={"document": first})
    assert (same.json()["version"], same.json()["changes"]) == (1, [])
    second = await caller.post(f"{API}/campaigns", json={"document": first.replace("One line", "Two lines")})
    assert second.json()["version"] == 2
    numbers = [each["number"] for each in (await caller.get(f"{one}/versions")).json()]
    assert numbers == [2, 1]
    assert (await caller.get(f"{one}/file", params={"version": 1})).json()["document"] == first
    assert "Two lines" in (await caller.get(f"{one}/file")).json()["document"]
    assert (await caller.get(f"{one}/file", params={"version": 9})).status_code == 404


async def test_people_are_listed_found_and_stopped(caller: httpx.AsyncClient) -> None:
    page = (await caller.get(f"{API}/contacts", params={"limit": 2})).json()
    assert (len(page["contacts"]), page["more"]) == (2, True)
    (katrin,) = (await caller.get(f"{API}/contacts", params={"q": "Katrin"})).json()["contacts"]
    one = f"{API}/contacts/{katrin['id']}"
    before = (await caller.get(one)).json()["suppressions"]
    stopped = (await caller.post(f"{one}/stop")).json()["suppressions"]
    assert len(stopped) > len(before)
    assert {each["source"] for each in stopped if each not in before} == {"api"}


async def test_members_senders_segments_and_imports_are_listed_without_secrets(
    caller: httpx.AsyncClient,
) -> None:
    for what in ("members", "senders", "segments", "imports"):
        answer = await caller.get(f"{API}/{what}")
        assert answer.status_code == 200
        assert "password" not in answer.text
    assert (await caller.get(f"{API}/members")).json()[0]["role"] == "owner"
    assert (await caller.get(f"{API}/senders")).json()
