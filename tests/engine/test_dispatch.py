"""The whole way of a touch, over real SMTP and a real database."""

import asyncio
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.audience.contracts import SuppressionKind, SuppressionReason
from cadenza.audience.service import import_contacts, load_recipients, suppress, unsubscribe
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import MailboxState, Outcome, WireReply
from cadenza.channels.service import mailboxes, set_state
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine import repository
from cadenza.engine.claim import claim
from cadenza.engine.contracts import DoubtDecision, TouchState
from cadenza.engine.fleet import Fleet
from cadenza.engine.marking import MarkingDesk
from cadenza.engine.record import record
from cadenza.engine.service import (
    Dispatcher,
    decide,
    end_sequences,
    explain,
    hold_until,
    housekeeping,
    launch,
    pause,
    plan,
    resume,
    status,
    stop,
    touches_in_doubt,
)
from cadenza.engine.wire import Lane
from cadenza.identity.contracts import Actor
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import timeline, work_items
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_inside
from tests.support.campaigns import (
    OFFICE,
    ONE_STEP,
    SENDERS,
    TWO_STEPS,
    add_senders,
    document,
    people,
    running,
)
from tests.support.post import Post, post_office

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)


async def _drain(database: Database, settings: Settings) -> None:
    dispatcher = Dispatcher(database, settings)
    while await dispatcher.turn():
        await dispatcher.drain()


async def _states(database: Database, actor: Actor) -> dict[str, int]:
    async with database.unit(actor.workspace_id) as unit:
        rows = await unit.session.execute(text("select state, count(*) from touches group by 1"))
        return dict(list(rows))  # type: ignore[arg-type]


async def test_everybody_gets_each_step_once_in_one_thread(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(TWO_STEPS), people(12))
    for _ in range(4):
        world.move(DAY)
        await _drain(database, quick)
    assert set(post.touches().values()) == {1}
    assert len(post.touches()) == 24
    threads: dict[str, list[str]] = {}
    for letter in post.letters():
        mail = message_from_bytes(letter.content, policy=SMTP)
        threads.setdefault(str(mail["To"]), []).append(str(mail.get("In-Reply-To", mail["Message-ID"])))
    assert all(len(ids) == 2 and ids[0] == ids[1] for ids in threads.values())
    async with database.unit(workspace.workspace_id) as unit:
        standing = await status(unit, workspace, "spring")
    assert standing.counts["sent"] == standing.counts["delivered"] == 24
    assert {(s.step, s.variant): s.counts["sent"] for s in standing.steps if "sent" in s.counts} == {
        ("intro", "a"): 12,
        ("follow", "a"): 12,
    }


@pytest.mark.story("3.1.2.3", 3)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"])
async def test_nothing_leaves_outside_the_recipients_working_hours(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, zone: str
) -> None:
    await running(database, workspace, post, document(window=OFFICE), people(10, zone=zone, country=""))
    for _ in range(60 * 3):
        world.move(timedelta(minutes=20))
        await _drain(database, quick)
    sent = [letter.at for letter in post.letters()]
    assert len(sent) == 10
    assert all(is_inside(Window(holidays=False), datetime.fromisoformat(at), zone, None) for at in sent)


@pytest.mark.must_not("M2")
async def test_waking_up_three_days_late_sends_nothing_stale_and_keeps_the_caps(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    caps = "{per_person_per_week: 9, per_account_per_day: 2, per_sender_per_day: 5}"
    await running(database, workspace, post, document(window=OFFICE, caps=caps), people(40, accounts=4))
    world.move(timedelta(days=3, hours=9))  # Thursday evening, all 40 long overdue
    await _drain(database, quick)
    assert post.letters() == []
    per_day: dict[str, int] = {}
    for _ in range(24 * 14):
        world.move(timedelta(hours=1))
        await _drain(database, quick)
    for letter in post.letters():
        per_day[letter.at[:10]] = per_day.get(letter.at[:10], 0) + 1
    assert len(post.letters()) == 40
    assert max(per_day.values()) <= 8  # four companies, two a day each, below the two senders' ten


@pytest.mark.must_not("M3")
@pytest.mark.parametrize("how", ["opt-out", "address", "domain", "reply", "pause", "stop"])
async def test_nothing_leaves_after_a_committed_stop(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, how: str
) -> None:
    ids = await running(database, workspace, post, document(), people(6))
    async with database.unit(workspace.workspace_id) as unit:
        for number, contact_id in enumerate(ids):
            if how == "opt-out":
                await unsubscribe(unit, contact_id, source="test")
            elif how == "reply":
                await end_sequences(unit, contact_id, "reply")
            elif how in ("address", "domain"):
                value = f"p{number}@firm{number}.example" if how == "address" else f"firm{number}.example"
                await suppress(unit, SuppressionKind(how), value, SuppressionReason.MANUAL, source="test")
        if how == "pause":
            await pause(unit, workspace, "spring")
        elif how == "stop":
            await stop(unit, workspace, "spring")
    world.move(DAY)
    await _drain(database, quick)
    assert post.letters() == []
    if how == "pause":
        async with database.unit(workspace.workspace_id) as unit:
            await resume(unit, workspace, "spring")
        for _ in range(3):
            world.move(timedelta(hours=12))
            await _drain(database, quick)
        assert len(post.letters()) == 6


@pytest.mark.must_not("M3")
async def test_a_stop_between_claim_and_wire_wins(
    database: Database, workspace: Actor, post: Post, world: ManualClock
) -> None:
    """The claim is committed, the worker is about to mark its chunk: an answer that came meanwhile takes it back."""
    (contact_id,) = await running(database, workspace, post, document(), people(1))
    world.move(DAY)
    worker = UUID(int=7)
    async with database.unit(workspace.workspace_id) as unit:
        claimed = await claim(
            unit,
            worker=worker,
            limit=9,
            lease=timedelta(seconds=60),
            fleet=Fleet(await mailboxes(unit)),
        )
    assert len(claimed) == 1
    async with database.unit(workspace.workspace_id) as unit:
        await end_sequences(unit, contact_id, "reply")
    async with database.unit(workspace.workspace_id) as unit:
        (box,) = [m for m in await mailboxes(unit) if m.id == (await repository.touches(unit))[0].mailbox_id]
    await Lane(database, workspace.workspace_id, box, MarkingDesk(database, worker), 1).send(claimed)
    assert post.letters() == []


@pytest.mark.must_not("M1")
async def test_two_workers_at_once_send_each_touch_once(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(200))
    world.move(DAY)
    await asyncio.gather(*(_drain(database, quick) for _ in range(3)))
    await _drain(database, quick)
    assert len(post.touches()) == 200
    assert set(post.touches().values()) == {1}


@pytest.mark.must_not("M1")
async def test_a_worker_that_slept_past_its_lease_sends_nothing(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(3))
    world.move(DAY)
    sleeper = UUID(int=8)
    async with database.unit(workspace.workspace_id) as unit:
        claimed = await claim(
            unit,
            worker=sleeper,
            limit=9,
            lease=timedelta(seconds=0),
            fleet=Fleet(await mailboxes(unit)),
        )
    await housekeeping(database)
    await _drain(database, quick)
    desk = MarkingDesk(database, sleeper)
    assert not any(await asyncio.gather(*(desk.mark(workspace.workspace_id, i) for i in claimed)))
    assert len(post.touches()) == 3
    assert set(post.touches().values()) == {1}


async def _on_the_wire(database: Database, workspace: Actor) -> list[UUID]:
    """A worker that died right after it marked its chunk as sending."""
    worker = UUID(int=9)
    async with database.unit(workspace.workspace_id) as unit:
        claimed = await claim(
            unit,
            worker=worker,
            limit=9,
            lease=timedelta(seconds=1),
            fleet=Fleet(await mailboxes(unit)),
        )
    desk = MarkingDesk(database, worker)
    assert all(await asyncio.gather(*(desk.mark(workspace.workspace_id, i) for i in claimed)))
    await asyncio.sleep(1.1)
    return claimed


@pytest.mark.must_not("M1")
async def test_what_is_in_doubt_and_not_in_the_sent_folder_is_shown_and_never_sent_blindly(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(2))
    world.move(DAY)
    lost = await _on_the_wire(database, workspace)
    for _ in range(4):
        await housekeeping(database)
        await _drain(database, quick)
        world.move(DAY)
    assert post.letters() == []
    async with database.unit(workspace.workspace_id) as unit:
        assert {t.id for t in await touches_in_doubt(unit, workspace)} == set(lost)
        assert {w.touch_id for w in await work_items(unit, workspace)} == set(lost)
        await decide(unit, workspace, lost[0], DoubtDecision.SEND_AGAIN)
        await decide(unit, workspace, lost[1], DoubtDecision.DROP)
    await _drain(database, quick)
    assert post.touches() == {lost[0].hex: 1}
    async with database.unit(workspace.workspace_id) as unit:
        assert await work_items(unit, workspace) == []
    assert await _states(database, workspace) == {"sent": 1, "dropped": 1}


@pytest.mark.must_not("M1")
async def test_what_is_in_doubt_and_in_the_sent_folder_counts_as_sent(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(TWO_STEPS), people(1))
    world.move(DAY)
    (touch_id,) = await _on_the_wire(database, workspace)
    content = f"Message-ID: <other@x>\r\nX-Cadenza-Touch: {touch_id.hex}\r\nSubject: x\r\n\r\nx".encode()
    async with database.unit(workspace.workspace_id) as unit:
        sender = (await repository.touches(unit))[0].sender
    post.store.deliver(sender, content, folder="Sent")
    await housekeeping(database)
    assert await _states(database, workspace) == {"sent": 1}
    for _ in range(3):
        world.move(DAY)
        await _drain(database, quick)
    assert len(post.letters()) == 1  # the follow-up; the first was not sent again
    async with database.unit(workspace.workspace_id) as unit:
        found = await explain(unit, workspace, touch_id)
    assert [e.kind.value for e in reversed(found.events)][-3:] == ["settled", "sent", "delivered"]


async def test_a_refused_address_is_dead_and_ends_the_sequence(
    database: Database, workspace: Actor, world: ManualClock, quick: Settings, tmp_path: Path
) -> None:
    def refuse(address: str) -> str | None:
        return "550 5.1.1 no such user" if address.startswith("p0@") else None

    async with post_office(tmp_path, world, SENDERS, refuse=refuse) as post:
        ids = await running(database, workspace, post, document(TWO_STEPS), people(2))
        for _ in range(4):
            world.move(DAY)
            await _drain(database, quick)
        assert len(post.letters()) == 2
    async with database.unit(workspace.workspace_id) as unit:
        standing = await status(unit, workspace, "spring")
        assert standing.counts["bounced"] == 1
        assert (await load_recipients(unit, ids))[ids[0]].email is None or (await load_recipients(unit, ids))[
            ids[0]
        ].suppression
        kinds = [e.kind.value for e in await timeline(unit, contact_id=ids[0])]
    assert {"refused", "bounced", "stopped"} <= set(kinds)


async def test_a_relay_that_is_down_loses_nothing_and_what_waited_leaves_later(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    machine: ManualClock,
    quick: Settings,
) -> None:
    await running(database, workspace, post, document(), people(4))
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set smtp_port = 9"))
    world.move(DAY)
    for _ in range(8):
        await _drain(database, quick)
        machine.move(timedelta(hours=1))
    assert await _states(database, workspace) == {"deferred": 4}
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set smtp_port = :port"), {"port": post.smtp.port})
    machine.move(timedelta(days=1))
    await _drain(database, quick)
    assert await _states(database, workspace) == {"sent": 4}
    assert set(post.touches().values()) == {1}


@pytest.mark.parametrize(
    ("outcome", "stage", "code", "state"),
    [
        (Outcome.ACCEPTED, "dot", 250, TouchState.SENT),
        (Outcome.DEFERRED, "rcpt", 450, TouchState.DEFERRED),
        (Outcome.REFUSED, "dot", 554, TouchState.REFUSED),
        (Outcome.IN_DOUBT, "dot", None, TouchState.IN_DOUBT),
    ],
)
async def test_each_answer_of_the_relay_has_one_end(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    outcome: Outcome,
    stage: str,
    code: int | None,
    state: TouchState,
) -> None:
    await running(database, workspace, post, document(), people(1))
    world.move(DAY)
    (touch_id,) = await _on_the_wire(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        await record(unit, [WireReply(touch_id, outcome, stage, code)], await repository.touches(unit))
    assert await _states(database, workspace) == {state.value: 1}


async def test_a_person_keeps_the_first_sender_and_senders_take_turns(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(TWO_STEPS), people(20))
    for _ in range(4):
        world.move(DAY)
        await _drain(database, quick)
    by_person: dict[str, set[str]] = {}
    for letter in post.letters():
        by_person.setdefault(letter.recipient, set()).add(letter.sender)
    assert all(len(senders) == 1 for senders in by_person.values())
    first = [next(iter(s)) for s in by_person.values()]
    assert sorted(first.count(a) for a in set(first)) == [10, 10]


@pytest.mark.must_not("M11")
async def test_a_broken_sender_holds_up_nobody_else(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(10))
    async with database.unit(workspace.workspace_id) as unit:
        broken = (await mailboxes(unit))[0]
        await set_state(unit, broken.id, MailboxState.BROKEN, "test")
    world.move(DAY)
    await _drain(database, quick)
    assert len(post.letters()) == 10
    assert {letter.sender for letter in post.letters()} == {"ben@south.example"}


@pytest.mark.must_not("M6")
async def test_a_held_sequence_goes_on_by_itself(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    ids = await running(database, workspace, post, document(), people(1))
    async with database.unit(workspace.workspace_id) as unit:
        await hold_until(unit, ids[0], world.now() + 5 * DAY, "away")
    for _ in range(4):
        world.move(DAY)
        await _drain(database, quick)
    assert post.letters() == []
    world.move(1.1 * DAY)
    await housekeeping(database)
    await _drain(database, quick)
    assert len(post.letters()) == 1


@pytest.mark.must_not("M20")
async def test_the_sender_of_a_touch_is_stored_and_never_derived_later(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(), people(1))
    world.move(DAY)
    await _drain(database, quick)
    before = post.letters()[0].sender
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set address = 'new-' || address"))
        (touch,) = await repository.touches(unit)
        found = await explain(unit, workspace, touch.id)
    assert found.touch.sender == before
    assert found.touch.message_id.endswith(before.partition("@")[2] + ">")


async def test_the_plan_says_what_and_when_and_agrees_with_what_happens(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    ids = await running(database, workspace, post, document(TWO_STEPS, window=OFFICE), people(1))
    async with database.unit(workspace.workspace_id) as unit:
        planned = await plan(unit, workspace, contact_id=ids[0], campaign_name="spring")
    assert [p.step for p in planned] == ["intro", "follow"]
    world.set(planned[0].at)
    await _drain(database, quick)
    assert len(post.letters()) == 1
    async with database.unit(workspace.workspace_id) as unit:
        (rest,) = await plan(unit, workspace, contact_id=ids[0], campaign_name="spring")
    assert rest.step == "follow"
    world.set(rest.at)
    await _drain(database, quick)
    assert len(post.letters()) == 2


@pytest.mark.must_not("M6")
async def test_the_plan_of_somebody_away_starts_after_their_return_and_agrees_with_what_happens(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    ids = await running(database, workspace, post, document(TWO_STEPS, window=OFFICE), people(1))
    back = world.now() + 9 * DAY
    async with database.unit(workspace.workspace_id) as unit:
        await hold_until(unit, ids[0], back, "away")
        first, second = await plan(unit, workspace, contact_id=ids[0], campaign_name="spring")
    assert back <= first.at < second.at
    assert "away" in first.why
    world.set(first.at - timedelta(minutes=1))
    await housekeeping(database)
    await _drain(database, quick)
    assert post.letters() == []
    world.set(first.at)
    await housekeeping(database)
    await _drain(database, quick)
    assert len(post.letters()) == 1


@pytest.mark.must_not("M13")
async def test_a_new_version_of_a_running_campaign_takes_over_and_nobody_gets_a_step_twice(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    await running(database, workspace, post, document(TWO_STEPS), people(3))
    world.move(DAY)
    await _drain(database, quick)
    async with database.unit(workspace.workspace_id) as unit:
        applied = await apply(unit, workspace, document(TWO_STEPS.replace("Another line", "A better line")))
    assert applied.version == 2
    for _ in range(3):
        world.move(DAY)
        await _drain(database, quick)
    assert len(post.letters()) == 6
    assert set(post.touches().values()) == {1}
    assert sum(b"A better line" in letter.content for letter in post.letters()) == 3


@pytest.mark.story("3.1.2.1", 6)
async def test_a_condition_that_fails_skips_the_step_or_goes_where_else_says(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    steps = (
        ONE_STEP
        + """
- {id: keen, channel: email, action: send, after: {days: 1}, when: "clicked(intro)", else: quiet,
   variants: [{id: a, subject: "For the keen", text: "x"}]}
- {id: middle, channel: email, action: send, after: {days: 1}, variants: [{id: a, subject: "Middle", text: "x"}]}
- {id: quiet, channel: email, action: send, after: {days: 1}, variants: [{id: a, subject: "For the quiet", text: "x"}]}
"""
    )
    await running(database, workspace, post, document(steps), people(1))
    for _ in range(7):
        world.move(DAY)
        await _drain(database, quick)
    subjects = [message_from_bytes(letter.content, policy=SMTP)["Subject"] for letter in post.letters()]
    assert subjects == ["Hello First0", "For the quiet"]


async def test_a_touch_that_exists_already_is_not_sent_again_and_the_sequence_goes_on(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> None:
    """As after a restore: the enrolment stands before a step that was sent."""
    await running(database, workspace, post, document(TWO_STEPS), people(1))
    world.move(DAY)
    await _drain(database, quick)
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(
            text("update enrolments set step = 'intro', next_due_at = :now"), {"now": world.now()}
        )
    for _ in range(3):
        await _drain(database, quick)
        world.move(DAY)
    assert set(post.touches().values()) == {1}
    assert len(post.letters()) == 2


@pytest.mark.parametrize(
    ("rule", "left"), [("", 4), ("stop: {person: [meeting]}", 6), ("stop: {account: [reply]}", 0)]
)
async def test_a_reply_ends_what_the_campaign_says_it_ends(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    quick: Settings,
    rule: str,
    left: int,
) -> None:
    """Three colleagues of one company with two steps each; one of them answers after the first."""
    ids = await running(database, workspace, post, document(TWO_STEPS, extra=rule), people(3, accounts=1))
    async with database.unit(workspace.workspace_id) as unit:
        await end_sequences(unit, ids[0], "reply")
    for _ in range(4):
        world.move(DAY)
        await _drain(database, quick)
    assert len(post.letters()) == left


async def test_launching_from_two_tabs_at_once_launches_once(
    database: Database, workspace: Actor, post: Post
) -> None:
    await add_senders(database, workspace, post)
    async with database.unit(workspace.workspace_id) as unit:
        await import_contacts(unit, workspace, people(5), file="people.csv")
        await apply(unit, workspace, document())

    async def press() -> None:
        async with database.unit(workspace.workspace_id) as unit:
            await launch(unit, workspace, "spring")

    results = await asyncio.gather(press(), press(), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["CadenzaError", "NoneType"]
    async with database.unit(workspace.workspace_id) as unit:
        assert len(await timeline(unit, kinds=[EventKind.LAUNCHED])) == 1
