"""Who writes to whom: shares of the day, pools that change, hours of the sender, limits that hold for all workers."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.policy import SMTP
from textwrap import indent
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st

from cadenza.audience.service import import_contacts
from cadenza.campaigns.contracts import Caps, Definition
from cadenza.campaigns.service import apply, campaign
from cadenza.channels.contracts import Mailbox, MailboxState, Server, Tls, WarmUp
from cadenza.channels.service import (
    Ramp,
    change_sender,
    fill_pool,
    mailboxes,
    make_pool,
    pools,
    rename_pool,
    settings_of,
)
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.contracts import TouchState
from cadenza.engine.fleet import Fleet
from cadenza.engine.models import TouchRow
from cadenza.engine.repository import Due
from cadenza.engine.senders import _pick
from cadenza.engine.service import Dispatcher, explain, launch, plan, status
from cadenza.identity.contracts import Actor
from cadenza.timing.contracts import Window
from tests.support.campaigns import ALWAYS, ONE_STEP, SENDERS, add_senders, document, people
from tests.support.post import Post

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_SERVER = Server("127.0.0.1", 9, Tls.NONE)
postgres = pytest.mark.postgres


def box(number: int, limit: int, warm: int | None = None) -> Mailbox:
    ramp = WarmUp(warm, 1, 2000, date(2026, 3, 2)) if warm else None
    return Mailbox(
        UUID(int=number + 1), UUID(int=9), f"m{number:03}@north.example", "M", _SERVER, _SERVER, "", MailboxState.OK, "",
        limit, warm_up=ramp,
    )  # fmt: skip


def asked(count: int, boxes: Sequence[Mailbox], cap: int = 100_000) -> Counter[str]:
    """How often each was taken when this many new people are due at once."""
    definition = Definition(
        "c", (), "people.csv", tuple(b.address for b in boxes), caps=Caps(per_sender_per_day=cap)
    )
    wanted = [
        (Due(uuid4(), UUID(int=1), uuid4(), None, "intro", NOON, None, UUID(int=2)), definition)
        for _ in range(count)
    ]
    picked = _pick(wanted, Fleet(boxes), {}, NOON)
    return Counter(choice.mailbox.address for _, _, choice in picked if choice.mailbox)


@checked(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=8), st.data())
def test_at_every_moment_all_have_used_nearly_the_same_share_of_their_day(
    limits: list[int], data: st.DataObject
) -> None:
    boxes = [box(n, limit) for n, limit in enumerate(limits)]
    count = data.draw(st.integers(0, sum(limits)))
    taken = asked(count, boxes)
    assert sum(taken.values()) == count
    shares = {b.address: taken[b.address] / b.daily_limit for b in boxes}
    for one in boxes:
        assert taken[one.address] <= one.daily_limit
        for other in boxes:  # nobody is ahead by more than the last message that it was given
            assert shares[one.address] - shares[other.address] <= 1 / one.daily_limit + 1e-9


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([box(0, 10), box(1, 60)], [10, 60]),
        ([box(0, 60, warm=10), box(1, 60)], [10, 60]),
        ([box(0, 60), box(1, 60)], [35, 35]),
    ],
)
def test_an_allowance_of_ten_and_one_of_sixty_share_one_to_six(
    boxes: list[Mailbox], expected: list[int]
) -> None:
    taken = asked(70, boxes)
    assert [taken[b.address] for b in boxes] == expected


def test_the_least_of_the_limits_is_named() -> None:
    found = asked(9, [box(0, 60), box(1, 60)], cap=5)
    assert found == {"m000@north.example": 5, "m001@north.example": 4}


async def _drain(database: Database) -> None:
    dispatcher = Dispatcher(database, Settings(dispatch_batch=50, lease_seconds=30))
    while await dispatcher.turn():
        await dispatcher.drain()


def from_pool(name: str, window: str = ALWAYS, campaign_name: str = "spring") -> str:
    return (
        f"version: 1\nname: {campaign_name}\naudience: {{contacts: people.csv}}\nsenders: {{pool: {name}}}\nwindow: {window}\n"
        "caps: {per_person_per_week: 9, per_account_per_day: 999, per_sender_per_day: 999}\n"
        f"steps:\n{indent(ONE_STEP.strip(), '  ')}\n"
    )


async def _ids(unit: Unit) -> dict[str, UUID]:
    return {m.address: m.id for m in await mailboxes(unit)}


async def _senders(database: Database, actor: Actor) -> Counter[str]:
    async with database.unit(actor.workspace_id) as unit:
        rows = await repository.touches(unit, TouchRow.state == TouchState.SENT.value)
        return Counter(row.sender for row in rows)


@postgres
async def test_a_pool_is_read_when_a_message_leaves(
    database: Database, workspace: Actor, post: Post, world: ManualClock
) -> None:
    """Filled, renamed and emptied while the campaign runs: who is in it takes part, and a person keeps the first."""
    await add_senders(database, workspace, post, limit=3)
    async with database.unit(workspace.workspace_id) as unit:
        ids = await _ids(unit)
        pool = await make_pool(unit, workspace, "North team")
        await fill_pool(unit, workspace, pool.id, [ids[SENDERS[0]]])
        await import_contacts(unit, workspace, people(8), file="people.csv")
        assert (await apply(unit, workspace, from_pool("North team"))).warnings == ()
        await launch(unit, workspace, "spring")
    world.move(DAY)
    await _drain(database)
    assert await _senders(database, workspace) == {SENDERS[0]: 3}
    async with database.unit(workspace.workspace_id) as unit:
        await fill_pool(unit, workspace, pool.id, list(ids.values()))
        await rename_pool(unit, workspace, pool.id, "Everybody")
    for _ in range(6):
        world.move(DAY / 2)
        await _drain(database)
    after = await _senders(database, workspace)
    assert after[SENDERS[1]] >= 1
    assert sum(after.values()) == 8
    async with database.unit(workspace.workspace_id) as unit:
        await fill_pool(unit, workspace, pool.id, [])
        assert (await pools(unit))[0].former == ("North team",)


@postgres
async def test_an_unknown_or_empty_pool_and_an_unknown_sender_are_told_with_their_line(
    unit: Unit, owner: Actor
) -> None:
    await import_contacts(unit, owner, people(1), file="people.csv")
    unknown = await apply(unit, owner, from_pool("nobody"))
    assert unknown.errors == ()
    assert [(w["line"], w["key"]) for w in unknown.warnings] == [(4, "senders.pool")]
    await make_pool(unit, owner, "nobody")
    (empty,) = (await apply(unit, owner, from_pool("nobody"))).warnings
    assert "is empty" in empty["message"]
    with pytest.raises(CadenzaError, match="nobody in the pool"):
        await launch(unit, owner, "spring")
    listed = document(name="listed").replace(
        "senders: {mailboxes: [anna@north.example, ben@south.example]}",
        "senders:\n  mailboxes:\n    - anna@north.example\n    - ben@south.example",
    )
    told = await apply(unit, owner, listed)
    assert [(w["line"], w["key"]) for w in told.warnings] == [
        (6, "senders.mailboxes"),
        (7, "senders.mailboxes"),
    ]


@postgres
async def test_what_runs_already_gets_no_sender_that_is_not_there(
    database: Database, workspace: Actor, post: Post
) -> None:
    await add_senders(database, workspace, post)
    async with database.unit(workspace.workspace_id) as unit:
        await import_contacts(unit, workspace, people(1), file="people.csv")
        await apply(unit, workspace, document())
        await launch(unit, workspace, "spring")
        refused = await apply(unit, workspace, document(senders=["nobody@north.example"]))
        assert [(e["line"], e["key"]) for e in refused.errors] == [(4, "senders.mailboxes")]
        assert (await campaign(unit, workspace, "spring")).version == 1


@postgres
@pytest.mark.must_not("M20")
async def test_name_and_signature_are_those_of_the_mailbox_that_sends(
    database: Database, workspace: Actor, post: Post, world: ManualClock
) -> None:
    steps = """
- id: intro
  variants: [{id: a, subject: "From {{ sender.name }}", text: "Hello.\\n\\n{{ sender.signature }}",
              html: "<p>Hello.</p>{{ sender.signature }}"}]
"""
    await add_senders(database, workspace, post)
    async with database.unit(workspace.workspace_id) as unit:
        for each in await mailboxes(unit):
            name = each.address.partition("@")[0].title()
            html = f"<p><b>{name}</b></p>" if name == "Anna" else None
            wanted = replace(
                settings_of(each),
                display_name=name,
                signature=f"{name} & Co\nsecond line",
                signature_html=html,
            )
            await change_sender(unit, workspace, each.id, wanted)
        await import_contacts(unit, workspace, people(6), file="people.csv")
        await apply(unit, workspace, document(steps))
        await launch(unit, workspace, "spring")
    world.move(DAY)
    await _drain(database)
    seen = set()
    for letter in post.letters():
        mail = message_from_bytes(letter.content, policy=SMTP)
        name = str(mail["From"]).partition(" <")[0]
        plain, html = (part.get_content() for part in mail.iter_parts())  # type: ignore[union-attr]
        assert mail["Subject"] == f"From {name}"
        assert f"{name} & Co\r\nsecond line" in plain.replace("\r\n", "\n").replace("\n", "\r\n")
        assert ("<p><b>Anna</b></p>" if name == "Anna" else "Ben &amp; Co<br>") in html
        seen.add(name)
    assert seen == {"Anna", "Ben"}


@postgres
async def test_a_touch_leaves_only_while_window_and_sender_hours_are_both_open(
    database: Database, workspace: Actor, post: Post, world: ManualClock
) -> None:
    """New York writes to Berlin: the two share the afternoon of Berlin."""
    hours = Window(start=time(9), end=time(12), zone="America/New_York", holidays=False)
    await add_senders(database, workspace, post)
    async with database.unit(workspace.workspace_id) as unit:
        for each in await mailboxes(unit):
            await change_sender(unit, workspace, each.id, replace(settings_of(each), hours=hours))
        report = await import_contacts(unit, workspace, people(12), file="people.csv")
        office = '{days: mon-fri, from: "08:30", to: "17:30", zone: recipient, holidays: none}'
        await apply(unit, workspace, document(window=office))
        await launch(unit, workspace, "spring")
        (planned,) = await plan(unit, workspace, contact_id=report.contact_ids[0], campaign_name="spring")
        assert time(15) <= datetime.fromisoformat(planned.local_time).time() < time(17, 30)
    reasons: set[str] = set()
    for _ in range(3 * 48):
        world.move(timedelta(minutes=30))
        await _drain(database)
        async with database.unit(workspace.workspace_id) as unit:
            reasons |= set((await status(unit, workspace, "spring")).waiting or {})
    async with database.unit(workspace.workspace_id) as unit:
        rows = await repository.touches(unit, TouchRow.state == TouchState.SENT.value)
    assert len(rows) == 12
    assert all(time(14) <= row.claimed_at.time() < time(16, 31) for row in rows)  # 15:00 to 17:30 in Berlin
    assert "sender: outside the working hours of every sender" in reasons


@postgres
async def test_hours_that_never_meet_are_told_at_the_launch(
    database: Database, workspace: Actor, post: Post
) -> None:
    night = Window(start=time(1), end=time(5), zone="Europe/Berlin", holidays=False)
    await add_senders(database, workspace, post)
    async with database.unit(workspace.workspace_id) as unit:
        for each in await mailboxes(unit):
            await change_sender(unit, workspace, each.id, replace(settings_of(each), hours=night))
        report = await import_contacts(unit, workspace, people(2), file="people.csv")
        office = '{days: mon-fri, from: "08:30", to: "17:30", zone: recipient, holidays: none}'
        await apply(unit, workspace, document(window=office))
        with pytest.raises(CadenzaError, match="2 in Europe/Berlin") as refused:
            await launch(unit, workspace, "spring")
        assert refused.value.code == "campaign_not_ready"
        (planned,) = await plan(unit, workspace, contact_id=report.contact_ids[0], campaign_name="spring")
        assert "do not meet" in planned.why


@postgres
@pytest.mark.asvs("2.3.4")
async def test_three_workers_keep_within_every_warm_up_and_the_touch_says_so(
    database: Database, workspace: Actor, post: Post, world: ManualClock
) -> None:
    await add_senders(database, workspace, post)
    world.move(timedelta(hours=6))
    async with database.unit(workspace.workspace_id) as unit:
        anna, ben = await mailboxes(unit)
        await change_sender(unit, workspace, anna.id, replace(settings_of(anna), ramp=Ramp(4, 2, 40)))
        await change_sender(unit, workspace, ben.id, replace(settings_of(ben), daily_limit=12))
        await import_contacts(unit, workspace, people(60), file="people.csv")
        await apply(unit, workspace, document())
        await launch(unit, workspace, "spring")
    world.move(DAY)
    await asyncio.gather(*(_drain(database) for _ in range(3)))
    await _drain(database)
    assert await _senders(database, workspace) == {anna.address: 4, ben.address: 12}
    async with database.unit(workspace.workspace_id) as unit:
        (touch, *_) = await repository.touches(unit, TouchRow.sender == anna.address)
        explained = await explain(unit, workspace, touch.id)
        told = await status(unit, workspace, "spring")
    sender = next(g for g in explained.touch.gates if g.gate == "sender")
    assert "of 4, its warm-up" in sender.why
    assert "its warm-up" in explained.decisions[0].reason
    assert any("limit for today" in why for why in told.waiting or {})
