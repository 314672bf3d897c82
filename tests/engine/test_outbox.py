"""The outbox: what leaves within a day, and a person's say over it that no clock and no worker overrules."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings
from cadenza.engine.contracts import OutboxState
from cadenza.engine.service import (
    give_up,
    hold_until,
    housekeeping,
    keep_back,
    leave_out,
    let_go,
    outbox,
    pause,
    plan,
)
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import timeline
from tests.engine.test_dispatch import DAY, _drain, running
from tests.support.campaigns import OFFICE, TWO_STEPS, document, people
from tests.support.post import Post


async def _items(database: Database, actor: Actor, state: OutboxState = OutboxState.SOON) -> list[UUID]:
    async with database.unit(actor.workspace_id) as unit:
        found = await outbox(unit, actor, state=state)
    return [item.enrolment_id for item in found.items]


async def test_it_shows_what_leaves_within_a_day_of_running_campaigns_only(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(TWO_STEPS, window=OFFICE), people(4))
    assert len(await _items(database, workspace)) == 4
    world.move(DAY)
    await _drain(database, quick)
    async with database.unit(workspace.workspace_id) as unit:
        found = await outbox(unit, workspace)
        by_sender = [await outbox(unit, workspace, sender=box) for box in found.soon if box is not None]
        assert sum(found.soon.values()) == len(found.items) == sum(len(f.items) for f in by_sender)
        await pause(unit, workspace, "spring")
    assert await _items(database, workspace) == []


@pytest.mark.must_not("M3")
async def test_who_is_kept_back_gets_nothing_until_somebody_lets_it_go(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(3))
    first, *others = await _items(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        assert await keep_back(unit, workspace, [first]) == 1
        assert await keep_back(unit, workspace, [first]) == 0
    for _ in range(3):
        world.move(DAY)
        await housekeeping(database)
        await _drain(database, quick)
    assert len(post.letters()) == len(others) == 2
    assert await _items(database, workspace, OutboxState.KEPT_BACK) == [first]
    async with database.unit(workspace.workspace_id) as unit:
        assert await let_go(unit, workspace, [first]) == 1
    world.move(timedelta(hours=1))
    await _drain(database, quick)
    assert len(post.letters()) == 3


@pytest.mark.must_not("M6")
async def test_an_absence_neither_ends_what_a_person_keeps_back_nor_is_ended_by_it(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    ids = await running(database, workspace, post, document(), people(1))
    (enrolment,) = await _items(database, workspace)
    back = world.now() + 5 * DAY
    async with database.unit(workspace.workspace_id) as unit:
        await keep_back(unit, workspace, [enrolment])
        await hold_until(unit, ids[0], back, "away")
    world.set(back + DAY)
    await housekeeping(database)
    await _drain(database, quick)
    assert post.letters() == []
    async with database.unit(workspace.workspace_id) as unit:
        await hold_until(unit, ids[0], world.now() + DAY, "away again")
        await let_go(unit, workspace, [enrolment])
    await _drain(database, quick)
    assert post.letters() == []
    world.move(2 * DAY)
    await housekeeping(database)
    await _drain(database, quick)
    assert len(post.letters()) == 1


async def test_a_step_that_is_left_out_is_never_sent_and_the_next_one_is(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    ids = await running(database, workspace, post, document(TWO_STEPS), people(1))
    (enrolment,) = await _items(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        assert await leave_out(unit, workspace, [enrolment]) == 1
        (rest,) = await plan(unit, workspace, contact_id=ids[0], campaign_name="spring")
        assert rest.step == "follow"
        assert (await timeline(unit, contact_id=ids[0], kinds=[EventKind.SKIPPED]))[0].step == "intro"
    for _ in range(4):
        world.move(DAY)
        await _drain(database, quick)
    (letter,) = post.letters()
    assert "Another line" in letter.content.decode()
    async with database.unit(workspace.workspace_id) as unit:
        assert await leave_out(unit, workspace, [enrolment]) == 0


async def test_leaving_out_the_last_step_finishes_and_lets_go(
    database: Database, workspace: Actor, post: Post
) -> None:
    await running(database, workspace, post, document(), people(2))
    chosen = await _items(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        await keep_back(unit, workspace, chosen)
        assert await leave_out(unit, workspace, chosen) == 2
        states = await unit.session.execute(text("select distinct state, kept_back from enrolments"))
        assert [tuple(row) for row in states] == [("finished", False)]


@pytest.mark.must_not("M3")
async def test_a_claim_and_a_keeping_back_at_the_same_moment_never_both_win(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(40))
    chosen = await _items(database, workspace)
    world.move(DAY)

    async def keep() -> int:
        async with database.unit(workspace.workspace_id) as unit:
            return await keep_back(unit, workspace, chosen)

    kept, _ = await asyncio.gather(keep(), _drain(database, quick))
    for _ in range(2):
        world.move(DAY)
        await _drain(database, quick)
    assert len(post.letters()) + kept == 40
    assert len({letter.recipient for letter in post.letters()}) == len(post.letters())


async def test_a_message_that_a_server_put_off_can_be_given_up(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(1))
    world.move(DAY)
    await _drain(database, quick)
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(
            text("update touches set state = 'deferred', sent_at = null, retry_at = now() + interval '1 day'")
        )
        (touch,) = (await outbox(unit, workspace)).retries
        assert await give_up(unit, workspace, [touch.id]) == 1
        assert (await outbox(unit, workspace)).retries == ()
        assert await give_up(unit, workspace, [touch.id]) == 0


@pytest.mark.asvs("8.2.1", "8.3.1")
async def test_who_only_reads_changes_nothing(database: Database, workspace: Actor, post: Post) -> None:
    await running(database, workspace, post, document(), people(1))
    chosen = await _items(database, workspace)
    reader = Actor(workspace.workspace_id, Role.READ_ONLY, Origin.API)
    assert await _items(database, reader) == chosen
    for door in (keep_back, let_go, leave_out, give_up):
        async with database.unit(workspace.workspace_id) as unit:
            with pytest.raises(CadenzaError) as refused:
                await door(unit, reader, chosen)
        assert refused.value.code == "not_allowed"


@pytest.mark.parametrize("chosen", [[], [UUID(int=n) for n in range(501)]])
async def test_nobody_and_too_many_are_told(database: Database, workspace: Actor, chosen: list[UUID]) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            await keep_back(unit, workspace, chosen)
    assert refused.value.problems[0].key == "ids"
