"""LinkedIn through Unipile: limits and restrictions, waiting when told to, and its webhooks in any order."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.channels.accounts import hook_of, secret_of
from cadenza.channels.accounts import test_account as ask_provider
from cadenza.channels.accounts_store import account_row, store_incoming
from cadenza.channels.channel_quota import capacity_of, take_actions
from cadenza.channels.contracts import AccountState, ChannelAccount, IncomingKind, Outcome
from cadenza.channels.linkedin.incoming import from_webhook
from cadenza.channels.service import account, ask_account, incoming_waiting
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.sandbox import linkedin_shapes as shapes
from cadenza.sandbox.linkedin_server import LinkedinServer
from tests.servers import unipile_client
from tests.servers.channel_rigs import HERE, KEY, LINKEDIN_ID, Rig, unipile

Made = tuple[Rig, LinkedinServer]
_WAIT = {"detail": "slow down", "type": "errors/too_many_requests"}


@pytest.fixture
async def made(database: Database, workspace: Actor, tmp_path: Path) -> AsyncIterator[Made]:
    async with unipile(database, workspace, tmp_path) as found:
        yield found


async def _now(database: Database, workspace: Actor, rig: Rig) -> ChannelAccount:
    assert rig.account_id is not None
    async with database.unit(workspace.workspace_id) as unit:
        return await account(unit, workspace, rig.account_id)


async def test_retry_after_is_obeyed(made: Made, database: Database, machine: ManualClock) -> None:
    rig, server = made
    server.refuse.append((429, _WAIT, {"Retry-After": "90"}))
    reply = await rig.channel.send(rig.errand(database))
    assert (reply.outcome, reply.retry_after) == (Outcome.DEFERRED, 90)
    asked = len(server.asked)
    machine.move(timedelta(seconds=89))
    early = await rig.channel.send(rig.errand(database))
    assert (early.outcome, early.stage) == (Outcome.DEFERRED, "account")
    assert (await rig.channel.capacity("connect")).left == 0
    assert len(server.asked) == asked, "not one early call"
    machine.move(timedelta(seconds=2))
    assert (await rig.channel.send(rig.errand(database))).outcome is Outcome.ACCEPTED


@pytest.mark.must_not("M23")
async def test_a_restriction_stops_that_account_until_a_person_says_so(
    made: Made, database: Database, workspace: Actor
) -> None:
    rig, server = made
    told = {"type": "errors/account_restricted", "detail": "LinkedIn restricts this account."}
    server.refuse.append((403, told, {}))
    assert (await rig.channel.send(rig.errand(database))).outcome is Outcome.DEFERRED
    stopped = await _now(database, workspace, rig)
    assert (stopped.state, stopped.state_reason) == (AccountState.RESTRICTED, told["detail"])
    async with database.unit(workspace.workspace_id) as unit:
        assert await take_actions(unit, stopped, "connect", 5) == 0
    await ask_account(database, HERE, workspace.workspace_id, stopped.id)
    assert (await _now(database, workspace, rig)).state is AccountState.RESTRICTED, (
        "it does not end by itself"
    )
    assert (await ask_provider(database, HERE, workspace, stopped.id)).ok
    assert (await _now(database, workspace, rig)).state is AccountState.OK


@pytest.mark.must_not("M23")
@pytest.mark.story("3.1.1.5", 1)
async def test_connection_requests_stay_below_what_is_published(
    made: Made, database: Database, workspace: Actor, world: ManualClock
) -> None:
    of = await _now(database, workspace, made[0])

    async def taken() -> int:
        async with database.unit(workspace.workspace_id) as unit:
            return await take_actions(unit, of, "connect", 1000, known=True)

    assert await taken() == 64, "a fifth below 80 a day"
    assert await taken() == 0
    world.move(timedelta(days=1))
    assert await taken() == 120 - 64, "a fifth below 150 a week"
    world.move(timedelta(days=1))
    async with database.unit(workspace.workspace_id) as unit:
        left = await capacity_of(unit, of, "connect")
    assert (left.left, left.until) == (0, world.now().replace(hour=0) + timedelta(days=1))
    world.move(timedelta(days=6))
    assert await taken() > 0


@pytest.mark.asvs("2.3.4")
@pytest.mark.must_not("M23")
async def test_many_workers_respect_one_limit(made: Made, database: Database, workspace: Actor) -> None:
    of = await _now(database, workspace, made[0])

    async def one() -> int:
        async with database.unit(workspace.workspace_id) as unit:
            return await take_actions(unit, of, "connect", 3, known=True)

    assert sum(await asyncio.gather(*(one() for _ in range(40)))) == 64


async def test_whoever_must_be_looked_up_counts_as_a_visit(
    made: Made, database: Database, workspace: Actor
) -> None:
    of = await _now(database, workspace, made[0])
    async with database.unit(workspace.workspace_id) as unit:
        assert await take_actions(unit, of, "view_profile", 60) == 60
        assert await take_actions(unit, of, "message", 50) == 4, "64 visits, of which 60 are taken"
        assert await take_actions(unit, of, "message", 50, known=True) == 50


# Webhooks.


@pytest.fixture
async def door(made: Made, database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ARG001
    app = web_app(database, Settings(home=tmp_path, sandbox=True))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


async def _hook(database: Database, of: ChannelAccount) -> tuple[str, dict[str, str]]:
    async with database.unit(of.workspace_id) as unit:
        secret = secret_of(unit, await account_row(unit, of.id), "hook")
    return hook_of("", of), {"Unipile-Auth": secret}


def _story(server: LinkedinServer) -> list[dict[str, Any]]:
    """What Unipile tells of one person: accepted, our message seen and liked, two answers."""
    store = server.store
    person = store.known("julia-example")
    store.invite(LINKEDIN_ID, person, "Hello")
    store.accept(person)
    ours = store.write(LINKEDIN_ID, person, "Thank you for connecting")
    told = [shapes.told_relation(store, person, LINKEDIN_ID), shapes.told_message(store, "message_received", ours, LINKEDIN_ID)]  # fmt: skip
    store.mark(ours, like="👍")
    told += [shapes.told_message(store, event, ours, LINKEDIN_ID) for event in ("message_read", "message_reaction")]  # fmt: skip
    for words in ("Tell me more", "How much is it?"):
        told.append(shapes.told_message(store, "message_received", store.answer(person, words), LINKEDIN_ID))
    return told


@pytest.mark.asvs("4.1.5")
async def test_only_what_is_signed_is_believed(
    made: Made, database: Database, workspace: Actor, door: httpx.AsyncClient
) -> None:
    rig, server = made
    url, signed = await _hook(database, await _now(database, workspace, rig))
    (first, *_rest) = _story(server)
    for headers in ({}, {"Unipile-Auth": ""}, {"Unipile-Auth": "another"}):
        assert (await door.post(url, json=first, headers=headers)).status_code == 403
    other = first | {"account_id": "acc_of_somebody_else"}
    assert (await door.post(url, json=other, headers=signed)).status_code == 403
    assert (await door.post(url, content=b"{", headers=signed)).status_code == 422
    assert (await door.post(url[:-1] + "0", json=first, headers=signed)).status_code == 404
    async with database.unit(workspace.workspace_id) as unit:
        assert await incoming_waiting(unit) == []
    assert (await door.post(url, json=first, headers=signed)).status_code == 200
    assert (await door.post(url, json=first, headers=signed)).status_code == 200
    async with database.unit(workspace.workspace_id) as unit:
        assert [each.kind for _, _, each in await incoming_waiting(unit)] == [IncomingKind.ACCEPTED]


@pytest.mark.story("3.1.3.1", 2)
@pytest.mark.story("3.1.1.5", 1)
async def test_webhooks_and_the_lists_tell_the_same_story_once(
    made: Made, database: Database, workspace: Actor, door: httpx.AsyncClient
) -> None:
    rig, server = made
    of = await _now(database, workspace, rig)
    url, signed = await _hook(database, of)
    for each in _story(server):
        assert (await door.post(url, json=each, headers=signed)).status_code == 200
    await ask_account(database, HERE, workspace.workspace_id, of.id)
    async with database.unit(workspace.workspace_id) as unit:
        told = [each for _, _, each in await incoming_waiting(unit)]
    kinds = sorted(each.kind.value for each in told)
    assert kinds == ["accepted", "ours", "reacted", "replied", "replied", "viewed"]
    answers = {each.text for each in told if each.kind is IncomingKind.REPLIED}
    assert answers == {"Tell me more", "How much is it?"}


async def test_a_thousand_orders_and_repetitions_end_the_same(made: Made, unit: Unit) -> None:
    """Fault row 25: each order in a savepoint of its own, over the statement that stores them."""
    told = [each for story in _story(made[1]) for each in from_webhook(story, unit.world.now())]
    account_id = await _plain_account(unit)
    expected = None
    for seed in range(1000):
        luck = random.Random(seed)
        order = [*told, *luck.choices(told, k=len(told))]
        luck.shuffle(order)
        cut = luck.randrange(len(order))
        nested = await unit.session.begin_nested()
        await store_incoming(unit, account_id, order[:cut])
        await store_incoming(unit, account_id, order[cut:])
        rows = await unit.session.execute(
            text(
                "select key, kind, at, reference, person, thread, text, data::text from incoming order by key"
            )
        )
        state = [tuple(row) for row in rows]
        await nested.rollback()
        expected = expected or state
        assert state == expected, f"order {seed}"
    assert expected is not None
    assert len(expected) == len(told)


async def _plain_account(unit: Unit) -> UUID:
    found = await unit.session.scalar(
        text(
            "insert into channel_accounts (workspace_id, id, channel, provider, name, address, key_sealed, hook_sealed, state, created_at)"
            " values (:workspace, gen_random_uuid(), 'linkedin', 'unipile', 'x', 'y', '', '', 'ok', now()) returning id"
        ),
        {"workspace": unit.workspace_id},
    )
    assert isinstance(found, UUID)
    return found


async def test_what_is_said_of_the_account_ends_as_the_provider_says(
    made: Made, database: Database, workspace: Actor, door: httpx.AsyncClient
) -> None:
    """Such webhooks name no time: whatever their order, what counts at the end is what the provider answers when asked."""
    rig, server = made
    of = await _now(database, workspace, rig)
    url, signed = await _hook(database, of)
    door._transport.app.state.egress = HERE  # type: ignore[attr-defined]
    for order in (("CREDENTIALS", "OK"), ("OK", "CREDENTIALS")):
        for truth, expected in (("OK", AccountState.OK), ("CREDENTIALS", AccountState.BROKEN)):
            server.store.status[LINKEDIN_ID] = truth
            for word in order:
                told = shapes.told_status(LINKEDIN_ID, word)
                assert (await door.post(url, json=told, headers=signed)).status_code == 200
            assert (await _now(database, workspace, rig)).state is expected, (order, truth)


async def test_the_vendors_own_client_drives_the_sandbox(made: Made) -> None:
    """Its answers pass the schemas that the client brings along (``validateRequestPayloadLevel: error``)."""
    _, server = made
    unipile_client.install()
    port = server._server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    body = f"""
      const account_id = "{LINKEDIN_ID}";
      const profile = await client.users.getProfile({{ account_id, identifier: "julia-example" }});
      const invitation = await client.users.sendInvitation({{ account_id, provider_id: profile.provider_id, message: "Hello" }});
      const sent = await client.users.getAllInvitationsSent({{ account_id }});
      await fetch("http://127.0.0.1:{port}/none");
      return {{ profile: profile.public_identifier, invitation, sent: sent.items.length }};
    """
    told = await _run(port, KEY, body)
    assert told["told"]["sent"] == 1
    assert told["told"]["profile"] == "julia-example"
    person = server.store.known("julia-example")
    server.store.accept(person)
    server.store.answer(person, "Tell me more")
    body = f"""
      const account_id = "{LINKEDIN_ID}";
      const relations = await client.users.getAllRelations({{ account_id }});
      const chat = await client.messaging.startNewChat({{ account_id, text: "Hi", attendees_ids: ["{person}"] }});
      const message = await client.messaging.sendMessage({{ chat_id: chat.chat_id, text: "Again" }});
      const messages = await client.messaging.getAllMessages({{ account_id }});
      const chats = await client.messaging.getAllChats({{ account_id }});
      return {{ relations: relations.items.length, message: message.object, texts: messages.items.map((m) => m.text), chats: chats.items.length }};
    """
    told = await _run(port, KEY, body)
    assert told["told"] == {"relations": 1, "message": "MessageSent", "texts": ["Again", "Hi", "Tell me more"], "chats": 1}  # fmt: skip
    refused = await _run(port, "another key", "return await client.messaging.getAllChats({});")
    assert refused["wrong"]["type"] == "errors/missing_credentials"


async def _run(port: int, key: str, body: str) -> Any:
    command = unipile_client.script(f"http://127.0.0.1:{port}", key, body)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=unipile_client.FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert out, err.decode()
    return unipile_client.read(out)
