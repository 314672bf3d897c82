"""The editor: what is typed is kept and checked as it grows, saved as a version, and never lost to a colleague's."""

import re
from urllib.parse import quote

import httpx
import pytest

from cadenza.campaigns.service import campaign, edit_of
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Role
from cadenza.identity.service import add_member
from tests.web.seed import CAMPAIGN, PASSWORD, Seeded
from tests.web.test_pages import _visitor, settings, visitor

__all__ = ["settings", "visitor"]

AT = f"/campaigns/{quote(CAMPAIGN)}"
EDIT = f"{AT}/edit"


def _fields(page: httpx.Response) -> dict[str, list[str]]:
    """What a browser would send of the editor's form as it stands."""
    form = page.text.partition('id="editor"')[2].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("type") == "checkbox" and " checked" not in tag:
            continue
        found.setdefault(given["name"], []).append(_plain(given.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found.setdefault(name, []).append(_plain(text))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        if chosen:
            found.setdefault(name, []).append(_plain(chosen[1]))
    return found


def _plain(text: str) -> str:
    for entity, letter in (("&#39;", "'"), ("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text


async def _led_back(visitor: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """The page that a refused form leads to: one that can be loaded again without sending the form once more."""
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    assert address.partition("?")[0] == EDIT
    page = await visitor.get(address)
    assert page.status_code == 200
    assert 'data-state="fail" role="alert"' in page.text
    return page


async def _version(database: Database, seeded: Seeded) -> int:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return (await campaign(unit, seeded.actor, CAMPAIGN)).version


async def test_saving_what_was_not_changed_makes_no_version(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    before = await _version(database, seeded)
    page = await visitor.get(EDIT)
    assert page.status_code == 200
    saved = await visitor.post(f"{EDIT}/save", data=_fields(page))
    assert saved.status_code == 303, saved.text
    assert await _version(database, seeded) == before


async def test_what_is_typed_is_kept_shown_to_a_real_person_and_saved_as_a_version(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    before = await _version(database, seeded)
    fields = _fields(await visitor.get(EDIT))
    (place,) = [name for name in fields if re.fullmatch(r"steps\.0\.variants\.0\.text", name)]
    fields[place] = [
        "Guten Tag {{ contact.first_name | default: 'there' }}, {{ contact.country | default: 'nowhere' }}."
    ]
    kept = await visitor.post(f"{EDIT}/keep", data=fields)
    assert kept.status_code == 200
    assert "Guten Tag Katrin, DE." in kept.text
    assert await _version(database, seeded) == before
    assert "Guten Tag {{ contact.first_name" in _plain((await visitor.get(EDIT)).text)
    saved = await visitor.post(f"{EDIT}/save", data=fields)
    assert saved.status_code == 303
    assert await _version(database, seeded) == before + 1
    compared = await visitor.get(f"{AT}/versions")
    assert "Guten Tag" in compared.text
    assert 'data-change="changed"' in compared.text
    file = await visitor.get(f"{AT}/file")
    assert file.headers["content-type"].startswith("application/yaml")
    assert "attachment" in file.headers["content-disposition"]


async def test_missing_and_unknown_tokens_are_marked_before_anything_is_saved(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    before = await _version(database, seeded)
    fields = _fields(await visitor.get(EDIT))
    fields["steps.0.variants.0.text"] = ["Hi {{ contact.industry_x }}"]
    kept = await visitor.post(f"{EDIT}/keep", data=fields)
    assert "steps[1].variants[1].text" in kept.text
    refused = await _led_back(visitor, await visitor.post(f"{EDIT}/save", data=fields))
    assert "This is not finished yet; nothing was saved." in refused.text
    assert "contact.industry_x" in refused.text
    assert await _version(database, seeded) == before
    fields["steps.0.variants.0.text"] = [
        "Hi {{ contact.custom.nothing | default: 'you' }}{{ contact.language | default: 'x' }}"
    ]
    assert (await visitor.post(f"{EDIT}/keep", data=fields)).status_code == 200


async def test_steps_and_texts_come_move_and_go(visitor: httpx.AsyncClient) -> None:
    fields = _fields(await visitor.get(EDIT))
    added = await visitor.post(f"{EDIT}/add-step", data=fields | {"new_id": ["extra"]})
    assert added.status_code == 303
    page = await visitor.get(added.headers["location"])
    assert 'name="step" value="extra"' in page.text
    fields = _fields(page) | {
        "steps.1.variants.0.subject": ["One more"],
        "steps.1.variants.0.text": ["Words."],
    }
    doubled = await visitor.post(f"{EDIT}/add-variant", data=fields)
    page = await visitor.get(doubled.headers["location"])
    assert "Words." in page.text
    assert 'name="variant" value="b"' in page.text
    fewer = await visitor.post(f"{EDIT}/remove-variant", data=_fields(page))
    assert fewer.status_code == 303
    moved = await visitor.post(f"{EDIT}/earlier", data=_fields(await visitor.get(f"{EDIT}?step=extra")))
    page = await visitor.get(moved.headers["location"])
    assert "steps.0.variants.0.subject" in page.text
    gone = await visitor.post(f"{EDIT}/remove-step", data=_fields(page))
    assert 'value="extra"' not in (await visitor.get(gone.headers["location"])).text


async def test_steps_on_other_channels_are_written_and_read_for_a_real_person(
    visitor: httpx.AsyncClient,
) -> None:
    page = await visitor.get(EDIT)
    for name, action in (("view", "view_profile"), ("ask", "connect"), ("talk", "call")):
        new = _fields(page) | {"new_id": [name], "new_action": [action]}
        page = await visitor.get((await visitor.post(f"{EDIT}/add-step", data=new)).headers["location"])
        assert f'name="step" value="{name}"' in page.text
    script = next(name for name in _fields(page) if name.endswith(".script"))
    kept = await visitor.post(
        f"{EDIT}/keep", data=_fields(page) | {script: ["Ask {{ account.name }} about time."]}
    )
    assert "{{" not in kept.text.partition("letter")[2].partition("</article>")[0]
    assert "about time." in kept.text
    view = await visitor.get(f"{EDIT}?step=view")
    assert "Nothing is written in this step." in view.text
    note = next(n for n in _fields(await visitor.get(f"{EDIT}?step=ask")) if n.endswith(".text"))
    long = await visitor.post(f"{EDIT}/keep", data={"step": "ask", "variant": "a", note: ["x" * 301]})
    assert "1 to 300 characters" in long.text


async def test_a_running_campaign_takes_a_version_with_a_step_on_another_channel(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    before = await _version(database, seeded)
    new = _fields(await visitor.get(EDIT)) | {"new_id": ["view"], "new_action": ["view_profile"]}
    page = await visitor.get((await visitor.post(f"{EDIT}/add-step", data=new)).headers["location"])
    saved = await visitor.post(f"{EDIT}/save", data=_fields(page))
    assert saved.status_code == 303
    assert await _version(database, seeded) == before + 1


@pytest.mark.parametrize("name", ["", "intro", "1st", "a b", "x" * 65])
async def test_a_step_that_cannot_be_called_so_is_told(visitor: httpx.AsyncClient, name: str) -> None:
    fields = _fields(await visitor.get(EDIT))
    words = {"steps.0.variants.0.text": ["Typed just now."]}
    refused = await _led_back(
        visitor, await visitor.post(f"{EDIT}/add-step", data=fields | words | {"new_id": [name]})
    )
    assert 'aria-invalid="true" aria-describedby="fault-id"' in refused.text
    assert f'name="new_id" value="{name[:64]}"' in refused.text, "what was typed stays"
    assert "Typed just now." in refused.text


async def test_places_that_the_form_does_not_have_change_nothing(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    fields = _fields(await visitor.get(EDIT))
    hostile = {
        "steps.0.id": ["other"],
        "name.x": ["y"],
        "steps.99.when": ["x"],
        "senders.mailboxes.0": ["x"],
        "a..b": ["c"],
    }
    await visitor.post(f"{EDIT}/keep", data=fields | hostile)
    await visitor.post(f"{EDIT}/save", data=fields)
    async with database.unit(seeded.actor.workspace_id) as unit:
        assert (await campaign(unit, seeded.actor, CAMPAIGN)).definition.steps[0].id == "intro"


async def test_two_who_edit_at_once_lose_nothing(
    visitor: httpx.AsyncClient, database: Database, settings: Settings, seeded: Seeded
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(
            unit,
            seeded.actor,
            email="second@nordwerk.example",
            name="Second",
            role=Role.MANAGER,
            password=PASSWORD,
        )
    async with await _visitor(database, settings, "second@nordwerk.example") as second:
        mine, theirs = _fields(await visitor.get(EDIT)), _fields(await second.get(EDIT))
        mine["steps.0.variants.0.text"], theirs["steps.0.variants.0.text"] = ["Mine."], ["Theirs."]
        await visitor.post(f"{EDIT}/keep", data=mine)
        assert (await second.post(f"{EDIT}/save", data=theirs)).status_code == 303
        refused = await _led_back(visitor, await visitor.post(f"{EDIT}/save", data=mine))
        assert "Somebody saved version 2 while you were editing version 1." in refused.text
        assert "Mine." in refused.text
        assert (await visitor.post(f"{EDIT}/over", data=mine)).status_code == 303
        assert (await visitor.post(f"{EDIT}/save", data=mine)).status_code == 303
    async with database.unit(seeded.actor.workspace_id) as unit:
        found = await campaign(unit, seeded.actor, CAMPAIGN)
    assert found.definition.steps[0].variants[0].text == "Mine."


async def test_what_is_discarded_is_the_version_in_force_again(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    fields = _fields(await visitor.get(EDIT))
    await visitor.post(f"{EDIT}/keep", data=fields | {"steps.0.variants.0.text": ["Gone soon."]})
    assert (await visitor.post(f"{EDIT}/discard", data=fields)).status_code == 303
    assert "Gone soon." not in (await visitor.get(EDIT)).text
    async with database.unit(seeded.actor.workspace_id) as unit:
        member = seeded.actor
        assert not (await edit_of(unit, member, (await campaign(unit, member, CAMPAIGN)).id)).changed


async def test_a_new_campaign_begins_as_a_draft_that_can_be_saved_as_it_is(
    visitor: httpx.AsyncClient,
) -> None:
    page = await visitor.get("/campaigns/+new")
    file = re.search(r'id="contacts" name="contacts"><option>([^<]+)', page.text)
    sender = re.search(r'id="sender" name="sender"><option>([^<]+)', page.text)
    assert file
    assert sender
    body = {"name": "Made here", "contacts": file[1], "sender": sender[1]}
    made = await visitor.post("/campaigns/+new", data=body)
    assert made.headers["location"] == "/campaigns/Made%20here/edit"
    assert "0 things" not in (await visitor.get(made.headers["location"])).text
    wrong = await visitor.post("/campaigns/+new", data=body | {"name": 'no/slash"'})
    assert wrong.status_code == 422


async def test_a_new_campaign_never_takes_the_name_of_one_that_exists(
    visitor: httpx.AsyncClient, database: Database, seeded: Seeded
) -> None:
    page = (await visitor.get("/campaigns/+new")).text
    sender = re.findall(r"<option>([^<]+@[^<]+)", page)[-1]
    body = {"name": CAMPAIGN, "contacts": "people.csv", "sender": sender}
    taken = await visitor.post("/campaigns/+new", data=body)
    assert taken.status_code == 422
    assert f"There is a campaign {CAMPAIGN} already" in taken.text
    assert f"<option selected>{sender}" in taken.text
    async with database.unit(seeded.actor.workspace_id) as unit:
        assert (await campaign(unit, seeded.actor, CAMPAIGN)).version == 1
    assert "Choose another name" in taken.text


@pytest.mark.asvs("8.2.1", "8.3.1")
async def test_who_may_not_edit_finds_no_editor(
    database: Database, settings: Settings, seeded: Seeded
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(
            unit, seeded.actor, email="rep@nordwerk.example", name="Rep", role=Role.REP, password=PASSWORD
        )
    async with await _visitor(database, settings, "rep@nordwerk.example") as rep:
        assert (await rep.get(AT)).status_code == 200
        assert EDIT not in (await rep.get(AT)).text
        for address in (EDIT, "/campaigns/+new"):
            assert (await rep.get(address)).status_code == 403
        for act in ("save", "keep", "discard", "add-step"):
            assert (await rep.post(f"{EDIT}/{act}", data={})).status_code == 403


async def test_two_windows_of_one_person_do_not_write_over_each_other(visitor: httpx.AsyncClient) -> None:
    first, second = _fields(await visitor.get(EDIT)), _fields(await visitor.get(EDIT))
    place = "steps.0.variants.0.text"
    assert (await visitor.post(f"{EDIT}/keep", data=first | {place: ["From the first."]})).status_code == 200
    refused = await visitor.post(f"{EDIT}/keep", data=second | {place: ["From the second."]})
    assert "Something else was written in" in refused.text
    assert _fields(await visitor.get(EDIT))[place] == ["From the first."]
    assert (await visitor.post(f"{EDIT}/keep", data=first | {place: ["Again the first."]})).status_code == 200
    page = await visitor.post(f"{EDIT}/save", data=second | {place: ["From the second."]})
    assert page.status_code == 409
    assert "Something else was written in" in page.text
    assert _fields(page)[place] == ["From the second."], "what was typed stays on the page"
    assert _fields(await visitor.get(EDIT))[place] == ["Again the first."]
    over = await visitor.post(f"{EDIT}/save", data=_fields(page))
    assert over.status_code == 303, "pressed again, now knowing of the other one"
    assert _fields(await visitor.get(EDIT))[place] == ["From the second."]


async def test_what_was_saved_since_the_form_was_opened_is_not_written_over(
    visitor: httpx.AsyncClient,
) -> None:
    first, second = _fields(await visitor.get(EDIT)), _fields(await visitor.get(EDIT))
    text, subject = "steps.0.variants.0.text", "steps.0.variants.0.subject"
    assert (await visitor.post(f"{EDIT}/save", data=first | {text: ["Saved first."]})).status_code == 303
    refused = await visitor.post(f"{EDIT}/keep", data=second | {subject: ["Only this"]})
    assert "Something else was written in" in refused.text
    assert (await visitor.post(f"{EDIT}/save", data=second | {subject: ["Only this"]})).status_code == 409
    assert _fields(await visitor.get(EDIT))[text] == ["Saved first."]
