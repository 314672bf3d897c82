"""``cadenza senders`` as processes of their own, on a real installation and with real servers."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cadenza.channels.contracts import Server, Tls
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.identity.contracts import Actor, Role
from cadenza.identity.service import add_member
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.smtp_server import Ledger, Provider
from tests.servers.scripted import serve

ANNA = "anna@north.example"
PASSWORD = "kept-between-us-7430"
WRONG = "kept-between-us-7431"


@dataclass(frozen=True)
class Said:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stood on standard output: JSON in one line, and nothing else."""
        (line,) = self.out.splitlines()
        return json.loads(line)


Senders = Callable[..., Coroutine[Any, Any, Said]]


@dataclass(frozen=True)
class Office:
    """A provider's servers, and who may log in there."""

    smtp: Server
    imap: Server
    passwords: dict[str, str]


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Office]:
    store, ledger = MailStore(tmp_path / "mail", world), Ledger(tmp_path / "ledger.jsonl")
    passwords = {ANNA: PASSWORD}
    provider = Provider(store, ledger, passwords, world, refuse=lambda _: None, deliver=lambda _: None)
    imap = ImapServer(store, passwords)
    ports = await provider.start("127.0.0.1", 0), await imap.start("127.0.0.1", 0)
    yield Office(*(Server("127.0.0.1", port, Tls.NONE) for port in ports), passwords)
    await provider.stop()
    await imap.stop()


async def _start(database: Database, home: Path, *arguments: str) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CADENZA_")}
    environment |= {"CADENZA_HOME": str(home), "CADENZA_DATABASE_URL": database.url}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cadenza.app", "senders", *arguments, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    )  # fmt: skip


@pytest.fixture
def senders(database: Database, workspace: Actor, tmp_path: Path) -> Senders:  # noqa: ARG001 - there must be a workspace
    async def run(*arguments: str, password: str | bytes = "") -> Said:
        process = await _start(database, tmp_path / "home", *arguments)
        given = password.encode() if isinstance(password, str) else password
        out, err = await asyncio.wait_for(process.communicate(given), 60)
        said = Said(process.returncode or 0, out.decode(), err.decode())
        assert "Traceback" not in said.err
        if given.strip():
            assert given.strip() not in out + err
        return said

    return run


def adding(
    post: Office, *more: str, address: str = ANNA, tls: str = "none", smtp: str = "", imap: str = ""
) -> list[str]:
    return [
        "add", address, "--smtp", smtp or f"127.0.0.1:{post.smtp.port}", "--imap", imap or f"127.0.0.1:{post.imap.port}",
        "--tls", tls, "--user", ANNA, *more,
    ]  # fmt: skip


async def _stored(database: Database, workspace: Actor) -> list[str]:
    async with database.unit(workspace.workspace_id) as unit:
        return list((await unit.session.scalars(text("select mailboxes::text from mailboxes"))).all())


async def test_a_mailbox_is_added_listed_and_tested(
    senders: Senders, post: Office, database: Database, workspace: Actor, tmp_path: Path
) -> None:
    added = await senders(
        *adding(post, "--name", "Anna Berg", "--daily-limit", "30", "--json"), password=PASSWORD
    )
    assert (added.exit_code, added.err) == (0, "")
    assert set(added.json) == {"sender", "address", "ok", "detail"}
    assert (added.json["address"], added.json["ok"]) == (ANNA, True)

    listed = await senders("list", "--json")
    (line,) = listed.json
    assert {key: line[key] for key in ("sender", "address", "ok", "display_name", "daily_limit")} == {
        "sender": added.json["sender"],
        "address": ANNA,
        "ok": True,
        "display_name": "Anna Berg",
        "daily_limit": 30,
    }
    tested = await senders("test", ANNA.upper(), "--json")
    assert (tested.exit_code, tested.json) == (0, added.json)
    shown = await senders("list")
    assert shown.out.split() == [ANNA, "ok", "30", "a", "day"]

    (row,) = await _stored(database, workspace)
    assert PASSWORD not in row
    assert not [
        path
        for path in (tmp_path / "home").rglob("*")
        if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]


async def test_a_message_to_oneself_is_sent_and_the_relay_s_answer_shown(
    senders: Senders, post: Office
) -> None:
    assert (await senders(*adding(post), password=PASSWORD)).exit_code == 0
    tried = await senders("try", ANNA, "--json")
    assert (tried.exit_code, tried.err) == (0, "")
    assert set(tried.json) == {"sender", "recipient", "ok", "detail"}
    assert (tried.json["sender"], tried.json["recipient"], tried.json["ok"]) == (ANNA, ANNA, True)
    assert "250" in (await senders("try", ANNA)).out
    other = await senders("try", ANNA, "--to", "prospect@firm.example", "--json")
    assert (other.exit_code, other.json["error"]["code"]) == (1, "trial_to_others")
    nobody = await senders("try", "nobody@north.example", "--json")
    assert (nobody.exit_code, nobody.json["error"]["code"]) == (1, "mailbox_not_found")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "gmx", "--tls", "none"], "leave out --tls"),
        (["--smtp", "127.0.0.1:1", "--user", "u"], "--imap, --tls"),
        (["--smtp", "127.0.0.1:1", "--imap", "127.0.0.1:1", "--tls", "none"], "--user"),
    ],
)
async def test_servers_are_named_or_come_with_their_provider(
    senders: Senders, arguments: list[str], words: str
) -> None:
    said = await senders("add", ANNA, *arguments, password=PASSWORD)
    assert (said.exit_code, said.out) == (2, "")
    assert words in said.err


async def test_a_preset_that_is_not_there_names_those_that_are(senders: Senders) -> None:
    said = await senders("add", ANNA, "--preset", "nowhere", "--json", password=PASSWORD)
    assert (said.exit_code, said.json["error"]["code"]) == (1, "preset_unknown")
    assert "nowhere" in said.json["error"]["message"]


async def test_a_wrong_password_is_a_report_and_stores_nothing(
    senders: Senders, post: Office, database: Database, workspace: Actor
) -> None:
    refused = await senders(*adding(post, "--json"), password=WRONG)
    assert refused.exit_code == 1
    assert (refused.json["sender"], refused.json["ok"]) == ("", False)
    assert refused.json["detail"].count("refuses the log-in") == 2
    assert await _stored(database, workspace) == []


@pytest.mark.parametrize("password", ["", "\n", b"\xff\xfe\n"])
async def test_without_a_password_on_standard_input_it_was_called_wrongly(
    senders: Senders, post: Office, password: str | bytes
) -> None:
    said = await senders(*adding(post, "--json"), password=password)
    assert (said.exit_code, said.out) == (2, "")
    assert "standard input" in said.err


async def test_a_password_is_no_option(senders: Senders, post: Office) -> None:
    said = await senders(*adding(post, "--password", "x"))
    assert (said.exit_code, said.out) == (2, "")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"smtp": "mail.example.com:25"}, "tls_required", "mail.example.com:25 would be used without TLS"),
        ({"imap": "192.0.2.7:143"}, "tls_required", "192.0.2.7:143 would be used without TLS"),
        ({"address": "no address"}, "address_invalid", "no address"),
        ({"address": "anna@north.example\r\nBcc: x@y.example"}, "header_line_break", "line break"),
    ],
)
async def test_what_can_be_told_without_a_network_is_refused_before_it_is_used(
    senders: Senders,
    post: Office,
    database: Database,
    workspace: Actor,
    changes: dict[str, str],
    code: str,
    words: str,
) -> None:
    said = await senders(*adding(post, "--json", **changes), password=WRONG)
    assert said.exit_code == 1
    assert said.json["error"]["code"] == code
    assert words in said.json["error"]["message"]
    assert await _stored(database, workspace) == []


async def test_a_limit_that_no_provider_bears_is_refused(senders: Senders, post: Office) -> None:
    said = await senders(*adding(post, "--daily-limit", "100000", "--json"), password=WRONG)
    assert (said.exit_code, said.json["error"]["code"]) == (1, "daily_limit_invalid")


@pytest.mark.parametrize(
    ("smtp", "tls", "words"),
    [
        ("no-such-host.invalid:587", "starttls", "SMTP server no-such-host.invalid:587 cannot be reached"),
        ("127.0.0.1:1", "none", "SMTP server 127.0.0.1:1 cannot be reached"),
    ],
)
async def test_a_host_that_is_not_there_is_named(
    senders: Senders, post: Office, smtp: str, tls: str, words: str
) -> None:
    said = await senders(*adding(post, "--json", smtp=smtp, tls=tls), password=PASSWORD)
    assert said.exit_code == 1
    assert words in said.json["detail"]
    assert not said.json["ok"]


async def test_a_stored_mailbox_that_stopped_working_is_told_and_mended(
    senders: Senders, post: Office
) -> None:
    assert (await senders(*adding(post), password=PASSWORD)).exit_code == 0
    moved = adding(post, "--json", smtp="127.0.0.1:1")
    assert (await senders(*moved, password=PASSWORD)).exit_code == 1
    assert (await senders("test", ANNA, "--json")).json["ok"]  # the failed change left the stored one alone
    post.passwords[ANNA] = "changed"
    broken = await senders("test", ANNA, "--json")
    assert (broken.exit_code, broken.json["ok"]) == (1, False)
    (line,) = (await senders("list", "--json")).json
    assert (line["ok"], line["detail"]) == (False, broken.json["detail"])
    post.passwords[ANNA] = PASSWORD
    assert (await senders("test", ANNA, "--json")).exit_code == 0
    (line,) = (await senders("list", "--json")).json
    assert line["ok"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["test", "nobody@north.example"], "mailbox_not_found"),
        (["list", "--workspace", "elsewhere"], "workspace_not_found"),
        (["list", "--as", "nobody@north.example"], "member_not_found"),
    ],
)
async def test_what_is_not_there_is_named(senders: Senders, arguments: list[str], code: str) -> None:
    said = await senders(*arguments, "--json")
    assert (said.exit_code, said.json["error"]["code"]) == (1, code)


@pytest.mark.asvs("8.3.1")
async def test_the_command_line_has_the_rights_of_whom_it_acts_for(
    senders: Senders, post: Office, database: Database, workspace: Actor
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        await add_member(
            unit, workspace, email="rep@north.example", name="Rep", password="long enough 123", role=Role.REP
        )
    for arguments in (adding(post), ["test", ANNA]):
        said = await senders(*arguments, "--as", "rep@north.example", "--json", password=WRONG)
        assert said.exit_code == 1
        assert said.json["error"]["code"] == "not_allowed"
    assert (await senders("list", "--as", "rep@north.example", "--json")).json == []


async def test_the_password_stands_in_no_list_of_processes(
    database: Database,
    workspace: Actor,  # noqa: ARG001 - there must be one
    tmp_path: Path,
) -> None:
    reached = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        reached.set()
        await reader.read()

    async with serve(silent) as server:
        where = f"127.0.0.1:{server.port}"
        arguments = ["add", ANNA, "--smtp", where, "--imap", where, "--tls", "none", "--user", ANNA]
        process = await _start(database, tmp_path / "home", *arguments)
        assert process.stdin
        process.stdin.write(f"{WRONG}\n".encode())
        await asyncio.wait_for(reached.wait(), 60)
        about = Path(f"/proc/{process.pid}")
        seen = (about / "cmdline").read_bytes() + (about / "environ").read_bytes()
        process.kill()
        await process.communicate()
    assert ANNA.encode() in seen
    assert WRONG.encode() not in seen
