"""A change to many people as a job: batch by batch, each once, watched, cancelled, and taken back as far as it came."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.audience import bulk, bulk_store
from cadenza.audience.bulk import Whom, cancel, change, change_many, changes, how_many, run_change, undo
from cadenza.audience.contracts import BulkChange, BulkKind, BulkState
from cadenza.audience.duplicates import merge
from cadenza.audience.segment_rules import EVERYBODY
from cadenza.audience.service import (
    BULK_JOB,
    contacts,
    import_contacts,
    load_recipients,
    suppress_contact,
    unsubscribe,
)
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Actor, Origin, Role

PEOPLE = 23
FILE = b"email,first_name,plan\n" + b"".join(
    b"p%d@x.example,P%d,%s\n" % (n, n, b"pro" if n < 4 else b"") for n in range(PEOPLE)
)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_store, "BATCH", 5)
    monkeypatch.setattr(bulk, "AT_ONCE", 5)


@pytest.fixture
async def people(database: Database, workspace: Actor) -> tuple[UUID, ...]:
    async with database.unit(workspace.workspace_id) as unit:
        return (await import_contacts(unit, workspace, FILE, file="people.csv")).contact_ids


async def _asked(
    database: Database, actor: Actor, kind: BulkKind, *ids: UUID, value: str = "team"
) -> BulkChange:
    more = {"field": "plan", "value": value} if kind is BulkKind.SET_FIELD else {}
    async with database.unit(actor.workspace_id) as unit:
        return await change_many(unit, actor, kind, Whom(EVERYBODY, ids=ids), **more)


async def _run(database: Database, actor: Actor, made: BulkChange) -> BulkChange:
    await run_change(database, workspace_id=str(actor.workspace_id), change_id=str(made.id))
    return await _seen(database, actor, made)


async def _seen(database: Database, actor: Actor, made: BulkChange) -> BulkChange:
    async with database.unit(actor.workspace_id) as unit:
        return await change(unit, actor, made.id)


async def _undone(database: Database, actor: Actor, made: BulkChange) -> BulkChange:
    async with database.unit(actor.workspace_id) as unit:
        return await undo(unit, actor, made.id, reason="The wrong list")


async def _stopped(database: Database, actor: Actor, people: tuple[UUID, ...]) -> set[UUID]:
    async with database.unit(actor.workspace_id) as unit:
        return {key for key, each in (await load_recipients(unit, people)).items() if each.suppression}


async def _plans(database: Database, actor: Actor) -> dict[UUID, str | None]:
    async with database.unit(actor.workspace_id) as unit:
        found = await contacts(unit, actor, size=100)
    return {each.id: each.custom.get("plan") for each in found.contacts}


async def _audited(database: Database, actor: Actor) -> list[tuple[str, int]]:
    async with database.unit(actor.workspace_id) as unit:
        query = text(
            "select action, cast(data->>'people' as int) from audit_entries where action like 'bulk%' order by id"
        )
        return [(action, people) for action, people in await unit.session.execute(query)]


class _Death(BaseException):
    """The worker is killed."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of batches after which the next one dies before it is committed; nobody dies while it is empty."""
    after: list[int] = []
    original = bulk_store.step

    async def dies(*arguments: object) -> bool:
        more = await original(*arguments)  # type: ignore[arg-type]
        if after:
            after[0] -= 1
            if after[0] < 0:
                after.clear()
                raise _Death
        return more

    monkeypatch.setattr(bulk, "step", dies)
    return after


@pytest.mark.asvs("15.2.2")
async def test_many_are_stopped_by_a_job_and_lifted_by_another(
    database: Database, workspace: Actor, people: tuple[UUID, ...]
) -> None:
    made = await _asked(database, workspace, BulkKind.STOP)
    assert (made.state, made.people, made.done) == (BulkState.WAITING, PEOPLE, 0)
    async with database.unit(workspace.workspace_id) as unit:
        queued = text("select args->>'change_id' from procrastinate_jobs where task_name = :name")
        assert list(await unit.session.scalars(queued, {"name": BULK_JOB})) == [str(made.id)]
    assert await _stopped(database, workspace, people) == set()
    done = await _run(database, workspace, made)
    assert (done.state, done.done, done.left_out) == (BulkState.DONE, PEOPLE, 0)
    assert await _stopped(database, workspace, people) == set(people)
    async with database.unit(workspace.workspace_id) as unit:
        events = text("select count(*), count(distinct contact_id) from events where kind = 'suppressed'")
        assert tuple((await unit.session.execute(events)).one()) == (PEOPLE, PEOPLE)
    back = await _undone(database, workspace, made)
    assert back.state is BulkState.UNDOING
    assert await _stopped(database, workspace, people) == set(people), "nobody before the job runs"
    back = await _run(database, workspace, made)
    assert (back.state, back.done) == (BulkState.UNDONE, 0)
    assert await _stopped(database, workspace, people) == set()
    assert await _audited(database, workspace) == [("bulk_stop", PEOPLE), ("bulk_stop_undone", PEOPLE)]
    with pytest.raises(CadenzaError, match="no longer"):
        await _undone(database, workspace, made)


@pytest.mark.parametrize("kind", list(BulkKind))
async def test_a_killed_worker_is_followed_by_one_that_does_each_batch_once(
    database: Database, workspace: Actor, people: tuple[UUID, ...], kind: BulkKind, dying: list[int]
) -> None:
    before = await _plans(database, workspace)
    made = await _asked(database, workspace, kind)
    for reached in (10, 15):
        dying.append((reached - (await _seen(database, workspace, made)).done) // 5)
        with pytest.raises(_Death):
            await _run(database, workspace, made)
        assert (await _seen(database, workspace, made)).done == reached, "the batch that died is not kept"
    await asyncio.gather(*(_run(database, workspace, made) for _ in range(3)))
    done = await _run(database, workspace, made)  # a job that runs again changes nothing
    assert (done.state, done.done, done.left_out) == (BulkState.DONE, PEOPLE, 0)
    async with database.unit(workspace.workspace_id) as unit:
        stops = await unit.session.scalar(text("select count(*) from suppressions"))
        events = await unit.session.scalar(text("select count(*) from events where kind = 'suppressed'"))
    assert (stops, events) == ((2 * PEOPLE, PEOPLE) if kind is BulkKind.STOP else (0, 0))
    await _undone(database, workspace, made)
    dying.append(2)
    with pytest.raises(_Death):
        await _run(database, workspace, made)
    assert (await _seen(database, workspace, made)).done == PEOPLE - 10
    assert (await _run(database, workspace, made)).state is BulkState.UNDONE
    assert await _plans(database, workspace) == before
    assert await _stopped(database, workspace, people) == set()


async def _one_batch(database: Database, actor: Actor, made: BulkChange) -> None:
    async with database.unit(actor.workspace_id) as unit:
        row = await bulk_store.change_row(unit, made.id, lock=True)
        assert await bulk_store.step(unit, row)


@pytest.mark.asvs("15.2.2")
@pytest.mark.parametrize("kind", list(BulkKind))
async def test_a_cancelled_change_keeps_what_is_done_and_that_can_be_taken_back(
    database: Database, workspace: Actor, people: tuple[UUID, ...], kind: BulkKind
) -> None:
    before = await _plans(database, workspace)
    made = await _asked(database, workspace, kind)
    for _ in range(2):
        await _one_batch(database, workspace, made)
    with pytest.raises(CadenzaError, match="still on its way"):
        await _undone(database, workspace, made)
    for _ in range(2):  # who presses twice cancels once
        async with database.unit(workspace.workspace_id) as unit:
            ended = await cancel(unit, workspace, made.id)
    assert (ended.state, ended.done) == (BulkState.CANCELLED, 10)
    assert await _run(database, workspace, made) == ended, "the job that was queued does nothing more"
    if kind is BulkKind.STOP:
        assert await _stopped(database, workspace, people) == set(sorted(people)[:10])
    else:
        assert len([plan for plan in (await _plans(database, workspace)).values() if plan == "team"]) in (
            0,
            10,
        )
    await _undone(database, workspace, made)
    await _one_batch(database, workspace, made)
    async with database.unit(workspace.workspace_id) as unit:
        assert (await cancel(unit, workspace, made.id)).done == 5, "an undo is cancelled as well"
    assert (await _undone(database, workspace, made)).state is BulkState.UNDONE, "what is left is one batch"
    assert await _plans(database, workspace) == before
    assert await _stopped(database, workspace, people) == set()
    assert await _audited(database, workspace) == [
        (f"bulk_{kind.value}", PEOPLE), (f"bulk_{kind.value}_cancelled", 10), (f"bulk_{kind.value}_undone", 10),
        (f"bulk_{kind.value}_cancelled", 5), (f"bulk_{kind.value}_undone", 5),
    ]  # fmt: skip


async def test_what_waits_is_cancelled_before_anybody_is_changed(
    database: Database, workspace: Actor, people: tuple[UUID, ...]
) -> None:
    made = await _asked(database, workspace, BulkKind.STOP)
    rep, reader = (Actor(workspace.workspace_id, role, Origin.PAGE) for role in (Role.REP, Role.READ_ONLY))
    async with database.unit(workspace.workspace_id) as unit:
        with pytest.raises(CadenzaError, match="may not"):
            await cancel(unit, reader, made.id)
    async with database.unit(workspace.workspace_id) as unit:
        await cancel(unit, rep, made.id)
    await _run(database, workspace, made)
    assert await _stopped(database, workspace, people) == set()
    async with database.unit(workspace.workspace_id) as unit:
        assert await changes(unit, workspace) == [], "there is nothing to take back"


@pytest.mark.asvs("2.4.1", "15.2.2")
async def test_one_large_change_at_a_time_and_small_ones_meanwhile(
    database: Database, workspace: Actor, people: tuple[UUID, ...]
) -> None:
    made = await _asked(database, workspace, BulkKind.SET_FIELD)
    tries = [_asked(database, workspace, BulkKind.STOP) for _ in range(2)]
    for refused in await asyncio.gather(*tries, return_exceptions=True):
        assert isinstance(refused, CadenzaError)
        assert refused.code == "change_running"
        assert str(made.id) in refused.fix
    assert await _stopped(database, workspace, people) == set()
    small = await _asked(database, workspace, BulkKind.STOP, *people[:3])
    assert small.state is BulkState.DONE
    await _run(database, workspace, made)
    first, second = await asyncio.gather(
        *(_asked(database, workspace, BulkKind.STOP) for _ in range(2)), return_exceptions=True
    )
    assert {type(first), type(second)} == {BulkChange, CadenzaError}, "of two at once one is taken"


async def test_whom_somebody_changes_meanwhile_is_left_alone_by_the_change_and_by_its_undo(
    database: Database, workspace: Actor, people: tuple[UUID, ...]
) -> None:
    ordered = sorted(people)
    made = await _asked(database, workspace, BulkKind.SET_FIELD)
    await _one_batch(database, workspace, made)
    await _asked(database, workspace, BulkKind.SET_FIELD, ordered[0], value="mine")  # behind it
    await _asked(database, workspace, BulkKind.SET_FIELD, ordered[1], value="team")  # behind it, to the same
    await _asked(database, workspace, BulkKind.SET_FIELD, ordered[22], value="mine")  # before it
    done = await _run(database, workspace, made)
    assert (done.done, done.left_out) == (PEOPLE, 1)
    plans = await _plans(database, workspace)
    assert {key for key in people if plans[key] != "team"} == {ordered[0], ordered[22]}
    await _undone(database, workspace, made)
    back = await _run(database, workspace, made)
    assert (back.state, back.left_out) == (BulkState.UNDONE, 2)
    plans = await _plans(database, workspace)
    assert {key: plans[key] for key in people if plans[key] not in ("pro", None)} == {
        ordered[0]: "mine", ordered[1]: "team", ordered[22]: "mine",
    }  # fmt: skip


async def test_who_came_back_and_was_removed_again_is_not_brought_back_by_the_first_undo(
    database: Database, workspace: Actor, people: tuple[UUID, ...], machine: ManualClock
) -> None:
    made = await _run(database, workspace, await _asked(database, workspace, BulkKind.REMOVE))
    machine.move(timedelta(minutes=5))
    async with database.unit(workspace.workspace_id) as unit:
        await import_contacts(unit, workspace, b"email\np7@x.example\n", file="one.csv")
    await _asked(database, workspace, BulkKind.REMOVE, people[7])
    await _undone(database, workspace, made)
    await _run(database, workspace, made)
    assert set(await _plans(database, workspace)) == set(people) - {people[7]}


@pytest.mark.must_not("M3")
async def test_no_undo_lifts_what_somebody_else_stopped_as_well(
    database: Database, workspace: Actor, people: tuple[UUID, ...]
) -> None:
    """Another change, one colleague, or the person: their stop stands, whichever came first."""
    ordered = sorted(people)
    made = await _asked(database, workspace, BulkKind.STOP)
    other = await _asked(
        database, workspace, BulkKind.STOP, *ordered[20:]
    )  # before the first one comes to them
    await _run(database, workspace, made)
    later = await _asked(database, workspace, BulkKind.STOP, *ordered[:2])
    async with database.unit(workspace.workspace_id) as unit:
        await suppress_contact(unit, workspace, ordered[2])
        await unsubscribe(unit, ordered[3], "their own word")
    await _undone(database, workspace, made)
    await _run(database, workspace, made)
    mine = {ordered[0], ordered[1]}
    kept = {ordered[2], ordered[3]}
    assert await _stopped(database, workspace, people) == mine | kept | set(ordered[20:])
    await _undone(database, workspace, later)
    assert await _stopped(database, workspace, people) == kept | set(ordered[20:])
    await _undone(database, workspace, other)
    assert await _stopped(database, workspace, people) == kept


async def test_whoever_is_merged_meanwhile_is_stopped_as_who_they_are_now(
    database: Database, workspace: Actor, people: tuple[UUID, ...]
) -> None:
    ordered = sorted(people)
    made = await _asked(database, workspace, BulkKind.STOP, *ordered[:22])
    async with database.unit(workspace.workspace_id) as unit:
        await merge(unit, workspace, ordered[22], ordered[21])
    await _run(database, workspace, made)
    assert await _stopped(database, workspace, people) == set(people) - {ordered[21]}
    await _undone(database, workspace, made)
    await _run(database, workspace, made)
    assert await _stopped(database, workspace, people) == set()


@pytest.mark.usefixtures("people")
async def test_another_number_than_was_expected_changes_nobody(database: Database, workspace: Actor) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        assert await how_many(unit, workspace, Whom(EVERYBODY)) == PEOPLE
    with pytest.raises(CadenzaError, match="23 people fit now, not 22"):
        async with database.unit(workspace.workspace_id) as unit:
            await change_many(unit, workspace, BulkKind.STOP, Whom(EVERYBODY), expected=22)
    async with database.unit(workspace.workspace_id) as unit:
        assert await changes(unit, workspace) == []
        assert (
            await change_many(unit, workspace, BulkKind.STOP, Whom(EVERYBODY), expected=PEOPLE)
        ).people == PEOPLE


def test_the_job_is_on_the_list() -> None:
    from cadenza.app.composition import JOBS  # noqa: PLC0415

    assert JOBS[BULK_JOB] is run_change
