"""Any moment since a backup comes back, from encrypted pieces, with sending held (fault 33)."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from cadenza.core.connecting import connection_arguments
from cadenza.core.crypto import secret_box
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import recognise
from cadenza.core.installation import Access, bring_up
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.settings import Settings
from cadenza.operations import archive, backups

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PERSON = "Zwetschgenbaum"


@dataclass
class Home:
    settings: Settings

    @property
    def server(self) -> EmbeddedServer:
        return EmbeddedServer(self.settings.home / "database", {"fsync": "off"}, archive=True)

    def names(self, url: str) -> list[str]:
        with closing(psycopg.connect(**connection_arguments(url))) as connection:
            return [name for (name,) in connection.execute("select name from workspaces order by created_at")]

    async def sealed(self, url: str) -> int:
        """Finish the current piece of log, and take all of them to the backups."""
        with closing(psycopg.connect(**connection_arguments(url), autocommit=True)) as connection:
            connection.execute("update installation set seen_at = clock_timestamp()")
            (piece,) = connection.execute("select pg_walfile_name(pg_current_wal_lsn())").fetchone() or ("",)
            connection.execute("select pg_switch_wal()")
        for _ in range(200):
            if (self.server.spool / piece).exists():
                return archive.ship(self.settings)
            await asyncio.sleep(0.1)
        raise AssertionError(f"{piece} was not archived")


def _found(url: str, name: str) -> datetime:
    """A workspace of this name, and a moment right after it was committed."""
    with closing(psycopg.connect(**connection_arguments(url), autocommit=True)) as connection:
        connection.execute(
            "insert into workspaces (id, name, slug, created_at) values (gen_random_uuid(), %s, %s, clock_timestamp())",
            [f"{PERSON} {name}", name],
        )
        (moment,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
    assert isinstance(moment, datetime)
    return moment


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    with tempfile.TemporaryDirectory(prefix="cadenza-archive-") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(home=Path(folder), continuous_archive=True)
        secret_box(settings)
        yield Home(settings)


@pytest.mark.asvs("14.2.4")
async def test_a_moment_between_two_changes_comes_back(home: Home) -> None:
    with home.server as server:
        bring_up(Access(server.url, server.application_url))
        _found(server.url, "old")
        made = await backups.create(home.settings, server.url)
        before = _found(server.url, "before")
        await asyncio.sleep(0.2)
        _found(server.url, "after")
        assert await home.sealed(server.url) >= 1
        assert list(server.spool.iterdir()) == [], "pieces stay in clear"
        names = home.names(server.url)
    pieces = list(archive.wal_folder(made.folder.parent).glob("*.age"))
    assert pieces
    assert not any(PERSON.encode() in path.read_bytes() for path in [*pieces, *made.folder.iterdir()])
    moment = before + timedelta(seconds=0.1)
    with pytest.raises(CadenzaError, match="data here already"):
        await backups.restore_moment(home.settings, made.folder, moment)
    restored = await backups.restore_moment(home.settings, made.folder, moment, replace_data=True)
    assert restored.kept
    assert Path(restored.kept).exists()
    assert not (home.settings.home / "database" / "wal-restoring").exists()
    with home.server as server:
        assert home.names(server.url) == names[:2]
        database = Database(server.application_url, secrets=secret_box(home.settings))
        hold = await recognise(database)
        assert hold
        assert hold.reason in ("restored", "failover")
        assert hold.lost_from < before
        await database.close()
        _found(server.url, "new line of history")
        assert (await backups.create(home.settings, server.url)).manifest.tables["workspaces"].rows == 3


async def test_a_moment_that_cannot_be_reached_leaves_everything_as_it_was(home: Home) -> None:
    with home.server as server:
        bring_up(Access(server.url, server.application_url))
        now = _found(server.url, "old")
        made = await backups.create(home.settings, server.url)
        await home.sealed(server.url)
    with pytest.raises(CadenzaError, match="could not be reached") as refused:
        await backups.restore_moment(home.settings, made.folder, now + timedelta(days=1), replace_data=True)
    assert "Everything is as it was" in refused.value.fix
    with home.server as server:
        assert home.names(server.url) == [f"{PERSON} old"]


async def test_pieces_that_no_kept_backup_needs_are_dropped(home: Home) -> None:
    with home.server as server:
        bring_up(Access(server.url, server.application_url))
        first = await backups.create(home.settings, server.url)
        await home.sealed(server.url)
        _found(server.url, "later")
        second = await backups.create(home.settings, server.url)
        await home.sealed(server.url)
        folder = archive.wal_folder(first.folder.parent)
        assert any(path.name < second.manifest.wal_from for path in folder.glob("*.age"))
        third = await backups.create(home.settings, server.url, keep=1)
        assert backups.folders(home.settings) == [third.folder]
        assert all(path.name[:24] >= third.manifest.wal_from for path in folder.glob("*.age"))
