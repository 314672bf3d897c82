"""One sequence over e-mail, LinkedIn and phone: real SMTP, the sandbox's providers over HTTP, and people by hand."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.audience.contracts import SuppressionReason
from cadenza.audience.service import unsubscribe
from cadenza.channels.channel_reading import ask_account
from cadenza.channels.contracts import AccountState, IncomingKind
from cadenza.channels.service import mailboxes, say_outcome, stop_account
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id
from cadenza.core.settings import Settings, settings
from cadenza.engine.claim import claim
from cadenza.engine.contracts import Touch, TouchState
from cadenza.engine.fleet import Fleet
from cadenza.engine.service import (
    Dispatcher,
    end_sequences,
    explain,
    housekeeping,
    plan,
    touches_of_contact,
)
from cadenza.identity.contracts import Actor
from cadenza.inbox.channel_intake import take_all
from cadenza.inbox.service import answer, conversation_of_contact
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import timeline, work_items
from tests.servers.channel_rigs import HERE, twilio, unipile
from tests.support.campaigns import document, running
from tests.support.post import Post

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)
MAIL = """
- id: intro
  channel: email
  action: send
  after: {days: 0}
  variants: [{id: a, subject: "Hello {{ contact.first_name | default: 'there' }}", text: "By mail."}]
"""
_FALLBACK = "  fallback: {channel: email, step: intro}\n"
CONNECT = """
- id: connect
  channel: linkedin
  action: connect
  after: {days: 0}
  fallback: {channel: email, step: intro}
  variants: [{id: a, text: "Hello {{ contact.first_name | default: 'there' }}, shall we connect?"}]
"""
MESSAGE = """
- id: message
  channel: linkedin
  action: message
  after: {days: 0}
  when: "accepted(connect)"
  variants: [{id: a, text: "Thank you for accepting."}]
"""
CALL = """
- id: call
  channel: phone
  action: call
  after: {days: 0}
  script: "Ask {{ contact.first_name | default: 'there' }} about stoppages."
"""
JULIA = b"email,first_name,last_name,linkedin_url,phone,country\njulia@firm.example,Julia,Example,https://www.linkedin.com/in/julia-example,+493023125003,DE\n"
NO_PROFILE = b"email,first_name,last_name,country\njulia@firm.example,Julia,Example,DE\n"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Providers on this machine may be asked."""
    monkeypatch.setenv("CADENZA_SANDBOX", "true")
    settings.cache_clear()
    return Settings(dispatch_batch=50, lease_seconds=5, sandbox=True)


@pytest.fixture
def go(
    database: Database, workspace: Actor, here: Settings, world: ManualClock
) -> Callable[[], Awaitable[None]]:
    """A day passes, and whatever is due is done."""

    async def step() -> None:
        world.move(DAY)
        dispatcher = Dispatcher(database, here)
        while await dispatcher.turn():
            await dispatcher.drain()
        await take_all(database, workspace.workspace_id)

    return step


async def _touches(database: Database, actor: Actor, contact: UUID) -> dict[str, Touch]:
    async with database.unit(actor.workspace_id) as unit:
        return {touch.step or "answer": touch for touch in await touches_of_contact(unit, contact)}


async def _kinds(database: Database, actor: Actor, contact: UUID) -> list[EventKind]:
    async with database.unit(actor.workspace_id) as unit:
        return [event.kind for event in await timeline(unit, contact_id=contact)]


async def _say(database: Database, actor: Actor, outcome: IncomingKind, note: str = "") -> None:
    async with database.unit(actor.workspace_id) as unit:
        (job,) = (await unit.session.scalars(text("select id from errands where outcome is null"))).all()
        await say_outcome(unit, actor, job, outcome, note)
    await take_all(database, actor.workspace_id)


@pytest.mark.story("3.1.1.5", 1)
async def test_without_any_account_people_do_it_by_hand_and_the_sequence_waits_for_them(
    database: Database, workspace: Actor, post: Post, go: Callable[[], Awaitable[None]]
) -> None:
    (julia,) = await running(database, workspace, post, document(CONNECT + MAIL + CALL), JULIA)
    for _ in range(3):
        await go()
    found = await _touches(database, workspace, julia)
    assert found["connect"].state is TouchState.WITH_PERSON
    assert found["connect"].text == "Hello Julia, shall we connect?"
    assert set(found) == {"connect"}
    assert EventKind.SENT not in await _kinds(database, workspace, julia)
    await _say(database, workspace, IncomingKind.DONE)
    await go()
    await go()
    found = await _touches(database, workspace, julia)
    assert [found[step].state for step in ("connect", "intro", "call")] == [
        TouchState.SENT, TouchState.SENT, TouchState.WITH_PERSON,
    ]  # fmt: skip
    assert found["call"].text == "Ask Julia about stoppages."
    await _say(database, workspace, IncomingKind.CONNECTED)
    assert {EventKind.CONNECTED, EventKind.FINISHED} <= set(await _kinds(database, workspace, julia))
    assert len(post.letters()) == 1


@pytest.mark.must_not("M2")
async def test_a_stop_takes_back_what_somebody_was_asked_to_do(
    database: Database, workspace: Actor, post: Post, go: Callable[[], Awaitable[None]]
) -> None:
    (julia,) = await running(database, workspace, post, document(CALL + MAIL), JULIA)
    await go()
    async with database.unit(workspace.workspace_id) as unit:
        await unsubscribe(unit, julia, source="told us")
        await end_sequences(unit, julia, SuppressionReason.OPT_OUT.value)
        (job,) = (await unit.session.scalars(text("select id from errands"))).all()
        assert await work_items(unit, workspace) == []
    assert (await _touches(database, workspace, julia))["call"].state is TouchState.DROPPED
    with pytest.raises(CadenzaError, match="said already"):
        async with database.unit(workspace.workspace_id) as unit:
            await say_outcome(unit, workspace, job, IncomingKind.CONNECTED)
    await go()
    assert post.letters() == []


async def test_whoever_has_no_profile_gets_the_fallback_with_a_line_that_says_so_and_gets_it_once(
    database: Database, workspace: Actor, post: Post, go: Callable[[], Awaitable[None]]
) -> None:
    (julia,) = await running(database, workspace, post, document(CONNECT + MESSAGE + MAIL), NO_PROFILE)
    for _ in range(4):
        await go()
    found = await _touches(database, workspace, julia)
    assert set(found) == {"intro"}
    line = next(gate for gate in found["intro"].gates if gate.gate == "fallback")
    assert line.why == (
        "linkedin of step connect cannot be used (no LinkedIn profile is known); email takes over"
    )
    assert len(post.letters()) == 1
    assert (await _kinds(database, workspace, julia)).count(EventKind.FINISHED) == 1


async def test_three_channels_are_one_conversation_and_an_answer_on_one_ends_all(
    database: Database,
    workspace: Actor,
    post: Post,
    tmp_path: Path,
    go: Callable[[], Awaitable[None]],
) -> None:
    async with unipile(database, workspace, tmp_path) as (rig, server):
        (julia,) = await running(
            database, workspace, post, document(MAIL + CONNECT.replace(_FALLBACK, "") + MESSAGE + CALL), JULIA
        )
        await go()
        await go()
        assert len(server.store.invitations) == 1
        assert rig.react is not None
        await rig.react()
        await ask_account(database, HERE, workspace.workspace_id, rig.account_id)
        await take_all(database, workspace.workspace_id)
        await go()
        found = await _touches(database, workspace, julia)
        assert found["message"].state is TouchState.SENT
        assert EventKind.ACCEPTED in await _kinds(database, workspace, julia)
        server.store.answer(server.store.known("julia-example"), "Tell me more")
        await ask_account(database, HERE, workspace.workspace_id, rig.account_id)
        await take_all(database, workspace.workspace_id)
        async with database.unit(workspace.workspace_id) as unit:
            thread = await conversation_of_contact(unit, workspace, julia)
            assert thread is not None
            told = [(item.by, item.channel) for item in thread.items]
            events = await timeline(unit, contact_id=julia)
            mine = await work_items(unit, workspace)
        assert told[:3] == [("us", "email"), ("us", "linkedin"), ("us", "linkedin")]
        assert ("them", "linkedin") in told
        assert [e.step for e in events if e.kind is EventKind.REPLIED] == ["message"]
        assert [e.data["reason"] for e in events if e.kind is EventKind.STOPPED] == ["reply"]
        assert not [item for item in mine if item.touch_id]  # nobody is asked to call any more
        async with database.unit(workspace.workspace_id) as unit:
            await answer(unit, workspace, thread.conversation.id, draft_id=new_id(), text="With pleasure.")
        await go()
        assert [m.text for m in server.store.messages if m.ours][-1] == "With pleasure."


@pytest.mark.must_not("M23")
async def test_a_restricted_account_trips_its_own_channel_only(
    database: Database, workspace: Actor, post: Post, tmp_path: Path, go: Callable[[], Awaitable[None]]
) -> None:
    async with unipile(database, workspace, tmp_path) as (rig, server):
        (julia,) = await running(database, workspace, post, document(CONNECT + MAIL), JULIA)
        async with database.unit(workspace.workspace_id) as unit:
            await stop_account(
                unit, rig.account_id, AccountState.RESTRICTED, "Anna cannot be used", "LinkedIn restricts it"
            )
        await go()
        await go()
        assert not server.store.invitations
    found = await _touches(database, workspace, julia)
    assert set(found) == {"intro"}
    why = next(gate.why for gate in found["intro"].gates if gate.gate == "fallback")
    assert "LinkedIn restricts it" in why
    assert why.endswith("email takes over")


@pytest.mark.must_not("M1")
async def test_an_invitation_whose_answer_was_lost_is_looked_up_and_made_once(
    database: Database, workspace: Actor, post: Post, tmp_path: Path, go: Callable[[], Awaitable[None]]
) -> None:
    async with unipile(database, workspace, tmp_path) as (rig, server):
        (julia,) = await running(database, workspace, post, document(CONNECT + MAIL), JULIA)
        assert rig.lose is not None
        rig.lose()
        await go()
        assert (await _touches(database, workspace, julia))["connect"].state is TouchState.IN_DOUBT
        await housekeeping(database)
        await go()
        assert len(server.store.invitations) == 1
    found = await _touches(database, workspace, julia)
    assert found["connect"].state is TouchState.SENT
    assert found["intro"].state is TouchState.SENT


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        (JULIA, [("connect", "linkedin"), ("intro", "email"), ("call", "phone")]),
        (NO_PROFILE, [("intro", "email")]),
    ],
)
async def test_what_somebody_would_get_names_the_channel_that_reaches_them(
    database: Database, workspace: Actor, post: Post, contacts: bytes, expected: list[tuple[str, str]]
) -> None:
    (julia,) = await running(database, workspace, post, document(CONNECT + MAIL + CALL), contacts)
    async with database.unit(workspace.workspace_id) as unit:
        planned = await plan(unit, workspace, contact_id=julia, campaign_name="spring")
    assert [(each.step, each.channel) for each in planned] == expected
    if contacts == NO_PROFILE:
        assert planned[0].why == "instead of connect: this person has no address for linkedin"


async def test_a_call_is_made_and_what_came_of_it_is_an_event(
    database: Database, workspace: Actor, post: Post, tmp_path: Path, go: Callable[[], Awaitable[None]]
) -> None:
    async with twilio(database, workspace, tmp_path) as (rig, server):
        (julia,) = await running(database, workspace, post, document(CALL), JULIA)
        await go()
        assert (await _touches(database, workspace, julia))["call"].state is TouchState.SENT
        assert EventKind.DELIVERED not in await _kinds(database, workspace, julia)
        assert rig.react is not None
        await rig.react()
        await ask_account(database, HERE, workspace.workspace_id, rig.account_id)
        await take_all(database, workspace.workspace_id)
        assert EventKind.CONNECTED in await _kinds(database, workspace, julia)
        assert len(server.store.calls) >= 1


async def test_the_engine_chooses_among_options_that_can_be_used_and_says_with_which_probability(
    database: Database, workspace: Actor, post: Post, go: Callable[[], Awaitable[None]]
) -> None:
    options = """
- id: nudge
  channel: any
  after: {days: 0}
  options:
    - {channel: email, action: send, variants: [{id: a, subject: "Hello", text: "By mail."}]}
    - {channel: phone, action: call, script: "Call {{ contact.first_name | default: 'there' }}."}
    - {channel: linkedin, action: message, variants: [{id: a, text: "By message."}]}
"""
    many = b"".join(
        [
            b"email,first_name,phone,country\n",
            *(f"p{n}@firm.example,P{n},+4930231250{n},DE\n".encode() for n in range(10, 40)),
        ]
    )
    people = await running(database, workspace, post, document(options), many)
    await go()
    channels = set()
    for person in people:
        touch = (await _touches(database, workspace, person))["nudge"]
        channels.add(touch.channel)
        async with database.unit(workspace.workspace_id) as unit:
            told = await explain(unit, workspace, touch.id)
        (taken,) = [each for each in told.decisions if each.what == "channel"]
        assert {option.option: option.probability for option in taken.options} == {
            "1: email send": 0.5,
            "2: phone call": 0.5,
        }
        assert taken.taken.split()[1] == touch.channel
    assert channels == {"email", "phone"}  # nobody has a profile


async def test_a_step_that_a_person_could_not_do_is_done_on_its_fallback(
    database: Database, workspace: Actor, post: Post, go: Callable[[], Awaitable[None]]
) -> None:
    (julia,) = await running(database, workspace, post, document(CONNECT + MAIL), JULIA)
    await go()
    await _say(database, workspace, IncomingKind.NOT_DONE, "Her profile is gone")
    await go()
    await go()
    found = await _touches(database, workspace, julia)
    assert found["connect"].state is TouchState.DROPPED
    assert "Her profile is gone" in next(g.why for g in found["intro"].gates if g.gate == "fallback")
    assert len(post.letters()) == 1


async def test_what_a_dead_worker_claimed_is_given_back_to_the_account(
    database: Database, workspace: Actor, post: Post, tmp_path: Path, world: ManualClock
) -> None:
    async with unipile(database, workspace, tmp_path) as (rig, _):
        await running(database, workspace, post, document(CONNECT + MAIL), JULIA)
        world.move(DAY)
        async with database.unit(workspace.workspace_id) as unit:
            made = await claim(
                unit, worker=new_id(), limit=5, lease=timedelta(0), fleet=Fleet(await mailboxes(unit))
            )
            assert len(made) == 1
        async with database.unit(workspace.workspace_id) as unit:
            used = "select coalesce(sum(amount), 0) from send_counters where key = :key"
            assert await unit.session.scalar(text(used), {"key": str(rig.account_id)}) > 0
        await housekeeping(database)
        async with database.unit(workspace.workspace_id) as unit:
            assert await unit.session.scalar(text(used), {"key": str(rig.account_id)}) == 0
            assert await unit.session.scalar(text("select count(*) from touches")) == 0
