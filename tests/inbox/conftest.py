from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cadenza.channels.contracts import Credentials
from cadenza.channels.service import ImapReader, mailboxes
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from cadenza.identity.contracts import Actor
from cadenza.inbox.analysis import analyse
from cadenza.inbox.reader import read_once
from tests.support.campaigns import SENDERS
from tests.support.post import PASSWORD, Post, post_office


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, SENDERS) as office:
        yield office


@pytest.fixture
def send(database: Database) -> Callable[[], Coroutine[Any, Any, None]]:
    """Let everything that is due leave."""

    async def drain() -> None:
        dispatcher = Dispatcher(database, Settings())
        while await dispatcher.turn():
            await dispatcher.drain()

    return drain


@pytest.fixture
def fetch(database: Database, workspace: Actor) -> Callable[[], Coroutine[Any, Any, int]]:
    """Read every mailbox once and analyse what was taken in, as the worker does."""

    async def read() -> int:
        async with database.unit(workspace.workspace_id) as unit:
            boxes = await mailboxes(unit)
        taken = 0
        for box in boxes:
            async with ImapReader(box.imap, Credentials(box.address, PASSWORD)) as reader:
                taken += await read_once(database, box, reader)
        await _analyse(database, workspace)
        return taken

    return read


async def _analyse(database: Database, workspace: Actor) -> None:
    from sqlalchemy import text

    async with database.unit(workspace.workspace_id) as unit:
        jobs = list(await unit.session.execute(text("select args from procrastinate_jobs where status = 'todo' order by id")))
    for (arguments,) in jobs:
        await analyse(database, **arguments)
