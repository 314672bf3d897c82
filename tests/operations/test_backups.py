"""Backups: encrypted, whole or refused, equal after the way back, and mute until somebody looked (faults 34, 35)."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from cadenza.audience.service import import_contacts
from cadenza.channels.contracts import Server, Tls
from cadenza.channels.service import NewMailbox, add_mailbox, credentials, mailboxes
from cadenza.core.connecting import connection_arguments
from cadenza.core.crypto import secret_box
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.installation import Access, bring_up
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace
from cadenza.operations import backups
from cadenza.operations.backup_files import KEY_FILE
from tests.support.shell import Shell

CANARY = "canary-of-the-mailbox-password"
PERSON = "Zwetschgenbaum"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="cadenza-backups-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "database", {"fsync": "off"}) as running:
            bring_up(Access(running.url, running.application_url))
            yield running


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
async def filled(server: EmbeddedServer, settings: Settings) -> Actor:
    database = Database(server.application_url, secrets=secret_box(settings))
    workspace, _ = await create_workspace(
        database,
        "Halden",
        owner_email="n@halden.example",
        owner_name="Nora",
        password="a long password of ours",
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="test")
    here = Server("127.0.0.1", 9, Tls.NONE)
    async with database.unit(workspace.id) as unit:
        await add_mailbox(
            unit, actor, NewMailbox(address="a@halden.example", smtp=here, imap=here, user="a"), CANARY
        )
        rows = [f"p{n}@firm.example,{PERSON} {n},DE" for n in range(300)]
        await import_contacts(
            unit, actor, "\n".join(["email,last_name,country", *rows]).encode(), file="p.csv"
        )
    await database.close()
    return actor


@pytest.fixture(scope="module")
async def made(server: EmbeddedServer, settings: Settings, filled: Actor) -> backups.Made:
    assert filled
    return await backups.create(settings, server.url)


@pytest.fixture
def altered(made: backups.Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.folder, tmp_path / made.folder.name))


def _databases(server: EmbeddedServer) -> set[str]:
    with closing(psycopg.connect(**connection_arguments(server.url))) as connection:
        return {name for (name,) in connection.execute("select datname from pg_database")}


async def test_a_backup_comes_back_equal(
    server: EmbeddedServer, settings: Settings, made: backups.Made
) -> None:
    assert made.manifest.tables["contacts"].rows == 300
    assert made.manifest.tables["installation"].rows == 1
    assert made.recovery_key
    assert made.recovery_key.startswith("AGE-SECRET-KEY-")
    assert (settings.home / KEY_FILE).stat().st_mode & 0o077 == 0
    before = _databases(server)
    verified = await backups.verify(settings, server.url, made.folder)
    assert verified.manifest == made.manifest
    assert _databases(server) == before, "the scratch database was left behind"
    assert (await backups.create(settings, server.url)).recovery_key is None


@pytest.mark.asvs("14.2.4", "13.3.1")
async def test_a_backup_holds_no_plaintext_and_opens_with_its_key_only(
    server: EmbeddedServer, settings: Settings, made: backups.Made, tmp_path: Path
) -> None:
    keys = json.loads((settings.home / "keys.json").read_text()).values()
    content = b"".join(path.read_bytes() for path in made.folder.iterdir())
    for secret in (CANARY, PERSON, "contacts", "installation", *keys):
        assert secret.encode() not in content, secret
    other = tmp_path / "other.key"
    other.write_text(str(backups.x25519.Identity.generate()))
    with pytest.raises(CadenzaError, match="another key"):
        await backups.verify(settings, server.url, made.folder, other)
    with pytest.raises(CadenzaError, match="holds no recovery key"):
        await backups.verify(settings, server.url, made.folder, _file(tmp_path))


def _file(folder: Path) -> Path:
    path = folder / "nothing.key"
    path.write_text("nothing")
    return path


@pytest.mark.parametrize("name", ["database.age", "keys.age", "manifest.age"])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 1.0])
async def test_every_flipped_byte_is_found_before_anything_is_touched(
    server: EmbeddedServer, settings: Settings, altered: Path, name: str, place: float
) -> None:
    path = altered / name
    content = bytearray(path.read_bytes())
    content[min(int(len(content) * place), len(content) - 1)] ^= 0x01
    path.write_bytes(content)
    before = _databases(server)
    for attempt in (backups.verify(settings, server.url, altered),
                    backups.restore(settings, server.url, altered, replace_data=True)):  # fmt: skip
        with pytest.raises(CadenzaError) as refused:
            await attempt
        assert refused.value.code == "backup_damaged"
    assert _databases(server) == before


@pytest.mark.parametrize("name", ["database.age", "keys.age", "manifest.age"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
async def test_a_file_that_is_gone_or_cut_is_refused(
    server: EmbeddedServer, settings: Settings, altered: Path, name: str, damage: str
) -> None:
    path = altered / name
    if damage == "missing":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 7)
    with pytest.raises(CadenzaError) as refused:
        await backups.restore(settings, server.url, altered, replace_data=True)
    assert refused.value.code == "backup_damaged"


async def test_a_dump_that_came_back_different_is_not_called_equal(
    server: EmbeddedServer, settings: Settings, made: backups.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = backups.database.load

    def lossy(url: str, database: str, *more: object) -> None:
        original(url, database, *more)  # type: ignore[arg-type]
        with closing(backups.database.connect(url, database)) as connection:
            connection.execute("update contacts set last_name = last_name || ' ' where last_name like '% 7'")

    monkeypatch.setattr(backups.database, "load", lossy)
    with pytest.raises(CadenzaError, match="not what was backed up: contacts") as refused:
        await backups.verify(settings, server.url, made.folder)
    assert refused.value.code == "backup_differs"


@pytest.mark.usefixtures("made")
async def test_only_the_newest_are_kept(server: EmbeddedServer, settings: Settings) -> None:
    kept = settings.model_copy(update={"backup_folder": settings.home / "thin"})
    for _ in range(3):
        await backups.create(kept, server.url, keep=2)
    assert len(backups.folders(kept)) == 2


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_another_machine_gets_it_back_with_its_secrets_and_sends_nothing(
    made: backups.Made, filled: Actor
) -> None:
    with tempfile.TemporaryDirectory(prefix="cadenza-restored-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        key = home / "recovery.txt"
        key.write_text(f"our recovery key:\n{made.recovery_key}\n")
        shell = Shell(home, {"CADENZA_HOME": folder, "CADENZA_LOG_LEVEL": "error"})
        lacking = await shell("backup", "restore", made.folder)
        assert (lacking.code, "recovery key cannot be read" in lacking.err) == (1, True)
        ran = await shell("backup", "restore", made.folder, "--key", key, "--json")
        assert ran.code == 0, ran.err
        assert ran.only["sending_held"] is True
        assert ran.only["rows"] == made.manifest.rows
        status = (await shell("sending", "status", "--json")).only
        assert (status["held"], status["reason"]) == (True, "restored")
        again = await shell("backup", "restore", made.folder)
        assert (again.code, "data here already" in again.err) == (1, True)
        replaced = await shell("backup", "restore", made.folder, "--replace", "--json")
        assert replaced.only["kept"].startswith("cadenza_before_")
        assert (await shell("backup", "create", "--json")).code == 0
        assert (await shell("backup", "verify", "--json")).only["equal"] is True
        await _opens(Settings(home=home), filled)


async def _opens(settings: Settings, actor: Actor) -> None:
    with EmbeddedServer(settings.home / "database") as server:
        database = Database(server.application_url, secrets=secret_box(settings))
        async with database.unit(actor.workspace_id) as unit:
            (box,) = await mailboxes(unit)
        assert (await credentials(database, box.workspace_id, box.id)).password == CANARY
        await database.close()
