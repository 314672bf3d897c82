"""One contract for e-mail, LinkedIn and phone, run against every implementation: by hand, Unipile, Twilio and a mailbox."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cadenza.channels.accounts_standing import stop_account
from cadenza.channels.channel_reading import take_in
from cadenza.channels.contracts import AccountState, Outcome
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.identity.contracts import Actor
from tests.servers.channel_rigs import Rig, assisted, mail, twilio, unipile

_EVERY = ("linkedin by hand", "phone by hand", "unipile connect", "unipile message", "twilio", "mail")
_WIRED = ("unipile connect", "unipile message", "twilio")


@pytest.fixture
async def rig(
    request: pytest.FixtureRequest, database: Database, workspace: Actor, tmp_path: Path
) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        kind = request.param
        if kind.endswith("by hand"):
            yield await assisted(database, workspace, kind.partition(" ")[0])
        elif kind == "twilio":
            yield (await stack.enter_async_context(twilio(database, workspace, tmp_path)))[0]
        elif kind == "mail":
            yield await stack.enter_async_context(mail(database, workspace, tmp_path))
        else:
            opened = unipile(database, workspace, tmp_path, kind.partition(" ")[2])
            yield (await stack.enter_async_context(opened))[0]


every = pytest.mark.parametrize("rig", _EVERY, indirect=True)
wired = pytest.mark.parametrize("rig", _WIRED, indirect=True)


@every
async def test_it_lets_us_in_and_has_room(rig: Rig) -> None:
    assert (await rig.channel.health()).ok
    found = await rig.channel.capacity(rig.action)
    assert found.left > 0
    assert found.why == ""


@every
async def test_an_errand_is_done_once_and_found_again(rig: Rig, database: Database) -> None:
    errand, before = rig.errand(database), await rig.times()
    assert await rig.channel.find(errand) is None
    reply = await rig.channel.send(errand)
    assert (reply.touch_id, reply.outcome) == (errand.touch_id, Outcome.ACCEPTED), reply.text
    assert reply.reference
    assert await rig.times() == before + 1
    if (
        rig.recipient != "ben@south.example"
    ):  # this mailbox's provider files no copies: the engine files them itself
        found = await rig.channel.find(errand)
        assert found is not None
        assert (found.outcome, found.reference) == (Outcome.ACCEPTED, reply.reference)


@pytest.mark.must_not("M1")
@wired
async def test_a_lost_answer_is_doubt_that_a_look_up_settles(rig: Rig, database: Database) -> None:
    assert rig.lose is not None
    errand = rig.errand(database)
    rig.lose()
    reply = await rig.channel.send(errand)
    assert reply.outcome is Outcome.IN_DOUBT
    found = await rig.channel.find(errand)
    assert found is not None
    assert found.outcome is Outcome.ACCEPTED
    assert found.reference
    assert await rig.times() == 1


@wired
async def test_nobody_there_is_no_doubt(rig: Rig, database: Database) -> None:
    assert rig.end is not None
    await rig.end()
    reply = await rig.channel.send(rig.errand(database))
    assert reply.outcome is Outcome.DEFERRED
    assert not (await rig.channel.health()).ok
    with pytest.raises(CadenzaError) as away:
        await rig.channel.fetch(database.world.now())
    assert away.value.kind is Kind.TEMPORARY


@wired
async def test_whoever_is_locked_out_stops_and_a_person_is_told(
    rig: Rig, database: Database, workspace: Actor
) -> None:
    assert rig.lock_out is not None
    rig.lock_out()
    first = await rig.channel.send(rig.errand(database))
    assert first.outcome is Outcome.DEFERRED
    assert (await rig.channel.capacity(rig.action)).left == 0
    again = await rig.channel.send(rig.errand(database))
    assert (again.outcome, again.stage) == (Outcome.DEFERRED, "account"), "it is not even asked again"
    assert await rig.times() == 0
    async with database.unit(workspace.workspace_id) as unit:
        told = list(await unit.session.scalars(text("select kind from work_items where done_at is null")))
    assert told == ["sender_broken"]


@pytest.mark.parametrize("rig", [name for name in _EVERY if name != "mail"], indirect=True)
async def test_a_stopped_account_does_nothing(rig: Rig, database: Database, workspace: Actor) -> None:
    assert rig.account_id is not None
    async with database.unit(workspace.workspace_id) as unit:
        await stop_account(
            unit, rig.account_id, AccountState.RESTRICTED, "restricted", "LinkedIn restricts it"
        )
    before = await rig.times()
    found = await rig.channel.capacity(rig.action)
    assert (found.left, found.why) == (0, "LinkedIn restricts it")
    assert (await rig.channel.send(rig.errand(database))).outcome is Outcome.DEFERRED
    assert await rig.times() == before


@pytest.mark.parametrize("rig", [*_WIRED, "mail"], indirect=True)
async def test_what_happens_comes_back_once(
    rig: Rig, database: Database, workspace: Actor, world: ManualClock
) -> None:
    assert rig.react is not None
    began = world.now()
    assert (await rig.channel.send(rig.errand(database))).outcome is Outcome.ACCEPTED
    world.move(timedelta(minutes=1))
    kind = await rig.react()
    told = await rig.channel.fetch(began)
    assert [each.kind for each in told].count(kind) == 1
    again = await rig.channel.fetch(began)
    assert {each.key for each in again} == {each.key for each in told}
    if rig.account_id is not None:
        of = rig.channel.account  # type: ignore[attr-defined]
        async with database.unit(workspace.workspace_id) as unit:
            assert await take_in(unit, of, told) == len({each.key for each in told})
            assert await take_in(unit, of, again) == 0


@pytest.mark.parametrize("rig", ["linkedin by hand", "phone by hand", "unipile message"], indirect=True)
async def test_a_touch_that_was_not_sent_is_not_found(rig: Rig, database: Database) -> None:
    assert (await rig.channel.send(rig.errand(database))).outcome is Outcome.ACCEPTED
    other = replace(rig.errand(database, text="Other words"), touch_id=new_id())
    assert await rig.channel.find(other) is None
