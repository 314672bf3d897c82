"""An answer that is being written survives: closing the page, the end of the session, a late save."""

import re
from uuid import uuid4

import httpx
import pytest

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE, Role
from cadenza.identity.service import add_member, log_out
from cadenza.inbox.service import conversation
from tests.web.seed import PASSWORD, Seeded
from tests.web.test_pages import _visitor, settings, visitor

__all__ = ["settings", "visitor"]

WORDS = "Thank you.\n<b>Tuesday</b> at ten suits me."


def _written(page: str) -> str:
    """What stands in the field of the answer."""
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", page, re.DOTALL)
    assert found
    return found.group(1).replace("&lt;", "<").replace("&gt;", ">")


def _form(text: str, draft: object = None) -> dict[str, str]:
    return {"text": text, "draft": str(draft or uuid4()), "view": "open"}


@pytest.mark.asvs("1.2.1")
async def test_a_draft_is_there_when_the_conversation_is_opened_again(
    seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    page = f"/inbox/{seeded.conversation}"
    assert _written((await visitor.get(page)).text) == ""
    saved = await visitor.post(f"{page}/draft", data=_form(WORDS), headers={"hx-request": "true"})
    assert (saved.status_code, saved.text) == (200, "Saved")
    opened = (await visitor.get(page)).text
    assert _written(opened) == WORDS
    assert "<b>Tuesday" not in opened
    emptied = await visitor.post(f"{page}/draft", data=_form("  "), headers={"hx-request": "true"})
    assert (emptied.status_code, emptied.text) == (200, "")
    assert _written((await visitor.get(page)).text) == ""


async def test_a_sent_draft_is_gone_and_a_late_save_does_not_bring_it_back(
    seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    page, draft = f"/inbox/{seeded.conversation}", uuid4()
    await visitor.post(f"{page}/draft", data=_form(WORDS, draft))
    assert (await visitor.post(f"{page}/answer", data=_form(WORDS, draft))).status_code == 303
    assert _written((await visitor.get(page)).text) == ""
    late = await visitor.post(f"{page}/draft", data=_form(WORDS, draft), headers={"hx-request": "true"})
    assert (late.status_code, late.text) == (200, "")
    assert _written((await visitor.get(page)).text) == ""


@pytest.mark.asvs("8.2.2")
async def test_nobody_else_reads_a_draft(
    database: Database, settings: Settings, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    page, email = f"/inbox/{seeded.conversation}", f"{uuid4().hex}@halden.example"
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(unit, seeded.actor, email=email, name="Ivo", role=Role.OWNER, password=PASSWORD)
    await visitor.post(f"{page}/draft", data=_form(WORDS))
    async with await _visitor(database, settings, email) as colleague:
        assert _written((await colleague.get(page)).text) == ""
        await colleague.post(f"{page}/draft", data=_form("Mine"))
        assert _written((await colleague.get(page)).text) == "Mine"
    assert _written((await visitor.get(page)).text) == WORDS


async def test_a_draft_of_a_conversation_that_is_not_there_is_refused(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.post(f"/inbox/{uuid4()}/draft", data=_form(WORDS))).status_code == 404


@pytest.mark.asvs("7.4.1")
async def test_an_answer_sent_after_the_session_ended_goes_on_after_the_log_in(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    await log_out(database, visitor.cookies[SESSION_COOKIE])
    page = f"/inbox/{seeded.conversation}"
    assert (
        await visitor.post(f"{page}/draft", data=_form("x"), headers={"hx-request": "true"})
    ).status_code == 401
    form = _form(WORDS) | {"csrf_token": visitor.headers.pop("x-csrf-token")}
    asked = await visitor.post(f"{page}/answer", data=form)
    assert (asked.status_code, asked.headers["location"]) == (307, f"/login?next={page}/answer")
    ask = await visitor.post(asked.headers["location"], data=form)
    assert ask.status_code == 401
    fields = _fields(ask.text)
    entered = await visitor.post("/login", data=fields | {"email": seeded.email, "password": PASSWORD})
    assert entered.status_code == 200
    assert 'action="' + page + '/answer"' in entered.text
    async with database.unit(seeded.actor.workspace_id) as unit:
        before = await conversation(unit, seeded.actor, seeded.conversation)
    assert WORDS not in [item.text for item in before.items]
    sent = await visitor.post(f"{page}/answer", data=_fields(entered.text))
    assert (sent.status_code, sent.headers["location"]) == (303, f"{page}?view=open&said=answered")
    async with database.unit(seeded.actor.workspace_id) as unit:
        thread = await conversation(unit, seeded.actor, seeded.conversation)
    assert [item.text for item in thread.items].count(WORDS) == 1


def _fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: _plain(value) for name, value in found}


def _plain(value: str) -> str:
    for entity, character in (("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&amp;", "&")):
        value = value.replace(entity, character)
    return value


@pytest.mark.parametrize("kept", ["nonsense", "[1]", '[["a"]]', "7"])
async def test_a_kept_form_that_was_tampered_with_is_refused(
    seeded: Seeded, visitor: httpx.AsyncClient, kept: str
) -> None:
    form = {"email": seeded.email, "password": PASSWORD, "kept": kept}
    assert (await visitor.post("/login", data=form)).status_code == 422
    assert (await visitor.get("/")).status_code == 200


@pytest.mark.asvs("3.7.2")
async def test_a_kept_form_goes_to_no_other_site(seeded: Seeded, visitor: httpx.AsyncClient) -> None:
    form = {
        "email": seeded.email,
        "password": PASSWORD,
        "kept": '[["text", "x"]]',
        "next": "https://evil.example/",
    }
    answer = await visitor.post("/login", data=form)
    assert 'action="/"' in answer.text
    assert "evil.example" not in answer.text
