"""Restored, cloned, promoted: sending stops by itself, and nobody is written to twice afterwards (faults 9, 33, 34)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from cadenza.core import holding
from cadenza.core.clock import ManualClock
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import choose_mode, place_of, recognise
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.operations.sending import compare, hold_of, release_sending
from cadenza.sandbox.smtp_server import Accepted, Provider
from tests.conftest import _admin, _named
from tests.support.campaigns import SENDERS, TWO_STEPS, document, people, running
from tests.support.post import Post, post_office

_DAY = timedelta(days=1)


async def _drain(database: Database) -> None:
    dispatcher = Dispatcher(database, Settings())
    while await dispatcher.turn():
        await dispatcher.drain()


async def _one(database: Database, statement: str, workspace: Actor | None = None) -> object:
    if workspace:
        async with database.unit(workspace.workspace_id) as unit:
            return (await unit.session.execute(text(statement))).scalar()
    async with database.installation() as session:
        return (await session.execute(text(statement))).scalar()


@dataclass
class Scene:
    """An installation that sends, and a copy of its database from before the second half left."""

    database: Database
    actor: Actor
    post: Post
    world: ManualClock
    server_url: str
    copies: list[Database]

    async def copy(self, secrets: SecretBox) -> Database:
        name = f"copy_{uuid4().hex}"
        await self.database.engine.dispose()
        _admin(self.server_url, f"create database {name} template {self._name}")
        made = Database(
            _named(self.server_url, name), secrets=secrets, machine=self.database.machine, world=self.world
        )
        self.copies.append(made)
        return made

    @property
    def _name(self) -> str:
        return self.database.url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
async def scene(
    database: Database, workspace: Actor, tmp_path: Path, world: ManualClock, server_url: str
) -> AsyncIterator[Scene]:
    async with post_office(tmp_path, world, SENDERS) as post:
        await running(database, workspace, post, document(TWO_STEPS), people(12))
        await recognise(database)
        made = Scene(database, workspace, post, world, server_url, [])
        yield made
        for each in made.copies:
            await each.close()
            _admin(server_url, f"drop database {each.url.partition('?')[0].rpartition('/')[2]} with (force)")


async def test_a_restored_copy_is_mute_and_then_writes_to_nobody_twice(
    scene: Scene, world: ManualClock, secrets: SecretBox
) -> None:
    world.move(_DAY)
    restored = await scene.copy(secrets)
    for _ in range(2):  # what the copy does not know: both steps of some, the first of all
        await _drain(scene.database)
        world.move(timedelta(hours=13))
    before = sum(scene.post.touches().values())
    assert before >= 12
    hold = await recognise(restored)
    assert hold
    assert hold.reason == "restored"
    await _drain(restored)
    assert sum(scene.post.touches().values()) == before, "a held installation sent"
    with pytest.raises(CadenzaError, match="not all compared"):
        await release_sending(restored, scene.actor)
    compared = await compare(restored)
    assert compared
    assert (compared.counted, compared.unreachable) == (before, ())
    assert (await compare(restored)).counted == 0  # type: ignore[union-attr]
    await release_sending(restored, scene.actor)
    assert await hold_of(restored) is None
    for _ in range(4):
        world.move(_DAY)
        await _drain(restored)
    assert set(scene.post.touches().values()) == {1}, "somebody was written to twice"
    assert len(scene.post.touches()) == 24
    entry = await _one(
        restored, "select actor from audit_entries where action = 'release_sending'", scene.actor
    )
    assert entry == "Test owner"


async def test_copies_whose_marks_the_provider_dropped_count_by_their_recipient(
    scene: Scene, world: ManualClock, secrets: SecretBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_marks(self: Provider, entry: Accepted) -> None:
        lines = entry.content.split(b"\r\n")
        kept = [line for line in lines if not line.startswith((b"X-Cadenza-Touch", b"Message-ID"))]
        altered = b"\r\n".join([b"Message-ID: <new@provider.example>", *kept])
        sent = self._store.account(entry.sender).folders["Sent"]
        sent.append_once(f"ledger {entry.number}", altered, self._store.now(), ("\\Seen",))

    monkeypatch.setattr(Provider, "file_sent", without_marks)
    world.move(_DAY)
    restored = await scene.copy(secrets)
    await _drain(scene.database)
    assert len(scene.post.letters()) == 12
    await recognise(restored)
    assert (await compare(restored)).counted == 12  # type: ignore[union-attr]
    assert (await compare(restored)).counted == 0  # type: ignore[union-attr]
    await release_sending(restored, scene.actor)
    await _drain(restored)
    assert len(scene.post.letters()) == 12, "the first step left again"
    for _ in range(4):
        world.move(_DAY)
        await _drain(restored)
    assert set(scene.post.touches().values()) == {1}


async def test_a_mailbox_that_cannot_be_asked_keeps_the_hold(scene: Scene) -> None:
    await holding.hold(scene.database)
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        await unit.session.execute(text("update mailboxes set imap_port = 9 where address like 'anna%'"))
    compared = await compare(scene.database)
    assert compared
    assert compared.unreachable == ("anna@north.example",)
    with pytest.raises(CadenzaError, match="not all compared"):
        await release_sending(scene.database, scene.actor)
    await release_sending(scene.database, scene.actor, without_comparing=True)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP, Role.READ_ONLY])
@pytest.mark.asvs("8.3.1")
async def test_only_owners_and_operators_release(database: Database, workspace: Actor, role: Role) -> None:
    await holding.hold(database)
    with pytest.raises(CadenzaError, match="may not let sending go on"):
        await release_sending(
            database, Actor(workspace.workspace_id, role, Origin.PAGE), without_comparing=True
        )
    assert await hold_of(database)


async def test_data_that_was_copied_with_its_folder_is_held(database: Database, tmp_path: Path) -> None:
    home, clone = tmp_path / "home", tmp_path / "clone"
    home.mkdir()
    assert await recognise(database, home) is None
    assert await recognise(database, home) is None
    (clone).mkdir()
    (clone / holding.MARKER).write_bytes((home / holding.MARKER).read_bytes())
    assert place_of(home) != place_of(clone)
    hold = await recognise(database, clone)
    assert hold
    assert hold.reason == "cloned"
    assert await recognise(database, clone), "a second start does not end the hold"


async def test_a_promoted_standby_holds_unless_it_had_every_commit(
    database: Database, machine: ManualClock
) -> None:
    await recognise(database)
    assert await _one(database, "select sending_allowed()") is True
    async with database.installation() as session:
        await session.execute(text("update installation set timeline = '00000009', synchronous = true"))
    assert await _one(database, "select sending_allowed()") is False, "not until it was looked at"
    assert await recognise(database) is None
    assert await _one(database, "select sending_allowed()") is True
    seen = machine.now()
    machine.move(timedelta(hours=1))
    async with database.installation() as session:
        await session.execute(text("update installation set timeline = '00000009', synchronous = false"))
    hold = await recognise(database)
    assert hold
    assert hold.reason == "failover"
    assert hold.lost_from < seen
    assert await _one(database, "select sending_allowed()") is False


async def test_a_sandbox_stays_one(database: Database) -> None:
    await choose_mode(database, "sandbox")
    await choose_mode(database, "sandbox")
    with pytest.raises(CadenzaError, match="sandbox installation and cannot become a production one"):
        await choose_mode(database, "production")
