"""A message to oneself: it arrives, and nothing else is different afterwards but one of the mailbox's day."""

from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from cadenza.audience.service import import_contacts
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import MailboxState
from cadenza.channels.service import mailboxes, set_state, try_mailbox
from cadenza.channels.trial import Letter
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import hold
from cadenza.engine.reconciling import read_copy
from cadenza.engine.trial import Text, try_text
from cadenza.identity.contracts import Actor, Role
from tests.support.campaigns import SENDERS, TWO_STEPS, add_senders, document, people
from tests.support.inbox import read_mail
from tests.support.post import Post, post_office

ANNA, BEN = SENDERS
_COUNTED = (
    "touches",
    "events",
    "conversations",
    "messages",
    "enrolments",
    "decisions",
    "work_items",
    "suppressions",
)


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock, database: Database, workspace: Actor):  # type: ignore[no-untyped-def] # noqa: ANN201
    async with post_office(tmp_path, world, SENDERS) as made:
        await add_senders(database, workspace, made)
        yield made


async def counts(database: Database, actor: Actor) -> dict[str, int]:
    async with database.unit(actor.workspace_id) as unit:
        return {
            name: (await unit.session.execute(text(f"select count(*) from {name}"))).scalar_one()
            for name in _COUNTED
        }


async def ids(database: Database, actor: Actor) -> dict[str, object]:
    async with database.unit(actor.workspace_id) as unit:
        return {box.address: box.id for box in await mailboxes(unit)}


async def used(database: Database, actor: Actor) -> int:
    async with database.unit(actor.workspace_id) as unit:
        query = text("select coalesce(sum(amount), 0) from send_counters where scope = 'mailbox'")
        return int((await unit.session.execute(query)).scalar_one())


async def test_it_arrives_marked_and_counts_nowhere_but_in_the_day(
    post: Post, database: Database, workspace: Actor
) -> None:
    boxes, before = await ids(database, workspace), await counts(database, workspace)
    for to, recipient in ((None, ANNA), (BEN.upper(), BEN)):
        trial = await try_mailbox(database, workspace, boxes[ANNA], to=to)  # type: ignore[arg-type]
        assert (trial.ok, trial.recipient) == (True, recipient)
        assert trial.detail.startswith("250 ")
    letters = post.letters()
    assert [letter.recipient for letter in letters] == [ANNA, BEN]
    mail = message_from_bytes(letters[0].content)
    assert mail["X-Cadenza-Trial"]
    assert mail["X-Cadenza-Touch"] is None
    assert await read_mail(database, workspace) == 0, "and starts no conversation where it arrives"
    assert await counts(database, workspace) == before
    assert await used(database, workspace) == 2


async def test_a_restore_does_not_take_it_for_a_step(
    post: Post, database: Database, workspace: Actor
) -> None:
    boxes = await ids(database, workspace)
    await try_mailbox(database, workspace, boxes[ANNA], to=BEN)  # type: ignore[arg-type]
    (letter,) = post.letters()
    assert read_copy(letter.content, None) == []
    assert read_copy(letter.content.replace(b"X-Cadenza-Trial", b"X-Other"), None) != []


async def test_it_goes_to_nobody_else(post: Post, database: Database, workspace: Actor) -> None:
    boxes = await ids(database, workspace)
    for other in (
        "prospect@firm.example",
        f"{ANNA}, prospect@firm.example",
        "anna@north.example.evil.example",
        "x\r\ny",
    ):
        with pytest.raises(CadenzaError) as refused:
            await try_mailbox(database, workspace, boxes[ANNA], to=other)  # type: ignore[arg-type]
        assert refused.value.code == "trial_to_others"
    assert post.letters() == []


async def test_the_day_s_limit_and_a_hold_count_for_it_too(
    post: Post, database: Database, workspace: Actor
) -> None:
    boxes = await ids(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set daily_limit = 1"))
    assert (await try_mailbox(database, workspace, boxes[ANNA])).ok  # type: ignore[arg-type]
    with pytest.raises(CadenzaError) as full:
        await try_mailbox(database, workspace, boxes[ANNA])  # type: ignore[arg-type]
    assert full.value.code == "limit_reached"
    await hold(database)
    with pytest.raises(CadenzaError) as held:
        await try_mailbox(database, workspace, boxes[BEN])  # type: ignore[arg-type]
    assert held.value.code == "sending_held"
    assert len(post.letters()) == 1


@pytest.mark.asvs("8.2.2", "8.3.1")
async def test_it_asks_for_the_right_and_the_mailbox(
    post: Post, database: Database, workspace: Actor
) -> None:
    boxes = await ids(database, workspace)
    for role in (Role.MANAGER, Role.REP, Role.READ_ONLY):
        with pytest.raises(CadenzaError) as refused:
            await try_mailbox(database, replace(workspace, role=role), boxes[ANNA])  # type: ignore[arg-type]
        assert refused.value.code == "not_allowed"
    with pytest.raises(CadenzaError) as missing:
        await try_mailbox(database, workspace, uuid4())
    assert missing.value.code == "mailbox_not_found"
    assert post.letters() == []


async def test_what_the_relay_refuses_is_said(post: Post, database: Database, workspace: Actor) -> None:
    boxes = await ids(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set smtp_port = 9"))
    trial = await try_mailbox(database, workspace, boxes[ANNA], letter=Letter("Hello", "x"))  # type: ignore[arg-type]
    assert not trial.ok
    assert trial.detail
    assert post.letters() == []


async def test_a_text_of_a_campaign_is_read_as_this_person_would(
    post: Post, database: Database, workspace: Actor
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        report = await import_contacts(unit, workspace, people(2), file="people.csv")
        assert (await apply(unit, workspace, document(TWO_STEPS))).errors == ()
        box = (await mailboxes(unit, [ANNA]))[0]
        await set_state(unit, box.id, MailboxState.BROKEN, "no")
    before, person = await counts(database, workspace), report.contact_ids[1]
    manager = replace(workspace, role=Role.MANAGER)
    for step, subject in (("intro", "Hello First1"), ("follow", "Re: Hello First1")):
        trial = await try_text(database, manager, Text("spring", person, step, "a"), to=BEN)
        assert trial.ok, trial.detail
        assert trial.sender == BEN, "the first that can send"
        mail = message_from_bytes(post.letters()[-1].content)
        assert mail["Subject"] == subject
        assert mail["To"] == BEN
        assert "p1@firm1.example" not in post.letters()[-1].content.decode()
    assert await counts(database, workspace) == before
    with pytest.raises(CadenzaError) as refused:
        await try_text(database, replace(workspace, role=Role.REP), Text("spring", person))
    assert refused.value.code == "not_allowed"
    with pytest.raises(CadenzaError) as missing:
        await try_text(database, workspace, Text("spring", person, "nowhere"))
    assert missing.value.code == "text_not_found"
