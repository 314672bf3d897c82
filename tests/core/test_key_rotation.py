"""Keys are exchanged while everything runs: every secret opens all the while, and old keys go when nothing names them."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from cadenza.channels.contracts import Server, Tls
from cadenza.channels.service import NewMailbox, add_mailbox, credentials, mailboxes
from cadenza.core.crypto import SecretBox, secret_box
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id
from cadenza.core.keys import KeyFile
from cadenza.core.migrations.service import all_models
from cadenza.core.rotation import rotate, sealed_columns
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor, Role
from cadenza.identity.factors import FactorRow

_SERVER = Server("127.0.0.1", 9, Tls.NONE)


def _mailbox(number: int) -> NewMailbox:
    return NewMailbox(address=f"m{number}@north.example", smtp=_SERVER, imap=_SERVER, user="u", daily_limit=9)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, secret_key=None)


@pytest.mark.asvs("11.1.1", "11.2.2")
async def test_a_rotation_under_load_fails_no_read_and_drops_the_old_key(
    database: Database, workspace: Actor, home: Settings
) -> None:
    database.secrets = secret_box(home)
    # Another process: its own box on the same file, which hears of the rotation only through the file.
    other = Database(database.url, secrets=secret_box(home), machine=database.machine, world=database.world)
    async with database.unit(workspace.workspace_id) as unit:
        ids = [(await add_mailbox(unit, workspace, _mailbox(n), f"secret {n}")).id for n in range(450)]
    stop, reads = asyncio.Event(), 0

    async def read() -> None:
        nonlocal reads
        while not stop.is_set():
            for number in (reads % 450, (reads * 7) % 450):
                found = await credentials(other, workspace.workspace_id, ids[number])
                assert found.password == f"secret {number}"
                reads += 1

    async def write() -> None:
        for number in range(450, 470):
            async with other.unit(workspace.workspace_id) as unit:
                ids.append((await add_mailbox(unit, workspace, _mailbox(number), f"secret {number}")).id)
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read()) for _ in range(3)]
    writer = asyncio.create_task(write())
    done = await rotate(database, KeyFile(home.home / "keys.json"), all_models(), grace=0.2)
    await writer
    stop.set()
    await asyncio.gather(*readers)
    assert reads > 50
    assert done.sealed_anew >= 450
    assert (done.retired, done.kept) == (("k1",), ())
    assert "k1" not in json.loads((home.home / "keys.json").read_text())
    async with database.unit(workspace.workspace_id) as unit:
        names = set(
            await unit.session.scalars(text("select split_part(password_sealed, '.', 1) from mailboxes"))
        )
        assert names == {done.key}, "each ciphertext names its key"
        assert len(await mailboxes(unit)) == 470
    assert (await credentials(database, workspace.workspace_id, ids[469])).password == "secret 469"
    await other.close()


@pytest.mark.asvs("11.2.2")
async def test_a_rotation_that_was_cut_off_is_finished_by_the_next(
    database: Database, workspace: Actor, home: Settings
) -> None:
    database.secrets = secret_box(home)
    async with database.unit(workspace.workspace_id) as unit:
        one = (await add_mailbox(unit, workspace, _mailbox(1), "secret 1")).id
    file = KeyFile(home.home / "keys.json")
    file.add()
    done = await rotate(database, file, all_models(), grace=0)
    assert len(done.retired) == 2
    assert (await credentials(database, workspace.workspace_id, one)).password == "secret 1"


async def test_links_that_people_hold_open_after_any_number_of_rotations(
    database: Database, home: Settings
) -> None:
    before, identity = secret_box(home), new_id()
    link = before.opaque("unsubscribe", identity)
    database.secrets = before
    for _ in range(2):
        await rotate(database, KeyFile(home.home / "keys.json"), all_models(), grace=0)
    assert before.read_opaque("unsubscribe", link) == (identity,)
    assert secret_box(home).read_opaque("unsubscribe", link) == (identity,)
    assert secret_box(home).opaque("unsubscribe", identity) == link


async def test_a_factor_of_no_workspace_is_sealed_anew_too(
    database: Database, workspace: Actor, home: Settings
) -> None:
    database.secrets = secret_box(home)
    user = await _user(database)
    sealed = database.secrets.seal("SECRET", workspace_id=UUID(int=0), place=f"factor {user}")
    async with database.installation() as session:
        now = database.machine.now()
        session.add(FactorRow(user_id=user, secret_sealed=sealed, confirmed_at=now, last_step=1))
    done = await rotate(database, KeyFile(home.home / "keys.json"), all_models(), grace=0)
    assert done.sealed_anew == 1
    async with database.installation() as session:
        kept = await session.scalar(text("select secret_sealed from factors"))
    assert kept.startswith(done.key)
    assert database.secrets.open(kept, workspace_id=UUID(int=0), place=f"factor {user}") == "SECRET"
    assert workspace.role is Role.OWNER


async def _user(database: Database) -> UUID:
    identity = new_id()
    async with database.installation() as session:
        await session.execute(
            text(
                "insert into users (id, email, name, password_hash, timezone, locale, created_at) "
                "values (:id, 'x@x.example', 'X', '', 'UTC', 'en', now())"
            ),
            {"id": identity},
        )
    return identity


def test_every_sealed_column_says_what_it_is_bound_to() -> None:
    told = {(each.table, each.column) for each in sealed_columns(all_models())}
    named = {
        (table.name, column.name)
        for table in all_models().sorted_tables
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert named <= told
    assert ("webhooks", "secret") in told


def test_a_key_that_is_gone_is_told_in_words(home: Settings) -> None:
    box: Any = SecretBox({"a": bytes(32)})
    sealed = box.seal("x", workspace_id=UUID(int=1), place="p")
    with pytest.raises(CadenzaError) as gone:
        secret_box(home).open(sealed, workspace_id=UUID(int=1), place="p")
    assert gone.value.code == "secret_key_missing"


@pytest.mark.asvs("13.3.1")
def test_the_file_of_keys_is_for_its_owner_alone_also_after_a_rotation(home: Settings) -> None:
    secret_box(home)
    file = KeyFile(home.home / "keys.json")
    file.add()
    file.retire(["k1"])
    assert (home.home / "keys.json").stat().st_mode & 0o777 == 0o600
    assert list(file.ring().keys) != ["k1"]
    file.retire(list(file.ring().keys))
    assert file.ring().keys, "the newest key always stays"


@pytest.mark.asvs("11.3.2", "16.5.1")
@pytest.mark.parametrize("sealed", ["a.", "a.AAAA", "a.!!!", "a.é", "a." + "A" * 100, "b.AAAA", "", "."])
def test_what_was_never_sealed_is_refused_in_words(sealed: str) -> None:
    box = SecretBox({"a": bytes(32)})
    with pytest.raises(CadenzaError):
        box.open(sealed, workspace_id=UUID(int=1), place="p")
