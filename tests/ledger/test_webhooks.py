"""Webhooks: owed with the event itself, signed, brought at least once, tried again, given up visibly."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from cadenza.core.clock import MachineClock, ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.http import Egress
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import Delivery, DeliveryState, EventKind, NewEvent
from cadenza.ledger.delivering import PAUSES, deliver_due
from cadenza.ledger.service import record_events
from cadenza.ledger.webhooks import (
    MOST_WEBHOOKS,
    add_webhook,
    deliveries,
    remove_webhook,
    send_again,
    set_webhook_active,
    try_webhook,
    webhooks,
)

HERE = Egress(this_machine=True)
OUTSIDE = Egress()


@dataclass
class Receiver:
    """Takes webhooks on loopback and answers as it is told to."""

    status: int = 204
    port: int = 0
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        self.bodies.append((await reader.readexactly(int(headers["content-length"]))).decode())
        self.heads.append(headers)
        writer.write(f"HTTP/1.1 {self.status} said\r\nContent-Length: 2\r\n\r\nno".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


@pytest.fixture
def machine() -> ManualClock:
    return ManualClock(MachineClock().now())  # the verifier compares timestamps with the real time


async def _add(database: Database, owner: Actor, receiver: Receiver, *kinds: EventKind) -> tuple[Any, str]:
    async with database.unit(owner.workspace_id) as unit:
        return await add_webhook(unit, owner, HERE, url=receiver.url, kinds=kinds or (EventKind.REPLIED,))


async def _happen(database: Database, owner: Actor, *kinds: EventKind) -> None:
    async with database.unit(owner.workspace_id) as unit:
        await record_events(unit, [NewEvent(kind=kind, origin="test", data={"n": 1}) for kind in kinds])


async def _log(database: Database, owner: Actor, webhook: Any) -> list[Delivery]:
    async with database.unit(owner.workspace_id) as unit:
        return await deliveries(unit, owner, webhook.id)


@pytest.mark.asvs("4.1.5")
async def test_a_subscribed_event_arrives_signed_and_only_as_it_was_sent(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    webhook, secret = await _add(database, workspace, receiver)
    await _happen(database, workspace, EventKind.REPLIED, EventKind.OPENED)
    assert await deliver_due(database, HERE) == 1
    head, body = receiver.heads[0], receiver.bodies[0]
    told = Verifier(secret).verify(body, head)
    assert told["type"] == "replied"
    assert told["data"]["data"] == {"n": 1}
    assert "workspace_id" not in told["data"]
    for wrong_body, wrong_head in (
        (body.replace("replied", "bounced"), head),
        (body, head | {"webhook-timestamp": str(int(head["webhook-timestamp"]) - 3600)}),
        (body, head | {"webhook-id": "msg_other"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(wrong_body, wrong_head)
    (done,) = await _log(database, workspace, webhook)
    assert (done.state, done.status, done.attempts) == (DeliveryState.ACKNOWLEDGED, 204, 1)
    assert await deliver_due(database, HERE) == 0


async def test_what_is_rolled_back_is_owed_to_nobody(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    webhook, _ = await _add(database, workspace, receiver)

    async def fail() -> None:
        async with database.unit(workspace.workspace_id) as unit:
            await record_events(unit, [NewEvent(kind=EventKind.REPLIED, origin="test")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await _log(database, workspace, webhook) == []


@pytest.mark.must_not("M16")
async def test_a_failure_is_tried_again_with_the_same_id_and_is_no_delivery(
    database: Database, workspace: Actor, receiver: Receiver, machine: ManualClock
) -> None:
    webhook, _ = await _add(database, workspace, receiver)
    await _happen(database, workspace, EventKind.REPLIED)
    receiver.status = 503
    assert await deliver_due(database, HERE) == 1
    (waiting,) = await _log(database, workspace, webhook)
    assert (waiting.state, waiting.status, waiting.answer) == (DeliveryState.PENDING, 503, "no")
    assert await deliver_due(database, HERE) == 0
    machine.move(PAUSES[0])
    receiver.status = 200
    assert await deliver_due(database, HERE) == 1
    assert len({head["webhook-id"] for head in receiver.heads}) == 1
    (done,) = await _log(database, workspace, webhook)
    assert (done.state, done.attempts) == (DeliveryState.ACKNOWLEDGED, 2)


async def test_after_three_days_it_is_given_up_and_a_person_may_send_it_again(
    database: Database, workspace: Actor, receiver: Receiver, machine: ManualClock
) -> None:
    webhook, _ = await _add(database, workspace, receiver)
    await _happen(database, workspace, EventKind.REPLIED)
    receiver.status = 500
    for pause in (*PAUSES, timedelta(0)):
        assert await deliver_due(database, HERE) == 1
        machine.move(pause)
    (lost,) = await _log(database, workspace, webhook)
    assert lost.state is DeliveryState.GIVEN_UP
    machine.move(timedelta(days=30))
    assert await deliver_due(database, HERE) == 0
    receiver.status = 200
    async with database.unit(workspace.workspace_id) as unit:
        await send_again(unit, workspace, webhook.id, lost.id)
    assert await deliver_due(database, HERE) == 1
    assert (await _log(database, workspace, webhook))[0].state is DeliveryState.ACKNOWLEDGED


async def test_a_worker_that_died_in_between_leaves_it_owed(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    await _add(database, workspace, receiver)
    await _happen(database, workspace, EventKind.REPLIED)
    async with database.unit(workspace.workspace_id) as unit:  # claimed by somebody who never came back
        await unit.session.execute(
            text("update deliveries set attempts = 1, lease_until = clock_timestamp() + interval '1 hour'")
        )
    assert await deliver_due(database, HERE) == 0
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update deliveries set lease_until = clock_timestamp()"))
    assert await deliver_due(database, HERE) == 1
    assert len(receiver.bodies) == 1


async def test_two_workers_do_not_bring_the_same_message(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    await _add(database, workspace, receiver)
    await _happen(database, workspace, *[EventKind.REPLIED] * 30)
    tried = await asyncio.gather(*(deliver_due(database, HERE) for _ in range(3)))
    assert sum(tried) == 30
    assert len({head["webhook-id"] for head in receiver.heads}) == len(receiver.heads) == 30


async def test_a_receiver_that_is_gone_is_paused_and_owed_nothing_more(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    webhook, _ = await _add(database, workspace, receiver)
    await _happen(database, workspace, EventKind.REPLIED)
    receiver.status = 410
    await deliver_due(database, HERE)
    await _happen(database, workspace, EventKind.REPLIED)
    async with database.unit(workspace.workspace_id) as unit:
        (paused,) = await webhooks(unit, workspace)
        assert not paused.active
        assert "410" in paused.paused_because
        (only,) = await deliveries(unit, workspace, webhook.id)
        assert only.state is DeliveryState.GIVEN_UP
        assert (await set_webhook_active(unit, workspace, webhook.id, active=True)).active


@pytest.mark.asvs("1.3.6")
async def test_in_production_a_webhook_that_leads_inside_is_refused_and_never_sent(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    for url in (
        receiver.url,
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest",
        "http://hooks.example/x",
    ):
        async with database.unit(workspace.workspace_id) as unit:
            with pytest.raises(CadenzaError) as refused:
                await add_webhook(unit, workspace, OUTSIDE, url=url, kinds=[EventKind.REPLIED])
        assert refused.value.problems[0].key == "url"
    webhook, _ = await _add(database, workspace, receiver)  # as if it had been stored in the sandbox
    await _happen(database, workspace, EventKind.REPLIED)
    await deliver_due(database, OUTSIDE)
    assert receiver.bodies == []
    assert (await _log(database, workspace, webhook))[0].status is None


async def test_a_trial_tells_whether_it_works(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    webhook, secret = await _add(database, workspace, receiver)
    async with database.unit(workspace.workspace_id) as unit:
        await try_webhook(unit, workspace, webhook.id)
    await deliver_due(database, HERE)
    assert Verifier(secret).verify(receiver.bodies[0], receiver.heads[0])["type"] == "test"


@pytest.mark.asvs("14.2.4", "11.3.2")
async def test_the_secret_is_sealed_where_it_lies(
    database: Database, workspace: Actor, receiver: Receiver
) -> None:
    webhook, secret = await _add(database, workspace, receiver)
    async with database.unit(workspace.workspace_id) as unit:
        stored = (await unit.session.execute(text("select secret from webhooks"))).scalar_one()
        assert secret not in stored
        with pytest.raises(CadenzaError):
            unit.secrets.open(stored, workspace_id=unit.workspace_id, place=f"webhooks/{uuid4()}/secret")
        await remove_webhook(unit, workspace, webhook.id)
        assert await webhooks(unit, workspace) == []


async def test_there_is_a_ceiling(database: Database, workspace: Actor, receiver: Receiver) -> None:
    for _ in range(MOST_WEBHOOKS):
        await _add(database, workspace, receiver)
    with pytest.raises(CadenzaError) as refused:
        await _add(database, workspace, receiver)
    assert refused.value.code == "too_many_webhooks"


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP, Role.READ_ONLY])
async def test_only_who_answers_for_the_installation_decides_what_leaves(
    database: Database, workspace: Actor, receiver: Receiver, role: Role
) -> None:
    webhook, _ = await _add(database, workspace, receiver)
    other = Actor(workspace.workspace_id, role, Origin.API, name="other")
    doors: list[Callable[..., Any]] = [
        lambda unit: webhooks(unit, other),
        lambda unit: add_webhook(unit, other, HERE, url=receiver.url, kinds=[EventKind.REPLIED]),
        lambda unit: remove_webhook(unit, other, webhook.id),
        lambda unit: try_webhook(unit, other, webhook.id),
        lambda unit: deliveries(unit, other, webhook.id),
        lambda unit: set_webhook_active(unit, other, webhook.id, active=False),
    ]
    for door in doors:
        async with database.unit(workspace.workspace_id) as unit:
            with pytest.raises(CadenzaError) as refused:
                await door(unit)
        assert refused.value.code == "not_allowed"


async def test_the_log_comes_in_parts_that_leave_none_out(
    database: Database, workspace: Actor, receiver: Receiver, machine: ManualClock
) -> None:
    webhook, _ = await _add(database, workspace, receiver)
    for _ in range(3):
        await _happen(database, workspace, EventKind.REPLIED, EventKind.REPLIED)
        machine.move(timedelta(seconds=1))
    whole = [each.id for each in await _log(database, workspace, webhook)]
    seen, after = [], None
    async with database.unit(workspace.workspace_id) as unit:
        while part := await deliveries(unit, workspace, webhook.id, after=after, limit=2):
            seen += [each.id for each in part]
            after = part[-1].id
    assert seen == whole
    assert len(set(seen)) == 6
