"""Handing people over to another sender: a person's say, told and audited, and the conversation goes on where it was."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from cadenza.channels.contracts import Mailbox, MailboxState
from cadenza.channels.service import mailboxes, pause_sender, resume_sender, set_state
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import Settings
from cadenza.engine.handing_over import hand_over, people_of
from cadenza.engine.service import Dispatcher, status
from cadenza.identity.contracts import Actor, Role
from tests.support.campaigns import SENDERS, TWO_STEPS, document, people, running
from tests.support.post import Post

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)
_PEOPLE = 6


async def _drain(database: Database, settings: Settings) -> None:
    dispatcher = Dispatcher(database, settings)
    while await dispatcher.turn():
        await dispatcher.drain()


async def _boxes(database: Database, actor: Actor) -> tuple[Mailbox, Mailbox]:
    async with database.unit(actor.workspace_id) as unit:
        anna, ben = await mailboxes(unit, SENDERS)
    return anna, ben


@pytest.fixture
async def begun(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings
) -> tuple[Mailbox, Mailbox]:
    """Everybody got the first step; Anna, who wrote to half of them, is paused before the second."""
    await running(database, workspace, post, document(TWO_STEPS), people(_PEOPLE))
    world.move(DAY)
    await _drain(database, quick)
    anna, ben = await _boxes(database, workspace)
    async with database.unit(workspace.workspace_id) as unit:
        await pause_sender(unit, workspace, anna.id)
        assert await people_of(unit, anna.id) == await people_of(unit, ben.id) == _PEOPLE // 2
    return anna, ben


def _letters(post: Post) -> list[EmailMessage]:
    return [cast("EmailMessage", message_from_bytes(each.content, policy=SMTP)) for each in post.letters()]


async def _rows(database: Database, actor: Actor, query: str) -> list[str]:
    async with database.unit(actor.workspace_id) as unit:
        return list(await unit.session.scalars(text(query)))


async def _kept(database: Database, actor: Actor) -> list[str]:
    """Who writes to whom, what was decided and what was audited about it."""
    return [
        *await _rows(database, actor, "select id || ' ' || mailbox_id from enrolments order by id"),
        *await _rows(database, actor, "select action from audit_entries where action = 'sender_handed_over'"),
    ]


async def test_nobody_is_handed_over_by_itself(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, begun: tuple[Mailbox, Mailbox]
) -> None:  # fmt: skip
    before = await _kept(database, workspace)
    for _ in range(6):
        world.move(DAY)
        await _drain(database, quick)
    senders = [str(mail["From"]) for mail in _letters(post)[_PEOPLE:]]
    assert len(senders) == _PEOPLE // 2
    assert all(SENDERS[1] in each for each in senders)
    assert await _kept(database, workspace) == before
    anna, _ = begun
    async with database.unit(workspace.workspace_id) as unit:
        waiting = (await status(unit, workspace, "spring")).waiting or {}
        assert any("who wrote to this person before, cannot send now" in why for why in waiting)
        await resume_sender(unit, workspace, anna.id)
    world.move(DAY)
    await _drain(database, quick)
    assert sum(SENDERS[0] in str(mail["From"]) for mail in _letters(post)) == _PEOPLE


async def test_the_heir_goes_on_in_the_same_thread_and_it_is_audited(
    database: Database, workspace: Actor, post: Post, world: ManualClock, quick: Settings, begun: tuple[Mailbox, Mailbox]
) -> None:  # fmt: skip
    anna, ben = begun
    async with database.unit(workspace.workspace_id) as unit:
        assert await hand_over(unit, workspace, anna.id, ben.id) == _PEOPLE // 2
        assert (await people_of(unit, anna.id), await people_of(unit, ben.id)) == (0, _PEOPLE)
        assert await hand_over(unit, workspace, anna.id, ben.id) == 0  # there is nobody left
    for _ in range(4):
        world.move(DAY)
        await _drain(database, quick)
    letters = _letters(post)
    first = {str(mail["To"]): mail for mail in letters[:_PEOPLE]}
    later = {str(mail["To"]): mail for mail in letters[_PEOPLE:]}
    assert first.keys() == later.keys()
    changed = [to for to, mail in first.items() if SENDERS[0] in str(mail["From"])]
    assert len(changed) == _PEOPLE // 2
    for to, mail in later.items():
        assert SENDERS[1] in str(mail["From"])
        assert mail["In-Reply-To"] == first[to]["Message-ID"]
        assert mail["Subject"] == f"Re: {first[to]['Subject']}"
    audited = await _rows(
        database, workspace, "select data->>'to' || ' ' || (data->>'sequences') || ' ' || subject from audit_entries "
        "where action = 'sender_handed_over' order by at, id",
    )  # fmt: skip
    assert sorted(audited) == [f"{SENDERS[1]} 0 {SENDERS[0]}", f"{SENDERS[1]} 3 {SENDERS[0]}"]
    reasons = await _rows(database, workspace, "select reason from decisions where policy = 'hand_over'")
    assert reasons == [f"handed over from {SENDERS[0]} by {workspace.name}"] * (_PEOPLE // 2)


async def test_what_is_refused_hands_nobody_over(
    database: Database, workspace: Actor, begun: tuple[Mailbox, Mailbox]
) -> None:
    anna, ben = begun
    before = await _kept(database, workspace)
    owner, reader = workspace, replace(workspace, role=Role.READ_ONLY)
    cases: list[tuple[Actor, UUID, UUID, Kind]] = [
        (owner, anna.id, anna.id, Kind.INVALID),
        (owner, ben.id, anna.id, Kind.CONFLICT),  # Anna is paused
        (owner, anna.id, uuid4(), Kind.NOT_FOUND),
        (owner, uuid4(), ben.id, Kind.NOT_FOUND),
        (reader, anna.id, ben.id, Kind.NOT_ALLOWED),
    ]
    for actor, source, to, kind in cases:
        with pytest.raises(CadenzaError) as refused:
            async with database.unit(workspace.workspace_id) as unit:
                await hand_over(unit, actor, source, to)
        assert refused.value.kind is kind
        if kind in {Kind.INVALID, Kind.CONFLICT}:
            assert refused.value.fix
    async with database.unit(workspace.workspace_id) as unit:
        await set_state(unit, ben.id, MailboxState.BROKEN, "535 no")
    with pytest.raises(CadenzaError, match="cannot send"):
        async with database.unit(workspace.workspace_id) as unit:
            await hand_over(unit, workspace, anna.id, ben.id)
    assert await _kept(database, workspace) == before


async def test_another_workspace_hands_over_nobody_of_ours(
    database: Database, workspace: Actor, begun: tuple[Mailbox, Mailbox]
) -> None:
    anna, ben = begun
    before = await _kept(database, workspace)
    stranger = Actor(uuid4(), Role.OWNER, workspace.origin, name="stranger")
    with pytest.raises(CadenzaError) as refused:
        async with database.unit(stranger.workspace_id) as unit:
            await hand_over(unit, stranger, anna.id, ben.id)
    assert refused.value.kind is Kind.NOT_FOUND
    assert await _kept(database, workspace) == before
