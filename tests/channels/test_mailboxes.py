import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import text, update

from cadenza.channels import commands, service
from cadenza.channels.contracts import Credentials, FolderCursor, Mailbox, MailboxState, Server, Tls
from cadenza.channels.models import MailboxRow
from cadenza.channels.service import NewMailbox, Quota
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Role
from tests.servers.sandbox_imap import ANNA, imap_server
from tests.servers.scripted import serve

LOCAL = Server("127.0.0.1", 2525, Tls.NONE)
TODAY = date(2026, 3, 2)


def new(**changes: Any) -> NewMailbox:
    given = {
        "address": "Anna@North.example",
        "smtp": LOCAL,
        "imap": LOCAL,
        "user": "anna",
        "aliases": ("A@x.example",),
    }
    return NewMailbox(**{**given, **changes})


async def add(unit: Unit, owner: Actor, **changes: Any) -> Mailbox:
    return await service.add_mailbox(unit, owner, new(**changes), "a long secret")


@dataclass
class Inside:
    """A database that opens no unit but the test's own, which is rolled back at the end."""

    own: Unit

    @asynccontextmanager
    async def unit(self, _: UUID) -> AsyncIterator[Unit]:
        yield self.own


async def opened(unit: Unit, mailbox_id: UUID) -> Credentials:
    return await service.credentials(Inside(unit), unit.workspace_id, mailbox_id)  # type: ignore[arg-type]


async def test_a_mailbox_comes_back_without_its_secret(unit: Unit, owner: Actor) -> None:
    box = await add(unit, owner)
    assert (box.address, box.domain, box.state) == ("anna@north.example", "north.example", MailboxState.OK)
    assert box.aliases == ("a@x.example",)
    assert await service.mailbox(unit, box.id) == box
    assert await service.mailboxes(unit) == [box]
    assert await service.mailboxes(unit, ["ANNA@north.example", "other@x.example"]) == [box]
    assert "a long secret" not in repr(box)
    secret = await opened(unit, box.id)
    assert secret == Credentials("anna", "a long secret")
    assert "a long secret" not in repr(secret)


@pytest.mark.asvs("11.3.3")
async def test_the_stored_secret_is_sealed_and_bound_to_its_row(unit: Unit, owner: Actor) -> None:
    first = await add(unit, owner)
    second = await add(unit, owner, address="ben@north.example")
    rows = (await unit.session.execute(text("select mailboxes::text from mailboxes"))).scalars().all()
    assert not any("a long secret" in row for row in rows)
    sealed = (await unit.session.get_one(MailboxRow, (unit.workspace_id, first.id))).password_sealed
    await unit.session.execute(
        update(MailboxRow).where(MailboxRow.id == second.id).values(password_sealed=sealed)
    )
    unit.session.expire_all()
    with pytest.raises(CadenzaError) as moved:
        await opened(unit, second.id)
    assert moved.value.code == "secret_damaged"


async def test_adding_again_changes_the_settings_and_heals_the_state(unit: Unit, owner: Actor) -> None:
    box = await add(unit, owner)
    await service.set_state(unit, box.id, MailboxState.BROKEN, "the log-in is refused")
    unit.session.expire_all()
    broken = await service.mailbox(unit, box.id)
    assert (broken.state, broken.state_reason) == (MailboxState.BROKEN, "the log-in is refused")
    again = await add(unit, owner, daily_limit=30)
    assert again == replace(box, daily_limit=30)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"address": "no address"}, "address_invalid"),
        ({"aliases": ("x",)}, "address_invalid"),
        ({"smtp": Server("mail.example.com", 25, Tls.NONE)}, "tls_required"),
        ({"imap": Server("mail.example.com", 143, Tls.NONE)}, "tls_required"),
        ({"smtp": Server("mail.example.com", 70000, Tls.IMPLICIT)}, "server_invalid"),
        ({"daily_limit": 0}, "daily_limit_invalid"),
    ],
)
async def test_wrong_settings_are_refused_and_change_nothing(
    unit: Unit, owner: Actor, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(CadenzaError) as refused:
        await add(unit, owner, **changes)
    assert refused.value.code == code
    assert refused.value.fix
    assert await service.mailboxes(unit) == []


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("role", [Role.REP, Role.READ_ONLY])
async def test_only_some_roles_add_mailboxes(unit: Unit, owner: Actor, role: Role) -> None:
    with pytest.raises(CadenzaError) as refused:
        await service.add_mailbox(unit, replace(owner, role=role), new(), "secret")
    assert refused.value.kind.value == "not_allowed"


async def test_cursors_are_kept_per_folder(unit: Unit, owner: Actor) -> None:
    box = await add(unit, owner)
    assert await service.cursor(unit, box.id, "INBOX") is None
    for position in (FolderCursor("INBOX", 7, 10), FolderCursor("Sent", 8, 1), FolderCursor("INBOX", 7, 12)):
        await service.save_cursor(unit, box.id, position)
        unit.session.expire_all()
        assert await service.cursor(unit, box.id, position.folder) == position


async def test_what_is_missing_is_named(unit: Unit) -> None:
    for door in (service.mailbox, opened):
        with pytest.raises(CadenzaError) as missing:
            await door(unit, uuid4())
        assert missing.value.code == "mailbox_not_found"


async def test_quota_is_the_least_that_every_limit_leaves(unit: Unit) -> None:
    mailbox_id = uuid4()
    mailbox, domain = Quota("mailbox", str(mailbox_id), 60), Quota("domain", "north.example", 70)
    assert await service.take_quota(unit, TODAY, mailbox, domain, wanted=50) == 50
    assert await service.take_quota(unit, TODAY, mailbox, domain, wanted=50) == 10
    assert await service.take_quota(unit, TODAY, mailbox, domain, wanted=1) == 0
    assert await service.take_quota(unit, TODAY, Quota("mailbox", "other", 60), domain, wanted=50) == 10
    assert await service.take_quota(unit, date(2026, 3, 3), mailbox, domain, wanted=5) == 5
    await service.give_back_quota(unit, TODAY, mailbox, domain, amount=4)
    assert await service.used_quota(unit, TODAY, [mailbox_id, uuid4()]) == {mailbox_id: 56}
    assert await service.take_quota(unit, TODAY, mailbox, domain, wanted=9) == 4


async def test_a_lowered_limit_grants_nothing(unit: Unit) -> None:
    assert await service.take_quota(unit, TODAY, Quota("mailbox", "m", 60), wanted=50) == 50
    assert await service.take_quota(unit, TODAY, Quota("mailbox", "m", 20), wanted=5) == 0


@pytest.mark.asvs("2.3.4")
async def test_any_number_of_workers_respects_one_limit(database: Database, workspace: Actor) -> None:
    boxes = [Quota("mailbox", name, 20) for name in ("a", "b", "c")]
    domains = [Quota("domain", "x.example", 45), Quota("domain", "y.example", 45)]

    async def worker(number: int) -> int:
        taken = 0
        for turn in range(6):  # in an order of its own, so that single locks would meet crosswise
            async with database.unit(workspace.workspace_id) as unit:
                for step in (0, 1):
                    box, domain = boxes[(number + turn + step) % 3], domains[(number + turn + step) % 2]
                    taken += await service.take_quota(unit, TODAY, box, domain, wanted=3)
        return taken

    granted = sum(await asyncio.gather(*(worker(n) for n in range(8))))
    async with database.unit(workspace.workspace_id) as unit:
        rows = (await unit.session.execute(text("select scope, amount from send_counters"))).all()
    assert granted == sum(amount for scope, amount in rows if scope == "mailbox")
    assert granted == sum(amount for scope, amount in rows if scope == "domain")
    assert all(amount <= {"mailbox": 20, "domain": 45}[scope] for scope, amount in rows)
    assert granted >= 50


# Trying a mailbox, and the command line.


def mail_taker(login: str) -> Callable[..., Any]:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            known = {b"EHLO": b"250-me\r\n250 AUTH PLAIN\r\n", b"AUTH": login.encode() + b"\r\n"}
            writer.write(known.get(line[:4].upper(), b"221 bye\r\n"))

    return handler


@pytest.mark.parametrize(
    ("password", "login", "ok", "words"),
    [
        (ANNA.password, "235 ok", True, ["work"]),
        (
            ANNA.password,
            "535 5.7.8 no such user",
            False,
            ["SMTP server 127.0.0.1", "refuses the log-in: 535 5.7.8 no"],
        ),
        ("wrong", "235 ok", False, ["IMAP server 127.0.0.1", "refuses the log-in"]),
        ("wrong", "454 later", False, ["SMTP server", "IMAP server"]),
    ],
)
async def test_trying_a_mailbox_says_what_failed(
    tmp_path: Path, password: str, login: str, ok: bool, words: list[str]
) -> None:
    async with imap_server(tmp_path) as (imap, _), serve(mail_taker(login)) as smtp:
        tested = await service.test_mailbox(ANNA.user, smtp, imap, Credentials(ANNA.user, password))
    assert (tested.ok, tested.address) == (ok, ANNA.user)
    for part in words:
        assert part in tested.detail


async def test_trying_servers_that_are_not_there() -> None:
    nowhere = Server("127.0.0.1", 1, Tls.NONE)
    tested = await service.test_mailbox(ANNA.user, nowhere, nowhere, ANNA)
    assert not tested.ok
    assert tested.detail.startswith("SMTP server 127.0.0.1:1 cannot be reached")
    assert "IMAP server 127.0.0.1:1 cannot be used now" in tested.detail


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "a@x.example", "--smtp", "x", "--imap", "y:1", "--tls", "none", "--user", "a"],
        ["add", "a@x.example", "--smtp", "x:1", "--imap", "y:99999", "--tls", "none", "--user", "a"],
        ["add", "a@x.example", "--smtp", "x:1", "--imap", "y:1", "--tls", "sometimes", "--user", "a"],
        ["add", "a@x.example"],
        ["sing"],
    ],
)
def test_called_wrongly(arguments: list[str]) -> None:
    result = CliRunner().invoke(commands.senders, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
