"""Calls through Twilio, whose own client and validator have to accept the sandbox, and calls by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from cadenza.app.composition import web_app
from cadenza.channels.accounts import hook_of, open_channel
from cadenza.channels.contracts import ChannelAccount, Incoming, IncomingKind, Outcome
from cadenza.channels.phone.signature import is_signed, signature
from cadenza.channels.service import account, ask_account, incoming_waiting, job_of, say_outcome
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.http import Answer
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor
from cadenza.ledger.contracts import WorkKind
from cadenza.ledger.service import work_items
from cadenza.sandbox import phone_server
from cadenza.sandbox.phone_server import PhoneServer
from tests.servers.channel_rigs import HERE, NUMBER, RINGS, SID, THEIRS, TOKEN, Rig, assisted, twilio

SITE = "https://cadenza.example"
Made = tuple[Rig, PhoneServer]


@pytest.fixture
async def made(database: Database, workspace: Actor, tmp_path: Path) -> AsyncIterator[Made]:
    async with twilio(database, workspace, tmp_path) as found:
        yield found


async def _of(database: Database, workspace: Actor, rig: Rig) -> ChannelAccount:
    assert rig.account_id is not None
    async with database.unit(workspace.workspace_id) as unit:
        return await account(unit, workspace, rig.account_id)


async def _told(database: Database, workspace: Actor) -> list[Incoming]:
    async with database.unit(workspace.workspace_id) as unit:
        return [each for _, _, each in await incoming_waiting(unit)]


async def test_twilios_own_client_drives_the_sandbox(made: Made) -> None:
    _, server = made
    client = Client(SID, TOKEN)
    port = server._server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    client.api.base_url = f"http://127.0.0.1:{port}"
    twiml = f"<Response><Dial><Number>{THEIRS}</Number></Dial></Response>"
    call = await asyncio.to_thread(client.calls.create, to=RINGS, from_=NUMBER, twiml=twiml)
    assert call.sid in server.store.calls
    assert (call.status, call.to, call.direction) == ("queued", RINGS, "outbound-api")
    listed = await asyncio.to_thread(client.calls.list, to=THEIRS)
    assert [each.parent_call_sid for each in listed] == [call.sid]
    again = await asyncio.to_thread(client.calls(call.sid).fetch)
    assert again.sid == call.sid
    assert (await asyncio.to_thread(client.api.accounts(SID).fetch)).status == "active"


@pytest.mark.asvs("4.1.5")
@pytest.mark.parametrize("url", [f"{SITE}/hooks/a/b", "https://cadenza.example:8443/hooks/a/b?x=1"])
def test_twilios_own_validator_accepts_the_sandbox_and_us(url: str, tmp_path: Path, world: ManualClock) -> None:  # fmt: skip
    server = PhoneServer(tmp_path, world, SID, TOKEN, NUMBER)
    form = {"CallSid": "CA1", "From": THEIRS, "To": NUMBER, "AccountSid": SID, "CallStatus": "completed"}
    signed = server.sign(url, form)
    assert RequestValidator(TOKEN).validate(url, form, signed)
    assert RequestValidator(TOKEN).compute_signature(url, form) == signature(TOKEN, url, form)
    assert is_signed(TOKEN, url, form, signed)
    assert not is_signed(TOKEN, url, form | {"CallStatus": "busy"}, signed)
    assert not is_signed("another token", url, form, signed)
    assert not is_signed(TOKEN, url + "x", form, signed)
    assert not is_signed(TOKEN, url, form, "é")


class _Door:
    """Our web application, behind the address that Twilio is told."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.answers: list[tuple[int, str]] = []

    async def take(self, _purpose: object, url: str, content: bytes, headers: dict[str, str]) -> Answer:  # fmt: skip
        answer = await self.client.post(url.removeprefix(SITE), content=content, headers=headers)
        self.answers.append((answer.status_code, answer.text))
        return Answer(answer.status_code, dict(answer.headers), answer.content)


@pytest.fixture
async def door(
    made: Made, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: ARG001
) -> AsyncIterator[_Door]:  # fmt: skip
    app = web_app(database, Settings(home=tmp_path, sandbox=True, public_url=SITE))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE) as client:
        opened = _Door(client)
        wire = opened.take
        monkeypatch.setattr(phone_server, "tell", wire)
        yield opened


@pytest.mark.story("3.1.3.1", 4)
async def test_a_voicemail_comes_in_with_its_transcript(
    made: Made, database: Database, workspace: Actor, door: _Door
) -> None:
    """Twilio asks what to do with the call, rings our person, takes the message and tells what was said."""
    rig, server = made
    server.voice_url = hook_of(SITE, await _of(database, workspace, rig))
    await server.call_in(THEIRS, "Please call me back on Thursday")
    assert {status for status, _ in door.answers} == {200}
    assert f">{RINGS}</Dial>" in door.answers[0][1]
    assert "<Record" in door.answers[1][1]
    found = {each.kind: each for each in await _told(database, workspace)}
    assert set(found) == {IncomingKind.MISSED, IncomingKind.RECORDING, IncomingKind.VOICEMAIL}
    voicemail = found[IncomingKind.VOICEMAIL]
    assert (voicemail.text, voicemail.person) == ("Please call me back on Thursday", THEIRS)
    assert "/Recordings/RE" in voicemail.data["recording"]
    assert rig.account_id is not None
    await ask_account(database, HERE, workspace.workspace_id, rig.account_id)
    again = [each for each in await _told(database, workspace) if each.kind is IncomingKind.VOICEMAIL]
    assert len(again) == 1, "the lists tell it too, and it is one"


@pytest.mark.story("3.1.3.1", 4)
@pytest.mark.parametrize(
    ("status", "by", "kind"),
    [
        ("completed", "human", IncomingKind.CONNECTED), ("no-answer", "", IncomingKind.NO_ANSWER),
        ("busy", "", IncomingKind.NO_ANSWER), ("completed", "machine_start", IncomingKind.REACHED_MACHINE),
    ],
)  # fmt: skip
async def test_what_became_of_a_call_is_told_by_its_callback(
    made: Made, database: Database, workspace: Actor, door: _Door, status: str, by: str, kind: IncomingKind
) -> None:
    rig, server = made
    assert rig.account_id is not None
    channel = await open_channel(database, HERE, workspace.workspace_id, rig.account_id, site=SITE)
    reply = await channel.send(rig.errand(database))
    call = next(each for each in server.store.calls.values() if each.direction == "outbound-dial")
    assert (call.to, call.parent) == (THEIRS, reply.reference)
    for _ in range(3):
        await server.end(call, status, 40, answered_by=by)
    assert [code for code, _ in door.answers] == [200, 200, 200]
    (told,) = await _told(database, workspace)
    assert (told.kind, told.reference, told.person) == (kind, reply.reference, THEIRS)


async def test_without_somebody_of_ours_nobody_is_called(
    made: Made, database: Database, workspace: Actor
) -> None:
    rig, server = made
    server.at_desk = False
    assert (await rig.channel.send(rig.errand(database))).outcome is Outcome.ACCEPTED
    assert await rig.times() == 0
    assert rig.account_id is not None
    await ask_account(database, HERE, workspace.workspace_id, rig.account_id)
    (told,) = await _told(database, workspace)
    assert told.kind is IncomingKind.NOT_DONE


async def test_a_number_that_cannot_be_is_refused(made: Made, database: Database) -> None:
    rig, server = made
    told = {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}
    server.refuse.append((400, told, {}))
    reply = await rig.channel.send(rig.errand(database))
    assert (reply.outcome, reply.code) == (Outcome.REFUSED, 400)
    server.refuse.append((429, {"code": 20429, "message": "Too many requests"}, {"Retry-After": "2"}))
    assert (await rig.channel.send(rig.errand(database))).retry_after == 2


@pytest.mark.asvs("4.1.5")
async def test_an_altered_callback_changes_nothing(
    made: Made, database: Database, workspace: Actor, door: _Door
) -> None:
    rig, server = made
    url = hook_of("", await _of(database, workspace, rig))
    form = {"AccountSid": SID, "CallSid": "CA9", "ParentCallSid": "CA8", "CallStatus": "busy", "Direction": "outbound-dial", "To": THEIRS}  # fmt: skip
    signed = server.sign(SITE + url, form)
    for altered, given in ((form | {"CallStatus": "completed"}, signed), (form, ""), (form | {"AccountSid": "AC1"}, server.sign(SITE + url, form | {"AccountSid": "AC1"}))):  # fmt: skip
        headers = {"content-type": "application/x-www-form-urlencoded", "X-Twilio-Signature": given}
        answer = await door.client.post(url, content=urlencode(altered), headers=headers)
        assert answer.status_code == 403
    assert await _told(database, workspace) == []


@pytest.mark.parametrize("outcome", ["connected", "no_answer", "reached_machine", "wrong_number", "meeting", "call_back"])  # fmt: skip
async def test_what_a_person_says_of_a_call_is_its_outcome(
    database: Database, workspace: Actor, outcome: str
) -> None:
    rig = await assisted(database, workspace, "phone")
    errand = rig.errand(database, zone="Europe/Berlin")
    reply = await rig.channel.send(errand)
    assert (await rig.channel.send(errand)).reference == reply.reference, "one job for one touch"
    kind = IncomingKind(outcome)
    async with database.unit(workspace.workspace_id) as unit:
        (item,) = await work_items(unit, workspace)
        assert (item.kind, item.title, item.detail) == (WorkKind.CALL, "Call Julia Example", "Say hello.")
        assert item.address == f"/work/{reply.reference}"
        assert rig.account_id is not None
        (made,) = [await job_of(unit, workspace, UUID(reply.reference or ""))]
        assert (made.errand.recipient, made.errand.zone) == (THEIRS, "Europe/Berlin")
    for _ in range(2):
        async with database.unit(workspace.workspace_id) as unit:
            said = await say_outcome(unit, workspace, made.id, kind, "friendly")
    assert said.outcome is kind
    (told,) = await _told(database, workspace)
    assert (told.kind, told.touch_id, told.text, told.person) == (kind, errand.touch_id, "friendly", THEIRS)
    async with database.unit(workspace.workspace_id) as unit:
        assert await work_items(unit, workspace) == []
        with pytest.raises(CadenzaError) as twice:
            await say_outcome(unit, workspace, made.id, IncomingKind.NOT_DONE)
    assert twice.value.code == "outcome_said"
    async with database.unit(workspace.workspace_id) as unit:
        with pytest.raises(CadenzaError) as other:
            await say_outcome(unit, workspace, made.id, IncomingKind.ACCEPTED)
    assert other.value.code == "outcome_unknown"


@pytest.mark.story("3.1.1.5", 1)
@pytest.mark.story("3.1.3.1", 2)
async def test_by_hand_an_acceptance_follows_what_was_done(
    database: Database, workspace: Actor, world: ManualClock
) -> None:
    rig = await assisted(database, workspace, "linkedin")
    reply = await rig.channel.send(rig.errand(database))
    job_id = UUID(reply.reference or "")
    for kind in (IncomingKind.DONE, IncomingKind.ACCEPTED, IncomingKind.REPLIED):
        world.move(timedelta(hours=1))
        async with database.unit(workspace.workspace_id) as unit:
            said = await say_outcome(unit, workspace, job_id, kind, "Tell me more" if kind is IncomingKind.REPLIED else "")  # fmt: skip
        assert said.outcome is IncomingKind.DONE
    told = await _told(database, workspace)
    assert [each.kind for each in told] == [IncomingKind.DONE, IncomingKind.ACCEPTED, IncomingKind.REPLIED]
    assert told[-1].text == "Tell me more"
