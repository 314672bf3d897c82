"""A launch says before what it would do; a refused one says what is missing and where that is mended."""

import re
from html import unescape

import httpx
import pytest

from cadenza.channels.contracts import MailboxState
from cadenza.channels.service import set_state
from cadenza.core.database import Database
from cadenza.engine.readiness import readiness
from cadenza.engine.service import launch
from tests.web.seed import CAMPAIGN, Seeded
from tests.web.test_pages import settings, visitor

__all__ = ["settings", "visitor"]

DRAFT = "Second draft"
HERE = "/campaigns/Second%20draft/launch"
GERMAN = {"accept-language": "de"}


def _words(answered: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answered.text)).split())


@pytest.fixture
async def broken(database: Database, seeded: Seeded) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await set_state(unit, seeded.mailbox, MailboxState.BROKEN, "the log-in is refused")


@pytest.mark.usefixtures("broken")
async def test_a_refused_launch_says_each_reason_with_a_way_to_mend_it_and_can_be_loaded_again(
    visitor: httpx.AsyncClient,
) -> None:
    refused = await visitor.post(HERE, data={})
    assert refused.status_code == 409
    assert "Second draft was not launched." in _words(refused)
    assert "nora@halden.example cannot send: the log-in is refused" in _words(refused)
    assert '<a href="/senders">To the senders</a>' in refused.text
    assert 'href="/campaigns/Second%20draft"' in refused.text
    again = await visitor.get(HERE, headers=GERMAN)
    assert again.status_code == 200
    assert "1 Sache verhindert den Start:" in _words(again)
    assert "nora@halden.example kann nicht senden" in _words(again)


async def test_how_many_are_enrolled_and_how_many_of_them_are_stopped_is_told_before(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    part = await visitor.get(HERE, headers={"hx-request": "true"})
    assert "<html" not in part.text
    async with database.unit(seeded.actor.workspace_id) as unit:
        told = await readiness(unit, seeded.actor, DRAFT)
        assert (told.people, told.stopped) == (len(seeded.contacts), 1)
        assert not told.problems
        assert f"{told.people} people are enrolled. 1 of them may not be written to" in _words(part)
        assert (await launch(unit, seeded.actor, DRAFT)).enrolled == told.people


@pytest.mark.parametrize("page", ["/campaigns/Second%20draft", "/campaigns/Second%20draft/edit"])
async def test_the_dialog_and_the_editor_ask_for_it(visitor: httpx.AsyncClient, page: str) -> None:
    assert f'hx-get="{HERE}"' in (await visitor.get(page)).text


async def test_a_bare_refusal_leads_back_to_the_page_it_came_from(visitor: httpx.AsyncClient) -> None:
    here, came = f"/campaigns/{CAMPAIGN}/resume", "/campaigns?page=1"
    base = str(visitor.base_url)
    answered = await visitor.post(here, data={}, headers={"referer": f"{base}{came}"})
    assert answered.status_code == 409
    assert f'href="{came}">' in answered.text
    for foreign in ("https://evil.example/x", f"{base}//evil.example/x"):
        answered = await visitor.post(here, data={}, headers={"referer": foreign})
        assert "evil.example" not in answered.text
        assert "Back to where you were" not in answered.text
