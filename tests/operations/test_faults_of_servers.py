"""The disk fills, the primary dies: faults 8, 9, 11 and 14 of the plan, with real servers."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cadenza.core import room
from cadenza.core.clock import ManualClock
from cadenza.core.connecting import connection_arguments
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import recognise
from cadenza.core.installation import Access, bring_up
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.room import look_for_room, require_room
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher
from cadenza.identity.contracts import Actor
from cadenza.operations.backup_database import environment, program
from tests.support.campaigns import SENDERS, document, people, running
from tests.support.post import post_office

_PLENTY, _LITTLE = 100_000_000_000, 10_000_000


async def test_a_nearly_full_disk_stops_new_work_and_lets_it_go_on_by_itself(
    database: Database, workspace: Actor, world: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = _LITTLE
    monkeypatch.setattr(room, "free_bytes", lambda _: free)
    async with post_office(tmp_path, world, SENDERS) as post:
        await running(database, workspace, post, document(), people(6))
        world.move(timedelta(days=1))
        dispatcher = Dispatcher(database, Settings())
        await look_for_room(database, Settings(home=tmp_path))
        assert await dispatcher.turn() == 0
        with pytest.raises(CadenzaError, match="disk is nearly full"):
            require_room(database)
        async with database.unit(workspace.workspace_id) as unit:
            assert await unit.session.scalar(text("select count(*) from contacts")) == 6, "reading goes on"
        free = _PLENTY
        await look_for_room(database, Settings(home=tmp_path))
        require_room(database)
        while await dispatcher.turn():
            await dispatcher.drain()
        assert len(post.letters()) == 6


def test_free_space_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    assert room.free_bytes(tmp_path / "not" / "yet") == pytest.approx(
        shutil.disk_usage(tmp_path).free, rel=0.1
    )


@dataclass
class Pair:
    """A primary, and a standby that follows it."""

    first: EmbeddedServer
    second: EmbeddedServer

    @property
    def url(self) -> str:
        """Of the application, naming both; whichever takes writes is used."""
        sockets = ",".join(
            quote(connection_arguments(s.url)["host"], safe="/") for s in (self.first, self.second)
        )
        return self.first.application_url.partition("?")[0] + f"?host={sockets}"

    def kill_and_promote(self) -> None:
        process = self.first._process
        assert process is not None
        os.kill(process.pid, signal.SIGQUIT)
        process.wait()
        with psycopg.connect(**connection_arguments(self.second.url), autocommit=True) as connection:
            connection.execute("select pg_promote(true, 30)")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory(prefix="cadenza-pair-") as folder:
        Path(folder).chmod(0o755)
        first, second = (
            EmbeddedServer(Path(folder) / name, {"fsync": "off"}) for name in ("first", "second")
        )
        with first:
            bring_up(Access(first.url, first.application_url))
            _follow(first, second)
            with second:
                yield Pair(first, second)


def _follow(first: EmbeddedServer, second: EmbeddedServer) -> None:
    """A standby beside it, from a base copy, with the same passwords."""
    second.folder.mkdir()
    for name in ("password", "password.application"):
        shutil.copy(first.folder / name, second.folder / name)
    copy = [program("pg_basebackup"), "--pgdata", second.data, "--write-recovery-conf", "--checkpoint=fast"]
    subprocess.run(copy, check=True, capture_output=True, env=environment(first.url))
    second.own(second.data, 0o700)
    if second.user:
        for path in second.data.rglob("*"):
            os.chown(path, second.user.pw_uid, second.user.pw_gid)


@pytest.fixture
async def followed(pair: Pair, secrets: SecretBox) -> AsyncIterator[Database]:
    database = Database(pair.url, secrets=secrets)
    yield database
    await database.close()


async def _allowed(database: Database) -> bool:
    async with database.installation() as session:
        return bool((await session.execute(text("select sending_allowed()"))).scalar_one())


async def _after(database: Database, seconds: float) -> bool:
    """Whether the survivor lets send, as soon as it answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            return await _allowed(database)
        except DBAPIError:
            await asyncio.sleep(0.1)
    raise AssertionError("the failover was not followed")


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("synchronous", [True, False])
async def test_a_failover_is_followed_and_holds_only_what_may_be_lost(
    pair: Pair, followed: Database, synchronous: bool
) -> None:
    if synchronous:
        with psycopg.connect(**connection_arguments(pair.first.url), autocommit=True) as owner:
            owner.execute("alter system set synchronous_standby_names = '*'")
            owner.execute("select pg_reload_conf()")
    await asyncio.sleep(0.3)
    assert await recognise(followed) is None
    assert await _allowed(followed)
    pair.kill_and_promote()
    began = time.monotonic()
    assert await _after(followed, 60) is False, "nothing is sent before it was looked at"
    hold = await recognise(followed)
    assert time.monotonic() - began < 30
    if synchronous:
        assert hold is None
        assert await _allowed(followed)
    else:
        assert hold
        assert hold.reason == "failover"
        assert not await _allowed(followed)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_an_old_primary_that_returns_is_not_written_to(pair: Pair, followed: Database) -> None:
    await recognise(followed)
    pair.kill_and_promote()
    await _after(followed, 60)
    await recognise(followed)
    await asyncio.sleep(1.5)
    pair.first.stop()
    pair.first.start()
    await followed.engine.dispose()
    for database in (
        followed,
        Database(pair.url, secrets=followed.secrets),
    ):  # one that knew, and one that starts now
        async with database.installation() as session:
            await session.execute(text("update installation set seen_at = now()"))
            where = text("select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
            assert (await session.execute(where)).scalar_one() == "00000002"
        await database.close()
    alone = Database(pair.first.application_url, secrets=followed.secrets)
    async with alone.installation() as session:
        old = (
            await session.execute(text("select seen_at < now() - interval '1 second' from installation"))
        ).scalar_one()
    await alone.close()
    assert old, "the old primary was written to"
