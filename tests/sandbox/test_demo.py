import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cadenza.campaigns.contracts import CampaignState
from cadenza.campaigns.service import campaign, preview
from cadenza.channels.service import credentials, mailboxes, test_mailbox
from cadenza.core.clock import ManualClock, WorldClock
from cadenza.core.database import Database
from cadenza.core.installation import read_anchor
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import workspaces
from cadenza.sandbox import demo
from cadenza.sandbox.service import demo_login, open_state, serve

test_mailbox.__test__ = False  # type: ignore[attr-defined] - a door, whatever pytest thinks of its name


@pytest.fixture
def database(database: Database, machine: ManualClock) -> Database:
    database.world = WorldClock(machine)
    return database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


async def until_ready(database: Database, settings: Settings) -> tuple[str, str]:
    running = asyncio.create_task(serve(database, settings))
    waiting = asyncio.create_task(demo_login(settings.home))
    done, _ = await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    try:
        if running in done:
            running.result()
        return waiting.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_first_start_makes_the_demo_and_later_ones_leave_it(
    database: Database, settings: Settings, machine: ManualClock
) -> None:
    login = await until_ready(database, settings)
    (workspace,) = await workspaces(database)
    actor = Actor(workspace.id, Role.OWNER, Origin.JOB)
    async with database.unit(workspace.id) as unit:
        boxes = await mailboxes(unit)
        assert [box.address for box in boxes] == sorted(demo.MAILBOXES)
        found = await campaign(unit, actor, "Spring stoppages")
        assert found.state is CampaignState.DRAFT
        assert [len(step.variants) for step in found.definition.steps] == [2, 2, 1]
        ids = (await unit.session.scalars(text("select id from contacts"))).all()
        assert len(ids) == 200
        shown = await preview(unit, actor, found.name, ids[0])
        assert len(shown) == 5
        assert all("{" not in part.rendered.text for part in shown)
    anchor = await read_anchor(database)
    assert anchor is not None
    assert anchor.world == datetime(2026, 3, 2, 6, 30, tzinfo=UTC)

    machine.move(timedelta(minutes=1))
    assert await until_ready(database, settings) == login
    assert await read_anchor(database) == anchor
    async with database.unit(workspace.id) as unit:
        assert await mailboxes(unit) == boxes
    assert len(await workspaces(database)) == 1


async def test_the_demo_s_mailboxes_work(database: Database, settings: Settings) -> None:
    running = asyncio.create_task(serve(database, settings))
    await demo_login(settings.home)
    (workspace,) = await workspaces(database)
    async with database.unit(workspace.id) as unit:
        found = await mailboxes(unit)
    for box in found:
        secret = await credentials(database, workspace.id, box.id)
        tested = await test_mailbox(box.address, box.smtp, box.imap, secret)
        assert tested.ok, tested.detail
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_start_that_was_cut_off_is_finished_by_the_next(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(demo, "_fill", cut)
    with pytest.raises(RuntimeError):
        await until_ready(database, settings)
    note = json.loads((settings.home / "sandbox" / "demo.json").read_text())
    assert not note["ready"]
    monkeypatch.undo()
    assert await until_ready(database, settings) == (note["email"], note["password"])
    assert len(await workspaces(database)) == 1


def test_secrets_of_the_sandbox_are_for_its_owner_alone(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    assert state.path.stat().st_mode & 0o077 == 0
    assert len(set(state.passwords.values())) == 3
