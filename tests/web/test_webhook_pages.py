"""Webhooks in Settings: made, tried, paused, looked into and removed, by whoever answers for what leaves."""

import re

import httpx
import pytest

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member
from tests.web.seed import PASSWORD, Seeded
from tests.web.test_pages import _visitor, settings, visitor

__all__ = ["settings", "visitor"]

AT = "/settings/webhooks"
URL = "http://127.0.0.1:9/in"


async def test_a_webhook_lives_from_its_secret_to_its_removal(visitor: httpx.AsyncClient) -> None:
    assert "Nobody is told yet" in (await visitor.get(AT)).text
    made = await visitor.post(AT, data={"url": URL, "note": "ours", "kinds": ["replied", "sent"]})
    assert "whsec_" in made.text
    page = await visitor.get(AT)
    assert "whsec_" not in page.text
    found = re.search(rf"{AT}/[0-9a-f-]+", page.text)
    assert found
    one = found[0]
    for act, words in (("test", "A trial is on its way"), ("pause", "Paused."), ("resume", "It goes on.")):
        answer = await visitor.post(f"{one}/{act}")
        assert words in (await visitor.get(answer.headers["location"])).text
    log = await visitor.get(f"{one}?state=pending")
    assert "trial" in log.text
    assert "trial" not in (await visitor.get(f"{one}?state=given_up")).text.partition("<tbody")[2]
    assert (await visitor.post(f"{one}/nonsense")).status_code == 404
    assert (await visitor.post(f"{one}/remove")).headers["location"].startswith(AT)
    assert (await visitor.get(one)).status_code == 404


@pytest.mark.parametrize(
    "body", [{"url": "ftp://x", "kinds": ["replied"]}, {"url": URL}, {"url": "", "kinds": ["replied"]}]
)
async def test_a_wrong_one_is_told_beside_the_form_and_kept_out(
    visitor: httpx.AsyncClient, body: dict[str, str]
) -> None:
    answer = await visitor.post(AT, data=body)
    assert answer.status_code == 422
    assert 'data-state="fail"' in answer.text
    assert "Nobody is told yet" in (await visitor.get(AT)).text


@pytest.mark.asvs("8.2.1", "8.3.1")
async def test_a_rep_neither_sees_nor_opens_it(
    database: Database, settings: Settings, seeded: Seeded
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(
            unit, seeded.actor, email="rep@nordwerk.example", name="Rep", role=Role.REP, password=PASSWORD
        )
    async with await _visitor(database, settings, "rep@nordwerk.example") as rep:
        assert AT not in (await rep.get("/settings/account")).text
        assert (await rep.get(AT)).status_code == 403
        assert (await rep.post(AT, data={"url": URL, "kinds": ["replied"]})).status_code == 403
