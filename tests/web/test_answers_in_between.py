"""An answer is sent to what its writer has read: what came in between is told first, and what was typed is kept."""

import re
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member
from cadenza.inbox.service import answer, close, conversation
from tests.web.seed import PASSWORD, Seeded
from tests.web.test_pages import _visitor, settings, visitor

__all__ = ["settings", "visitor"]

MINE, THEIRS = "Tuesday at ten suits me.", "Wednesday suits us."
GERMAN = {"accept-language": "de"}


def _words(answered: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answered.text)).split())


def _form(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the form of the answer, as the page gives them."""
    form = re.search(r'<form class="answer-form".*?</form>', page.text, re.DOTALL)
    assert form, page.text
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group()))


async def _colleague(database: Database, settings: Settings, seeded: Seeded) -> httpx.AsyncClient:
    email = f"{uuid4().hex}@halden.example"
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(
            unit, seeded.actor, email=email, name="Ivo Brandt", role=Role.OWNER, password=PASSWORD
        )
    return await _visitor(database, settings, email)


async def _said(database: Database, seeded: Seeded) -> list[str]:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return [item.text for item in (await conversation(unit, seeded.actor, seeded.conversation)).items]


async def test_the_second_of_two_who_answer_is_told_of_the_first_and_may_send_anyway(
    database: Database, settings: Settings, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    here = f"/inbox/{seeded.conversation}"
    mine = _form(await visitor.get(here))
    async with await _colleague(database, settings, seeded) as colleague:
        sent = await colleague.post(
            f"{here}/answer", data=_form(await colleague.get(here)) | {"text": THEIRS}
        )
    assert sent.status_code == 303
    refused = await visitor.post(f"{here}/answer", data=mine | {"text": MINE})
    assert refused.status_code == 409
    assert MINE not in await _said(database, seeded)
    assert f">\n{MINE}</textarea>" in refused.text
    assert "Ivo Brandt answered" in _words(refused)
    assert "Send anyway" in _words(refused)
    again = await visitor.post(f"{here}/answer", data=_form(refused) | {"text": MINE})
    assert again.status_code == 303
    assert (await _said(database, seeded)).count(MINE) == 1


async def test_a_conversation_that_a_colleague_closed_meanwhile_says_who_and_is_not_answered(
    database: Database, settings: Settings, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    here = f"/inbox/{seeded.conversation}"
    mine = _form(await visitor.get(here)) | {"text": MINE}
    async with await _colleague(database, settings, seeded) as colleague:
        await colleague.post(f"{here}/close", data={})
    refused = await visitor.post(f"{here}/answer", data=mine, headers=GERMAN)
    assert refused.status_code == 409
    assert "Ivo Brandt hat geschlossen" in _words(refused)
    assert "Trotzdem senden" in _words(refused)
    assert MINE not in await _said(database, seeded)
    opened = await visitor.get(f"{here}?view=closed")
    assert "This conversation is closed. Ivo Brandt closed it" in _words(opened)
    assert (await visitor.post(f"{here}/answer", data=_form(opened) | {"text": MINE})).status_code == 303


@pytest.mark.parametrize("blank", ["", "  \n "])
async def test_an_answer_without_words_comes_back_to_its_form(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient, blank: str
) -> None:
    here = f"/inbox/{seeded.conversation}"
    before = await _said(database, seeded)
    answered = await visitor.post(f"{here}/answer", data=_form(await visitor.get(here)) | {"text": blank})
    assert answered.status_code == 422
    assert 'aria-describedby="fault-text"' in answered.text
    assert "An answer has 1 to 100,000 characters. Write something first." in _words(answered)
    assert await _said(database, seeded) == before


async def test_whoever_says_what_they_saw_is_refused_and_the_same_draft_stays_one_message(
    database: Database, seeded: Seeded
) -> None:
    draft = uuid4()
    async with database.unit(seeded.actor.workspace_id) as unit:
        seen = (await conversation(unit, seeded.actor, seeded.conversation)).newest
        first = await answer(unit, seeded.actor, seeded.conversation, draft_id=draft, text=MINE, seen=seen)
        again = await answer(unit, seeded.actor, seeded.conversation, draft_id=draft, text=MINE, seen=seen)
        assert again.id == first.id
        wrong = await _refused(unit, seeded, seen)
        assert [problem.code for problem in wrong.problems] == ["newer_message"]
        assert "Nora" in wrong.problems[0].message or seeded.actor.name in wrong.problems[0].message
        await close(unit, seeded.actor, seeded.conversation)
        wrong = await _refused(unit, seeded, first.id)
        assert [problem.code for problem in wrong.problems] == ["closed"]
        assert (await _refused(unit, seeded, uuid4())).problems, "a message of nowhere is no knowledge"


async def _refused(unit: Unit, seeded: Seeded, seen: UUID | None) -> CadenzaError:
    with pytest.raises(CadenzaError) as caught:
        await answer(
            unit,
            seeded.actor,
            seeded.conversation,
            draft_id=uuid4(),
            text=THEIRS,
            seen=seen,
        )
    assert (caught.value.code, caught.value.kind) == ("conversation_moved", Kind.CONFLICT)
    return caught.value
