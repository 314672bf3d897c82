"""A form that is refused comes back as it was typed, with the reason beside its field; nothing is changed."""

import re
from html import unescape

import httpx
import pytest

from cadenza.channels.contracts import Mailbox, MailboxState
from cadenza.channels.service import fill_pool, mailboxes, make_pool, pools, set_state
from cadenza.core.database import Database
from tests.web.seed import Seeded
from tests.web.test_pages import settings, visitor

__all__ = ["settings", "visitor"]

GERMAN = {"accept-language": "de"}


def words(answer: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def field(answer: httpx.Response, name: str) -> str:
    """The tag of the form's field with this name."""
    found = re.search(rf'<input[^>]*\bname="{re.escape(name)}"[^>]*>', answer.text)
    assert found, answer.text
    return found.group()


@pytest.mark.parametrize(
    ("email", "status", "reason"),
    [
        ("{member}", 409, "is a member already."),
        ("nobody-at-all", 422, "Write it as name@company.example."),
    ],
)
async def test_an_invitation_that_cannot_be_comes_back_as_it_was_typed(
    visitor: httpx.AsyncClient, seeded: Seeded, email: str, status: int, reason: str
) -> None:
    email = email.format(member=seeded.email)
    form = {"email": email, "name": "Ines <Duarte>", "role": "operator"}
    answer = await visitor.post("/settings/members", data=form)
    assert answer.status_code == status
    assert f'value="{email}"' in field(answer, "email")
    assert 'aria-invalid="true" aria-describedby="fault-email"' in field(answer, "email")
    assert 'value="Ines &lt;Duarte&gt;"' in field(answer, "name")
    assert '<option value="operator" selected>' in answer.text
    told = re.search(r'id="fault-email"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert told
    assert reason in told.group(1)


async def test_why_nobody_was_invited_is_german_for_a_german(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    form = {"email": seeded.email, "name": "", "role": "rep"}
    answer = await visitor.post("/settings/members", data=form, headers=GERMAN)
    assert f"{seeded.email} ist schon Mitglied; niemand wurde eingeladen." in words(answer)


@pytest.mark.parametrize("name", ["South team", "  "])
async def test_a_pool_that_cannot_be_renamed_so_keeps_its_form(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded, name: str
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await make_pool(unit, seeded.actor, "South team")
        await fill_pool(unit, seeded.actor, seeded.pool, [])
        before = await pools(unit)
        box = (await mailboxes(unit))[0]
    answer = await visitor.post(
        f"/senders/pools/{seeded.pool}", data={"name": name, "members": [str(box.id)]}
    )
    assert answer.status_code in (409, 422)
    assert 'aria-describedby="fault-name"' in field(answer, "name")
    assert f'value="{name}"' in field(answer, "name")
    assert f'value="{box.id}" checked' in answer.text, "what was chosen stays chosen"
    async with database.unit(seeded.actor.workspace_id) as unit:
        assert await pools(unit) == before


SERVERS = {
    "address": "anna@north.example", "name": "Anna Berg", "password": "secret of hers", "smtp_host": "localhost", "smtp_port": "1",
    "smtp_tls": "none", "imap_host": "localhost", "imap_port": "1", "imap_tls": "none",
}  # fmt: skip


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize("port", ["99999", "0", "65536", "-1", "x", ""])
async def test_a_port_that_cannot_be_is_told_beside_its_field(visitor: httpx.AsyncClient, port: str) -> None:
    answer = await visitor.post("/senders/+connect/other", data=SERVERS | {"imap_port": port})
    assert answer.status_code == 422
    assert f'value="{port}"' in field(answer, "imap_port")
    assert 'aria-describedby="fault-imap.port"' in field(answer, "imap_port")
    assert "aria-invalid" not in field(answer, "smtp_port")
    assert "Give a port from 1 to 65535." in words(answer)
    assert "secret of hers" not in answer.text


async def test_servers_that_are_not_there_are_told_in_the_reader_s_words(visitor: httpx.AsyncClient) -> None:
    english = words(await visitor.post("/senders/+connect/other", data=SERVERS))
    assert "SMTP server localhost:1 cannot be reached: nothing answers at this port" in english
    german = words(await visitor.post("/senders/+connect/other", data=SERVERS, headers=GERMAN))
    assert "Der SMTP-Server localhost:1 ist nicht zu erreichen: an diesem Port antwortet niemand" in german
    assert "Errno" not in english + german
    assert "nothing answers" not in german


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_a_broken_mailbox_that_is_to_be_paused_says_how_it_is_and_why(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded, act: str
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await set_state(unit, seeded.mailbox, MailboxState.BROKEN, "the log-in is refused")
    answer = await visitor.post(f"/senders/{seeded.mailbox}/connection/{act}")
    assert answer.status_code == 409
    assert (
        "is broken and sends nothing; nothing was changed. Why it is broken: the log-in is refused"
        in words(answer)
    )
    assert (await _box(database, seeded)).state is MailboxState.BROKEN


async def _box(database: Database, seeded: Seeded) -> Mailbox:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return next(box for box in await mailboxes(unit) if box.id == seeded.mailbox)


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/login", {"email": "x\0@north.example", "password": "whatever it is"}),
        ("/settings/members", {"email": "x\0y@north.example", "name": "Ann", "role": "rep"}),
        ("/settings/members", {"email": "x@north.example", "name": "A\0nn", "role": "rep"}),
        ("/settings/teams", {"name": "a\0b"}),
    ],
)
async def test_a_character_that_cannot_be_kept_is_told_and_changes_nothing(
    visitor: httpx.AsyncClient, address: str, form: dict[str, str]
) -> None:
    answer = await visitor.post(address, data=form)
    assert answer.status_code == 422, answer.text
    assert "Something broke" not in answer.text
